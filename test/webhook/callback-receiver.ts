import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
  at: number;
}

/** A receiver of callbacks that answers with one status after the other, the last one from then on. */
export async function startReceiver(answers: readonly (readonly [status: number, headers?: Record<string, string>])[]) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const [status, headers = {}] = answers[Math.min(received.length, answers.length - 1)] ?? [200];
    received.push({ headers: request.headers, body, at: Date.now() });
    response.writeHead(status, headers).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` };
}

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { getRequestListener, RequestError } from '@hono/node-server';
import { answerParserErrors, apiErrorResponse, type WebhookLogger } from '@vibe-edit/bots/webhook';
import { ListenError } from './listen-error.js';

/** A server that listens. */
export interface HttpServer {
  /** With the port that it got; of every address, the one to call it by from this machine. */
  readonly url: string;
  /** Takes no more connections and ends those that are idle; others go on. */
  stopListening(): void;
  /** Resolves when no connection is left, or when so many seconds are over. */
  settled(seconds: number): Promise<void>;
  /** Ends every connection. */
  close(): Promise<void>;
}

/** Listening on these is listening everywhere. */
const EVERY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** @throws {ListenError} */
export async function listen(options: {
  fetch: (request: Request) => Response | Promise<Response>;
  host: string;
  port: number;
  log: WebhookLogger;
}): Promise<HttpServer> {
  const { fetch, host, port, log } = options;
  let stopping = false;
  const respond = async (request: Request): Promise<Response> => {
    if (!request.headers.has('host')) throw new RequestError('Missing host header');
    const response = await fetch(request);
    // A connection that is kept would bring requests for as long as its other end likes.
    if (stopping) response.headers.set('connection', 'close');
    return response;
  };
  const listener = getRequestListener(respond, { errorHandler: (error) => answerFailure(error, log) });
  // A request without a host, or with an Expect that means nothing here, is not answered by Node, whose answers have no body.
  const server = createServer({ requireHostHeader: false }, listener);
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  answerParserErrors(server, { logger: log });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new ListenError({ host, port, cause })));
    server.listen(port, host, resolve);
  });
  let ended: Promise<void> | undefined;
  const stopListening = (): Promise<void> => {
    stopping = true;
    ended ??= new Promise((resolve) => server.close(() => resolve()));
    return ended;
  };
  const name = EVERY_ADDRESS.has(host) ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${name}:${(server.address() as AddressInfo).port}/`,
    stopListening: () => void stopListening(),
    async settled(seconds) {
      const timeout = new AbortController();
      const late = sleep(seconds * 1000, undefined, { signal: timeout.signal }).catch(() => undefined);
      await Promise.race([stopListening(), late]);
      timeout.abort();
    },
    async close() {
      const end = stopListening();
      server.closeAllConnections();
      await end;
    },
  };
}

/** The answer where no request could be made of what came, or the program failed over it. */
function answerFailure(error: unknown, log: WebhookLogger): Response {
  if (error instanceof RequestError) {
    const message = 'Expected a path and a host that make a URL';
    return apiErrorResponse({ status: 400, type: 'invalid_request_error', code: 'malformed_request', message });
  }
  log.error({ err: error }, 'request failed');
  return apiErrorResponse({ status: 500, type: 'server_error', code: 'internal', message: 'Something went wrong' });
}

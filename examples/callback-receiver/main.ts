/**
 * Receives the messages that vibe-edit sends to a `callback_url` and checks that they are from it.
 *
 *     CALLBACK_SECRET=whsec_... npm start
 *
 * The secret is the answer of `GET /v1/callback-secret` with your API key.
 */
import { createServer } from 'node:http';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';

const MAX_BYTES = 64 * 1024;

const webhook = new Webhook(process.env.CALLBACK_SECRET ?? '');
/** Messages come again when an answer was lost: each is dealt with once. In a real application this is a table. */
const seen = new Set<string>();

const server = createServer(async (request, response) => {
  try {
    let body = '';
    for await (const text of request.setEncoding('utf8')) {
      body += text;
      if (body.length > MAX_BYTES) return void response.writeHead(413).end();
    }
    const headers = request.headers as Record<string, string>;
    const { type, data } = webhook.verify(body, headers) as { type: string; data: { id: string } };
    const id = headers['webhook-id'] as string;
    if (!seen.has(id)) console.log(`${type} ${data.id}`);
    seen.add(id);
    // Answer at once: whatever takes long comes after it.
    response.writeHead(204).end();
  } catch (error) {
    // Whoever breaks off in the middle gets no answer; nothing that strangers send may end this process.
    response.writeHead(error instanceof WebhookVerificationError ? 401 : 400).end();
  }
});

server.listen(Number(process.env.PORT ?? 8081), '127.0.0.1', () => {
  const address = server.address();
  console.log(`http://localhost:${typeof address === 'object' ? address?.port : ''}/`);
});

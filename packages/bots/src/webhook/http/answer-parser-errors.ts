import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ApiError } from '../api-error.js';
import { newRequestId } from '../auth/middleware.js';
import { errorBody } from '../error-response.js';
import type { WebhookLogger } from '../webhook-options.js';

/** A client that goes on sending gets so long to read the answer before its connection ends, ms. */
const LINGER_MS = 1000;

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
};

/**
 * Answers what Node's HTTP parser refuses (a request line or headers that are none, too long or too slow, pieces of a body that are
 * none) in the API's error form, where Node would send a status alone, and closes the connection. For programs that serve the webhook
 * with `node:http`; `vibe-edit serve` does.
 *
 * @param server One that does not listen yet.
 * @param options.logger Hears of each, at level info.
 * @example
 * ```ts
 * import type { Server } from 'node:http';
 * import { createAdaptorServer } from '@hono/node-server';
 * import { Hono } from 'hono';
 *
 * const app = new Hono();
 * const server = createAdaptorServer({ fetch: app.fetch }) as Server;
 * answerParserErrors(server);
 * server.listen(8080, '127.0.0.1');
 * ```
 */
export function answerParserErrors(server: Server, { logger }: { logger?: WebhookLogger } = {}): void {
  const exchanges = new WeakMap<Socket, { request: IncomingMessage; response: ServerResponse }>();
  const answered = new WeakSet<Socket>();
  server.prependListener('request', (request, response) => exchanges.set(request.socket, { request, response }));
  // The parser fails again over each further piece of the same connection.
  server.on('clientError', (error: NodeJS.ErrnoException, duplex) => {
    const socket = duplex as Socket;
    if (answered.has(socket)) return;
    answered.add(socket);
    if (error.code === 'ECONNRESET' || !socket.writable || isTaken(exchanges.get(socket))) return void socket.destroy();
    const refusal = refusalOf(error.code);
    const requestId = newRequestId();
    socket.end(httpText(refusal, requestId));
    const linger = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(linger));
    logger?.info({ requestId, status: refusal.status, reason: error.code }, 'malformed request');
  });
}

/** Whether an answer would be taken for that of an earlier request: one that has begun, or that is still to come. */
function isTaken(exchange: { request: IncomingMessage; response: ServerResponse } | undefined): boolean {
  if (exchange === undefined || exchange.response.writableFinished) return false;
  return exchange.response.headersSent || exchange.request.complete;
}

function refusalOf(code: string | undefined): ApiError {
  const refusal = (status: number, name: string, message: string): ApiError =>
    new ApiError({ status, type: 'invalid_request_error', code: name, message });
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return refusal(431, 'headers_too_large', 'Expected shorter headers');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return refusal(413, 'body_too_large', 'Expected chunks of a body with shorter extensions');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refusal(408, 'request_timeout', 'Expected the whole request sooner');
    default:
      return refusal(400, 'malformed_request', 'Expected a request as HTTP/1.1 has it');
  }
}

function httpText(error: ApiError, requestId: string): string {
  const body = JSON.stringify(errorBody(error));
  return [
    `HTTP/1.1 ${error.status} ${REASONS[error.status]}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');
}

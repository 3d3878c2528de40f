import { createServer, type RequestListener, type ServerOptions } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { answerParserErrors } from './answer-parser-errors.js';

interface Answer {
  readonly status: number;
  readonly code: string;
}

/** Serves on this machine; gives a function that sends text and resolves with all that comes until the connection closes. */
async function serve(listener: RequestListener, options: ServerOptions = {}) {
  const logged: object[] = [];
  const log = (fields: object) => void logged.push(fields);
  const loud = (): never => {
    throw new Error('Expected nothing above info');
  };
  const server = createServer(options, listener);
  answerParserErrors(server, { logger: { info: log, warn: loud, error: loud } });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const send = (...parts: string[]) =>
    new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () => {
        for (const part of parts) socket.write(part);
      });
      socket.on('data', (data) => {
        text += data;
      });
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(text));
    });
  return { send, logged };
}

function read(text: string): Answer {
  const [head = '', body = ''] = text.split('\r\n\r\n');
  expect(head).toMatch(/^content-type: application\/json$/m);
  expect(head).toMatch(/^x-request-id: req_\w+$/m);
  expect(head).toMatch(/^connection: close$/m);
  expect(head).toContain(`content-length: ${body.length}`);
  const { error } = JSON.parse(body);
  expect(error).toMatchObject({ type: 'invalid_request_error', param: null, message: expect.any(String) });
  return { status: Number(head.split(' ')[1]), code: error.code };
}

const HOST = 'Host: localhost\r\n';

test.each([
  ['no request line', 'hello\r\n\r\n', 400, 'malformed_request'],
  ['a TLS greeting', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', 400, 'malformed_request'],
  ['a header without a name', `GET / HTTP/1.1\r\n${HOST}: x\r\n\r\n`, 400, 'malformed_request'],
  ['two lengths', `POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400, 'malformed_request'],
  [
    'pieces that are none',
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    400,
    'malformed_request',
  ],
  ['long headers', `GET / HTTP/1.1\r\n${HOST}X: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
  ['a long address', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n`, 431, 'headers_too_large'],
  [
    'long extensions of a piece',
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(20_000)}\r\n`,
    413,
    'body_too_large',
  ],
])('%s: answered as the API answers, and closed', async (_, text, status, code) => {
  const { send, logged } = await serve((request) => void request.resume());
  // A client that goes on sending hears it, too.
  expect(read(await send(text, 'x'.repeat(100_000)))).toEqual({ status, code });
  expect(logged).toMatchObject([{ status }]);
});

test('headers and bodies that come too slowly are a 408', async () => {
  const timeouts = { headersTimeout: 50, requestTimeout: 100, connectionsCheckingInterval: 20 };
  const { send } = await serve((request) => void request.resume(), timeouts);
  const slow = { status: 408, code: 'request_timeout' };
  expect(read(await send(`GET / HTTP/1.1\r\n${HOST}`))).toEqual(slow);
  expect(read(await send(`POST / HTTP/1.1\r\n${HOST}Content-Length: 9\r\n\r\nx`))).toEqual(slow);
});

test('what comes after a request is not answered in its place', async () => {
  const begun = await serve((_, response) => void response.write('begun'));
  expect(await begun.send(`GET / HTTP/1.1\r\n${HOST}\r\n`, 'hello\r\n\r\n')).not.toContain('malformed_request');
  const waiting = await serve(() => undefined);
  expect(await waiting.send(`GET / HTTP/1.1\r\n${HOST}\r\n`, 'hello\r\n\r\n')).toBe('');
});

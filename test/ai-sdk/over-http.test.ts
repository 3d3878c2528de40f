import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createVibe } from '@vibe-edit/ai-sdk';
import { createApiKey } from '@vibe-edit/bots/webhook';
import { createEditor, openCheckpoint, type Plugin } from '@vibe-edit/core';
import { createFakeBackend } from '@vibe-edit/core/testing';
import { APICallError, generateImage, InvalidPromptError, RetryError } from 'ai';
import sharp from 'sharp';
import { expect, onTestFinished, test } from 'vitest';
import { eventually, gate, picture, startServer, type TestServer } from '../webhook/webhook-fixture.js';
import { halfMask, halfOf } from './half-mask.js';

globalThis.AI_SDK_LOG_WARNINGS = false;

const checkpoint = await openCheckpoint(
  fileURLToPath(new URL('../fixtures/golden/tiny-a/checkpoint', import.meta.url)),
);
const steps = { vibe: { numInferenceSteps: 2 } };

function over({ url }: { url: string }) {
  return createVibe({ baseURL: `${url}/v1` }).image();
}

async function jobsOf(server: TestServer): Promise<{ id: string; state: string }[]> {
  const { data } = await (await server.request('/v1/jobs')).json();
  return data;
}

/** A server that is not ours. */
async function listen(handler: RequestListener): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function errorOf(work: Promise<unknown>): Promise<APICallError> {
  const error = await work.then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(APICallError.isInstance(error), String(error)).toBe(true);
  return error;
}

test('an edit over HTTP is the edit in process', async () => {
  const editor = await createEditor({ checkpoint, backend: createFakeBackend() });
  const server = await startServer({ openEditor: async () => editor });
  const call = {
    prompt: { images: [await picture()], text: 'make it warmer' },
    seed: 7,
    n: 2,
    providerOptions: { vibe: { numInferenceSteps: 2, guidanceScale: 2, imageGuidanceScale: 1.5 } },
  };
  const remote = await generateImage({ model: over(server), ...call });
  const local = await generateImage({ model: createVibe({ editor }).image(), ...call });
  const pixels = ({ images }: typeof remote) =>
    Promise.all(images.map(({ uint8Array }) => sharp(uint8Array).raw().toBuffer()));
  expect(await pixels(remote)).toEqual(await pixels(local));
  expect(remote.providerMetadata).toEqual(local.providerMetadata);
  expect(remote.warnings).toEqual([]);
  expect(remote.responses[0]?.headers?.['content-type']).toContain('text/event-stream');
});

test('a text alone makes a picture, of the format and the size', async () => {
  const { image, warnings } = await generateImage({
    model: over(await startServer()),
    prompt: 'a boat',
    size: '96x64',
    aspectRatio: '3:2',
    providerOptions: { vibe: { numInferenceSteps: 2, outputFormat: 'webp', outputQuality: 80 } },
  });
  expect(image.mediaType).toBe('image/webp');
  expect(await sharp(image.uint8Array).metadata()).toMatchObject({ format: 'webp', width: 96, height: 64 });
  expect(warnings).toMatchObject([{ type: 'unsupported', feature: 'aspectRatio' }]);
});

test('more pictures than a request may ask for are several requests, each picture another', async () => {
  const server = await startServer();
  const call = { model: over(server), prompt: 'a boat', size: '64x64', n: 12, seed: 5 } as const;
  const { images } = await generateImage({ ...call, providerOptions: { vibe: { numInferenceSteps: 1 } } });
  expect(new Set(images.map(({ base64 }) => base64)).size).toBe(12);
  expect(await jobsOf(server)).toHaveLength(2);
});

test('where the mask is opaque every pixel stays', async () => {
  const source = await picture({ width: 64, height: 64 });
  const prompt = { images: [source], text: 'a', mask: await halfMask() };
  const { image } = await generateImage({ model: over(await startServer()), prompt, providerOptions: steps });
  expect(await halfOf(image.uint8Array, 32)).toEqual(await halfOf(source, 32));
  expect(await halfOf(image.uint8Array, 0)).not.toEqual(await halfOf(source, 0));
});

test('all settings reach the server, and its warnings come back', async () => {
  const doubtful: Plugin = {
    name: 'doubtful',
    hooks: { afterCondition: (_, context) => context.warn({ code: 'doubt', message: 'Is it?' }) },
  };
  const openEditor = () => createEditor({ checkpoint, backend: createFakeBackend(), plugins: [doubtful] });
  const server = await startServer({ openEditor });
  const { warnings } = await generateImage({
    model: over(server),
    prompt: { images: [await picture()], text: 'a' },
    size: '32x32',
    providerOptions: { vibe: { numInferenceSteps: 1, preserve: 'off', geometry: 'exact' } },
  });
  expect(warnings).toEqual([
    { type: 'other', message: 'Is it?' },
    { type: 'compatibility', feature: 'size', details: 'The result fits inside 32x32: it is 32x24' },
  ]);
  expect((await server.queue.list())[0]?.request.settings).toMatchObject({ preserve: 'off', geometry: 'exact' });
});

test('a key, a model and headers go with the request', async () => {
  const { key, record } = createApiKey({ name: 'alice' });
  const server = await startServer({ auth: { keys: [record] } });
  const call = { prompt: 'a boat', size: '64x64', providerOptions: steps } as const;
  const sent: Headers[] = [];
  const vibe = createVibe({
    baseURL: `${server.url}/v1/`,
    apiKey: key,
    headers: { 'x-a': '1' },
    fetch(url, init) {
      sent.push(new Headers(init?.headers));
      return fetch(url, init);
    },
  });
  const { responses } = await generateImage({ ...call, model: vibe.image('vibe-test'), headers: { 'x-b': '2' } });
  expect(responses[0]?.modelId).toBe('vibe-test');
  expect([sent[0]?.get('x-a'), sent[0]?.get('x-b')]).toEqual(['1', '2']);
  const unknown = await errorOf(generateImage({ ...call, model: vibe.imageModel('another') }));
  expect(unknown).toMatchObject({ statusCode: 404, isRetryable: false, data: { error: { code: 'model_not_found' } } });
  const stranger = createVibe({ baseURL: `${server.url}/v1`, apiKey: 'vibe_wrong' });
  expect(await errorOf(generateImage({ ...call, model: stranger.image() }))).toMatchObject({ statusCode: 401 });
});

test('an abort ends the edit on the server', async () => {
  const { before, running, open } = gate();
  const server = await startServer({ before });
  const leaving = new AbortController();
  const call = { model: over(server), prompt: 'a boat', size: '64x64', providerOptions: steps } as const;
  const made = generateImage({ ...call, abortSignal: leaving.signal });
  await running;
  leaving.abort();
  await expect(made).rejects.toMatchObject({ name: 'AbortError' });
  await eventually(async () => (await server.queue.list())[0]?.cancelling).toBe(true);
  open();
  await eventually(async () => (await server.queue.list())[0]?.state).toBe('cancelled');
  expect((await generateImage(call)).images).toHaveLength(1);
});

test('an edit may take longer than the heartbeats are apart', async () => {
  const { before, running, open } = gate();
  const server = await startServer({ before, limits: { heartbeatSeconds: 0.02 } });
  const made = generateImage({ model: over(server), prompt: 'a boat', size: '64x64', providerOptions: steps });
  await running;
  setTimeout(open, 200);
  expect((await made).images).toHaveLength(1);
});

test('a bad request is not tried again and says what was wrong', async () => {
  const server = await startServer({ limits: { maxSteps: 10, maxInstructionLength: 20 } });
  const model = over(server);
  const picture = { images: [Buffer.from('hello')], text: 'a' };
  expect(await errorOf(generateImage({ model, prompt: picture }))).toMatchObject({
    statusCode: 400,
    isRetryable: false,
    data: { error: { code: 'invalid_image', param: 'image' } },
  });
  const many = generateImage({ model, prompt: 'a', providerOptions: { vibe: { numInferenceSteps: 11 } } });
  expect(await errorOf(many)).toMatchObject({ statusCode: 400, message: expect.stringContaining('steps') });
  await expect(generateImage({ model, prompt: '' })).rejects.toSatisfy(InvalidPromptError.isInstance);
  expect(await jobsOf(server)).toEqual([]);
});

test('a failed edit is not tried again', async () => {
  const server = await startServer({
    before({ kind }) {
      if (kind === 'run') throw new Error('out of memory');
    },
  });
  const call = { model: over(server), prompt: 'a boat', size: '64x64', providerOptions: steps } as const;
  expect(await errorOf(generateImage(call))).toMatchObject({ statusCode: 500, isRetryable: false });
  expect((await jobsOf(server)).map(({ state }) => state)).toEqual(['failed']);
});

test('an edit that somebody cancels is a conflict', async () => {
  const { before, running, open } = gate();
  const server = await startServer({ before });
  const made = errorOf(generateImage({ model: over(server), prompt: 'a', size: '64x64', providerOptions: steps }));
  await running;
  const [job] = await jobsOf(server);
  await server.request(`/v1/jobs/${job?.id}`, { method: 'DELETE' });
  open();
  expect(await made).toMatchObject({ statusCode: 409, isRetryable: false });
});

test('too many requests and a server that stops are worth another try', async () => {
  const call = { prompt: 'a', size: '64x64', providerOptions: steps, maxRetries: 0 } as const;
  const limited = await startServer({ limits: { jobsPerHour: 1 } });
  await generateImage({ ...call, model: over(limited) });
  const tooMany = await errorOf(generateImage({ ...call, model: over(limited) }));
  expect(tooMany).toMatchObject({ statusCode: 429, isRetryable: true });
  expect(Number(tooMany.responseHeaders?.['retry-after'])).toBeGreaterThan(0);

  const { before, running, open } = gate();
  const stopping = await startServer({ before });
  const made = errorOf(generateImage({ ...call, model: over(stopping) }));
  await running;
  await stopping.webhook.close();
  open();
  expect(await made).toMatchObject({ statusCode: 503, isRetryable: true });
});

test('a server that is not there is tried again, as often as asked', async () => {
  let requests = 0;
  const url = await listen((request) => {
    requests += 1;
    request.socket.destroy();
  });
  const made = generateImage({ model: over({ url }), prompt: 'a', maxRetries: 1 });
  const error = await made.catch((thrown) => thrown);
  expect(RetryError.isInstance(error)).toBe(true);
  expect(error.lastError).toMatchObject({ isRetryable: true });
  expect(requests).toBe(2);
});

test('an answer that breaks off is worth another try', async () => {
  const url = await listen((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': ok\n\n', () => setTimeout(() => response.destroy(), 20));
  });
  const error = await errorOf(generateImage({ model: over({ url }), prompt: 'a', maxRetries: 0 }));
  expect(error.isRetryable).toBe(true);
});

const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
test.each([
  ['a page', 'text/html', '<html></html>', /ended after 0/],
  [
    'a stream without pictures',
    'text/event-stream',
    event({ type: 'image_generation.partial_image' }),
    /ended after 0/,
  ],
  ['a stream that is no JSON', 'text/event-stream', 'data: hello\n\n', /something else/],
  ['a picture without bytes', 'text/event-stream', event({ type: 'image_generation.completed' }), /something else/],
])('%s instead of a picture is an error', async (_, type, body, says) => {
  const url = await listen((_, response) => response.writeHead(200, { 'content-type': type }).end(body));
  const error = await errorOf(generateImage({ model: over({ url }), prompt: 'a' }));
  expect(error.message).toMatch(says);
  expect(error.isRetryable).toBe(false);
});

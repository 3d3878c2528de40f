import { createApiKey } from '@vibe-edit/bots/webhook';
import OpenAI, { APIError, APIUserAbortError, toFile } from 'openai';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { eventually, gate, json, picture, startServer, type TestServer } from './webhook-fixture.js';

function clientOf(server: TestServer, options: { apiKey?: string; maxRetries?: number } = {}): OpenAI {
  return new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0, ...options });
}

/** Parameters of this server that the client's types do not know. */
const own = (parameters: Record<string, unknown>): object => parameters;

const image = async () => await toFile(await picture(), 'photo.png', { type: 'image/png' });
const decode = (base64: string | undefined) => sharp(Buffer.from(base64 ?? '', 'base64'));

/** The error that a call ends with. */
async function errorOf(call: Promise<unknown>): Promise<APIError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(APIError);
  return error as APIError;
}

describe('the npm client edits', () => {
  test('one picture, with the answer’s fields', async () => {
    const client = clientOf(await startServer());
    const answer = await client.images.edit({ image: await image(), prompt: 'warmer', ...own({ steps: 2, seed: 3 }) });
    expect(answer).toMatchObject({
      output_format: 'png',
      size: '64x48',
      background: 'opaque',
      usage: { total_tokens: 0 },
    });
    expect(await decode(answer.data?.[0]?.b64_json).metadata()).toMatchObject({ format: 'png', width: 64, height: 48 });
    expect(answer._request_id).toMatch(/^req_[0-9a-f]{24}$/);
  });

  test('as JSON, the picture alone or in a list', async () => {
    const server = await startServer();
    const base64 = (await picture()).toString('base64');
    for (const picture of [base64, [`data:image/png;base64,${base64}`]]) {
      const body = { image: picture, prompt: 'warmer', steps: 1, size: null };
      expect((await server.request('/v1/images/edits', json(body))).status).toBe(200);
    }
    const refused = await server.request('/v1/images/edits', json({ image: [base64, base64], prompt: 'x' }));
    expect(await refused.json()).toMatchObject({
      error: { param: 'image', message: expect.stringContaining('received 2') },
    });
  });

  test('with settings of this server, as fields that the client’s types do not know', async () => {
    const server = await startServer();
    const settings = { seed: 7, num_inference_steps: 3, guidance_scale: 2.5, image_guidance_scale: 1.5 };
    const more = { ...settings, geometry: 'reference', preserve: 'off' };
    const answer = await clientOf(server).images.edit({ image: await image(), prompt: 'x', ...own(more) });
    expect(answer).toMatchObject({ seed: 7, warnings: expect.any(Array) });
    expect((await server.queue.list())[0]?.request.settings).toEqual({
      seed: 7,
      numInferenceSteps: 3,
      guidanceScale: 2.5,
      imageGuidanceScale: 1.5,
      geometry: 'reference',
      preserve: 'off',
    });
  });

  test.each([
    ['low', 2, 'low'],
    ['medium', undefined, 'medium'],
    ['auto', undefined, 'medium'],
    ['high', 8, 'high'],
    ['hd', 8, 'high'],
  ] as const)('with quality %s as a share of the steps', async (quality, steps, said) => {
    const model = { id: 'vibe-test', defaults: { numInferenceSteps: 4 } };
    const server = await startServer({ model });
    const answer = await clientOf(server).images.edit({ image: await image(), prompt: 'x', quality: quality as 'low' });
    expect(answer).toMatchObject({ quality: said, warnings: [] });
    expect((await server.queue.list())[0]?.request.settings?.numInferenceSteps).toBe(steps);
  });

  test('with as many steps as there are to be partial images, and one', async () => {
    const server = await startServer({ model: { id: 'vibe-test', defaults: { numInferenceSteps: 2 } } });
    const stream = await clientOf(server).images.edit({
      image: await image(),
      prompt: 'x',
      stream: true,
      partial_images: 3,
    });
    const types: string[] = [];
    for await (const { type } of stream) types.push(type);
    expect(types).toEqual([...Array(3).fill('image_edit.partial_image'), 'image_edit.completed']);
    expect((await server.queue.list())[0]?.request.settings?.numInferenceSteps).toBe(4);
  });

  test('and what changed nothing is a warning, in the answer and in a header', async () => {
    const client = clientOf(await startServer());
    const { data: answer, response } = await client.images
      .edit({ image: await image(), prompt: 'x', quality: 'high', ...own({ style: 'vivid', guidanceScale: 3 }) })
      .withResponse();
    expect(response.headers.get('x-warnings')).toBe('quality-ignored, unknown-parameter');
    expect(answer).toMatchObject({
      warnings: [
        { code: 'quality-ignored', message: expect.stringContaining('"high"') },
        { code: 'unknown-parameter', message: expect.stringContaining('"guidanceScale"') },
      ],
    });
    const quiet = await client.images.edit({ image: await image(), prompt: 'x', ...own({ steps: 1 }) }).withResponse();
    expect(quiet.response.headers.get('x-warnings')).toBeNull();
    expect(quiet.data).toMatchObject({ warnings: [] });
  });

  test('a list of one, a file without a type, other formats, several pictures, a size', async () => {
    const client = clientOf(await startServer());
    const bytes = await picture({ width: 96, height: 96, format: 'jpeg' });
    const answer = await client.images.edit({
      image: [await toFile(bytes, 'photo')],
      prompt: 'warmer',
      model: 'gpt-image-1',
      n: 2,
      size: '48x48' as '256x256',
      output_format: 'webp',
      output_compression: 60,
      ...own({ steps: 1 }),
    });
    expect(answer.data).toHaveLength(2);
    for (const { b64_json } of answer.data ?? []) {
      expect(await decode(b64_json).metadata()).toMatchObject({ format: 'webp', width: 48, height: 48 });
    }
  });

  test('outside the transparent part of a mask every pixel stays', async () => {
    const client = clientOf(await startServer());
    const opaque = { create: { width: 64, height: 48, channels: 4, background: '#000f' } } as const;
    const hole = Buffer.from(
      Uint8Array.from({ length: 64 * 48 * 4 }, (_, at) => (at % 4 === 3 && (at >> 2) % 64 >= 32 ? 255 : 0)),
    );
    const mask = await sharp(hole, { raw: { width: 64, height: 48, channels: 4 } })
      .png()
      .toBuffer();
    const source = await picture();
    const edit = (file: Buffer) =>
      toFile(file, 'mask.png', { type: 'image/png' }).then(async (uploaded) =>
        client.images.edit({ image: await image(), mask: uploaded, prompt: 'x', ...own({ steps: 2 }) }),
      );
    const answer = await edit(mask);
    const half = (bytes: Buffer, left: number) =>
      sharp(bytes).extract({ left, top: 0, width: 32, height: 48 }).removeAlpha().raw().toBuffer();
    const result = Buffer.from(answer.data?.[0]?.b64_json ?? '', 'base64');
    expect(await half(result, 32)).toEqual(await half(source, 32));
    expect(await half(result, 0)).not.toEqual(await half(source, 0));
    const refused = await errorOf(edit(await sharp(opaque).png().toBuffer()));
    expect(refused).toMatchObject({ status: 400, param: 'mask', code: 'invalid_image' });
  });

  test('text-to-image', async () => {
    const client = clientOf(await startServer());
    const answer = await client.images.generate({ prompt: 'a boat', size: '72x56' as '256x256', ...own({ steps: 1 }) });
    expect(answer.size).toBe('72x56');
    expect(await decode(answer.data?.[0]?.b64_json).metadata()).toMatchObject({ width: 72, height: 56 });
  });

  test('models', async () => {
    const client = clientOf(await startServer({ model: { id: 'vibe/nano', created: 5 } }));
    const models = [];
    for await (const model of client.models.list()) models.push(model);
    expect(models).toEqual([{ id: 'vibe/nano', object: 'model', created: 5, owned_by: 'vibe-edit' }]);
    expect((await client.models.retrieve('vibe/nano')).id).toBe('vibe/nano');
    expect(await errorOf(client.models.retrieve('other'))).toMatchObject({ status: 404, code: 'model_not_found' });
  });
});

describe('streams', () => {
  test('partial images are different pictures of the running denoising, sent while it runs', async () => {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let runs = 0;
    const server = await startServer({
      async before({ kind, component }) {
        if (kind !== 'run' || component !== 'transformer') return;
        runs += 1;
        // The last step waits until all partial images have come.
        if (runs === 6) await Promise.race([released, new Promise((resolve) => setTimeout(resolve, 20_000))]);
      },
    });
    const stream = await clientOf(server).images.edit({
      image: await image(),
      prompt: 'warmer',
      stream: true,
      partial_images: 3,
      ...own({ steps: 6 }),
    });
    const seen: string[] = [];
    const pictures = new Set<string>();
    for await (const event of stream) {
      seen.push(event.type);
      pictures.add(event.b64_json);
      expect(await decode(event.b64_json).metadata()).toMatchObject({ format: 'png', width: 64, height: 48 });
      if (event.type === 'image_edit.partial_image') {
        expect(event.partial_image_index).toBe(seen.length - 1);
        expect((await server.queue.stats()).states.running).toBe(1);
        if (event.partial_image_index === 2) release();
      }
    }
    expect(seen).toEqual([...Array(3).fill('image_edit.partial_image'), 'image_edit.completed']);
    expect(pictures.size).toBe(4);
  });

  test('of text-to-image, and without partial images', async () => {
    const client = clientOf(await startServer());
    const { data: stream, response } = await client.images
      .generate({ prompt: 'a boat', stream: true, ...own({ steps: 1 }) })
      .withResponse();
    expect(response.headers.get('x-job-id')).toMatch(/./);
    expect(response.headers.get('x-request-id')).toMatch(/./);
    const events = [];
    for await (const event of stream) events.push(event);
    expect(events).toMatchObject([{ type: 'image_generation.completed', seed: 42, warnings: [] }]);
  });

  test('an edit that fails on the way ends the stream with its error', async () => {
    const server = await startServer({
      before({ kind, component }) {
        if (kind === 'run' && component === 'vaeDecoder') throw new Error('secret detail');
      },
    });
    const stream = await clientOf(server).images.edit({
      image: await image(),
      prompt: 'x',
      stream: true,
      ...own({ steps: 1 }),
    });
    const error = await errorOf(
      (async () => {
        for await (const _ of stream);
      })(),
    );
    expect(error.message).not.toContain('secret');
  });
});

describe('an abort ends the edit', () => {
  test('of a waiting request', async () => {
    const held = gate();
    const server = await startServer({ before: held.before });
    const leaving = new AbortController();
    const call = clientOf(server).images.edit(
      { image: await image(), prompt: 'x', ...own({ steps: 4 }) },
      { signal: leaving.signal },
    );
    await held.running;
    leaving.abort();
    await expect(call).rejects.toThrow(APIUserAbortError);
    await eventually(async () => (await server.queue.list())[0]?.cancelling).toBe(true);
    held.open();
    await eventually(async () => (await server.queue.list())[0]?.state).toBe('cancelled');
  });

  test('of a stream', async () => {
    const held = gate();
    const server = await startServer({ before: held.before });
    const leaving = new AbortController();
    const stream = await clientOf(server).images.edit(
      { image: await image(), prompt: 'x', stream: true, partial_images: 1, ...own({ steps: 4 }) },
      { signal: leaving.signal },
    );
    await held.running;
    leaving.abort();
    for await (const _ of stream);
    await eventually(async () => (await server.queue.list())[0]?.cancelling).toBe(true);
    held.open();
    await eventually(async () => (await server.queue.list())[0]?.state).toBe('cancelled');
  });

  test('and so does waiting too long, which the client does not try again', async () => {
    const held = gate();
    const server = await startServer({ before: held.before, limits: { waitSeconds: 0.2 } });
    const call = clientOf(server, { maxRetries: 2 }).images.edit({
      image: await image(),
      prompt: 'x',
      ...own({ steps: 2 }),
    });
    const error = await errorOf(call);
    expect([error.status, error.code]).toEqual([504, 'job_timeout']);
    expect(error.headers?.get('x-should-retry')).toBe('false');
    held.open();
    await eventually(async () => (await server.queue.list()).map(({ state }) => state)).toEqual(['cancelled']);
  });
});

describe('errors have OpenAI’s form', () => {
  test.each([
    ['no prompt', { prompt: '' }, 400, 'prompt'],
    ['n', { n: 11 }, 400, 'n'],
    ['size', { size: '0x9' }, 400, 'size'],
    ['size too large', { size: '99999x9' }, 400, 'size'],
    ['output_format', { output_format: 'gif' }, 400, 'output_format'],
    ['background', { background: 'transparent' }, 400, 'background'],
    ['response_format', { response_format: 'url' }, 400, 'response_format'],
    ['steps', { steps: 100_000 }, 400, 'steps'],
    ['steps twice', { steps: 3, num_inference_steps: 4 }, 400, 'steps'],
    ['preserve', { preserve: 'all' }, 400, 'preserve'],
    ['geometry', { geometry: 'square' }, 400, 'geometry'],
    ['partial_images', { stream: true, partial_images: 4 }, 400, 'partial_images'],
    ['model', { model: 'sd-xl' }, 404, 'model'],
  ])('%s', async (_, wrong, status, param) => {
    const server = await startServer({ worker: false });
    const call = clientOf(server).images.edit({ image: await image(), prompt: 'x', ...(wrong as object) });
    expect(await errorOf(call)).toMatchObject({ status, param });
    expect((await server.queue.stats()).states.queued).toBe(0);
  });

  test('whoever is refused in the middle of sending hears why', async () => {
    const { record } = createApiKey({ name: 'alice' });
    const server = await startServer({ worker: false, limits: { maxBodyBytes: 1_000_000 } });
    const guarded = await startServer({ worker: false, auth: { keys: [record] } });
    const large = await toFile(Buffer.alloc(30_000_000), 'photo.png', { type: 'image/png' });
    const tooLarge = await errorOf(clientOf(server).images.edit({ image: large, prompt: 'x' }));
    expect(tooLarge).toMatchObject({ status: 413, code: 'body_too_large' });
    const unknown = await errorOf(clientOf(guarded).images.edit({ image: large, prompt: 'x' }));
    expect(unknown).toMatchObject({ status: 401, code: 'invalid_api_key' });
  });

  test('a setting of edits without a picture', async () => {
    const server = await startServer({ worker: false });
    const call = clientOf(server).images.generate({ prompt: 'a boat', ...own({ preserve: 'off' }) });
    expect(await errorOf(call)).toMatchObject({ status: 400, param: 'preserve' });
  });

  test('a file that is no picture, one that is cut off, and two pictures', async () => {
    const server = await startServer();
    const client = clientOf(server);
    const text = await errorOf(client.images.edit({ image: await toFile(Buffer.from('hello'), 'a.png'), prompt: 'x' }));
    expect(text).toMatchObject({ status: 400, code: 'invalid_image', param: 'image', type: 'invalid_request_error' });
    const jpeg = await picture({ width: 400, height: 400, format: 'jpeg' });
    const cut = await toFile(jpeg.subarray(0, jpeg.length / 2), 'a.jpg');
    expect(await errorOf(client.images.edit({ image: cut, prompt: 'x' }))).toMatchObject({
      status: 400,
      code: 'invalid_image',
    });
    const two = await errorOf(client.images.edit({ image: [await image(), await image()], prompt: 'x' }));
    expect(two).toMatchObject({ status: 400, param: 'image' });
  });

  test('an edit that fails is a 500 that the client does not try again', async () => {
    let edits = 0;
    const server = await startServer({
      before({ kind, component }) {
        if (kind !== 'run' || component !== 'vaeEncoder') return;
        edits += 1;
        throw new Error('secret detail');
      },
    });
    const client = clientOf(server, { maxRetries: 2 });
    const error = await errorOf(client.images.edit({ image: await image(), prompt: 'x', ...own({ steps: 1 }) }));
    expect([error.status, edits]).toEqual([500, 1]);
    expect(error.message).not.toContain('secret');
  });

  test('a wrong key is refused, the right one works', async () => {
    const { key, record } = createApiKey({ name: 'alice' });
    const server = await startServer({ auth: { keys: [record] } });
    const refused = await errorOf(clientOf(server, { apiKey: `${key}x` }).models.list());
    expect(refused).toMatchObject({ status: 401, code: 'invalid_api_key' });
    expect((await clientOf(server, { apiKey: key }).models.list()).data).toHaveLength(1);
  });

  test('a limit is waited for by the client', async () => {
    const { key, record } = createApiKey({ name: 'alice', limits: { requestsPerMinute: 60 } });
    const server = await startServer({ auth: { keys: [record] } });
    const client = clientOf(server, { apiKey: key });
    const calls = await Promise.allSettled(Array.from({ length: 70 }, () => client.models.list()));
    const refused = calls.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    const patient = clientOf(server, { apiKey: key, maxRetries: 3 });
    expect((await patient.models.list()).data).toHaveLength(1);
  });
});

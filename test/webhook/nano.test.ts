import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import OpenAI, { toFile } from 'openai';
import sharp from 'sharp';
import { createEditor } from 'vibe-edit';
import { expect, test } from 'vitest';
import { readEvents, startServer } from './webhook-fixture.js';

const PHOTO = fileURLToPath(new URL('../../examples/photos/chelsea.jpg', import.meta.url));

/** Mean of the red and of the blue channel. */
async function tint(bytes: Uint8Array): Promise<{ red: number; blue: number }> {
  const { channels } = await sharp(bytes).stats();
  return { red: channels[0]?.mean ?? 0, blue: channels[2]?.mean ?? 0 };
}

test('the embedded checkpoint edits through OpenAI’s client, with previews that come closer to the result', async () => {
  const server = await startServer({ openEditor: () => createEditor(), model: { id: 'vibe-edit-nano' } });
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
  const photo = await sharp(await readFile(PHOTO))
    .resize(256, 192, { fit: 'cover' })
    .png()
    .toBuffer();
  const stream = await client.images.edit({
    image: await toFile(photo, 'cat.png', { type: 'image/png' }),
    prompt: 'make it warmer',
    stream: true,
    partial_images: 3,
    ...{ steps: 8 },
  });
  const partials: Buffer[] = [];
  let result: Buffer | undefined;
  for await (const event of stream) {
    const bytes = Buffer.from(event.b64_json, 'base64');
    expect(await sharp(bytes).metadata()).toMatchObject({ width: 256, height: 192 });
    if (event.type === 'image_edit.completed') result = bytes;
    else partials.push(bytes);
  }
  expect(partials).toHaveLength(3);
  expect(new Set(partials.map((bytes) => bytes.toString('base64'))).size).toBe(3);
  const before = await tint(photo);
  const after = await tint(result as Buffer);
  expect(after.red - after.blue).toBeGreaterThan(before.red - before.blue + 5);
  // Real previews: each is nearer to the result than the one before.
  const small = (bytes: Uint8Array) => sharp(bytes).resize(16, 12, { fit: 'fill' }).removeAlpha().raw().toBuffer();
  const target = await small(result as Buffer);
  const distances = [];
  for (const bytes of partials) {
    const pixels = await small(bytes);
    distances.push(pixels.reduce((sum, value, at) => sum + Math.abs(value - (target[at] ?? 0)), 0) / pixels.length);
  }
  expect(distances).toEqual([...distances].sort((a, b) => b - a));
});

test('an instruction that it does not know is a warning, not a failure', async () => {
  const server = await startServer({ openEditor: () => createEditor() });
  const photo = await sharp(await readFile(PHOTO))
    .resize(128, 96, { fit: 'cover' })
    .png()
    .toBuffer();
  const instruction = 'replace the cat by a submarine';
  const accepted = await server.request('/v1/jobs', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ instruction, image: photo.toString('base64'), seed: 1 }),
  });
  const { links } = await accepted.json();
  const events = [];
  for await (const { event, data } of readEvents(await server.request(links.events))) events.push({ event, data });
  const warnings = expect.arrayContaining([expect.objectContaining({ code: 'not-understood' })]);
  expect(events.at(-1)).toMatchObject({
    event: 'finished',
    data: { job: { state: 'succeeded', result: { seed: 1, warnings } } },
  });

  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
  const image = await toFile(photo, 'cat.png', { type: 'image/png' });
  const { data, response } = await client.images.edit({ image, prompt: instruction }).withResponse();
  expect(data).toMatchObject({ warnings });
  expect(response.headers.get('x-warnings')).toContain('not-understood');
  const completed = [];
  for await (const event of await client.images.edit({ image, prompt: instruction, stream: true }))
    completed.push(event);
  expect(completed).toMatchObject([{ type: 'image_edit.completed', warnings }]);
});

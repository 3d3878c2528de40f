import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { sharpCodec } from './sharp-codec.js';
import { blockOtherLoaders } from './sharp-module.js';

const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');

test('the codec leaves the host its other loaders; blockOtherLoaders takes them away', async () => {
  const picture = sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } });
  const formats = ['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff'] as const;
  const files = await Promise.all(formats.map((format) => picture.clone().toFormat(format).toBuffer()));

  await expect(sharpCodec.decode(svg)).rejects.toMatchObject({ code: 'VIBE_INVALID_IMAGE' });
  expect((await sharp(svg).metadata()).format).toBe('svg');

  await blockOtherLoaders();
  await expect(sharp(svg).metadata()).rejects.toThrow();
  const folder = mkdtempSync(join(tmpdir(), 'vibe-edit-loaders-'));
  try {
    await picture.clone().toFile(join(folder, 'picture.v'));
    await expect(sharp(join(folder, 'picture.v')).metadata()).rejects.toThrow();
  } finally {
    rmSync(folder, { recursive: true });
  }
  for (const [index, file] of files.entries()) {
    expect((await sharpCodec.decode(file)).format).toBe(formats[index]);
  }
  expect((await sharpCodec.decode(picture.clone().resize(3))).raster.width).toBe(3);
});

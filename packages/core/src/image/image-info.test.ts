import sharp from 'sharp';
import { expect, test } from 'vitest';
import { InvalidImageError } from '../errors/invalid-image-error.js';
import { readImageInfo } from './image-info.js';

const jpeg = async (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: 'red' } })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer();

test('width and height are those of the upright picture', async () => {
  expect(await readImageInfo({ bytes: await jpeg(30, 20) })).toEqual({ width: 20, height: 30, format: 'jpeg' });
});

test('too many pixels and what is no picture are refused', async () => {
  const bytes = await jpeg(30, 20);
  await expect(readImageInfo({ bytes, maxPixels: 599 })).rejects.toThrow(InvalidImageError);
  await expect(readImageInfo({ bytes: Buffer.from('<svg/>') })).rejects.toThrow('SVG');
  await expect(readImageInfo({ bytes: bytes.subarray(0, 40) })).rejects.toThrow(InvalidImageError);
});

test('of a file that is cut off further on the header counts', async () => {
  const bytes = await jpeg(300, 200);
  expect((await readImageInfo({ bytes: bytes.subarray(0, bytes.length - 10) })).width).toBe(200);
});

test('sides that nothing could be resampled from are refused, however few the pixels', async () => {
  const line = async (width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
  expect((await readImageInfo({ bytes: await line(65_535, 1) })).width).toBe(65_535);
  await expect(readImageInfo({ bytes: await line(1, 65_536) })).rejects.toThrow('65535');
});

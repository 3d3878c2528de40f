import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { longestTurn } from '../../../../test/longest-turn.js';
import type { ImageFormat } from './image-codec.js';
import type { Raster, Raster8 } from './raster.js';
import { createSharpCodec, sharpCodec } from './sharp-codec.js';

interface Reference {
  file: string;
  width: number;
  height: number;
  channels: number;
  pixels: string;
  tolerance: number;
}

const pictures: Record<string, Reference> = JSON.parse(
  readFileSync(new URL('../../../../test/fixtures/pictures/pictures.json', import.meta.url), 'utf8'),
);

function fileOf(name: string): Uint8Array {
  return new Uint8Array(Buffer.from(pictures[name]!.file, 'base64'));
}

function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let largest = 0;
  for (let index = 0; index < actual.length; index += 1) {
    largest = Math.max(largest, Math.abs(actual[index]! - expected[index]!));
  }
  return largest;
}

/** A small picture with many colours. */
function gradient<Channels extends 3 | 4>(channels: Channels, width = 31, height = 19): Raster8 {
  const data = Uint8Array.from(
    { length: width * height * channels },
    (_, index) => (index * 37 + (index >> 4) * 11) % 256,
  );
  return { width, height, channels, data };
}

/** A JPEG file without its APP2 segments, where the ICC profile is. */
function withoutProfile(jpeg: Buffer): Buffer {
  const kept = [jpeg.subarray(0, 2)];
  let offset = 2;
  while (jpeg[offset + 1] !== 0xda) {
    const end = offset + 2 + jpeg.readUInt16BE(offset + 2);
    if (jpeg[offset + 1] !== 0xe2) kept.push(jpeg.subarray(offset, end));
    offset = end;
  }
  return Buffer.concat([...kept, jpeg.subarray(offset)]);
}

function solid(width: number, height: number, background: string): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toBuffer();
}

describe('decode', () => {
  test.each(Object.keys(pictures))('%s', async (name) => {
    const { width, height, channels, pixels, tolerance } = pictures[name]!;
    const { raster, format } = await sharpCodec.decode(fileOf(name));
    expect(format).toBe(name.split(/[ ,]/, 1)[0]);
    expect({ width: raster.width, height: raster.height, channels: raster.channels }).toEqual({
      width,
      height,
      channels,
    });
    const expected = Buffer.from(pixels, 'base64');
    // What lies under fully clear pixels is nobody's business.
    if (channels === 4) {
      for (let index = 3; index < expected.length; index += 4) {
        if (expected[index] === 0) raster.data.set(expected.subarray(index - 3, index), index - 3);
      }
    }
    expect(largestDifference(raster.data, expected)).toBeLessThanOrEqual(tolerance);
  });

  test('CMYK without a profile and with one', async () => {
    // Colours that ink can print, so that they survive the way there and back.
    const colours = [255, 255, 255, 180, 150, 140, 120, 130, 150, 60, 60, 60];
    const source = sharp(Uint8Array.from(colours), { raw: { width: 4, height: 1, channels: 3 } }).resize(64, 16, {
      kernel: 'nearest',
      fit: 'fill',
    });
    const cmyk = source.toColourspace('cmyk').withIccProfile('cmyk');
    for (const file of [await cmyk.clone().jpeg({ quality: 100 }).toBuffer(), await cmyk.clone().tiff().toBuffer()]) {
      expect((await sharp(file).metadata()).space).toBe('cmyk');
      const { raster } = await sharpCodec.decode(file);
      expect(raster.channels).toBe(3);
      for (let patch = 0; patch < 4; patch += 1) {
        const pixel = (8 * 64 + patch * 16 + 8) * 3;
        const expected = colours.slice(patch * 3, patch * 3 + 3);
        expect(largestDifference(raster.data.subarray(pixel, pixel + 3), expected)).toBeLessThanOrEqual(12);
      }
    }
    const bare = withoutProfile(await source.clone().toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer());
    expect((await sharp(bare).metadata()).hasProfile).toBe(false);
    const { raster } = await sharpCodec.decode(bare);
    expect(largestDifference(raster.data.subarray(0, 3), [255, 255, 255])).toBeLessThanOrEqual(3);
    expect(raster.data[8 * 64 * 3 + 56 * 3]).toBeLessThan(100);
  });

  test('a sharp instance stands for what its operations give', async () => {
    const file = await solid(40, 30, '#336699');
    const instance = sharp(file).resize(20, 10, { fit: 'fill' }).jpeg({ quality: 1 });
    const { raster, format } = await sharpCodec.decode(instance);
    expect(format).toBe('raw');
    expect([raster.width, raster.height, ...raster.data.subarray(0, 3)]).toEqual([20, 10, 0x33, 0x66, 0x99]);
    // The instance is still the caller's.
    expect((await instance.toBuffer({ resolveWithObject: true })).info.format).toBe('jpeg');

    const pixels = gradient(4);
    const raw = sharp(pixels.data, { raw: { width: pixels.width, height: pixels.height, channels: 4 } });
    expect((await sharpCodec.decode(raw)).raster).toEqual(pixels);
  });

  test("a sharp instance's own orientation decides", async () => {
    const file = fileOf('jpeg, orientation 6');
    expect((await sharpCodec.decode(sharp(file))).raster.width).toBe(23);
    expect((await sharpCodec.decode(sharp(file).autoOrient())).raster.width).toBe(17);
    expect((await sharpCodec.decode(sharp(file).rotate(90))).raster.width).toBe(17);
  });

  test('a sharp instance that fails is a typed error', async () => {
    await expect(sharpCodec.decode(sharp(Buffer.from('no picture')))).rejects.toMatchObject({
      code: 'VIBE_INVALID_IMAGE',
    });
    await expect(sharpCodec.decode(sharp('/no/such/file.png'))).rejects.toMatchObject({ code: 'VIBE_INVALID_IMAGE' });
  });

  test('the pixel limit is checked on the header', async () => {
    const file = await solid(100, 100, 'red');
    await expect(sharpCodec.decode(file, { maxPixels: 9_999 })).rejects.toMatchObject({
      code: 'VIBE_INVALID_IMAGE',
      received: 'one of 100 x 100, which is 10000',
    });
    expect((await sharpCodec.decode(file, { maxPixels: 10_000 })).raster.width).toBe(100);
    await expect(sharpCodec.decode(sharp(file), { maxPixels: 9_999 })).rejects.toMatchObject({
      code: 'VIBE_INVALID_IMAGE',
    });
    await expect(sharpCodec.decode(file, { maxPixels: 0 })).rejects.toMatchObject({ code: 'VIBE_INVALID_ARGUMENT' });
  });

  test('the limit of bytes', async () => {
    const file = await solid(100, 100, 'red');
    const small = createSharpCodec({ maxBytes: file.length - 1 });
    await expect(small.decode(file)).rejects.toMatchObject({ code: 'VIBE_INVALID_IMAGE' });
    expect((await createSharpCodec({ maxBytes: file.length }).decode(file)).format).toBe('png');
    expect(() => createSharpCodec({ maxBytes: Number.NaN })).toThrow(/maxBytes/);
  });

  test('aborted before and while decoding', async () => {
    const file = await solid(3000, 2000, 'red');
    await expect(sharpCodec.decode(file, { signal: AbortSignal.abort('no') })).rejects.toMatchObject({
      code: 'VIBE_ABORTED',
      cause: 'no',
    });
    const controller = new AbortController();
    const decoding = sharpCodec.decode(file, { signal: controller.signal });
    setImmediate(() => controller.abort());
    await expect(decoding).rejects.toMatchObject({ code: 'VIBE_ABORTED' });
  });

  test('the pixels can be moved to a worker', async () => {
    const { raster } = await sharpCodec.decode(await solid(64, 64, 'red'));
    const moved = structuredClone(raster.data, { transfer: [raster.data.buffer as ArrayBuffer] });
    expect(moved.length).toBe(64 * 64 * 3);
    expect(raster.data.length).toBe(0);
  });

  test('24 megapixels do not hold up the event loop', async () => {
    const file = await solid(6000, 4000, '#123456');
    const { value, milliseconds } = await longestTurn(() => sharpCodec.decode(file));
    expect(value.raster.data.length).toBe(72_000_000);
    expect(milliseconds).toBeLessThan(50);
  });
});

describe('encode', () => {
  const formats: readonly ImageFormat[] = ['png', 'jpeg', 'webp', 'avif'];

  test.each(formats)('%s is tagged sRGB, carries XMP, and is read again', async (format) => {
    const xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><note>wärmer, теплее, 暖かく</note></x:xmpmeta>';
    const raster: Raster8 = { width: 32, height: 32, channels: 3, data: new Uint8Array(32 * 32 * 3).fill(120) };
    const file = await sharpCodec.encode(raster, format, { xmp });
    const metadata = await sharp(file).metadata();
    expect(metadata.icc?.toString('latin1', 36, 40)).toBe('acsp');
    expect(metadata.xmpAsString).toBe(xmp);
    const decoded = await sharpCodec.decode(file);
    expect(decoded.format).toBe(format);
    expect(largestDifference(decoded.raster.data, raster.data)).toBeLessThanOrEqual(2);
  });

  test.each([3, 4] as const)('png of %i channels gives the same pixels', async (channels) => {
    const raster = gradient(channels);
    expect((await sharpCodec.decode(await sharpCodec.encode(raster, 'png'))).raster).toEqual(raster);
  });

  test.each(['webp', 'avif'] as const)('%s keeps transparency', async (format) => {
    const data = Uint8Array.from({ length: 32 * 32 * 4 }, (_, index) =>
      index % 4 === 3 ? ((index >> 2) % 32) * 8 : 90,
    );
    const file = await sharpCodec.encode({ width: 32, height: 32, channels: 4, data }, format, { quality: 95 });
    const { raster } = await sharpCodec.decode(file);
    expect(raster.channels).toBe(4);
    const alpha = (pixels: Uint8Array) => pixels.filter((_, index) => index % 4 === 3);
    expect(largestDifference(alpha(raster.data), alpha(data))).toBeLessThanOrEqual(6);
  });

  test('jpeg lays transparency on white', async () => {
    const data = new Uint8Array(16 * 16 * 4);
    for (let index = 0; index < data.length; index += 4) data.set([200, 0, 0, 0], index);
    const { raster } = await sharpCodec.decode(
      await sharpCodec.encode({ width: 16, height: 16, channels: 4, data }, 'jpeg'),
    );
    expect([...raster.data.subarray(0, 3)]).toEqual([255, 255, 255]);
  });

  test('16 bits stay in PNG and are rounded elsewhere', async () => {
    const data = Uint16Array.from({ length: 16 * 16 * 3 }, (_, index) => (index * 79 + 128) % 65536);
    const raster: Raster = { width: 16, height: 16, channels: 3, data };
    const file = await sharpCodec.encode(raster, 'png', { text: { Title: 'wide' } });
    const metadata = await sharp(file).metadata();
    expect(metadata.depth).toBe('ushort');
    expect(metadata.comments).toEqual([{ keyword: 'Title', text: 'wide' }]);
    const wide = await sharp(file).toColourspace('rgb16').raw({ depth: 'ushort' }).toBuffer();
    expect(new Uint16Array(wide.buffer, wide.byteOffset, data.length)).toEqual(data);
    const webp = await sharpCodec.decode(await sharpCodec.encode(raster, 'webp', { quality: 100 }));
    const rounded = Array.from(data, (value) => Math.round(value / 257));
    expect(largestDifference(webp.raster.data, rounded)).toBeLessThanOrEqual(40);
    const flat: Raster = { width: 16, height: 16, channels: 3, data: new Uint16Array(768).fill(100 * 257 + 129) };
    const jpeg = await sharpCodec.decode(await sharpCodec.encode(flat, 'jpeg', { quality: 100 }));
    expect(jpeg.raster.data[0]).toBe(101);
  });

  test('quality counts', async () => {
    const raster = gradient(3, 128, 128);
    for (const format of ['jpeg', 'webp', 'avif'] as const) {
      const low = await sharpCodec.encode(raster, format, { quality: 10 });
      const high = await sharpCodec.encode(raster, format, { quality: 95 });
      expect(low.length).toBeLessThan(high.length / 1.5);
    }
  });

  test('text goes into PNG in any script, beside XMP', async () => {
    const text = { instruction: 'сделай теплее 🌅 暖かく', Seed: '42', Empty: '' };
    const file = await sharpCodec.encode(gradient(3), 'png', { text, xmp: '<x:xmpmeta xmlns:x="adobe:ns:meta/"/>' });
    const { comments, xmpAsString } = await sharp(file, { failOn: 'warning' }).metadata();
    const entries = Object.fromEntries((comments ?? []).map((comment) => [comment.keyword, comment.text]));
    expect(entries).toMatchObject(text);
    expect(xmpAsString).toContain('xmpmeta');
    const others = await Promise.all(
      formats.slice(1).map((format) => sharpCodec.encode(gradient(3), format, { text })),
    );
    expect(others.every((bytes) => bytes.length > 0)).toBe(true);
  });

  test('what cannot be written is a typed error', async () => {
    const raster = gradient(3);
    const wrong = { code: 'VIBE_INVALID_ARGUMENT' };
    const longXmp = `<x>${'x'.repeat(60_000)}</x>`;
    await expect(sharpCodec.encode(raster, 'jpeg', { quality: 0 })).rejects.toMatchObject({
      ...wrong,
      argument: 'quality',
    });
    await expect(sharpCodec.encode(raster, 'webp', { quality: 50.5 })).rejects.toMatchObject(wrong);
    await expect(sharpCodec.encode(raster, 'jpeg', { xmp: longXmp })).rejects.toMatchObject({
      ...wrong,
      argument: 'xmp',
    });
    await expect(sharpCodec.encode(raster, 'png', { xmp: '' })).rejects.toMatchObject(wrong);
    await expect(sharpCodec.encode(raster, 'png', { text: { ' x': '' } })).rejects.toMatchObject(wrong);
    await expect(sharpCodec.encode({ ...raster, width: 5 }, 'png')).rejects.toMatchObject({
      ...wrong,
      argument: 'raster',
    });
    const long: Raster8 = { width: 16_384, height: 1, channels: 3, data: new Uint8Array(16_384 * 3) };
    await expect(sharpCodec.encode(long, 'webp')).rejects.toMatchObject(wrong);
    await expect(sharpCodec.encode(raster, 'bmp' as ImageFormat)).rejects.toMatchObject({
      ...wrong,
      argument: 'format',
    });
    const longest = `<x>${'x'.repeat(60_000 - 7)}</x>`;
    const { xmpAsString } = await sharp(await sharpCodec.encode(raster, 'jpeg', { xmp: longest })).metadata();
    expect(xmpAsString === longest).toBe(true);
  });
});

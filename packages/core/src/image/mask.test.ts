import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { longestTurn } from '../../../../test/longest-turn.js';
import { compositeOutsideMask, decodeMask } from './mask.js';
import type { Raster8 } from './raster.js';
import { sharpCodec } from './sharp-codec.js';

function png(pixels: readonly number[], width: number, height: number, channels: 1 | 2 | 3 | 4): Promise<Buffer> {
  return sharp(Uint8Array.from(pixels), { raw: { width, height, channels } }).png().toBuffer();
}

async function maskOf(file: Uint8Array, width: number, height: number): Promise<number[]> {
  return [...(await decodeMask({ input: file, codec: sharpCodec, size: { width, height } }))];
}

describe('decodeMask', () => {
  test('grey: white may change, black stays, grey blends', async () => {
    expect(await maskOf(await png([0, 255, 100, 1], 2, 2, 1), 2, 2)).toEqual([0, 255, 100, 1]);
  });

  test('colours count by their luminance', async () => {
    const file = await png([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255], 4, 1, 3);
    expect(await maskOf(file, 4, 1)).toEqual([76, 150, 29, 255]);
  });

  test('with transparency: clear may change, opaque stays, whatever the colour', async () => {
    const file = await png([255, 255, 255, 255, 0, 0, 0, 0, 9, 9, 9, 100, 255, 255, 255, 0], 4, 1, 4);
    expect(await maskOf(file, 4, 1)).toEqual([0, 255, 155, 255]);
    expect(await maskOf(await png([255, 0, 0, 255], 2, 1, 2), 2, 1)).toEqual([255, 0]);
  });

  test('an alpha channel that is opaque everywhere says nothing', async () => {
    expect(await maskOf(await png([255, 255, 255, 255, 0, 0, 0, 255], 2, 1, 4), 2, 1)).toEqual([255, 0]);
  });

  test('is stretched over the source', async () => {
    const file = await png([0, 255], 2, 1, 1);
    expect(await maskOf(file, 4, 2)).toEqual([0, 64, 191, 255, 0, 64, 191, 255]);
    expect(await maskOf(await png([0, 0, 255, 255], 4, 1, 1), 2, 1)).toEqual([36, 219]);
    expect(new Set(await maskOf(await png([255], 1, 1, 1), 37, 23))).toEqual(new Set([255]));
  });

  test('in a JPEG nearly black is black and nearly white is white', async () => {
    const pixels = Array.from({ length: 64 * 64 }, (_, index) => (index % 64 < 29 ? 0 : 255));
    const file = await sharp(Uint8Array.from(pixels), { raw: { width: 64, height: 64, channels: 1 } })
      .jpeg({ quality: 90 })
      .toBuffer();
    const raw = await sharp(file).greyscale().raw().toBuffer();
    expect(raw.some((value) => value > 0 && value < 8)).toBe(true);
    const mask = await maskOf(file, 64, 64);
    expect(
      mask.every((value) => value === 0 || value >= 8) && mask.every((value) => value === 255 || value <= 247),
    ).toBe(true);
    expect(mask.slice(0, 20).every((value) => value === 0)).toBe(true);
  });

  test('what is no picture is a typed error', async () => {
    const size = { width: 1, height: 1 };
    await expect(decodeMask({ input: Buffer.from('x'), codec: sharpCodec, size })).rejects.toMatchObject({
      code: 'VIBE_INVALID_IMAGE',
    });
    const file = await png([0, 0], 2, 1, 1);
    await expect(decodeMask({ input: file, codec: sharpCodec, size, maxPixels: 1 })).rejects.toMatchObject({
      code: 'VIBE_INVALID_IMAGE',
    });
    const signal = AbortSignal.abort();
    await expect(decodeMask({ input: file, codec: sharpCodec, size, signal })).rejects.toMatchObject({
      code: 'VIBE_ABORTED',
    });
  });
});

const rasters = fc
  .record({
    width: fc.integer({ min: 1, max: 7 }),
    height: fc.integer({ min: 1, max: 5 }),
    sourceChannels: fc.constantFrom<3 | 4>(3, 4),
    editedChannels: fc.constantFrom<3 | 4>(3, 4),
  })
  .chain(({ width, height, sourceChannels, editedChannels }) => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    const raster = (channels: 3 | 4): fc.Arbitrary<Raster8> =>
      bytes(width * height * channels).map((data) => ({ width, height, channels, data }));
    const mask = fc.array(fc.constantFrom(0, 0, 255, 255, 1, 128, 254), {
      minLength: width * height,
      maxLength: width * height,
    });
    return fc.record({
      source: raster(sourceChannels),
      edited: raster(editedChannels),
      mask: mask.map((values) => Uint8Array.from(values)),
    });
  });

/** Colour and alpha of a pixel. */
function pixelOf({ channels, data }: Raster8, index: number): number[] {
  const pixel = [...data.subarray(index * channels, (index + 1) * channels)];
  return channels === 4 ? pixel : [...pixel, 255];
}

describe('compositeOutsideMask', () => {
  test('equals the source where the mask is 0, the edited picture where it is 255, and lies between them elsewhere', async () => {
    await fc.assert(
      fc.asyncProperty(rasters, async ({ source, edited, mask }) => {
        const result = await compositeOutsideMask({ source, edited, mask });
        expect(result.channels).toBe(Math.max(source.channels, edited.channels));
        for (let index = 0; index < mask.length; index += 1) {
          const before = pixelOf(source, index);
          const after = pixelOf(edited, index);
          const pixel = pixelOf(result, index);
          if (mask[index] === 0) expect(pixel).toEqual(before);
          else if (mask[index] === 255) expect(pixel).toEqual(after);
          else {
            for (const [channel, value] of pixel.entries()) {
              expect(value).toBeGreaterThanOrEqual(Math.min(before[channel]!, after[channel]!));
              expect(value).toBeLessThanOrEqual(Math.max(before[channel]!, after[channel]!));
            }
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test('blends in proportion', async () => {
    const source: Raster8 = { width: 2, height: 1, channels: 3, data: Uint8Array.of(0, 100, 200, 255, 255, 255) };
    const edited: Raster8 = { width: 2, height: 1, channels: 3, data: Uint8Array.of(255, 100, 100, 0, 0, 0) };
    const { data } = await compositeOutsideMask({ source, edited, mask: Uint8Array.of(128, 51) });
    expect([...data]).toEqual([128, 100, 150, 204, 204, 204]);
  });

  test('the hidden colour of clear pixels does not bleed', async () => {
    const source: Raster8 = { width: 1, height: 1, channels: 4, data: Uint8Array.of(0, 255, 0, 0) };
    const edited: Raster8 = { width: 1, height: 1, channels: 3, data: Uint8Array.of(200, 0, 0) };
    const { data } = await compositeOutsideMask({ source, edited, mask: Uint8Array.of(100) });
    expect([...data]).toEqual([200, 0, 0, 100]);
  });

  test('refuses other sizes and stops with the signal', async () => {
    const source: Raster8 = { width: 2, height: 1, channels: 3, data: new Uint8Array(6) };
    const turned: Raster8 = { width: 1, height: 2, channels: 3, data: new Uint8Array(6) };
    const mask = new Uint8Array(2);
    await expect(compositeOutsideMask({ source, edited: turned, mask })).rejects.toMatchObject({ argument: 'edited' });
    await expect(compositeOutsideMask({ source, edited: source, mask: new Uint8Array(3) })).rejects.toMatchObject({
      argument: 'mask',
    });
    const signal = AbortSignal.abort();
    await expect(compositeOutsideMask({ source, edited: source, mask, signal })).rejects.toMatchObject({
      code: 'VIBE_ABORTED',
    });
  });

  test('24 megapixels do not hold up the event loop', async () => {
    const source: Raster8 = { width: 6000, height: 4000, channels: 3, data: new Uint8Array(72_000_000).fill(9) };
    const edited: Raster8 = { ...source, data: new Uint8Array(72_000_000).fill(209) };
    const mask = new Uint8Array(24_000_000).map((_, index) => (index % 6000 < 3000 ? 0 : index % 256));
    const { value, milliseconds } = await longestTurn(() => compositeOutsideMask({ source, edited, mask }));
    expect(value.data.at(-1)).toBeGreaterThan(9);
    expect(milliseconds).toBeLessThan(50);
  });
});

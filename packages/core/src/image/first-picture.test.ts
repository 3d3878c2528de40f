import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { firstPicture } from './first-picture.js';
import { sharpCodec } from './sharp-codec.js';

function flat(background: string): Sharp {
  return sharp({ create: { width: 8, height: 6, channels: 3, background } });
}

/** An animation of a red, a green and a blue frame. */
async function animation(): Promise<Sharp> {
  const frames = await Promise.all(['red', 'lime', 'blue'].map((colour) => flat(colour).png().toBuffer()));
  return sharp(frames, { join: { animated: true } });
}

/** A little-endian TIFF file with `pages` directories that all show the same picture. */
async function pagesOf(pages: number): Promise<Buffer> {
  const file = await flat('red').tiff({ compression: 'none' }).toBuffer();
  const start = file.readUInt32LE(4);
  const length = 2 + 12 * file.readUInt16LE(start) + 4;
  const directory = Buffer.from(file.subarray(start, start + length));
  // The entries point into the file as it was, so that the pages added can stand behind it.
  file.writeUInt32LE(file.length, start + length - 4);
  const added = Array.from({ length: pages - 1 }, (_, page) => {
    const copy = Buffer.from(directory);
    copy.writeUInt32LE(page === pages - 2 ? 0 : file.length + (page + 1) * length, length - 4);
    return copy;
  });
  return Buffer.concat([file, ...added]);
}

async function pageCount(file: Uint8Array): Promise<number> {
  return (await sharp(file).metadata()).pages ?? 1;
}

describe('firstPicture', () => {
  test.each(['gif', 'webp'] as const)('%s: the first frame alone', async (format) => {
    const file = await (await animation()).toFormat(format).toBuffer();
    expect(await pageCount(file)).toBe(3);
    const first = firstPicture(file, format);
    expect(await pageCount(first)).toBe(1);
    const { raster } = await sharpCodec.decode(file);
    expect([raster.width, raster.height, raster.channels]).toEqual([8, 6, 3]);
    const [red, green, blue] = raster.data;
    expect([red! > 240, green! < 16, blue! < 16]).toEqual([true, true, true]);
  });

  test('webp: what describes the picture stays', async () => {
    const file = await (await animation())
      .withIccProfile('p3')
      .withExif({ IFD0: { Artist: 'x' } })
      .webp()
      .toBuffer();
    const metadata = await sharp(firstPicture(file, 'webp')).metadata();
    expect(metadata.icc).toBeDefined();
    expect(metadata.exif).toBeDefined();
  });

  test('tiff: the chain of pages ends after the first', async () => {
    const file = await pagesOf(3);
    expect(await pageCount(file)).toBe(3);
    const first = firstPicture(file, 'tiff');
    expect(await pageCount(first)).toBe(1);
    expect(await pageCount(file)).toBe(3);
    expect((await sharpCodec.decode(file)).raster.data).toEqual((await sharpCodec.decode(first)).raster.data);
  });

  test('bigtiff too', async () => {
    const file = await flat('red').tiff({ bigtiff: true }).toBuffer();
    expect(file.readUInt16LE(2)).toBe(43);
    const start = Number(file.readBigUInt64LE(8));
    const next = start + 8 + 20 * Number(file.readBigUInt64LE(start));
    file.writeBigUInt64LE(BigInt(start), next);
    expect(
      firstPicture(file, 'tiff')
        .subarray(next, next + 8)
        .every((byte) => byte === 0),
    ).toBe(true);
    expect((await sharpCodec.decode(file)).raster.width).toBe(8);
  });

  test('stills come back as they are', async () => {
    for (const format of ['gif', 'webp', 'tiff', 'png', 'jpeg', 'avif'] as const) {
      const file = await flat('red').toFormat(format).toBuffer();
      expect(firstPicture(file, format)).toBe(file);
    }
  });

  test('cut and empty files come back or are cut further', async () => {
    for (const format of ['gif', 'webp', 'tiff'] as const) {
      const file = format === 'tiff' ? await pagesOf(2) : await (await animation()).toFormat(format).toBuffer();
      for (let length = 0; length < file.length; length += 1) {
        const cut = file.subarray(0, length);
        expect(firstPicture(cut, format).length).toBeLessThanOrEqual(length);
      }
    }
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VibeError } from '../errors/vibe-error.js';
import type { ImageInput } from './image-codec.js';
import { sharpCodec } from './sharp-codec.js';

const FORMATS = ['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff'] as const;
type Format = (typeof FORMATS)[number];

const MUTATIONS = 1000;
const MAX_PIXELS = 4_000_000;
/** A picture that takes longer counts as a hang. */
const HANG_MILLISECONDS = 10_000;
/** What the process may grow by while it reads all of them, beside what a warm libvips holds on to. */
const MAX_GROWTH = 300 * 2 ** 20;

const folder = mkdtempSync(join(tmpdir(), 'vibe-edit-hostile-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A few sound files of each format. */
const samples: Record<Format, Buffer[]> = { jpeg: [], png: [], webp: [], avif: [], gif: [], tiff: [] };

beforeAll(async () => {
  const noisy = (channels: 3 | 4): Sharp => {
    const data = Uint8Array.from({ length: 40 * 30 * channels }, (_, index) => (index * index * 7 + index * 13) % 256);
    return sharp(data, { raw: { width: 40, height: 30, channels } });
  };
  const frames = [await noisy(3).png().toBuffer(), await noisy(3).negate().png().toBuffer()];
  const animated = (): Sharp => sharp(frames, { join: { animated: true } });
  const rich = noisy(3).withIccProfile('p3').withMetadata({ orientation: 6 }).withXmp('<x/>');
  samples.jpeg = [await rich.clone().jpeg().toBuffer(), await noisy(3).jpeg({ progressive: true }).toBuffer()];
  samples.jpeg.push(await noisy(3).toColourspace('cmyk').jpeg().toBuffer());
  samples.png = [await rich.clone().png().toBuffer(), await noisy(4).png({ progressive: true }).toBuffer()];
  samples.png.push(
    await noisy(3).png({ palette: true }).toBuffer(),
    await noisy(4).toColourspace('rgb16').png().toBuffer(),
  );
  samples.webp = [await rich.clone().webp().toBuffer(), await noisy(4).webp({ lossless: true }).toBuffer()];
  samples.webp.push(await noisy(4).webp().toBuffer(), await animated().webp().toBuffer());
  samples.avif = [await rich.clone().avif({ effort: 0 }).toBuffer(), await noisy(4).avif({ effort: 0 }).toBuffer()];
  samples.gif = [await noisy(3).gif().toBuffer(), await animated().gif().toBuffer()];
  samples.tiff = [
    await noisy(4).tiff({ compression: 'none' }).toBuffer(),
    await noisy(3).tiff({ compression: 'lzw' }).toBuffer(),
  ];
  samples.tiff.push(await noisy(3).tiff({ compression: 'jpeg', tile: true }).toBuffer());
  samples.tiff.push(
    await noisy(3).threshold().toColourspace('b-w').tiff({ compression: 'ccittfax4', bitdepth: 1 }).toBuffer(),
  );
});

interface Change {
  kind: 'flip' | 'overwrite' | 'header' | 'remove' | 'repeat' | 'truncate';
  /** Place in the file, 0..1. */
  at: number;
  length: number;
  value: number;
}

const changes: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom<Change['kind']>(
    'flip',
    'flip',
    'overwrite',
    'header',
    'header',
    'remove',
    'repeat',
    'truncate',
  ),
  // Without bias: else most damage would hit the signature.
  at: fc.noBias(fc.nat(999_999)).map((part) => part / 1_000_000),
  length: fc.constantFrom(1, 2, 4, 8, 64),
  value: fc.constantFrom(0, 1, 0x7f, 0x80, 0xea, 0xff),
});

function applyChange(file: Buffer, { kind, at, length, value }: Change): Buffer {
  const start = Math.floor(at * file.length);
  const end = Math.min(start + length, file.length);
  switch (kind) {
    case 'flip': {
      const changed = Buffer.from(file);
      if (start < changed.length) changed[start] = changed[start]! ^ (1 << (value % 8));
      return changed;
    }
    case 'overwrite':
      return Buffer.from(file).fill(value, start, end);
    case 'header': {
      const offset = Math.floor(at * Math.min(file.length, 120));
      return Buffer.from(file).fill(value, offset, Math.min(offset + Math.min(length, 4), file.length));
    }
    case 'remove':
      return Buffer.concat([file.subarray(0, start), file.subarray(end)]);
    case 'repeat':
      return Buffer.concat([file.subarray(0, end), file.subarray(start)]);
    case 'truncate':
      return Buffer.from(file.subarray(0, start));
  }
}

/** Makes the checksums of a damaged PNG right again, so that the damage gets past them. */
function repairChecksums(file: Buffer): Buffer {
  const repaired = Buffer.from(file);
  for (let offset = 8; offset + 12 <= repaired.length; ) {
    const end = offset + 8 + repaired.readUInt32BE(offset);
    if (end + 4 > repaired.length) break;
    repaired.writeUInt32BE(crc32(repaired.subarray(offset + 4, end)), end);
    offset = end + 4;
  }
  return repaired;
}

const mutants = fc.record({
  format: fc.constantFrom(...FORMATS),
  sample: fc.nat(3),
  changes: fc.array(changes, { minLength: 1, maxLength: 4 }),
  repaired: fc.boolean(),
  /** From a file whose name says something else, or from memory. */
  extension: fc.option(fc.constantFrom('png', 'jpg', 'svg', 'heic', 'txt'), { freq: 5 }),
});

/** Reads a picture; it must be a sound raster or a typed error, in time. */
async function readHostile(input: ImageInput, maxPixels?: number): Promise<'read' | 'refused'> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took more than ${HANG_MILLISECONDS} ms`)), HANG_MILLISECONDS);
  });
  try {
    const limits = maxPixels === undefined ? {} : { maxPixels };
    const { raster } = await Promise.race([sharpCodec.decode(input, limits), hang]);
    const { width, height, channels, data } = raster;
    expect(width * height).toBeGreaterThan(0);
    expect(width * height).toBeLessThanOrEqual(maxPixels ?? 100_000_000);
    expect([3, 4]).toContain(channels);
    expect(data.length).toBe(width * height * channels);
    return 'read';
  } catch (error) {
    if (!(error instanceof VibeError)) throw error;
    return 'refused';
  } finally {
    clearTimeout(timer);
  }
}

describe('damaged pictures', () => {
  test(`${MUTATIONS} of them: a typed error or a picture, in bounded time and memory`, {
    timeout: 60_000,
  }, async () => {
    for (const format of FORMATS) {
      for (const sample of samples[format]) expect(await readHostile(sample)).toBe('read');
    }
    const before = process.memoryUsage.rss();
    let largest = before;
    const seen = { read: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(mutants, async ({ format, sample, changes: list, repaired, extension }) => {
        const files = samples[format];
        let file = list.reduce(applyChange, files[sample % files.length]!);
        if (format === 'png' && repaired) file = repairChecksums(file);
        let input: ImageInput = file;
        if (extension !== null) {
          input = join(folder, `picture.${extension}`);
          writeFileSync(input, file);
        }
        seen[await readHostile(input, MAX_PIXELS)] += 1;
        largest = Math.max(largest, process.memoryUsage.rss());
      }),
      { numRuns: MUTATIONS, endOnFailure: true },
    );
    // Both kinds occur, else the changes are too wild or too tame to tell anything.
    expect(seen.read).toBeGreaterThan(MUTATIONS / 20);
    expect(seen.refused).toBeGreaterThan(MUTATIONS / 5);
    expect(largest - before).toBeLessThan(MAX_GROWTH);
  });
});

function pngChunk(type: string, data: Uint8Array): Buffer {
  const chunk = Buffer.alloc(12 + data.length);
  chunk.writeUInt32BE(data.length);
  chunk.write(type, 4, 'latin1');
  chunk.set(data, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length);
  return chunk;
}

/** A black greyscale PNG; its pixels are all there if `pixels` says so. */
function blackPng(width: number, height: number, options: { pixels?: boolean; extra?: Buffer[] } = {}): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  const rows = deflateSync(Buffer.alloc(options.pixels ? (width + 1) * height : 100), { level: 1 });
  const start = Buffer.from('89504e470d0a1a0a', 'hex');
  const chunks = [
    pngChunk('IHDR', header),
    ...(options.extra ?? []),
    pngChunk('IDAT', rows),
    pngChunk('IEND', Buffer.alloc(0)),
  ];
  return Buffer.concat([start, ...chunks]);
}

/** A copy of a TIFF file with other values in its directory. */
function withTags(file: Buffer, values: Readonly<Record<number, number>>): Buffer {
  const changed = Buffer.from(file);
  const directory = changed.readUInt32LE(4);
  for (let index = 0; index < changed.readUInt16LE(directory); index += 1) {
    const entry = directory + 2 + index * 12;
    const value = values[changed.readUInt16LE(entry)];
    if (value === undefined) continue;
    changed.writeUInt16LE(4, entry + 2);
    changed.writeUInt32LE(value, entry + 8);
  }
  return changed;
}

describe('pictures that claim or unpack to too much', () => {
  /** Reads with the default limits; memory and time stay small. */
  async function expectCheap(input: ImageInput, outcome?: 'read' | 'refused'): Promise<void> {
    const memory = process.memoryUsage.rss();
    const start = performance.now();
    const result = await readHostile(input);
    if (outcome !== undefined) expect(result).toBe(outcome);
    expect(process.memoryUsage.rss() - memory).toBeLessThan(150 * 2 ** 20);
    expect(performance.now() - start).toBeLessThan(5000);
  }

  test('a PNG of 60,000 x 60,000 is refused by its header', async () => {
    await expect(sharpCodec.decode(blackPng(60_000, 60_000))).rejects.toMatchObject({
      code: 'VIBE_INVALID_IMAGE',
      received: 'one of 60000 x 60000, which is 3600000000',
    });
    await expectCheap(blackPng(60_000, 60_000), 'refused');
    await expectCheap(blackPng(0x7fffffff, 0x7fffffff), 'refused');
    await expectCheap(blackPng(0, 5), 'refused');
  });

  test('a PNG that unpacks to 400 times its size is refused by the pixel limit', async () => {
    const file = blackPng(6000, 4000, { pixels: true });
    expect(file.length).toBeLessThan(24_000_000 / 200);
    await expect(sharpCodec.decode(file, { maxPixels: 20_000_000 })).rejects.toMatchObject({
      code: 'VIBE_INVALID_IMAGE',
    });
  });

  test('compressed text and profiles that unpack to 100 MB', async () => {
    const bomb = deflateSync(Buffer.alloc(100 * 2 ** 20), { level: 1 });
    const start = [Buffer.from('k\0\0'), Buffer.from('k\0\x01\0\0\0')] as const;
    await expectCheap(blackPng(8, 8, { pixels: true, extra: [pngChunk('zTXt', Buffer.concat([start[0], bomb]))] }));
    await expectCheap(blackPng(8, 8, { pixels: true, extra: [pngChunk('iCCP', Buffer.concat([start[0], bomb]))] }));
    await expectCheap(blackPng(8, 8, { pixels: true, extra: [pngChunk('iTXt', Buffer.concat([start[1], bomb]))] }));
  });

  test('JPEG, GIF, WebP, AVIF and TIFF with huge sizes in their headers', async () => {
    const jpeg = Buffer.from(samples.jpeg[0]!);
    const sizes = jpeg.indexOf(Buffer.from('ffc0', 'hex')) + 5;
    jpeg.writeUInt16BE(65_000, sizes);
    jpeg.writeUInt16BE(65_000, sizes + 2);
    await expect(sharpCodec.decode(jpeg)).rejects.toMatchObject({ received: expect.stringContaining('65000 x 65000') });
    await expectCheap(jpeg, 'refused');
    const gif = Buffer.from(samples.gif[0]!);
    // The logical screen and the frame.
    gif.fill(0xff, 6, 10);
    const frame = gif.indexOf(Buffer.from('2c00000000', 'hex'));
    gif.fill(0xff, frame + 5, frame + 9);
    await expectCheap(gif, 'refused');
    const webp = Buffer.from(samples.webp[2]!);
    webp.fill(0xff, webp.indexOf('VP8X') + 12, webp.indexOf('VP8X') + 18);
    await expectCheap(webp, 'refused');
    const avif = Buffer.from(samples.avif[0]!);
    avif.writeUInt32BE(60_000, avif.indexOf('ispe') + 8);
    avif.writeUInt32BE(60_000, avif.indexOf('ispe') + 12);
    await expectCheap(avif, 'refused');
    const tiff = samples.tiff[0]!;
    await expectCheap(withTags(tiff, { 256: 60_000, 257: 60_000 }), 'refused');
    await expectCheap(withTags(tiff, { 257: 1_000_000 }), 'refused');
    await expectCheap(withTags(tiff, { 277: 60_000 }), 'refused');
    await expectCheap(withTags(tiff, { 278: 0xffffffff, 279: 0xffffffff }));
  });

  test('hundreds of thousands of frames, pages and segments', async () => {
    const gif = samples.gif[0]!;
    const colours = 13 + 3 * 2 ** ((gif[10]! & 7) + 1);
    const gifFrame = Buffer.from([0x2c, 0, 0, 0, 0, 40, 0, 30, 0, 0, 2, 2, 0x4c, 1, 0]);
    await expectCheap(
      Buffer.concat([gif.subarray(0, colours), Buffer.alloc(gifFrame.length * 300_000, gifFrame), Buffer.from(';')]),
    );

    const webp = samples.webp[3]!;
    const start = webp.indexOf('ANMF');
    const webpFrame = webp.subarray(start, start + 8 + webp.readUInt32LE(start + 4));
    const frames = Buffer.concat([webp.subarray(0, start), Buffer.alloc(webpFrame.length * 5000, webpFrame)]);
    frames.writeUInt32LE(frames.length - 8, 4);
    await expectCheap(frames, 'read');

    const tiff = samples.tiff[0]!;
    const directory = tiff.readUInt32LE(4);
    const size = 2 + 12 * tiff.readUInt16LE(directory) + 4;
    const pages = Buffer.alloc(tiff.length + size * 60_000, tiff.subarray(directory, directory + size));
    pages.set(tiff);
    for (let page = 0; page <= 60_000; page += 1) {
      const end = page === 0 ? directory + size : tiff.length + page * size;
      pages.writeUInt32LE(page === 60_000 ? 0 : tiff.length + page * size, end - 4);
    }
    await expectCheap(pages, 'read');
    const endless = Buffer.from(tiff);
    endless.writeUInt32LE(directory, directory + size - 4);
    await expectCheap(endless, 'read');

    const jpeg = samples.jpeg[0]!;
    const comments = Buffer.alloc(4 * 500_000, Buffer.from('fffe0002', 'hex'));
    await expectCheap(Buffer.concat([jpeg.subarray(0, 2), comments, jpeg.subarray(2)]), 'read');
  });
});

describe('what is no picture that is read', () => {
  const secret = join(folder, 'secret.txt');
  const entity = `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file://${secret}">]>
    <svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"><text y="50">&x;</text></svg>`;

  test('SVG is refused under every name, external entities or not', async () => {
    writeFileSync(secret, 'secret');
    for (const text of [
      entity,
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
      `\n\n<!-- -->${entity}`,
    ]) {
      for (const extension of ['svg', 'png']) {
        const path = join(folder, `drawing.${extension}`);
        writeFileSync(path, text);
        await expect(sharpCodec.decode(path)).rejects.toMatchObject({
          code: 'VIBE_INVALID_IMAGE',
          received: 'a file of the format SVG',
        });
      }
      await expect(sharpCodec.decode(new Blob([text]))).rejects.toMatchObject({ code: 'VIBE_INVALID_IMAGE' });
    }
  });

  test('HEIC is refused with the way to convert it', async () => {
    const brands = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1');
    await expect(sharpCodec.decode(Buffer.concat([brands, Buffer.alloc(200)]))).rejects.toMatchObject({
      code: 'VIBE_INVALID_IMAGE',
      received: 'a HEIC picture',
      message: expect.stringMatching(/sips .*heif-convert /),
    });
  });

  test.each([
    ['an empty file', Buffer.alloc(0)],
    ['text', Buffer.from('hello')],
    ['zeros', Buffer.alloc(1000)],
    ['a PDF', Buffer.from('%PDF-1.7\n')],
    ['a PPM', Buffer.from('P6 1 1 255 abc')],
    ['a libvips file', Buffer.from('b6a6f208', 'hex')],
    ['a gzipped SVG', Buffer.from('1f8b0800', 'hex')],
    ['a signature alone', Buffer.from('ffd8ff', 'hex')],
    ['a PNG signature alone', Buffer.from('89504e470d0a1a0a', 'hex')],
    ['a TIFF signature alone', Buffer.from('II*\0')],
    ['a RIFF header alone', Buffer.from('RIFF\0\0\0\0WEBP')],
    ['a GIF header alone', Buffer.from('GIF89a')],
  ])('%s', async (_, file) => {
    await expect(sharpCodec.decode(file)).rejects.toMatchObject({ code: 'VIBE_INVALID_IMAGE' });
    const path = join(folder, 'file.jpg');
    writeFileSync(path, file);
    await expect(sharpCodec.decode(path)).rejects.toMatchObject({ code: 'VIBE_INVALID_IMAGE' });
  });

  test('a floating-point TIFF', async () => {
    // 2 x 2 grey pixels of 0, 0.25, 0.5 and 1.
    const base64 = [
      'SUkqAAgAAAAKAAABBAABAAAAAgAAAAEBBAABAAAAAgAAAAIBAwABAAAAIAAAAAMBAwABAAAAAQAAAAYBAwABAAAAAQAAABEBBAAB',
      'AAAAhgAAABYBBAABAAAAAgAAABcBBAABAAAAEAAAABwBAwABAAAAAQAAAFMBAwABAAAAAwAAAAAAAAAAAAAAAACAPgAAAD8AAIA/',
    ];
    const float = Buffer.from(base64.join(''), 'base64');
    expect((await sharp(float).metadata()).depth).toBe('float');
    await expect(sharpCodec.decode(float)).rejects.toMatchObject({
      code: 'VIBE_INVALID_IMAGE',
      received: 'one of type float',
    });
  });
});

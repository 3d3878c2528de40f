import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { insertPngChunks, srgbChunk, textChunk } from './png-chunks.js';

const png = await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
  .png()
  .toBuffer();

/** Types and data of all chunks of a file, read by the lengths; checks every CRC. */
function chunksOf(file: Uint8Array): { type: string; data: Buffer }[] {
  const bytes = Buffer.from(file);
  const chunks: { type: string; data: Buffer }[] = [];
  for (let offset = 8; offset < bytes.length; ) {
    const end = offset + 8 + bytes.readUInt32BE(offset);
    expect(bytes.readUInt32BE(end)).toBe(crc32(bytes.subarray(offset + 4, end)));
    chunks.push({ type: bytes.toString('latin1', offset + 4, offset + 8), data: bytes.subarray(offset + 8, end) });
    offset = end + 4;
  }
  return chunks;
}

describe('insertPngChunks', () => {
  test('puts chunks between the header and the pixels', () => {
    const before = chunksOf(png).map(({ type }) => type);
    const after = chunksOf(insertPngChunks(png, [srgbChunk(), textChunk('Title', 'x')])).map(({ type }) => type);
    expect(after).toEqual([before[0], 'sRGB', 'iTXt', ...before.slice(1)]);
    expect(Buffer.from(insertPngChunks(png, []))).toEqual(png);
  });

  test('text of any script is read again', async () => {
    const text = 'ein Zeichen: é, теплее, 暖かく, 🌅\nsecond line';
    const file = insertPngChunks(png, [textChunk('Über uns', text)]);
    const [chunk] = chunksOf(file).filter(({ type }) => type === 'iTXt');
    expect(chunk!.data.toString('latin1', 0, 9)).toBe('Über uns\0');
    expect(chunk!.data.toString('utf8', 13)).toBe(text);
    const { comments } = await sharp(file, { failOn: 'warning' }).metadata();
    expect(comments?.[0]?.text).toBe(text);
    expect(await sharp(file).raw().toBuffer()).toEqual(await sharp(png).raw().toBuffer());
  });

  test.each([
    '',
    ' leading',
    'trailing ',
    'two  spaces',
    'x'.repeat(80),
    '暖',
    'line\nbreak',
    'nul\0',
    'no-break\u00a0space',
  ])('refuses the keyword %j', (keyword) => {
    expect(() => textChunk(keyword, 'text')).toThrow(InvalidArgumentError);
  });

  test('refuses NUL in the text and takes the longest keyword', () => {
    expect(() => textChunk('Title', 'a\0b')).toThrow(InvalidArgumentError);
    expect(textChunk('x'.repeat(79), '').length).toBe(12 + 79 + 5);
  });
});

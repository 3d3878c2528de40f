import { InvalidArgumentError } from '../errors/invalid-argument-error.js';

/** Signature (8 bytes) and IHDR chunk (25 bytes): what comes before everything else in a PNG file. */
const HEADER_LENGTH = 33;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit += 1) remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1;
  return remainder;
});

/** CRC-32 of ISO 3309, as the PNG specification asks for in section 5.5. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** One chunk: length, type, data, CRC of type and data. */
function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(12 + data.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  for (let index = 0; index < 4; index += 1) chunk[4 + index] = type.charCodeAt(index);
  chunk.set(data, 8);
  view.setUint32(8 + data.length, crc32(chunk.subarray(4, 8 + data.length)));
  return chunk;
}

/** Keyword as the PNG specification wants it (section 11.3.3.2): 1 to 79 printable Latin-1 characters, no spare spaces. */
function keywordBytes(keyword: string): Uint8Array {
  const printable = /^[\x20-\x7e\xa1-\xff]{1,79}$/.test(keyword);
  if (!printable || keyword !== keyword.trim() || keyword.includes('  ')) {
    throw new InvalidArgumentError({
      argument: 'text',
      expected: 'keywords of 1 to 79 printable Latin-1 characters without leading, trailing or double spaces',
      received: JSON.stringify(keyword),
    });
  }
  return Uint8Array.from(keyword, (character) => character.charCodeAt(0));
}

/**
 * A text entry as an iTXt chunk, uncompressed: any script, in UTF-8.
 *
 * @throws {InvalidArgumentError} the keyword is not one PNG takes, or the text holds a NUL character
 */
export function textChunk(keyword: string, text: string): Uint8Array {
  const key = keywordBytes(keyword);
  if (text.includes('\0')) {
    throw new InvalidArgumentError({
      argument: 'text',
      expected: 'text without NUL characters',
      received: `one under the keyword ${keyword}`,
    });
  }
  const value = new TextEncoder().encode(text);
  // After the keyword: its end, compression flag and method, an empty language tag and an empty translated keyword, all zeros.
  const data = new Uint8Array(key.length + 5 + value.length);
  data.set(key);
  data.set(value, key.length + 5);
  return pngChunk('iTXt', data);
}

/** Says that the pixels are sRGB, to be shown with perceptual intent. */
export function srgbChunk(): Uint8Array {
  return pngChunk('sRGB', new Uint8Array(1));
}

/**
 * An ICC profile as an iCCP chunk.
 *
 * @param deflated the profile, compressed as zlib does
 */
export function profileChunk(deflated: Uint8Array): Uint8Array {
  // A name of one letter, its end, and the compression method.
  const data = new Uint8Array(3 + deflated.length);
  data[0] = 'p'.charCodeAt(0);
  data.set(deflated, 3);
  return pngChunk('iCCP', data);
}

/**
 * Puts chunks into a PNG file, right after its header, so that a reader has them before the pixels come.
 *
 * @param png a whole PNG file as an encoder wrote it
 */
export function insertPngChunks(png: Uint8Array, chunks: readonly Uint8Array[]): Uint8Array {
  const added = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const file = new Uint8Array(png.length + added);
  file.set(png.subarray(0, HEADER_LENGTH));
  let offset = HEADER_LENGTH;
  for (const chunk of chunks) {
    file.set(chunk, offset);
    offset += chunk.length;
  }
  file.set(png.subarray(HEADER_LENGTH), offset);
  return file;
}

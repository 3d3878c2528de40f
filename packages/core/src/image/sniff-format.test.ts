import { describe, expect, test } from 'vitest';
import { isInputFormat, sniffFormat } from './sniff-format.js';

/** Bytes of a string, a byte a character, followed by zeros. */
function bytes(text: string, length = 64): Uint8Array {
  const file = new Uint8Array(Math.max(length, text.length));
  file.set(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  return file;
}

function brands(major: string, ...compatible: string[]): Uint8Array {
  const length = String.fromCharCode(16 + 4 * compatible.length);
  return bytes(`\0\0\0${length}ftyp${major}\0\0\0\0${compatible.join('')}`);
}

/** A little-endian TIFF header with a directory of LONG entries. */
function tiff(entries: readonly (readonly [tag: number, value: number])[]): Uint8Array {
  const file = new Uint8Array(10 + entries.length * 12 + 4);
  const view = new DataView(file.buffer);
  file.set(bytes('II*\0', 4));
  view.setUint32(4, 8, true);
  view.setUint16(8, entries.length, true);
  for (const [index, [tag, value]] of entries.entries()) {
    const offset = 10 + index * 12;
    view.setUint16(offset, tag, true);
    view.setUint16(offset + 2, 4, true);
    view.setUint32(offset + 4, 1, true);
    view.setUint32(offset + 8, value, true);
  }
  return file;
}

describe('sniffFormat', () => {
  test.each([
    ['jpeg', bytes('\xff\xd8\xff\xe0')],
    ['png', bytes('\x89PNG\r\n\x1a\n')],
    ['gif', bytes('GIF87a')],
    ['gif', bytes('GIF89a')],
    ['webp', bytes('RIFF\x10\0\0\0WEBPVP8 ')],
    ['avif', brands('avif', 'mif1', 'miaf')],
    ['avif', brands('mif1', 'miaf', 'avif')],
    ['avif', brands('avis')],
    ['tiff', tiff([[256, 1]])],
    ['tiff', tiff([[254, 0]])],
    ['tiff', bytes('MM\0*\0\0\0\x08')],
    ['tiff', bytes('II+\0\x08\0\0\0')],
    ['tiff', bytes('II*\0', 4)],
    ['heic', brands('heic', 'mif1')],
    ['heic', brands('mif1', 'heic')],
    ['camera raw', bytes('II*\0\x10\0\0\0CR\x02\0')],
    ['camera raw', tiff([[254, 1]])],
    [
      'camera raw',
      tiff([
        [256, 1],
        [50706, 0x0401],
      ]),
    ],
    ['svg', bytes('<svg xmlns="http://www.w3.org/2000/svg"/>')],
    ['svg', bytes('\xef\xbb\xbf \n<?xml version="1.0"?><svg/>')],
    ['svg', bytes('<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>')],
    ['pdf', bytes('%PDF-1.7')],
    ['bmp', bytes('BM')],
    ['psd', bytes('8BPS')],
    ['jxl', bytes('\xff\x0a')],
    ['jxl', bytes('\0\0\0\x0cJXL \r\n\x87\n')],
    ['jp2', bytes('\0\0\0\x0cjP  \r\n\x87\n')],
    ['unknown', brands('isom', 'mp42')],
    ['unknown', bytes('RIFF\x10\0\0\0WAVE')],
    ['unknown', bytes('hello')],
    ['unknown', new Uint8Array(0)],
  ] as const)('%s', (format, file) => {
    expect(sniffFormat(file)).toBe(format);
  });

  test('says which formats are read', () => {
    const read = ['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff', 'heic', 'svg', 'unknown'] as const;
    expect(read.filter(isInputFormat)).toEqual(['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff']);
  });

  test('a directory that points outside the file is left to the decoder', () => {
    const file = tiff([[256, 1]]);
    new DataView(file.buffer).setUint32(4, 0xffffffff, true);
    expect(sniffFormat(file)).toBe('tiff');
    expect(sniffFormat(brands('avif').subarray(0, 9))).toBe('unknown');
  });
});

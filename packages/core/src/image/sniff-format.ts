/** Formats that are read. */
export type InputFormat = 'jpeg' | 'png' | 'webp' | 'avif' | 'gif' | 'tiff';

/** Formats that are told apart only to say by name that they are not read. */
type RefusedFormat = 'heic' | 'svg' | 'pdf' | 'bmp' | 'jxl' | 'jp2' | 'psd' | 'camera raw';

/** What some bytes are: a format that is read, one that is not, or `unknown`. */
export type SniffedFormat = InputFormat | RefusedFormat | 'unknown';

const INPUT_FORMATS: ReadonlySet<string> = new Set<InputFormat>(['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff']);

export function isInputFormat(format: SniffedFormat): format is InputFormat {
  return INPUT_FORMATS.has(format);
}

/** Bytes as text, each byte one character. */
function latin1(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}

/** First bytes that decide alone. */
const SIGNATURES: readonly (readonly [signature: string, format: SniffedFormat])[] = [
  ['\xff\xd8\xff', 'jpeg'],
  ['\x89PNG\r\n\x1a\n', 'png'],
  ['GIF87a', 'gif'],
  ['GIF89a', 'gif'],
  ['%PDF-', 'pdf'],
  ['BM', 'bmp'],
  ['8BPS', 'psd'],
  ['\xff\x0a', 'jxl'],
  ['\0\0\0\x0cJXL \r\n\x87\n', 'jxl'],
  ['\0\0\0\x0cjP  \r\n\x87\n', 'jp2'],
  ['\xff\x4f\xff\x51', 'jp2'],
];

/** Brands of ISO/IEC 23008-12 (HEIF): which codec the picture is compressed with. */
const AVIF_BRANDS = ['avif', 'avis'];
const HEIC_BRANDS = ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs', 'mif1', 'msf1'];

/** An ISO media file, by the brands of its first box: major brand at 8, compatible ones from 16 on. */
function sniffBrands(bytes: Uint8Array): SniffedFormat {
  const boxLength = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
  const end = Math.min(boxLength, bytes.length, 256);
  const brands: string[] = [];
  for (let offset = 8; offset + 4 <= end; offset += 4) {
    if (offset !== 12) brands.push(latin1(bytes, offset, offset + 4));
  }
  if (brands.some((brand) => AVIF_BRANDS.includes(brand))) return 'avif';
  return brands.some((brand) => HEIC_BRANDS.includes(brand)) ? 'heic' : 'unknown';
}

const TIFF_NEW_SUBFILE_TYPE = 254;
const TIFF_DNG_VERSION = 50706;

/**
 * Camera raw files (CR2, NEF, ARW, DNG) are TIFF files whose first picture is a thumbnail. They are told by Canon's mark, by a
 * DNG version, or by a first directory that calls its picture a reduced one (TIFF 6.0, section 8, NewSubfileType).
 */
function sniffTiff(bytes: Uint8Array, littleEndian: boolean): SniffedFormat {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength < 10) return 'tiff';
  if (latin1(bytes, 8, 10) === 'CR') return 'camera raw';
  if (view.getUint16(2, littleEndian) !== 42) return 'tiff';
  const directory = view.getUint32(4, littleEndian);
  if (directory + 2 > view.byteLength) return 'tiff';
  const entries = view.getUint16(directory, littleEndian);
  for (let index = 0; index < entries; index += 1) {
    const entry = directory + 2 + index * 12;
    if (entry + 12 > view.byteLength) break;
    const tag = view.getUint16(entry, littleEndian);
    if (tag === TIFF_DNG_VERSION) return 'camera raw';
    if (tag === TIFF_NEW_SUBFILE_TYPE && (view.getUint32(entry + 8, littleEndian) & 1) === 1) return 'camera raw';
  }
  return 'tiff';
}

/**
 * Tells a picture's format by its content; names and extensions play no part.
 *
 * @param bytes the whole file, or at least its first few hundred bytes
 */
export function sniffFormat(bytes: Uint8Array): SniffedFormat {
  const head = latin1(bytes, 0, 16);
  for (const [signature, format] of SIGNATURES) {
    if (head.startsWith(signature)) return format;
  }
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') return 'webp';
  if (head.startsWith('II*\0') || head.startsWith('II+\0')) return sniffTiff(bytes, true);
  if (head.startsWith('MM\0*') || head.startsWith('MM\0+')) return sniffTiff(bytes, false);
  if (head.slice(4, 8) === 'ftyp') return sniffBrands(bytes);
  return /^(\xef\xbb\xbf)?\s*<(\?xml|!doctype|!--|svg)/i.test(latin1(bytes, 0, 256)) ? 'svg' : 'unknown';
}

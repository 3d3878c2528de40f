import type { InputFormat } from './sniff-format.js';

/**
 * Takes all pictures but the first out of an animation or a multi-page file, so that a decoder does not even count them: libvips
 * looks at every frame before it decodes one, in a time that grows with the square of their number for WebP and TIFF.
 *
 * A file whose structure is not understood comes back as it is, for the decoder to refuse.
 */
export function firstPicture(file: Uint8Array, format: InputFormat): Uint8Array {
  switch (format) {
    case 'gif':
      return firstGifFrame(file);
    case 'webp':
      return firstWebpFrame(file);
    case 'tiff':
      return firstTiffPage(file);
    default:
      return file;
  }
}

function viewOf(file: Uint8Array): DataView {
  return new DataView(file.buffer, file.byteOffset, file.byteLength);
}

const GIF_EXTENSION = 0x21;
const GIF_IMAGE = 0x2c;
const GIF_TRAILER = 0x3b;

/** Bytes of a colour table whose size the flags tell. */
function colourTableLength(flags: number | undefined): number {
  return flags !== undefined && flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

/** GIF89a: header, blocks, trailer. Everything up to the end of the first image block, and a trailer. */
function firstGifFrame(file: Uint8Array): Uint8Array {
  /** Offset behind a chain of sub-blocks, each with its length before it, that ends with an empty one. */
  const skipSubBlocks = (start: number): number => {
    let offset = start;
    while (offset < file.length) {
      const length = file[offset]!;
      offset += 1 + length;
      if (length === 0) break;
    }
    return offset;
  };
  let offset = 13 + colourTableLength(file[10]);
  while (offset < file.length) {
    if (file[offset] === GIF_EXTENSION) {
      offset = skipSubBlocks(offset + 2);
    } else if (file[offset] === GIF_IMAGE) {
      const end = skipSubBlocks(offset + 10 + colourTableLength(file[offset + 9]) + 1);
      // Ends where it should, or lacks something.
      if (end >= file.length - 1) return file;
      const first = new Uint8Array(end + 1);
      first.set(file.subarray(0, end));
      first[end] = GIF_TRAILER;
      return first;
    } else {
      return file;
    }
  }
  return file;
}

/** The four letters of a chunk's type as one number. */
function fourLetters(type: string): number {
  return viewOf(Uint8Array.from(type, (letter) => letter.charCodeAt(0))).getUint32(0);
}

/** Chunks that a still picture or a frame is made of, and what describes it. */
const WEBP_CHUNKS: ReadonlySet<number> = new Set(
  ['VP8X', 'ICCP', 'ANIM', 'ANMF', 'ALPH', 'VP8 ', 'VP8L', 'EXIF', 'XMP '].map(fourLetters),
);

/** WebP: a RIFF file of chunks, in which each frame of an animation is an `ANMF` chunk. The first chunk of each kind. */
function firstWebpFrame(file: Uint8Array): Uint8Array {
  const view = viewOf(file);
  const kept = new Map<number, Uint8Array>();
  let length = 12;
  for (let offset = 12; offset + 8 <= file.length; ) {
    const type = view.getUint32(offset);
    const size = view.getUint32(offset + 4, true);
    const end = offset + 8 + size + (size % 2);
    if (WEBP_CHUNKS.has(type) && !kept.has(type)) {
      const chunk = file.subarray(offset, end);
      kept.set(type, chunk);
      length += chunk.length;
    }
    offset = end;
  }
  if (length >= file.length) return file;
  const first = new Uint8Array(length);
  first.set(file.subarray(0, 12));
  viewOf(first).setUint32(4, length - 8, true);
  let offset = 12;
  for (const chunk of kept.values()) {
    first.set(chunk, offset);
    offset += chunk.length;
  }
  return first;
}

/** TIFF: a chain of directories, one a page. The same file with the chain ended after the first. */
function firstTiffPage(file: Uint8Array): Uint8Array {
  const view = viewOf(file);
  const littleEndian = file[0] === 0x49;
  // BigTIFF has the version 43, and 64 bits where TIFF has 16 or 32.
  const big = file.length >= 16 && view.getUint16(2, littleEndian) === 43;
  if (file.length < 8) return file;
  const directory = big ? Number(view.getBigUint64(8, littleEndian)) : view.getUint32(4, littleEndian);
  if (directory + 8 > file.length) return file;
  const entries = big ? Number(view.getBigUint64(directory, littleEndian)) : view.getUint16(directory, littleEndian);
  const next = directory + (big ? 8 + 20 * entries : 2 + 12 * entries);
  const size = big ? 8 : 4;
  if (next + size > file.length || file.subarray(next, next + size).every((byte) => byte === 0)) return file;
  const first = new Uint8Array(file);
  first.fill(0, next, next + size);
  return first;
}

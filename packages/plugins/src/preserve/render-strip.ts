import { createBilinearRows } from './bilinear-rows.js';
import { toGray } from './colorless.js';
import type { Planes } from './planes.js';
import { createToneChange, type Tone } from './tone.js';
import { createRowResampler } from './upscale-rows.js';
import type { WorkingPlane } from './working-plane.js';

/** Where content changed: decoded pixels and how much of them to take. */
export interface NewContent {
  readonly decoded: Planes;
  readonly mask: WorkingPlane;
}

/** Rows `top` to `top + rows` (exclusive) of a picture `width` by `height`. */
export interface Strip {
  readonly width: number;
  readonly height: number;
  readonly top: number;
  readonly rows: number;
  readonly channels: 3 | 4;
  /** The source's pixels of these rows, interleaved, 8 bits. */
  readonly pixels: Uint8Array;
  /** The colour change; it may be cut to what these rows need. */
  readonly tone: Tone;
  /** Whether the colour change leaves no colour. */
  readonly isGray: boolean;
  readonly content: NewContent | undefined;
}

/**
 * The strip with its colours changed and new content laid over it; alpha as it was. The change is added to the source's own 8-bit
 * value and the sum rounded, so a pixel that does not change stays the same bit by bit.
 */
export function* renderStrip(strip: Strip): Generator<void, Uint8Array> {
  const { width, height, top, rows, channels, pixels, tone, isGray, content } = strip;
  const colorChange = createToneChange(tone, strip);
  const overlay = content && createOverlay(content, { width, height });
  const result = new Uint8ClampedArray(pixels.length);
  const row = new Float64Array(width * 3);
  const change = new Float64Array(width * 3);
  for (let y = 0; y < rows; y++) {
    const start = y * width * channels;
    for (let x = 0; x < width; x++) {
      const pixel = start + x * channels;
      row[x * 3] = pixels[pixel]! / 255;
      row[x * 3 + 1] = pixels[pixel + 1]! / 255;
      row[x * 3 + 2] = pixels[pixel + 2]! / 255;
    }
    colorChange.row(top + y, row, change);
    if (isGray) toGray(row, change);
    overlay?.(top + y, row, change);
    // Uint8ClampedArray rounds and clamps.
    for (let x = 0; x < width; x++) {
      const pixel = start + x * channels;
      result[pixel] = pixels[pixel]! + change[x * 3]! * 255;
      result[pixel + 1] = pixels[pixel + 1]! + change[x * 3 + 1]! * 255;
      result[pixel + 2] = pixels[pixel + 2]! + change[x * 3 + 2]! * 255;
      if (channels === 4) result[pixel + 3] = pixels[pixel + 3]!;
    }
    yield;
  }
  return new Uint8Array(result.buffer);
}

/** Blends decoded pixels into the change of a row: change (1 - m) + (decoded - source) m. */
function createOverlay(
  { decoded, mask }: NewContent,
  output: { width: number; height: number },
): (y: number, row: Float64Array, change: Float64Array) => void {
  const { width } = output;
  const resampler = createRowResampler(decoded, output);
  const maskRow = createBilinearRows(mask, output);
  const shares = new Float64Array(width);
  const pixels = new Float64Array(width * 3);
  return (y, row, change) => {
    if (!maskRow(y, shares)) return;
    let from = 0;
    while (from < width && shares[from] === 0) from++;
    let to = width;
    while (to > from && shares[to - 1] === 0) to--;
    resampler.row(y, from, to, pixels);
    for (let i = from * 3; i < to * 3; i++) {
      const share = shares[Math.floor(i / 3)]!;
      // Clamped first: ringing beyond black and white must not show through a thin mask.
      const clamped = Math.min(Math.max(pixels[i]!, 0), 1);
      change[i]! += share * (clamped - row[i]! - change[i]!);
    }
  };
}

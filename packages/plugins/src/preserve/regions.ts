import type { Plane } from './box-blur.js';

export interface RegionOptions {
  /** A region is made of neighbouring pixels over this. */
  readonly low: number;
  /** It counts when one of them reaches this... */
  readonly high: number;
  /** ...and when it has at least so many pixels. */
  readonly leastPixels: number;
}

/**
 * Regions of a plane by hysteresis (as the edges of Canny, 1986), with the holes in them filled.
 * @returns 1 inside, 0 outside; undefined when there is no region
 */
export function* findRegions(plane: Plane, options: RegionOptions): Generator<void, Plane | undefined> {
  const { width, height, values } = plane;
  const { low, high, leastPixels } = options;
  const inside = new Float64Array(values.length);
  const seen = new Uint8Array(values.length);
  let found = false;
  for (let pixel = 0; pixel < values.length; pixel++) {
    if (pixel % width === 0) yield;
    if (seen[pixel] === 1 || values[pixel]! <= low) continue;
    const region = connected(plane, pixel, seen, (other) => values[other]! > low);
    if (region.length < leastPixels || !region.some((other) => values[other]! >= high)) continue;
    found = true;
    for (const other of region) inside[other] = 1;
  }
  if (!found) return undefined;
  yield* fillHoles({ width, height, values: inside });
  return { width, height, values: inside };
}

/** Sets what cannot be reached from the edge of the picture without crossing a region. */
function* fillHoles(regions: Plane): Generator<void, void> {
  const { width, height, values } = regions;
  const seen = new Uint8Array(values.length);
  const isOutside = (pixel: number): boolean => values[pixel] === 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x += y === 0 || y === height - 1 ? 1 : Math.max(width - 1, 1)) {
      const pixel = y * width + x;
      if (seen[pixel] === 0 && isOutside(pixel)) connected(regions, pixel, seen, isOutside);
    }
    yield;
  }
  for (let pixel = 0; pixel < values.length; pixel++) if (seen[pixel] === 0) values[pixel] = 1;
}

/** The pixels that hang together with one, over their sides; they are marked as seen. */
function connected(plane: Plane, first: number, seen: Uint8Array, belongs: (pixel: number) => boolean): number[] {
  const { width, height } = plane;
  const pixels = [first];
  seen[first] = 1;
  const visit = (pixel: number): void => {
    if (seen[pixel] === 1 || !belongs(pixel)) return;
    seen[pixel] = 1;
    pixels.push(pixel);
  };
  for (let next = 0; next < pixels.length; next++) {
    const pixel = pixels[next]!;
    const x = pixel % width;
    if (x > 0) visit(pixel - 1);
    if (x < width - 1) visit(pixel + 1);
    if (pixel >= width) visit(pixel - width);
    if (pixel < width * (height - 1)) visit(pixel + width);
  }
  return pixels;
}

import type { Size } from '../plugin/plugin.js';

/**
 * The authors' sizes for 512 x 512 pixels, as [ratio, height, width]; a ratio is height / width, rounded. Sizes for 1024 and 2048
 * are these doubled and quadrupled. Same ratios as diffusers' tables of the PixArt and Sana family.
 */
const BINS_512: readonly (readonly [ratio: number, height: number, width: number])[] = [
  [0.25, 256, 1024],
  [0.26, 256, 992],
  [0.27, 256, 960],
  [0.28, 256, 928],
  [0.32, 288, 896],
  [0.33, 288, 864],
  [0.35, 288, 832],
  [0.4, 320, 800],
  [0.42, 320, 768],
  [0.48, 352, 736],
  [0.5, 352, 704],
  [0.52, 352, 672],
  [0.57, 384, 672],
  [0.6, 384, 640],
  [0.68, 416, 608],
  [0.72, 416, 576],
  [0.78, 448, 576],
  [0.82, 448, 544],
  [0.88, 480, 544],
  [0.94, 480, 512],
  [1.0, 512, 512],
  [1.07, 512, 480],
  [1.13, 544, 480],
  [1.21, 544, 448],
  [1.29, 576, 448],
  [1.38, 576, 416],
  [1.46, 608, 416],
  [1.67, 640, 384],
  [1.75, 672, 384],
  [2.0, 704, 352],
  [2.09, 736, 352],
  [2.4, 768, 320],
  [2.5, 800, 320],
  [2.89, 832, 288],
  [3.0, 864, 288],
  [3.11, 896, 288],
  [3.62, 928, 256],
  [3.75, 960, 256],
  [3.88, 992, 256],
  [4.0, 1024, 256],
];

/** Side of the square that a checkpoint must reach to use the tables at their own sizes. */
const SMALLEST_BASE = 512;

/** How much larger than the 512 table a picture's table is; its area in pixels decides. */
function scaleFor(area: number): number {
  if (area <= 2 * 512 ** 2 + 256 ** 2) return 1;
  return area <= 2 * 1024 ** 2 + 512 ** 2 ? 2 : 4;
}

/**
 * The working size of a picture: the nearest aspect ratio (the first of two equally near ones) in the table for its area. Multiples
 * of 32, at most 4:1; the bin of a bin is the bin itself.
 *
 * @param options.baseSize side in pixels of the square the checkpoint was made for (`sample_size` times the autoencoder's
 *   compression). Under 512 there is one table for every area: the 512 table halved, multiples of 16. Default 512
 * @example
 * ```ts
 * closestBin({ width: 1920, height: 1080 }); // { width: 1344, height: 768 }
 * ```
 */
export function closestBin(options: Size & { baseSize?: number }): Size {
  const { width, height, baseSize = SMALLEST_BASE } = options;
  const scale = baseSize < SMALLEST_BASE ? 0.5 : scaleFor(width * height);
  const wanted = height / width;
  let closest = BINS_512[0]!;
  for (const bin of BINS_512) {
    if (Math.abs(bin[0] - wanted) < Math.abs(closest[0] - wanted)) closest = bin;
  }
  return { width: closest[2] * scale, height: closest[1] * scale };
}

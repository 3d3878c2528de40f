import { type HostTensor, hostTensor } from '../../backend/tensor.js';
import type { VisionConfig } from '../../checkpoint/configs.js';
import { countImageTokens, type ImageGrid } from './image-grid.js';
import { inverseFrequencies, type RotaryTables, rotaryTables } from './rotary.js';

/** Of the vision tower's rotary embedding; in no config. */
const VISION_THETA = 10_000;

/** A picture, cut into patches by the image processor. */
export interface PatchedPicture {
  /** [patches, channels, patch, patch], patches in merge-block order. */
  readonly pixelCodes: HostTensor<'uint8'>;
  readonly grid: ImageGrid;
}

/**
 * Everything that goes into the vision encoder.
 * @returns Inputs by name, as `Component` describes them.
 * @throws {InvalidArgumentError} when the grid is no single frame of whole blocks.
 */
export function visionEncoderInputs(options: {
  picture: PatchedPicture;
  config: VisionConfig;
}): Record<string, HostTensor> {
  const { picture, config } = options;
  const { indices, weights } = positionNeighbours({ grid: picture.grid, config });
  const { cos, sin } = visionRotaryTables({ grid: picture.grid, config });
  return {
    pixel_codes: picture.pixelCodes,
    position_indices: indices,
    position_weights: weights,
    rotary_cos: cos,
    rotary_sin: sin,
  };
}

/**
 * The learned positions form a square table; a picture's patches are spread over it corner to corner and take the bilinear mean of
 * their four neighbours. Source: `fast_pos_embed_interpolate` of Qwen3-VL in transformers 4.57.
 *
 * @returns `indices` [4, patches], rows of the table; `weights` [4, patches]. Patches in merge-block order.
 */
export function positionNeighbours(options: { grid: ImageGrid; config: VisionConfig }): {
  indices: HostTensor<'int64'>;
  weights: HostTensor<'float32'>;
} {
  const { grid, config } = options;
  const side = Math.floor(Math.sqrt(config.num_position_embeddings));
  const rows = spread(side, grid[1]);
  const columns = spread(side, grid[2]);
  const patches = grid[1] * grid[2];
  const indices = new BigInt64Array(4 * patches);
  const weights = new Float32Array(4 * patches);
  const places = blockOrder(grid, config.spatial_merge_size);
  for (const [patch, [row, column]] of places.entries()) {
    for (let corner = 0; corner < 4; corner++) {
      const vertical = corner >> 1;
      const horizontal = corner & 1;
      const at = corner * patches + patch;
      indices[at] = BigInt(rows.neighbours[vertical]![row]! * side + columns.neighbours[horizontal]![column]!);
      weights[at] = rows.weights[vertical]![row]! * columns.weights[horizontal]![column]!;
    }
  }
  const shape = [4, patches];
  return { indices: hostTensor('int64', shape, indices), weights: hostTensor('float32', shape, weights) };
}

/** `count` places spread evenly over 0..side - 1: the neighbours below and above each, and their weights. */
function spread(side: number, count: number): { neighbours: readonly number[][]; weights: readonly Float32Array[] } {
  const last = side - 1;
  const step = Math.fround(last / (count - 1));
  // As torch's linspace does it, from the nearer end, with fused multiply-add.
  const places = Float32Array.from({ length: count }, (_, i) => {
    if (count === 1) return 0;
    return i < Math.floor(count / 2) ? step * i : last - step * (count - 1 - i);
  });
  const floors = Array.from(places, Math.floor);
  const fractions = places.map((place, i) => place - floors[i]!);
  return {
    neighbours: [floors, floors.map((floor) => Math.min(floor + 1, last))],
    weights: [fractions.map((fraction) => 1 - fraction), fractions],
  };
}

/**
 * Cosines and sines of the vision tower: the first half of a head turns by the patch's row, the second by its column.
 * @returns Tables [patches, head_dim], patches in merge-block order.
 */
export function visionRotaryTables(options: { grid: ImageGrid; config: VisionConfig }): RotaryTables {
  const { grid, config } = options;
  const headDim = config.hidden_size / config.num_heads;
  const frequencies = inverseFrequencies({ dim: headDim / 2, theta: VISION_THETA });
  const places = blockOrder(grid, config.spatial_merge_size);
  return rotaryTables({
    shape: [places.length, headDim],
    angle: (patch, column) => {
      const axis = column < frequencies.length ? 0 : 1;
      return places[patch]![axis] * frequencies[column - axis * frequencies.length]!;
    },
  });
}

/** Row and column of every patch; the patches of a merge block stand one after the other. */
function blockOrder(grid: ImageGrid, mergeSize: number): (readonly [row: number, column: number])[] {
  const [, , columns] = grid;
  const blocks = countImageTokens({ grid, mergeSize });
  const blockColumns = columns / mergeSize;
  return Array.from({ length: blocks * mergeSize ** 2 }, (_, patch) => {
    const block = Math.floor(patch / mergeSize ** 2);
    const inside = patch % mergeSize ** 2;
    return [
      Math.floor(block / blockColumns) * mergeSize + Math.floor(inside / mergeSize),
      (block % blockColumns) * mergeSize + (inside % mergeSize),
    ] as const;
  });
}

import { expect, test } from 'vitest';
import { maxDifference } from '../../../../../test/golden-vectors.js';
import { hostTensor } from '../../backend/tensor.js';
import { InvalidArgumentError } from '../../errors/index.js';
import { positionNeighbours, visionEncoderInputs, visionRotaryTables } from './vision-inputs.js';

const config = {
  depth: 1,
  hidden_size: 16,
  hidden_act: 'gelu_pytorch_tanh',
  intermediate_size: 8,
  num_heads: 2,
  in_channels: 3,
  patch_size: 16,
  spatial_merge_size: 2,
  temporal_patch_size: 2,
  out_hidden_size: 8,
  num_position_embeddings: 9,
  deepstack_visual_indexes: [],
};
const grid = [1, 2, 4] as const;

test('positions are the bilinear mean of the table, corner to corner, in merge-block order', () => {
  const { indices, weights } = positionNeighbours({ grid, config });
  expect(indices.shape).toEqual([4, 8]);
  // What each patch takes of the table's nine rows.
  const taken = Array.from({ length: 8 }, () => new Array<number>(9).fill(0));
  for (let corner = 0; corner < 4; corner++) {
    for (const [patch, row] of taken.entries()) {
      const at = corner * 8 + patch;
      row[Number(indices.values[at])]! += weights.values[at]!;
    }
  }
  // Qwen3VLVisionModel.fast_pos_embed_interpolate of transformers 4.57.1 on a table that is the unit matrix.
  const third = [0.3333333134651184, 0.6666666865348816];
  const after = [0.6666667461395264, 0.33333325386047363];
  expect(taken).toEqual([
    [1, 0, 0, 0, 0, 0, 0, 0, 0],
    [...third, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 1, 0, 0],
    [0, 0, 0, 0, 0, 0, ...third, 0],
    [0, ...after, 0, 0, 0, 0, 0, 0],
    [0, 0, 1, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, ...after],
    [0, 0, 0, 0, 0, 0, 0, 0, 1],
  ]);
});

test('a side of one patch stands at the edge of the table', () => {
  const { indices, weights } = positionNeighbours({ grid: [1, 1, 1], config: { ...config, spatial_merge_size: 1 } });
  expect(Array.from(indices.values, Number)).toEqual([0, 1, 3, 4]);
  expect(Array.from(weights.values)).toEqual([1, 0, 0, 0]);
});

test('half of a head turns by the row, half by the column', () => {
  const { cos, sin } = visionRotaryTables({ grid, config });
  // Rows and columns of the patches in merge-block order; frequencies 1 and 0.01.
  const places = [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
    [0, 2],
    [0, 3],
    [1, 2],
    [1, 3],
  ] as const;
  const angles = places.flatMap(([row, column]) => {
    const half = [row, row * 0.01, column, column * 0.01];
    return [...half, ...half];
  });
  expect(cos.shape).toEqual([8, 8]);
  expect(maxDifference(cos.values, angles.map(Math.cos))).toBeLessThan(1e-7);
  expect(maxDifference(sin.values, angles.map(Math.sin))).toBeLessThan(1e-7);
});

test('a grid of half blocks or several frames is refused', () => {
  const pixelCodes = hostTensor('uint8', [0], new Uint8Array());
  for (const wrong of [
    [1, 3, 4],
    [1, 2, 0],
    [2, 2, 4],
  ] as const) {
    expect(() => visionEncoderInputs({ picture: { pixelCodes, grid: wrong }, config })).toThrow(InvalidArgumentError);
  }
});

import { describe, expect, test } from 'vitest';
import { GOLDEN_CASES } from '../../../../../test/golden-cases.js';
import { goldenTensors, maxDifference } from '../../../../../test/golden-vectors.js';
import { hostTensor } from '../../backend/tensor.js';
import { openCheckpoint } from '../../checkpoint/open-checkpoint.js';
import type { ImageGrid } from './image-grid.js';
import { createPromptEncoder } from './prompt.js';
import { ropePositions, textRotaryTables } from './rope-index.js';

describe.each(GOLDEN_CASES)('positions of $name', ({ name, checkpoint, runs }) => {
  test.each(runs)('$name: those of the reference', async (run) => {
    const { textEncoder, tokenizer, transformer } = await openCheckpoint(checkpoint);
    const golden = goldenTensors(`${name}/runs/${run.name}/tensors.safetensors`);
    const values = golden.get('image_grid_thw')?.values;
    const grid = values && ([values[0]!, values[1]!, values[2]!] as ImageGrid);
    const { tokens } = createPromptEncoder({ textEncoder, tokenizer }).encode({
      instructions: [run.prompt].flat(),
      grid,
    });
    const queries = transformer.config.num_meta_queries;
    const positions = ropePositions({ tokens, queries, grid, config: textEncoder.config });
    expect(positions.shape).toEqual(golden.get('position_ids')!.shape);
    expect(Array.from(positions.values, Number)).toEqual(Array.from(golden.get('position_ids')!.values));
  });
});

test('a picture that no vision token opens counts as text', async () => {
  const { textEncoder } = await openCheckpoint(GOLDEN_CASES[0]!.checkpoint);
  const { config } = textEncoder;
  const tokens = [[5, config.image_token_id, config.image_token_id, 7]];
  const positions = ropePositions({ tokens, queries: 1, grid: [1, 2, 4], config });
  expect(Array.from(positions.values, Number)).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
});

test('the axes are interleaved over the frequencies', async () => {
  const { textEncoder } = await openCheckpoint(GOLDEN_CASES[0]!.checkpoint);
  const config = {
    ...textEncoder.config.text_config,
    head_dim: 16,
    rope_theta: 10_000,
    rope_scaling: { rope_type: 'default', mrope_section: [3, 3, 2], mrope_interleaved: true },
  };
  const positions = hostTensor('int64', [3, 1, 2], BigInt64Array.of(7n, 100n, 20n, 100n, 300n, 100n));
  const { cos, sin } = textRotaryTables({ positions, config });
  // Qwen3VLTextRotaryEmbedding of transformers 4.57.1 on the same config and positions.
  const half = [
    [0.7539022564888, 0.9991443753242493, 0.15425145626068115, 0.9755998849868774, 0.9800665974617004],
    [0.5827535390853882, 0.9999755024909973, 0.9999800324440002],
  ].flat();
  const sines = [
    [0.6569865942001343, 0.04135828837752342, -0.9880316257476807, 0.21955610811710358, 0.19866931438446045],
    [0.8126489520072937, 0.0069999429397284985, 0.006324513349682093],
  ].flat();
  expect(cos.shape).toEqual([1, 2, 16]);
  expect(maxDifference(cos.values.subarray(0, 16), [...half, ...half])).toBeLessThan(1e-6);
  expect(maxDifference(sin.values.subarray(0, 16), [...sines, ...sines])).toBeLessThan(1e-6);
});

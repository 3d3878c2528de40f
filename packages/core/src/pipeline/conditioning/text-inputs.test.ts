import { describe, expect, test } from 'vitest';
import { GOLDEN_CASES } from '../../../../../test/golden-cases.js';
import { type GoldenTensor, goldenTensors } from '../../../../../test/golden-vectors.js';
import type { HostTensor } from '../../backend/tensor.js';
import { openCheckpoint } from '../../checkpoint/open-checkpoint.js';
import type { ImageGrid } from './image-grid.js';
import { createPromptEncoder } from './prompt.js';
import { emptyPictureFeatures, textEncoderInputs } from './text-inputs.js';

async function layOut(checkpointPath: string, instructions: readonly string[], grid: ImageGrid | undefined) {
  const checkpoint = await openCheckpoint(checkpointPath);
  const { config } = checkpoint.textEncoder;
  const queries = checkpoint.transformer.config.num_meta_queries;
  const prompts = createPromptEncoder(checkpoint).encode({ instructions, grid });
  return { config, queries, prompts, laidOut: textEncoderInputs({ prompts, grid, config, queries }) };
}

const numbers = ({ values }: HostTensor | GoldenTensor): number[] => Array.from(values, Number);

describe.each(GOLDEN_CASES)('$name', ({ name, checkpoint, runs }) => {
  const [run] = runs.filter(({ full }) => full);
  const golden = goldenTensors(`${name}/runs/${run!.name}/tensors.safetensors`);
  const [time, rows, columns] = golden.get('image_grid_thw')!.values as unknown as number[];
  const grid: ImageGrid = [time!, rows!, columns!];

  test('masks and positions are those of the reference', async () => {
    const { laidOut } = await layOut(checkpoint, [run!.prompt].flat(), grid);
    expect(numbers(laidOut.extendedAttentionMask)).toEqual(numbers(golden.get('extended_attention_mask')!));
    expect(numbers(laidOut.visualPositionsMask)).toEqual(numbers(golden.get('visual_pos_masks')!));
    expect(numbers(laidOut.positionIds)).toEqual(numbers(golden.get('position_ids')!));
  });

  test('the picture and the queries stand where the reference put them', async () => {
    const { laidOut, queries } = await layOut(checkpoint, [run!.prompt].flat(), grid);
    const { embedding_index, deepstack_index, query_index, row_index } = laidOut.inputs;
    const embeds = golden.get('inputs_embeds')!;
    const [prompts, sequence, width] = embeds.shape as [number, number, number];
    const image = golden.get('image_embeds')!;
    const imageTokens = image.shape[0]!;
    const isRow = (row: number, other: GoldenTensor, at: number) =>
      other.values.subarray(at * width, (at + 1) * width).every((x, i) => x === embeds.values[row * width + i]);
    let pictures = 0;
    for (const [row, index] of numbers(embedding_index!).entries()) {
      const place = index - prompts * sequence;
      const added = Number(deepstack_index!.values[row]);
      if (place >= 0 && place < imageTokens) {
        pictures += 1;
        expect(isRow(row, image, place)).toBe(true);
        expect(added).toBe(place + 1);
      } else {
        expect(added).toBe(0);
        // Meta queries are the same vectors after every prompt.
        if (place >= 0) expect(isRow(row, embeds, Number(query_index!.values[place - imageTokens]))).toBe(true);
        else expect(index).toBe(row);
      }
    }
    expect(pictures).toBe(prompts * imageTokens);
    expect(query_index!.shape).toEqual([prompts, queries]);
    expect(numbers(row_index!)).toEqual(Array.from({ length: prompts * sequence }, (_, row) => row));
  });

  test('without a picture one row of zeros stands for it', async () => {
    const { config, laidOut, prompts, queries } = await layOut(checkpoint, ['a cat', 'a very long dog'], undefined);
    const features = emptyPictureFeatures(config);
    expect(Object.keys(features)).toHaveLength(1 + config.vision_config.deepstack_visual_indexes.length);
    for (const { shape, values } of Object.values(features)) {
      expect(shape).toEqual([1, config.text_config.hidden_size]);
      expect(values.every((x) => x === 0)).toBe(true);
    }
    expect(laidOut.visualPositionsMask.values.some((x) => x === 1)).toBe(false);
    expect(numbers(laidOut.inputs.deepstack_index!).some((x) => x !== 0)).toBe(false);
    const [count, sequence] = laidOut.inputs.input_ids!.shape as [number, number];
    // The first prompt's queries follow its last token; the row of zeros lies before the queries and is never taken.
    const first = Number(laidOut.inputs.query_index!.values[0]);
    expect(first).toBe(prompts.tokens[0]!.length);
    expect(Number(laidOut.inputs.embedding_index!.values[first])).toBe(count * sequence + 1);
    expect(numbers(laidOut.inputs.embedding_index!)).not.toContain(count * sequence);
    expect(sequence).toBe(prompts.tokens[1]!.length + queries);
  });
});

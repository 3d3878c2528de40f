import * as z from 'zod';
import type { CheckpointFiles } from './checkpoint-files.js';
import { fields, integer, listOf, parseConfig } from './config-fields.js';
import type { TransformerConfig } from './configs.js';
import { floatTensor } from './float-tensor.js';
import type { JsonValue } from './parse-json.js';
import { readTensorFile } from './state-dict.js';
import type { TensorInfo } from './tensor-info.js';

/** What the conditionings of a checkpoint mean that says one thing with the first half of its queries and one with the second. */
export interface Prototypes {
  /**
   * The operations that the first rows of both tensors are, each with as many rows as it has strengths. The row after them is what is not
   * understood; further ones are halves of other meanings, which go with each other alone.
   */
  readonly operations: readonly { readonly name: string; readonly strengths: number }[];
  /** What is said in the first half, [meanings, queries / 2, channels]. */
  readonly first: TensorInfo;
  /** And in the second. */
  readonly second: TensorInfo;
}

const FILE = 'prototypes.safetensors';
const MAX_OPERATIONS = 1000;
const MAX_MEANINGS = 10_000;

const name = z.string({ error: 'a name' }).min(1, { error: 'a name' }).max(100, { error: 'a name' });
const schema = fields({
  operations: listOf(fields({ name, strengths: integer(1, 100) }), 1, MAX_OPERATIONS).optional(),
});

/**
 * Finds `prototypes.safetensors` in a checkpoint whose `vibe_edit.json` names its operations; in others there is none.
 * @throws {InvalidCheckpointError} when it is missing or fits neither the operations nor the transformer.
 */
export async function readPrototypes({
  hints,
  hintsFile,
  files,
  transformer,
}: {
  /** The parsed `vibe_edit.json`. */
  hints: JsonValue;
  hintsFile: string;
  files: CheckpointFiles;
  transformer: TransformerConfig;
}): Promise<Prototypes | undefined> {
  const { operations } = parseConfig({ schema, value: hints, file: hintsFile });
  if (operations === undefined) return undefined;
  const file = files.resolve(FILE);
  const tensors = await readTensorFile(files, FILE);
  const rows = operations.reduce((sum, { strengths }) => sum + strengths, 0);
  const { num_meta_queries, caption_channels: channels } = transformer;
  const queries = num_meta_queries / 2;
  const half = (key: string): TensorInfo =>
    floatTensor(tensors, key, {
      file,
      shape: `${rows + 1} to ${MAX_MEANINGS}, ${queries}, ${channels}`,
      fits: ([meanings = 0, ...row]) =>
        meanings > rows && meanings <= MAX_MEANINGS && row.length === 2 && row[0] === queries && row[1] === channels,
    });
  return { operations, first: half('first'), second: half('second') };
}

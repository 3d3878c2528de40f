import { type Checkpoint, decodeTensorValues, type OutOfScope } from '@vibe-edit/core/runtime';

/** How the pieces of a text move the distance up to which it counts as not understood, see {@link wordingDistance}. */
export interface WordingModel {
  /** What a piece adds, in a table whose length is a power of two. */
  readonly weights: Float32Array;
  readonly bias: number;
}

/** Letters of a piece. */
const SHORTEST = 2;
const LONGEST = 5;

/**
 * Reads the model of a checkpoint that comes with one.
 * @throws {InvalidCheckpointError} when the file cannot be read
 */
export async function readWordingModel(checkpoint: Checkpoint, { weights, bias }: OutOfScope): Promise<WordingModel> {
  const values = async (info: OutOfScope[keyof OutOfScope]): Promise<Float32Array> =>
    decodeTensorValues(info, await checkpoint.readTensor(info)) as Float32Array;
  const [start = 0] = await values(bias);
  return { weights: await values(weights), bias: start };
}

/**
 * From the empty prompt's embedding, relative to its length: the less a text looks like an instruction that the checkpoint knows, the
 * farther. Without case, accents and breaks, with every different piece of n letters (2 to 5, blanks at both ends) hashed (FNV-1a) to one
 * of p places in the table w:
 *
 *     bias + sum w / sqrt(p)
 */
export function wordingDistance(text: string, { weights, bias }: WordingModel): number {
  const plain = text
    .normalize('NFD')
    .replaceAll(/\p{Mn}/gu, '')
    .toLowerCase()
    .trim()
    .replaceAll(/\s+/gu, ' ');
  const letters = Array.from(` ${plain} `, (letter) => letter.codePointAt(0) as number);
  const places = new Set<number>();
  for (const start of letters.keys()) {
    let hash = 0x811c9dc5;
    for (const [index, letter] of letters.slice(start, start + LONGEST).entries()) {
      hash = Math.imul(hash ^ letter, 0x01000193);
      if (index + 1 >= SHORTEST) places.add((hash ^ (hash >>> 15)) & (weights.length - 1));
    }
  }
  let sum = 0;
  for (const place of places) sum += weights[place] as number;
  return bias + sum / Math.sqrt(places.size);
}

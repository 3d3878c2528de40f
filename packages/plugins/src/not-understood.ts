import type { Checkpoint, Conditioning, PluginContext } from '@vibe-edit/core/runtime';
import { readWordingModel, type WordingModel, wordingDistance } from './wording.js';

const models = new WeakMap<Checkpoint, WordingModel>();

/**
 * Places of the instructions that the checkpoint did not understand. A checkpoint that says so does it in its own words: what it does not
 * know it embeds like the empty prompt, so with n the unconditional embedding and p that of the instruction
 *
 *     |p - n| < limit |n|
 *
 * The limit is `null_distance` of the checkpoint's `vibe_edit.json`; where the checkpoint comes with a model of wordings, it is that of
 * the instruction's wording if that is more. Without `null_distance` every instruction counts as understood; with `text_to_image` false there no
 * description of a picture that is made from text alone does.
 * @throws {InvalidCheckpointError} when the model of wordings cannot be read
 */
export async function notUnderstood(
  { promptEmbeds, nullEmbeds }: Conditioning,
  { request: { task, instructions }, checkpoint }: PluginContext,
): Promise<number[]> {
  const { nullDistance, textToImage } = checkpoint.defaults;
  if (task === 'generate' && !textToImage) return [...instructions.keys()];
  if (nullDistance === undefined) return [];
  const model = task === 'edit' ? await wordingModelOf(checkpoint) : undefined;
  const size = nullEmbeds.values.length;
  let length = 0;
  for (const value of nullEmbeds.values) length += value * value;
  return instructions.flatMap((instruction, place) => {
    let distance = 0;
    for (let i = 0; i < size; i++)
      distance += ((promptEmbeds.values[place * size + i] as number) - (nullEmbeds.values[i] as number)) ** 2;
    const limit = model === undefined ? nullDistance : Math.max(nullDistance, wordingDistance(instruction, model));
    return distance < limit * limit * length ? [place] : [];
  });
}

async function wordingModelOf(checkpoint: Checkpoint): Promise<WordingModel | undefined> {
  if (checkpoint.outOfScope === undefined) return undefined;
  const model = models.get(checkpoint) ?? (await readWordingModel(checkpoint, checkpoint.outOfScope));
  models.set(checkpoint, model);
  return model;
}

import type { Conditioning, PluginContext } from '@vibe-edit/core/runtime';

/**
 * Places of the instructions that the checkpoint did not understand. A checkpoint that says so does it in its own words: what it does not
 * know it embeds like the empty prompt, so with n the unconditional embedding and p that of the instruction
 *
 *     |p - n| < nullDistance |n|
 *
 * Without `null_distance` in the checkpoint's `vibe_edit.json` every instruction counts as understood; with `text_to_image` false there no
 * description of a picture that is made from text alone does.
 */
export function notUnderstood({ promptEmbeds, nullEmbeds }: Conditioning, context: PluginContext): number[] {
  const { task, instructions } = context.request;
  if (task === 'generate' && !context.checkpoint.defaults.textToImage) return [...instructions.keys()];
  const limit = context.checkpoint.defaults.nullDistance ?? 0;
  const size = nullEmbeds.values.length;
  let length = 0;
  for (const value of nullEmbeds.values) length += value * value;
  return instructions.flatMap((_, place) => {
    let distance = 0;
    for (let i = 0; i < size; i++)
      distance += ((promptEmbeds.values[place * size + i] as number) - (nullEmbeds.values[i] as number)) ** 2;
    return distance < limit * limit * length ? [place] : [];
  });
}

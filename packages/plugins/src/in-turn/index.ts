import {
  type Checkpoint,
  type Conditioning,
  hostTensor,
  type Plugin,
  type PluginContext,
} from '@vibe-edit/core/runtime';
import { notUnderstood } from '../not-understood.js';
import { type Meanings, nearestBetween, readingOf, readMeanings } from './meanings.js';

/**
 * Carries out two operations of one instruction one after the other: with "a pencil sketch with a sepia tone" it makes the sketch, and
 * then makes that sepia. A small model does two things at once far worse than one; in turn they cost the time of two edits.
 *
 * Which two are meant is what the model itself says. What it says may lie between two meanings, and what it makes of that does as well; so
 * each of the two operations, and a recolouring, is taken as the nearest meaning, and one operation alone as the nearest between two of
 * its strengths. It takes a checkpoint that comes with the prototypes of its meanings, as the embedded one does. With others, with a
 * geometry other than `exact` and with `preserve: 'off'`, which give the authors' results, the plugin does nothing.
 *
 * @example
 * ```ts
 * import { createEditor, inTurn, preserve } from 'vibe-edit';
 *
 * const editor = await createEditor({ plugins: [preserve(), inTurn()] });
 * const { image } = await editor.edit({ image: 'photo.jpg', instruction: 'invert it, then make it warmer' });
 * ```
 */
export function inTurn(): Plugin {
  const meanings = new WeakMap<Checkpoint, Meanings>();

  async function takeApart(conditioning: Conditioning, context: PluginContext): Promise<Conditioning | undefined> {
    const { checkpoint, request } = context;
    const { prototypes } = checkpoint;
    const isBare = request.geometry !== 'exact' || request.preserve === 'off';
    if (prototypes === undefined || request.task !== 'edit' || isBare) return undefined;
    const known = meanings.get(checkpoint) ?? (await readMeanings(checkpoint, prototypes));
    meanings.set(checkpoint, known);
    const { shape, values } = conditioning.promptEmbeds;
    const [count, ...size] = shape as readonly [number, number, number];
    const length = values.length / count;
    const meaning = (one: number, other: number): Float32Array => {
      const whole = new Float32Array(length);
      whole.set(known.first[one] as Float32Array);
      whole.set(known.second[other] as Float32Array, length / 2);
      return whole;
    };
    const now = values.slice();
    const later = new Map(conditioning.turns);
    const unclear = await notUnderstood(conditioning, context);
    for (let place = 0; place < count; place++) {
      const said = values.subarray(place * length, (place + 1) * length);
      const reading = readingOf(said, known);
      if (reading === undefined || unclear.includes(place)) continue;
      const { first, second } = reading;
      const [operation, next] = [known.operations[first], known.operations[second]];
      if (operation !== next) {
        now.set(meaning(first, first), place * length);
        const after = hostTensor('float32', [1, ...size], meaning(second, second));
        later.set(place, [after, ...(later.get(place) ?? [])]);
      } else if (operation === undefined) {
        now.set(meaning(first, second), place * length);
      } else {
        const strengths = known.operations.flatMap((each, row) => (each === operation ? [meaning(row, row)] : []));
        now.set(nearestBetween(said, strengths), place * length);
      }
    }
    return { ...conditioning, promptEmbeds: hostTensor('float32', shape, now), turns: later };
  }

  return { name: 'in-turn', hooks: { afterCondition: takeApart } };
}

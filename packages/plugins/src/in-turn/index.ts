import {
  type Checkpoint,
  type Conditioning,
  hostTensor,
  type Plugin,
  type PluginContext,
} from '@vibe-edit/core/runtime';
import { notUnderstood } from '../not-understood.js';
import { type Meanings, nearestRow, readMeanings } from './meanings.js';

/**
 * Carries out two operations of one instruction one after the other: with "a pencil sketch with a sepia tone" it makes the sketch, and
 * then makes that sepia. A small model does two things at once far worse than one; in turn they cost the time of two edits.
 *
 * Which two operations an instruction means is what the model says itself, so it is for checkpoints that come with the prototypes of what
 * their conditionings mean, as the embedded one does. With others, with a geometry other than `exact` and with `preserve: 'off'`, which give
 * the authors' results, it does nothing.
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
    const { first, second, operations } = known;
    const { shape, values } = conditioning.promptEmbeds;
    const [count, ...size] = shape as readonly [number, number, number];
    const half = values.length / count / 2;
    const now = values.slice();
    const later = new Map(conditioning.turns);
    const unclear = notUnderstood(conditioning, context);
    for (let place = 0; place < count; place++) {
      const start = 2 * half * place;
      const one = nearestRow(first, values.subarray(start, start + half));
      const other = nearestRow(second, values.subarray(start + half, start + 2 * half));
      const isPair = operations[one] !== undefined && operations[other] !== undefined;
      // Two strengths of one operation mean it once.
      if (!isPair || operations[one] === operations[other] || unclear.includes(place)) continue;
      now.set(first[one] as Float32Array, start);
      now.set(second[one] as Float32Array, start + half);
      const next = new Float32Array(2 * half);
      next.set(first[other] as Float32Array);
      next.set(second[other] as Float32Array, half);
      later.set(place, [hostTensor('float32', [1, ...size], next), ...(later.get(place) ?? [])]);
    }
    return { ...conditioning, promptEmbeds: hostTensor('float32', shape, now), turns: later };
  }

  return { name: 'in-turn', hooks: { afterCondition: takeApart } };
}

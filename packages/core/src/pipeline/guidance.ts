import type { ResolvedRequest } from './request.js';

/** What one evaluation of the transformer is told: which prompt, and whether it sees the source. */
export interface Branch {
  readonly prompt: 'instruction' | 'null';
  readonly source: 'image' | 'zeros';
}

/** The evaluations of one step and how they become one prediction. */
export interface Guidance {
  readonly branches: readonly Branch[];
  /**
   * Predictions of all branches, one after the other, to the guided one, in float32 and in the reference's order of operations.
   * @param predictions `branches.length * count` values.
   * @param count Values of one branch.
   */
  combine(predictions: Float32Array, count: number): Float32Array;
}

const TEXT: Branch = { prompt: 'instruction', source: 'image' };
const IMAGE: Branch = { prompt: 'null', source: 'image' };
const UNCONDITIONAL: Branch = { prompt: 'null', source: 'zeros' };

/**
 * Chooses the branches of classifier-free guidance over instruction and source (InstructPix2Pix, arXiv 2211.09800, section 3.2).
 *
 * - guidance scale of 1 or less: the instruction's branch alone;
 * - image guidance under 1, or nothing to see: instruction and null prompt;
 * - else three, but for image guidance of exactly 1, where the unconditional branch has weight 0 and is left out.
 */
export function planGuidance(
  request: Pick<ResolvedRequest, 'task' | 'guidanceScale' | 'imageGuidanceScale'>,
): Guidance {
  const { task, guidanceScale, imageGuidanceScale } = request;
  const scale = Math.fround(guidanceScale);
  const imageScale = Math.fround(imageGuidanceScale);
  if (guidanceScale <= 1) return { branches: [TEXT], combine: (predictions) => predictions };
  if (task === 'generate') return { branches: [{ ...TEXT, source: 'zeros' }, UNCONDITIONAL], combine: towards(scale) };
  if (imageGuidanceScale <= 1) return { branches: [TEXT, IMAGE], combine: towards(scale) };
  return {
    branches: [TEXT, IMAGE, UNCONDITIONAL],
    combine(predictions, count) {
      const guided = new Float32Array(count);
      for (let index = 0; index < count; index++) {
        const text = predictions[index] as number;
        const image = predictions[count + index] as number;
        const unconditional = predictions[2 * count + index] as number;
        const byText = Math.fround(scale * Math.fround(text - image));
        const byImage = Math.fround(imageScale * Math.fround(image - unconditional));
        guided[index] = Math.fround(unconditional + byText) + byImage;
      }
      return guided;
    },
  };
}

/** base + scale * (text - base), the base being the second branch. */
function towards(scale: number): Guidance['combine'] {
  return (predictions, count) => {
    const guided = new Float32Array(count);
    for (let index = 0; index < count; index++) {
      const base = predictions[count + index] as number;
      guided[index] = base + Math.fround(scale * Math.fround((predictions[index] as number) - base));
    }
    return guided;
  };
}

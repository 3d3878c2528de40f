import { type Kept, kept, labDistance, psnr, type Structure, ssim, structure, toLab } from './measures.ts';
import { applyAll, type Operation } from './operations.ts';
import { type Picture, quantised } from './picture.ts';
import type { Targets } from './targets.ts';

/** How near a picture comes to the exact result. */
export interface Fidelity {
  /** Whether the exact result asked for is the nearest of all. */
  readonly right: boolean;
  /** The nearest exact result. */
  readonly nearest: string;
  /** Decibels, at most 99. */
  readonly psnr: number;
  readonly ssim: number;
  /** Mean colour difference (CIE 1976). */
  readonly deltaE: number;
}

/** Whether an operation means a part of the picture and not all of it; elsewhere a pixel stays by chance only. */
function isLocal({ family }: Operation): boolean {
  return family === 'recolor' || family === 'vignette' || /^(darken|brighten)_/.test(family);
}

/** Everything measured on one result. */
export interface Verdict extends Fidelity {
  /** Pixels that should stay as they are; undefined where there are next to none, or where the edit is meant for the whole picture. */
  readonly kept: Kept | undefined;
  readonly structure: Structure;
  /** Whether every pixel is the source's. */
  readonly untouched: boolean;
  /** Mean colour difference from the source. */
  readonly change: number;
}

/** Under this share of the picture there is too little that should stay to say anything about it. */
const KEPT_SHARE = 0.02;

/** A source, and the exact result that a result is measured against. */
export interface Reference {
  readonly source: Picture;
  readonly operations: readonly Operation[];
  readonly targets: Targets;
  readonly target: Picture;
  readonly targetLab: Float32Array;
}

export function createReference(options: Pick<Reference, 'source' | 'operations' | 'targets'>): Reference {
  const target = quantised(applyAll(options.operations, options.source));
  return { ...options, target, targetLab: toLab(target) };
}

export function judgeFidelity(result: Picture, { target, targetLab, targets, operations }: Reference): Fidelity {
  const { name, right } = targets.nearest(result, operations);
  return {
    right,
    nearest: name,
    psnr: psnr(target, result),
    ssim: ssim(target, result),
    deltaE: labDistance(targetLab, toLab(result)),
  };
}

export function judge(result: Picture, reference: Reference): Verdict {
  const { source, target, targets, operations } = reference;
  const staying = operations.every(isLocal) ? kept(source, target, result) : undefined;
  return {
    ...judgeFidelity(result, reference),
    kept: staying && staying.share >= KEPT_SHARE ? staying : undefined,
    structure: structure(target, result),
    untouched: source.values.every((value, index) => value === result.values[index]),
    change: targets.change(result),
  };
}

import { NOT_UNDERSTOOD, type SceneRow } from './run-descriptions.ts';
import { mean, median, share } from './statistics.ts';

/** What many pictures from text come to. Shares in 0..1. */
export interface SceneTotals {
  readonly name: string;
  readonly pictures: number;
  /** Share whose nearest scene is the one described, or, of what is no scene, that says so. */
  readonly right: number;
  /** Means against the exact pictures; undefined where nothing describes a scene. */
  readonly fidelity: SceneRow['fidelity'];
  /** Share that came with the warning `not-understood`. */
  readonly notUnderstood: number;
  /** Median seconds in the pipeline's stages. */
  readonly seconds: number;
}

export function sceneTotals(name: string, rows: readonly SceneRow[]): SceneTotals {
  const scenes = rows.flatMap(({ fidelity }) => fidelity ?? []);
  return {
    name,
    pictures: rows.length,
    right: share(rows, ({ right }) => right),
    fidelity:
      scenes.length === 0
        ? undefined
        : {
            psnr: mean(scenes.map(({ psnr }) => psnr)),
            ssim: mean(scenes.map(({ ssim }) => ssim)),
            deltaE: mean(scenes.map(({ deltaE }) => deltaE)),
          },
    notUnderstood: share(rows, ({ warnings }) => warnings.includes(NOT_UNDERSTOOD)),
    seconds: median(rows.map(({ seconds }) => seconds)),
  };
}

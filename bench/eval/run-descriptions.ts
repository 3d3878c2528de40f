import { join } from 'node:path';
import type { Editor } from 'vibe-edit';
import type { Description } from './descriptions.ts';
import { labDistance, psnr, ssim, toLab } from './measures.ts';
import { fromPixels, type Picture, quantised } from './picture.ts';
import { workSeconds } from './run-trials.ts';
import { paintScene, sceneName } from './scene.ts';
import { SceneTargets } from './scene-targets.ts';
import { writeStrip } from './write-strip.ts';

/** What became of one description. */
export interface SceneRow {
  readonly description: string;
  readonly kind: Description['kind'];
  readonly style: string;
  readonly width: number;
  readonly height: number;
  /** The scene described; none where it describes no scene. */
  readonly wanted: string | undefined;
  /** The scene whose exact picture is nearest to what came out. */
  readonly nearest: string;
  /** Whether that is the one described; of what is no scene, whether the result says that it was not understood. */
  readonly right: boolean;
  /** Against the exact picture of the scene described. */
  readonly fidelity: { readonly psnr: number; readonly ssim: number; readonly deltaE: number } | undefined;
  /** Codes of the result's warnings. */
  readonly warnings: readonly string[];
  /** Seconds in the stages of the pipeline, without waiting. */
  readonly seconds: number;
  /** The strip exact, result, relative to the report. */
  readonly strip: string;
}

/** The warning of a description that a checkpoint does not understand. */
export const NOT_UNDERSTOOD = 'not-understood';

/** Makes a picture from each description, at the SDK's defaults. */
export async function runDescriptions(options: {
  descriptions: readonly Description[];
  editor: Editor;
  /** Where strips go. */
  folder: string;
  /** Hears every result as it comes. */
  onRow(row: SceneRow): void;
}): Promise<SceneRow[]> {
  const { descriptions, editor, folder, onRow } = options;
  const targets = new SceneTargets();
  const rows: SceneRow[] = [];
  for (const [index, { text, kind, style, scene }] of descriptions.entries()) {
    const made = await editor.generate({ instruction: text });
    const result = fromPixels(made.image.raster);
    const { width, height } = result;
    const target = scene && quantised(paintScene({ ...scene, width, height }));
    const strip = `strips/text-${String(index).padStart(3, '0')}.jpg`;
    await writeStrip(join(folder, strip), target ? [target, result] : [result]);
    const nearest = sceneName(targets.nearest(result));
    const wanted = scene && sceneName(scene);
    const warnings = made.warnings.map(({ code }) => code);
    const row: SceneRow = {
      description: text,
      kind,
      style,
      width,
      height,
      wanted,
      nearest,
      right: wanted === undefined ? warnings.includes(NOT_UNDERSTOOD) : wanted === nearest,
      fidelity: target && fidelityOf(target, result),
      warnings,
      seconds: workSeconds(made),
      strip,
    };
    rows.push(row);
    onRow(row);
  }
  return rows;
}

function fidelityOf(target: Picture, result: Picture): SceneRow['fidelity'] {
  return {
    psnr: psnr(target, result),
    ssim: ssim(target, result),
    deltaE: labDistance(toLab(target), toLab(result)),
  };
}

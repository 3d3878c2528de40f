import { join } from 'node:path';
import type { Editor, EditRequest, EditResult } from 'vibe-edit';
import { createReference, type Fidelity, judge, judgeFidelity, type Verdict } from './judge.ts';
import type { Operation } from './operations.ts';
import type { Oracle } from './oracle.ts';
import { fromPixels, type Picture } from './picture.ts';
import type { Source } from './pictures.ts';
import type { Trial } from './plan.ts';
import { nameOf, Targets } from './targets.ts';
import type { TrainingTexts } from './training-texts.ts';
import { writeStrip } from './write-strip.ts';

/** One line of the report's data. */
export interface Row extends Omit<Verdict, 'kept' | 'structure'> {
  readonly instruction: string;
  /** Whether somebody also wrote it for training, word for word. */
  readonly taught: boolean;
  readonly kind: string;
  readonly group: string;
  readonly style: string;
  readonly language: string;
  readonly strength: string | undefined;
  readonly ladder: number | undefined;
  readonly picture: string;
  /** The exact result asked for. */
  readonly wanted: string;
  readonly keptShare: number | undefined;
  readonly keptLevels: number | undefined;
  readonly shift: number;
  readonly sharpness: number;
  /** Codes of the result's warnings. */
  readonly warnings: readonly string[];
  /** Seconds in the stages of the pipeline, without waiting. */
  readonly seconds: number;
  readonly oracle: Fidelity | undefined;
  /** The strip source, exact, result, oracle, relative to the report. */
  readonly strip: string | undefined;
}

export type Settings = Pick<EditRequest, 'seed' | 'numInferenceSteps' | 'guidanceScale' | 'imageGuidanceScale'>;

interface RunOptions {
  trials: readonly Trial[];
  editor: Editor;
  taught: TrainingTexts;
  /** Without it nothing is compared with what is possible. */
  oracle?: Oracle | undefined;
  settings?: Settings;
  /** Where strips go; without it none are written. */
  folder?: string;
  /** Hears every result as it comes. */
  onRow(row: Row): void;
}

/** Carries out trials, picture by picture; the rows come back in the order of the trials. */
export async function runTrials(options: RunOptions): Promise<Row[]> {
  const { trials, oracle } = options;
  const rows: Row[] = [];
  for (const source of new Set(trials.map((trial) => trial.source))) {
    const own = [...trials.entries()].filter(([, trial]) => trial.source === source);
    const bests =
      oracle &&
      (await oracleResults(
        own.map(([, { phrase }]) => phrase.operations),
        source,
        oracle,
      ));
    const targets = new Targets(source.picture);
    for (const [index, trial] of own) {
      const row = await runTrial({
        ...options,
        trial,
        index,
        targets,
        best: bests?.get(nameOf(trial.phrase.operations)),
      });
      rows[index] = row;
      options.onRow(row);
    }
  }
  return rows;
}

async function runTrial({
  trial,
  index,
  targets,
  best,
  editor,
  taught,
  settings,
  folder,
}: RunOptions & { trial: Trial; index: number; targets: Targets; best: Picture | undefined }): Promise<Row> {
  const { phrase, source } = trial;
  const { text: instruction, operations, kind, group, style, language, strength, ladder } = phrase;
  const edited = await editor.edit({ image: source.file, instruction, ...settings });
  const result = fromPixels(edited.image.raster);
  const reference = createReference({ source: source.picture, operations, targets });
  const { kept, structure, ...verdict } = judge(result, reference);
  const strip = folder && `strips/${String(index).padStart(4, '0')}.jpg`;
  if (strip !== undefined && folder !== undefined) {
    await writeStrip(join(folder, strip), [source.picture, reference.target, result, ...(best ? [best] : [])]);
  }
  return {
    instruction,
    taught: taught.has(instruction),
    kind,
    group,
    style,
    language,
    strength,
    ladder,
    picture: source.name,
    wanted: nameOf(operations),
    ...verdict,
    keptShare: kept?.share,
    keptLevels: kept?.levels,
    shift: structure.shift,
    sharpness: structure.sharpness,
    warnings: edited.warnings.map(({ code }) => code),
    seconds: workSeconds(edited),
    oracle: best && judgeFidelity(best, reference),
    strip,
  };
}

/** Seconds in the stages of the pipeline, without waiting. */
export function workSeconds({ seconds }: EditResult): number {
  return Object.entries(seconds).reduce((sum, [stage, value]) => sum + (stage === 'queue' ? 0 : value), 0);
}

/** The oracle's pictures by the name of what they show, each made once. */
async function oracleResults(
  operations: readonly (readonly Operation[])[],
  source: Source,
  oracle: Oracle,
): Promise<Map<string, Picture>> {
  const wanted = new Map(operations.filter(({ length }) => length > 0).map((steps) => [nameOf(steps), steps]));
  const pictures = await oracle.results(source, [...wanted.values()]);
  return new Map([...wanted.keys()].map((name, index) => [name, pictures[index] as Picture]));
}

import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createEditor } from 'vibe-edit';
import { wrong } from './checked-json.ts';
import { type Description, readDescriptions } from './descriptions.ts';
import { htmlReport } from './html-report.ts';
import { createOracle } from './oracle.ts';
import { type Phrase, readPhrases } from './phrases.ts';
import { loadSources, type Source } from './pictures.ts';
import { planTrials, spread, type Trial } from './plan.ts';
import { runDescriptions, type SceneRow } from './run-descriptions.ts';
import { type Row, runTrials, type Settings } from './run-trials.ts';
import { type Summary, summarise, type Totals, totals } from './summary.ts';
import { Targets } from './targets.ts';
import { readTrainingTexts } from './training-texts.ts';

export interface EvaluationOptions {
  /** Folder of the checkpoint; none: the embedded one. */
  checkpoint: string | undefined;
  /** Folders of photos; pictures are derived from those of the first. */
  photos: readonly string[];
  /** File of instructions and descriptions. */
  phrases: string;
  /** Only these families or kinds (`together`, `recolor`, `unknown`, `detail`, `described`, `no-scene`); none: all. */
  families: readonly string[];
  /** Pictures that each instruction is tried on. */
  picturesEach: number;
  /** At most so many edits and pictures from text, evenly over all; none: all. */
  limit: number | undefined;
  /** Larger photos are reduced to it first, in pixels. */
  maxSide: number;
  /** Seeds, step counts and guidance scales that some of the edits are repeated with. */
  seeds: readonly number[];
  steps: readonly number[];
  guidance: readonly number[];
  /** Whether to measure what the autoencoder and the preservation step allow. */
  oracle: boolean;
  /** Where report.html, results.json and the pictures go. */
  out: string;
  /** Hears how far it is, in a line. */
  onProgress(line: string): void;
}

export interface Evaluation {
  readonly checkpoint: string;
  readonly summary: Summary;
  /** The repeated edits at the defaults, then at each other setting. */
  readonly settings: readonly Totals[];
  readonly rows: readonly Row[];
  /** Pictures from text. */
  readonly scenes: readonly SceneRow[];
}

/** Edits that are repeated at other settings; no more than one in so many of all. */
const REPEATED = 8;
const REPEATED_SHARE = 8;

/**
 * Tries a checkpoint through the SDK at its defaults and writes `results.json` and `report.html`.
 * @throws {InvalidArgumentError} when nothing is left to try.
 */
export async function evaluate(options: EvaluationOptions): Promise<Evaluation> {
  const { out, checkpoint, onProgress } = options;
  await mkdir(out, { recursive: true });
  const { trials, descriptions } = await plan(options);
  const taught = await readTrainingTexts();
  const editor = await createEditor(checkpoint === undefined ? {} : { checkpoint });
  const oracle = options.oracle && trials.length > 0 ? await createOracle(checkpoint) : undefined;
  try {
    const onRow = progressLine(trials.length + descriptions.length, onProgress);
    const rows = await runTrials({ trials, editor, oracle, taught, folder: out, onRow });
    const scenes = await runDescriptions({ descriptions, editor, folder: out, onRow });
    const repeated = spread(
      trials.filter(({ phrase }) => phrase.kind === 'family' && phrase.style === 'direct'),
      Math.min(REPEATED, Math.ceil(trials.length / REPEATED_SHARE)),
    );
    const settings: Totals[] = [];
    for (const [name, own] of repeatedSettings(options)) {
      if (repeated.length === 0) break;
      onProgress(name);
      settings.push(
        totals(name, await runTrials({ trials: repeated, editor, taught, settings: own, onRow: () => undefined })),
      );
    }
    const evaluation = { checkpoint: editor.checkpoint.path, summary: summarise(rows, scenes), settings, rows, scenes };
    await writeFile(join(out, 'results.json'), `${JSON.stringify(evaluation, null, 1)}\n`);
    const about = [
      `Checkpoint: ${checkpoint ?? 'the embedded one'}; defaults: ${JSON.stringify(editor.checkpoint.defaults)}`,
      `${rows.length} edits of ${new Set(rows.map(({ picture }) => picture)).size} pictures and ${scenes.length} pictures from text by ${basename(options.phrases)}`,
    ];
    await writeFile(
      join(out, 'report.html'),
      htmlReport({ about, summary: evaluation.summary, settings, rows, scenes }),
    );
    return evaluation;
  } finally {
    await oracle?.close();
    await editor.close();
  }
}

interface Plan {
  readonly trials: readonly Trial[];
  readonly descriptions: readonly Description[];
}

async function plan(options: EvaluationOptions): Promise<Plan> {
  const { families, limit } = options;
  const everyPhrase = await readPhrases(options.phrases);
  const everyDescription = await readDescriptions(options.phrases);
  const known = new Set([
    ...everyPhrase.flatMap(({ group, kind }) => [group, kind]),
    ...everyDescription.map(({ kind }) => kind),
  ]);
  const strange = families.filter((name) => !known.has(name));
  if (strange.length > 0) throw wrong('families', `some of ${[...known].sort().join(', ')}`, strange.join(', '));
  const wanted = (name: string): boolean => families.length === 0 || families.includes(name);
  const phrases = everyPhrase.filter(({ group, kind }) => wanted(group) || wanted(kind));
  const descriptions = everyDescription.filter(({ kind }) => wanted(kind));
  const all = [
    ...(phrases.length === 0 ? [] : await planEdits(phrases, options)).map((trial) => ({ trial })),
    ...descriptions.map((description) => ({ description })),
  ];
  if (all.length === 0) {
    throw wrong('families', 'some that the pictures are fit for', families.join(', ') || 'none');
  }
  const some = spread<{ trial?: Trial; description?: Description }>(all, limit ?? all.length);
  return {
    trials: some.flatMap(({ trial }) => trial ?? []),
    descriptions: some.flatMap(({ description }) => description ?? []),
  };
}

async function planEdits(phrases: readonly Phrase[], options: EvaluationOptions): Promise<Trial[]> {
  const { photos, out, maxSide, picturesEach } = options;
  const sources = await loadSources({ folders: photos, folder: join(out, 'sources'), maxSide });
  const known = new Map<Source, Targets>();
  const targetsOf = (source: Source): Targets => {
    const targets = known.get(source) ?? new Targets(source.picture);
    known.set(source, targets);
    return targets;
  };
  return planTrials({ phrases, sources, targetsOf, picturesEach });
}

function* repeatedSettings({ seeds, steps, guidance }: EvaluationOptions): Generator<[string, Settings]> {
  if (seeds.length + steps.length + guidance.length === 0) return;
  yield ['defaults', {}];
  for (const seed of seeds) yield [`seed ${seed}`, { seed }];
  for (const numInferenceSteps of steps) yield [`${numInferenceSteps} steps`, { numInferenceSteps }];
  for (const guidanceScale of guidance) {
    yield [`guidance ${guidanceScale}`, { guidanceScale, imageGuidanceScale: 1 }];
  }
}

function progressLine(count: number, onProgress: (line: string) => void): (row: { readonly right: boolean }) => void {
  const started = performance.now();
  let [done, right] = [0, 0];
  return (row) => {
    done += 1;
    if (row.right) right += 1;
    const left = (((performance.now() - started) / done) * (count - done)) / 1000;
    onProgress(`${done} of ${count}, ${((100 * right) / done).toFixed(1)} % right, ${left.toFixed(0)} s left`);
  };
}

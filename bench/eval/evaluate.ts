import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createEditor, InvalidArgumentError } from 'vibe-edit';
import { htmlReport } from './html-report.ts';
import { createOracle } from './oracle.ts';
import { readPhrases } from './phrases.ts';
import { loadSources, type Source } from './pictures.ts';
import { planTrials, spread, type Trial } from './plan.ts';
import { type Row, runTrials, type Settings } from './run-trials.ts';
import { type Summary, summarise, type Totals, totals } from './summary.ts';
import { Targets } from './targets.ts';

export interface EvaluationOptions {
  /** Folder of the checkpoint; none: the embedded one. */
  checkpoint: string | undefined;
  /** Folders of photos; pictures are derived from those of the first. */
  photos: readonly string[];
  /** File of instructions. */
  phrases: string;
  /** Only these families or kinds (`together`, `recolor`, `unknown`, `detail`); none: all. */
  families: readonly string[];
  /** Pictures that each instruction is tried on. */
  picturesEach: number;
  /** At most so many edits, evenly over all; none: all. */
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
  const trials = await plan(options);
  const editor = await createEditor(checkpoint === undefined ? {} : { checkpoint });
  const oracle = options.oracle ? await createOracle(checkpoint) : undefined;
  try {
    const rows = await runTrials({
      trials,
      editor,
      oracle,
      folder: out,
      onRow: progressLine(trials.length, onProgress),
    });
    const repeated = spread(
      trials.filter(({ phrase }) => phrase.kind === 'family' && phrase.style === 'direct'),
      Math.min(REPEATED, Math.ceil(trials.length / REPEATED_SHARE)),
    );
    const settings: Totals[] = [];
    for (const [name, own] of repeatedSettings(options)) {
      if (repeated.length === 0) break;
      onProgress(name);
      settings.push(totals(name, await runTrials({ trials: repeated, editor, settings: own, onRow: () => undefined })));
    }
    const evaluation = { checkpoint: editor.checkpoint.path, summary: summarise(rows), settings, rows };
    await writeFile(join(out, 'results.json'), `${JSON.stringify(evaluation, null, 1)}\n`);
    const about = [
      `Checkpoint: ${checkpoint ?? 'the embedded one'}; defaults: ${JSON.stringify(editor.checkpoint.defaults)}`,
      `${rows.length} edits of ${new Set(rows.map(({ picture }) => picture)).size} pictures by ${basename(options.phrases)}`,
    ];
    await writeFile(join(out, 'report.html'), htmlReport({ about, summary: evaluation.summary, settings, rows }));
    return evaluation;
  } finally {
    await oracle?.close();
    await editor.close();
  }
}

async function plan(options: EvaluationOptions): Promise<Trial[]> {
  const { photos, out, maxSide, families, picturesEach, limit } = options;
  const sources = await loadSources({ folders: photos, folder: join(out, 'sources'), maxSide });
  const phrases = (await readPhrases(options.phrases)).filter(
    ({ group, kind }) => families.length === 0 || families.includes(group) || families.includes(kind),
  );
  const known = new Map<Source, Targets>();
  const targetsOf = (source: Source): Targets => {
    const targets = known.get(source) ?? new Targets(source.picture);
    known.set(source, targets);
    return targets;
  };
  const trials = planTrials({ phrases, sources, targetsOf, picturesEach });
  if (trials.length > 0) return spread(trials, limit ?? trials.length);
  throw new InvalidArgumentError({
    argument: 'families',
    expected: 'families that there are instructions and pictures for',
    received: families.join(', ') || 'none',
  });
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

function progressLine(count: number, onProgress: (line: string) => void): (row: Row) => void {
  const started = performance.now();
  let [done, right] = [0, 0];
  return (row) => {
    done += 1;
    if (row.right) right += 1;
    const left = (((performance.now() - started) / done) * (count - done)) / 1000;
    onProgress(`${done} of ${count}, ${((100 * right) / done).toFixed(1)} % right, ${left.toFixed(0)} s left`);
  };
}

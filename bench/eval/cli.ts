/**
 * Measures what a checkpoint can do, and writes `results.json` and `report.html` with every picture.
 *
 *     pnpm eval
 *     pnpm eval --checkpoint ../my-checkpoint --photos ../my-photos --out reports/mine
 *     pnpm eval --families warm,cool,unknown --limit 50
 *     pnpm eval --families described,no-scene
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VibeError } from 'vibe-edit';
import { commandSeconds } from './command-seconds.ts';
import { type EvaluationOptions, evaluate } from './evaluate.ts';
import { EXAMPLES, readOptions, USAGE } from './options.ts';
import { SCENE_COLUMNS, TOTALS_COLUMNS, textTable } from './text-table.ts';

const SECONDS_BETWEEN_LINES = 10;

try {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) console.log(USAGE);
  else await measure({ ...options, onProgress: progressLine() });
} catch (error) {
  if (!(error instanceof VibeError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

async function measure(options: EvaluationOptions): Promise<void> {
  const started = performance.now();
  const { checkpoint, out } = options;
  const evaluation = await evaluate(options);
  if (process.stderr.isTTY) process.stderr.write('\n');
  const { summary, settings } = evaluation;
  const source = join(EXAMPLES, 'coffee.jpg');
  const fileSeconds = await commandSeconds({ source, folder: out, checkpoint, runs: 3 });
  await writeFile(
    join(out, 'results.json'),
    `${JSON.stringify({ ...evaluation, commandSeconds: fileSeconds }, null, 1)}\n`,
  );

  const tables = [
    [summary.overall, summary.untaught, ...summary.kinds].filter(({ edits }) => edits > 0),
    summary.families,
    summary.strengths,
    summary.styles,
    summary.languages,
    summary.pictures,
    settings,
  ];
  for (const lines of tables) if (lines.length > 0) console.log(`${textTable(lines, TOTALS_COLUMNS)}\n`);
  const scenes = [...summary.scenes, ...summary.sceneStyles];
  if (scenes.length > 0) console.log(`${textTable(scenes, SCENE_COLUMNS)}\n`);
  for (const { name, value, goal, met } of summary.goals) {
    console.log(`${met ? 'reached' : 'MISSED '}  ${name}: ${value.toFixed(3)} (goal ${goal.toFixed(3)})`);
  }
  console.log(`From the start of the command to the file: ${fileSeconds.toFixed(2)} s (median of 3)`);
  console.log(`${((performance.now() - started) / 60_000).toFixed(1)} minutes; ${join(out, 'report.html')}`);
}

/** One line that is written over on a terminal; elsewhere a line now and then. */
function progressLine(): (line: string) => void {
  let last = 0;
  return (line) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`);
    else if (performance.now() - last > SECONDS_BETWEEN_LINES * 1000) {
      last = performance.now();
      process.stderr.write(`${line}\n`);
    }
  };
}

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
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { InvalidArgumentError } from 'vibe-edit';
import { commandSeconds } from './command-seconds.ts';
import { evaluate } from './evaluate.ts';
import { SCENE_COLUMNS, TOTALS_COLUMNS, textTable } from './text-table.ts';

const { values } = parseArgs({
  options: {
    checkpoint: { type: 'string' },
    photos: { type: 'string', multiple: true, default: [] },
    phrases: { type: 'string', default: fileURLToPath(new URL('phrases.json', import.meta.url)) },
    families: { type: 'string', default: '' },
    'pictures-each': { type: 'string', default: '1' },
    limit: { type: 'string' },
    'max-side': { type: 'string', default: '1024' },
    seeds: { type: 'string', default: '7,1234' },
    steps: { type: 'string', default: '1,2,4,8' },
    guidance: { type: 'string', default: '2,4.5' },
    'no-oracle': { type: 'boolean', default: false },
    out: { type: 'string', default: 'reports/eval' },
  },
});

const SECONDS_BETWEEN_LINES = 10;
const started = performance.now();
const { checkpoint, out } = values;
const examples = fileURLToPath(new URL('../../examples/photos', import.meta.url));
const evaluation = await evaluate({
  checkpoint,
  photos: [examples, ...values.photos],
  phrases: values.phrases,
  families: values.families.split(',').filter((name) => name !== ''),
  picturesEach: wholeNumber('--pictures-each', values['pictures-each']),
  limit: values.limit === undefined ? undefined : wholeNumber('--limit', values.limit),
  maxSide: wholeNumber('--max-side', values['max-side']),
  seeds: numbers('--seeds', values.seeds),
  steps: numbers('--steps', values.steps),
  guidance: numbers('--guidance', values.guidance),
  oracle: !values['no-oracle'],
  out,
  onProgress: progressLine(),
});
if (process.stderr.isTTY) process.stderr.write('\n');
const { summary, settings } = evaluation;
const fileSeconds = await commandSeconds({ source: join(examples, 'coffee.jpg'), folder: out, checkpoint, runs: 3 });
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

function wholeNumber(argument: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError({ argument, expected: 'a whole number from 1 up', received: text });
}

function numbers(argument: string, text: string): number[] {
  const list = text.split(',').filter((part) => part !== '');
  return list.map((part) => {
    const value = Number(part);
    if (Number.isFinite(value) && value >= 0) return value;
    throw new InvalidArgumentError({ argument, expected: 'numbers with commas between them', received: text });
  });
}

/**
 * Runs an edit through the SDK with everything at its defaults (CPU backend in a child process), and prints what each stage took,
 * as one line of JSON. With `--warm-up` an edit of one step goes before it, which opens the components. With `--open` it opens all
 * components instead and prints how long that takes.
 *
 *     pnpm exec tsx bench/end-to-end.ts /tmp/full --steps 20 --threads 2
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { CpuOptions, WeightPolicy } from '@vibe-edit/adapters/cpu';
import { COMPONENTS, createEditor, createProcessBackend, openCheckpoint } from 'vibe-edit';
import { watchMemory } from './process-memory.js';
import { timedCpu } from './timed-backend.mjs';

type TimedCall = import('./timed-backend.mjs').TimedCall;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    picture: { type: 'string' },
    instruction: { type: 'string', default: 'make it warmer' },
    steps: { type: 'string', default: '20' },
    'warm-up': { type: 'boolean', default: false },
    threads: { type: 'string' },
    weights: { type: 'string' },
    open: { type: 'boolean', default: false },
  },
});
const [folder] = positionals;
if (folder === undefined) throw new Error('Expected the folder of a checkpoint');

const scratch = await mkdtemp(join(tmpdir(), 'vibe-edit-bench-'));
const log = join(scratch, 'calls.jsonl');
const cpu: CpuOptions = {
  ...(values.threads === undefined ? {} : { threads: Number(values.threads) }),
  ...(values.weights === undefined ? {} : { weights: values.weights as WeightPolicy }),
};
const started = performance.now();
const memory = watchMemory(() => backend.pid);
const backend = createProcessBackend(timedCpu({ log, cpu }));
try {
  if (values.open) await openAll();
  else await runEdit();
} finally {
  await backend.close();
  await rm(scratch, { recursive: true });
}

async function openAll(): Promise<void> {
  const checkpoint = await openCheckpoint(folder as string);
  for (const component of COMPONENTS) await backend.open(component, checkpoint);
  const seconds = (performance.now() - started) / 1000;
  const components = Object.fromEntries((await calls()).map((call) => [call.component, call.seconds]));
  print({ seconds, components, peak: memory.stop() });
}

async function runEdit(): Promise<void> {
  const editor = await createEditor({ checkpoint: folder as string, backend });
  const image = values.picture ?? join(folder as string, 'picture.png');
  const request = { image, instruction: values.instruction };
  if (values['warm-up']) await editor.edit({ ...request, numInferenceSteps: 1 });
  const earlier = values['warm-up'] ? (await calls()).length : 0;
  const begun = performance.now();
  const result = await editor.edit({ ...request, numInferenceSteps: Number(values.steps) });
  const total = (performance.now() - begun) / 1000;
  const own = (await calls()).slice(earlier);
  const sum = (call: TimedCall['call'], field: 'seconds' | 'processorSeconds'): number =>
    own.filter((entry) => entry.call === call).reduce((all, entry) => all + entry[field], 0);
  const [run, open] = [sum('run', 'seconds'), sum('open', 'seconds')];
  print({
    steps: Number(values.steps),
    seconds: { ...result.seconds, total },
    components: byComponent(own),
    modelSeconds: run,
    openSeconds: open,
    modelProcessorSeconds: sum('run', 'processorSeconds') + sum('open', 'processorSeconds'),
    overhead: (total - run - open) / total,
    peak: memory.stop(),
  });
  await editor.close();
}

/** Seconds of opening and of each run, by component. */
function byComponent(own: readonly TimedCall[]): Record<string, { open: number[]; run: number[] }> {
  const components: Record<string, { open: number[]; run: number[] }> = {};
  for (const { component, call, seconds } of own) {
    components[component] ??= { open: [], run: [] };
    components[component][call].push(Number(seconds.toFixed(2)));
  }
  return components;
}

async function calls(): Promise<TimedCall[]> {
  const text = await readFile(log, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TimedCall);
}

function print(report: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

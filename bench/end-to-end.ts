/**
 * Runs an edit through the SDK with everything at its defaults (CPU backend in a child process), and prints what each stage took,
 * as one line of JSON. With `--warm-up` an edit of one step goes before it, which opens the components. With `--open` it opens all
 * components instead, their files in the page cache, and prints how long that takes: with the memory as it is, which a virtual machine
 * may have to get from its host, and with memory that the system has at hand.
 *
 *     pnpm exec tsx bench/end-to-end.ts /tmp/full --steps 20 --threads 2
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { CpuOptions, WeightPolicy } from '@vibe-edit/adapters/cpu';
import { COMPONENTS, createEditor, createProcessBackend, type Editor, openCheckpoint } from 'vibe-edit';
import { fillMemory } from './fill-memory.js';
import { watchMemory } from './process-memory.js';
import { timedCpu } from './timed-backend.mjs';
import { warmFiles } from './warm-files.js';

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
await writeFile(log, '');
try {
  if (values.open) await openTwice();
  else await runEdit();
} finally {
  await rm(scratch, { recursive: true });
}

function createBackend(): ReturnType<typeof createProcessBackend> {
  return createProcessBackend(timedCpu({ log, cpu }));
}

async function openTwice(): Promise<void> {
  const checkpoint = await openCheckpoint(folder as string);
  await warmFiles(checkpoint);
  const memoryAsIs = await openAll();
  await fillMemory(scratch);
  await warmFiles(checkpoint);
  print({ memoryAsIs, memoryAtHand: await openAll() });
}

async function openAll(): Promise<{ seconds: number; components: Record<string, number> }> {
  const earlier = (await calls()).length;
  const started = performance.now();
  const backend = createBackend();
  try {
    const checkpoint = await openCheckpoint(folder as string);
    for (const component of COMPONENTS) await backend.open(component, checkpoint);
    const seconds = (performance.now() - started) / 1000;
    const opened = (await calls()).slice(earlier);
    return { seconds, components: Object.fromEntries(opened.map((call) => [call.component, call.seconds])) };
  } finally {
    await backend.close();
  }
}

async function runEdit(): Promise<void> {
  const backend = createBackend();
  const memory = watchMemory(() => backend.pid);
  const editor = await createEditor({ checkpoint: folder as string, backend });
  try {
    print({ ...(await timedEdit(editor)), peak: memory.stop() });
  } finally {
    await editor.close();
    await backend.close();
  }
}

async function timedEdit(editor: Editor): Promise<Readonly<Record<string, unknown>>> {
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
  return {
    steps: Number(values.steps),
    seconds: { ...result.seconds, total },
    components: byComponent(own),
    modelSeconds: run,
    openSeconds: open,
    modelProcessorSeconds: sum('run', 'processorSeconds') + sum('open', 'processorSeconds'),
    overhead: (total - run - open) / total,
  };
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

/**
 * Runs edits through the SDK with everything at its defaults (CPU backend in a child process), and prints what each stage took,
 * as one line of JSON an edit. With `--open` it opens all components instead and prints how long that takes.
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
    edits: { type: 'string', default: '1' },
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
  else await runEdits();
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

async function runEdits(): Promise<void> {
  const editor = await createEditor({ checkpoint: folder as string, backend });
  const image = values.picture ?? join(folder as string, 'picture.png');
  let before = 0;
  for (let edit = 0; edit < Number(values.edits); edit++) {
    const begun = performance.now();
    const result = await editor.edit({
      image,
      instruction: values.instruction,
      numInferenceSteps: Number(values.steps),
    });
    const total = (performance.now() - begun) / 1000;
    const own = (await calls()).slice(before);
    before += own.length;
    const sum = (call: TimedCall['call'], field: 'seconds' | 'processorSeconds'): number =>
      own.filter((entry) => entry.call === call).reduce((all, entry) => all + entry[field], 0);
    const [run, open] = [sum('run', 'seconds'), sum('open', 'seconds')];
    print({
      steps: Number(values.steps),
      seconds: { ...result.seconds, total },
      modelSeconds: run,
      openSeconds: open,
      modelProcessorSeconds: sum('run', 'processorSeconds') + sum('open', 'processorSeconds'),
      overhead: (total - run - open) / total,
      peak: memory.stop(),
    });
  }
  await editor.close();
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

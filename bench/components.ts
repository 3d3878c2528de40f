/**
 * Compares single components with the authors' stack, run by run in turn, by the least processor time of several runs: what can be
 * measured on a machine that others use as well. Meant for a checkpoint of few layers.
 *
 *     pnpm exec tsx bench/components.ts /tmp/two-layers --vibe /path/to/VIBE --python /path/to/python --threads 1 textEncoder transformer
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createBackend, type WeightPolicy } from '@vibe-edit/adapters/cpu';
import { exampleInputs } from '@vibe-edit/core/testing';
import { type Component, openCheckpoint, type Tensor } from 'vibe-edit';

/** Latents and grid of image tokens of a picture of 512 x 512. */
const SIDE = 16;
const BRANCHES = 3;
const COMPARED = ['visionEncoder', 'textEncoder', 'connector', 'transformer', 'vaeEncoder', 'vaeDecoder'] as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    vibe: { type: 'string' },
    python: { type: 'string', default: 'python3' },
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    weights: { type: 'string', default: 'auto' },
  },
});
const [folder, ...asked] = positionals;
if (folder === undefined || values.vibe === undefined) throw new Error('Expected a checkpoint and --vibe');

const script = fileURLToPath(new URL('reference/components.py', import.meta.url));
const reference = spawn(values.python, [script, folder, '--vibe', values.vibe, '--threads', values.threads], {
  stdio: ['pipe', 'pipe', 'ignore'],
});
const answers = createInterface({ input: reference.stdout })[Symbol.asyncIterator]();
const checkpoint = await openCheckpoint(folder);
const backend = await createBackend({
  threads: Number(values.threads),
  weights: values.weights as WeightPolicy | 'auto',
});

for (const component of COMPARED.filter((name) => asked.length === 0 || asked.includes(name))) {
  const session = await backend.open(component, checkpoint);
  const inputs = await inputsOf(component);
  const run = async (): Promise<number> => {
    const before = process.cpuUsage();
    await session.run(inputs);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  };
  await run();
  const [theirs, ours]: [number[], number[]] = [[], []];
  for (let round = 0; round < Number(values.rounds); round++) {
    theirs.push(await referenceSeconds(component));
    ours.push(await run());
  }
  const [least, own] = [Math.min(...theirs), Math.min(...ours)];
  process.stdout.write(
    `${component}: reference ${least.toFixed(2)} s, here ${own.toFixed(2)} s, ratio ${(own / least).toFixed(2)}\n`,
  );
  await session.close();
}
reference.stdin.end();
await backend.close();

/** The transformer needs the prompt's keys and values, which it gets once an edit. */
async function inputsOf(component: Component): Promise<Record<string, Tensor>> {
  const size = { checkpoint, height: SIDE, width: SIDE };
  if (component !== 'transformer') return exampleInputs({ ...size, component });
  const context = await backend.open('transformerContext', checkpoint);
  const prompt = exampleInputs({ ...size, component: 'transformerContext', batch: BRANCHES });
  const result = await context.run(prompt, { keep: context.outputs });
  await context.close();
  return exampleInputs({ ...size, component, batch: BRANCHES, context: result });
}

async function referenceSeconds(component: Component): Promise<number> {
  reference.stdin.write(`${component}\n`);
  const { value, done } = await answers.next();
  if (done === true) throw new Error(`The reference ended before it answered for ${component}`);
  return (JSON.parse(value) as { processorSeconds: number }).processorSeconds;
}

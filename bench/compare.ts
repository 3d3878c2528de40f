/**
 * Compares the SDK with the authors' stack on one checkpoint, on the same cores: each side in turn, round by round, a fresh process
 * each time. Prints the table and writes it into RESULTS.md. Linux only (memory is read from /proc).
 *
 *     pnpm bench:compare --checkpoint /tmp/full --vibe /path/to/VIBE --python /path/to/venv/bin/python --steps 20 --rounds 3
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { openCheckpoint } from 'vibe-edit';

interface ReferenceReport {
  readonly seconds: Readonly<Record<'condition' | 'encode' | 'denoise' | 'decode' | 'total', number>>;
  readonly processorSeconds: number;
  readonly peakBytes: number;
  readonly versions: Readonly<Record<string, string>>;
}

interface OwnReport {
  readonly seconds: Readonly<Record<string, number>>;
  readonly modelSeconds: number;
  readonly openSeconds: number;
  readonly modelProcessorSeconds: number;
  readonly overhead: number;
  readonly peak: { readonly resident: number; readonly anonymous: number };
}

interface OpenReport {
  readonly memoryAsIs: { readonly seconds: number };
  readonly memoryAtHand: { readonly seconds: number };
}

const { values } = parseArgs({
  options: {
    checkpoint: { type: 'string' },
    vibe: { type: 'string' },
    python: { type: 'string', default: 'python3' },
    steps: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
const { checkpoint, vibe, python, steps, rounds, threads } = values;
if (checkpoint === undefined || vibe === undefined) throw new Error('Expected --checkpoint and --vibe');

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const STAGES = ['condition', 'encode', 'denoise', 'decode', 'total'] as const;
const TARGETS = { total: 0.7, stage: 1, memory: 0.7, overhead: 0.03, openSeconds: 10 };

const reference: ReferenceReport[] = [];
const own: OwnReport[] = [];
const opened: OpenReport[] = [];
const loads: number[] = [];
for (let round = 0; round < Number(rounds); round++) {
  const common = [checkpoint, '--steps', steps, '--threads', threads, '--warm-up'];
  loads.push(loadavg()[0] as number);
  reference.push(await report(python, [`${FOLDER}reference/reference.py`, ...common, '--vibe', vibe]));
  own.push(await report('npx', ['tsx', `${FOLDER}end-to-end.ts`, ...common]));
  opened.push(await report('npx', ['tsx', `${FOLDER}end-to-end.ts`, checkpoint, '--threads', threads, '--open']));
}
const table = await results();
process.stdout.write(table);
await writeFile(`${FOLDER}RESULTS.md`, await withNotes(table));

/** What a command prints as its last line, a JSON object. */
async function report<Report>(command: string, args: readonly string[]): Promise<Report> {
  const { stdout } = await promisify(execFile)(command, args, { maxBuffer: 2 ** 26 });
  const line = stdout.trim().split('\n').at(-1) as string;
  process.stderr.write(`${line}\n`);
  return JSON.parse(line) as Report;
}

async function results(): Promise<string> {
  const seconds = (stage: (typeof STAGES)[number]): [number, number] => [
    median(reference.map((entry) => entry.seconds[stage])),
    median(own.map((entry) => entry.seconds[stage] as number)),
  ];
  const rows = STAGES.map((stage) => {
    const [theirs, ours] = seconds(stage);
    const target = stage === 'total' ? TARGETS.total : TARGETS.stage;
    return row(
      stage === 'total' ? 'end to end' : stage,
      `${theirs.toFixed(1)} s`,
      `${ours.toFixed(1)} s`,
      ours / theirs,
      target,
    );
  });
  const processor = [
    median(reference.map((entry) => entry.processorSeconds)),
    median(own.map((entry) => entry.modelProcessorSeconds)),
  ];
  const [theirPeak, ourPeak, ourAnonymous] = [
    median(reference.map((entry) => entry.peakBytes)),
    median(own.map((entry) => entry.peak.resident)),
    median(own.map((entry) => entry.peak.anonymous)),
  ] as [number, number, number];
  const overhead = median(own.map((entry) => entry.overhead));
  const [atHand, asIs] = [
    median(opened.map((entry) => entry.memoryAtHand.seconds)),
    median(opened.map((entry) => entry.memoryAsIs.seconds)),
  ];
  const { versions } = reference[0] as ReferenceReport;
  const { textEncoder, transformer } = await openCheckpoint(checkpoint as string);
  const layers = [
    `transformer ${transformer.config.num_layers}`,
    `language model ${textEncoder.config.text_config.num_hidden_layers}`,
    `vision tower ${textEncoder.config.vision_config.depth}`,
    `connector ${transformer.config.edit_head_stacks_num}`,
  ].join(', ');
  const ort = JSON.parse(
    await readFile(new URL('../packages/adapters/node_modules/onnxruntime-node/package.json', import.meta.url), 'utf8'),
  ) as { version: string };
  return `# Speed and memory against the authors' stack

One edit at 512 x 512, ${steps} steps, three branches (guidance 4.5, image guidance 1.2), float32 arithmetic, weights bfloat16 in their files;
medians of ${rounds} round(s), each side in turn in a fresh process, after an edit of one step on either side.

- Layers of the checkpoint, each of the real widths: ${layers} (the real model: 20, 28, 24 and 4); the autoencoder is whole.
- Machine: ${cpus()[0]?.model}, ${availableParallelism()} processors, ${(totalmem() / 2 ** 30).toFixed(0)} GiB; ${threads} threads a side; load average
  at the start of each round: ${loads.map((load) => load.toFixed(1)).join(', ')}.
- Reference: torch ${versions.torch}, Python ${versions.python}, the authors' package, packages as in \`reference/requirements.txt\`.
- Here: Node ${process.version}, onnxruntime-node ${ort.version}, everything at its defaults.
- Command: \`pnpm bench:compare --checkpoint FULL --vibe VIBE --steps ${steps} --rounds ${rounds} --threads ${threads}\`.

| | reference | vibe-edit | ratio | target |
|---|---|---|---|---|
${rows.join('\n')}
${row('processor time', `${processor[0]?.toFixed(0)} s`, `${processor[1]?.toFixed(0)} s`, (processor[1] as number) / (processor[0] as number))}
${row('peak memory', gigabytes(theirPeak), gigabytes(ourPeak), ourPeak / theirPeak, TARGETS.memory)}
${row('of it anonymous', gigabytes(theirPeak), gigabytes(ourAnonymous), ourAnonymous / theirPeak)}

| | measured | target |
|---|---|---|
| not in a model (opening apart) | ${(100 * overhead).toFixed(2)} % | ${100 * TARGETS.overhead} % |
| opening all components, files in the page cache, memory at hand | ${atHand.toFixed(1)} s | ${TARGETS.openSeconds} s |
| the same, memory as it was (a virtual machine may have to get it from its host) | ${asIs.toFixed(1)} s | |

The reference is timed and its peak taken with all models already loaded. Here what the memory settings closed after the first edit
is opened again, which is in the stages' seconds, and the peak covers the whole life of both processes: the sum of their largest resident
sizes, pages of mapped weight files included.
`;
}

function row(name: string, theirs: string, ours: string, ratio: number, target?: number): string {
  return `| ${name} | ${theirs} | ${ours} | ${ratio.toFixed(2)} | ${target ?? ''} |`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** Keeps what was written by hand below the generated part. */
async function withNotes(generated: string): Promise<string> {
  const marker = '\n## Notes\n';
  const before = await readFile(`${FOLDER}RESULTS.md`, 'utf8').catch(() => '');
  const at = before.indexOf(marker);
  return at === -1 ? generated : generated + before.slice(at);
}

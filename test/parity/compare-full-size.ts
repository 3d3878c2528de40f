import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileComponent } from '@vibe-edit/compiler';
import { COMPONENTS, createScheduler, openCheckpoint } from '@vibe-edit/core';
import { type Manifest, readManifest, writeSparseCheckpoint } from '../full-size/sparse-checkpoint.js';
import { GoldenFolder } from './golden-folder.js';
import type { Report } from './report.js';

const MANIFEST = 'manifest.json.gz';
const CONFIGS = [
  'text_encoder/config.json',
  'transformer/config.json',
  'vae/config.json',
  'scheduler/scheduler_config.json',
];

/** Stored tensors that no part of an edit reads: the head that would generate text, and a count that training kept. */
const NEVER_READ = /^(text_encoder\.lm_head\.weight|vae\..*\.num_batches_tracked)$/;

/** A group of tensors by the words of `totals.json`. */
const TOTALS: Readonly<Record<string, (name: string) => boolean>> = {
  'text_encoder.language_model without embedding': (name) =>
    name.startsWith('text_encoder.model.language_model.') && !isEmbedding(name),
  'text_encoder.embedding': (name) => isEmbedding(name),
  'text_encoder.visual': (name) => name.startsWith('text_encoder.model.visual.'),
  'transformer.edit_head': (name) => name.startsWith('transformer.edit_head.'),
  'transformer.meta_queries': (name) => name === 'transformer.meta_queries',
  'transformer without edit_head and meta_queries': (name) => /^transformer\.(?!edit_head\.|meta_queries$)/.test(name),
  'vae.encoder': (name) => name.startsWith('vae.encoder.'),
  'vae.decoder': (name) => name.startsWith('vae.decoder.'),
  all: () => true,
};

/**
 * Compares names, shapes and counts of the model of published size with what the graphs read. The weights are a hole in a sparse file, so
 * nothing is computed.
 */
export async function compareFullSize(path: string, report: Report): Promise<void> {
  const folder = await GoldenFolder.open(path);
  report.heading(path);
  const manifest = await readManifest(folder.take(MANIFEST));
  for (const name of CONFIGS) folder.take(name);
  const stored = parameterCounts(manifest);
  const work = await mkdtemp(join(tmpdir(), 'vibe-edit-parity-'));
  try {
    await writeSparseCheckpoint({ manifest, configs: path, folder: work });
    const checkpoint = await openCheckpoint(work);
    createScheduler({ config: checkpoint.scheduler });
    // A weight whose shape is not what the configs say is an error of the compiler.
    const read = new Set(COMPONENTS.flatMap((component) => compileComponent({ component, checkpoint }).weights));
    for (const component of ['text_encoder', 'transformer', 'vae']) {
      const names = [...stored.keys()].filter((name) => name.startsWith(`${component}.`));
      const left = names.filter((name) => !read.has(name) && !NEVER_READ.test(name));
      report.same(`${MANIFEST} ${component}: of ${names.length} tensors, read by no graph`, left, []);
      for (const name of names) if (!read.has(name) && NEVER_READ.test(name)) report.notNeeded(name);
    }
    const beyond = [...read].filter((name) => !stored.has(name));
    report.same('weights that the graphs read and the manifest lacks', beyond, []);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  await compareTotals(folder, stored, report);
  folder.reportLeft(report);
}

async function compareTotals(folder: GoldenFolder, stored: ReadonlyMap<string, number>, report: Report): Promise<void> {
  const totals = await folder.json<Readonly<Record<string, number>>>('totals.json');
  for (const [group, expected] of Object.entries(totals)) {
    const bytes = group === 'bytes in bf16';
    const belongs = TOTALS[bytes ? 'all' : group];
    if (belongs === undefined) {
      report.notCompared(`totals.json: ${group}`);
      continue;
    }
    let parameters = 0;
    for (const [name, count] of stored) if (belongs(name)) parameters += count;
    report.integers(`totals.json ${group}`, [bytes ? parameters * 2 : parameters], [expected]);
  }
}

/** Parameters of every tensor, by `component.name`. */
function parameterCounts(manifest: Manifest): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [component, tensors] of Object.entries(manifest)) {
    for (const [name, { shape }] of Object.entries(tensors)) {
      counts.set(
        `${component}.${name}`,
        shape.reduce((product, size) => product * size, 1),
      );
    }
  }
  return counts;
}

function isEmbedding(name: string): boolean {
  return name.startsWith('text_encoder.model.language_model.embed_tokens');
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compileComponent } from '@vibe-edit/compiler';
import { type Checkpoint, openCheckpoint, type StateDict } from '@vibe-edit/core';
import { COMPONENTS, InvalidCheckpointError } from '@vibe-edit/core/runtime';

/** One folder of a checkpoint. */
export interface ComponentReport {
  readonly folder: string;
  /** The class that the checkpoint names for it. */
  readonly class: string;
  readonly files: number;
  readonly tensors: number;
  readonly parameters: number;
  readonly bytes: number;
  /** Bytes of weights by the type they are stored in. */
  readonly dtypes: Readonly<Record<string, number>>;
}

export interface CheckpointReport {
  readonly path: string;
  readonly hash?: string;
  readonly components: readonly ComponentReport[];
  readonly scheduler?: string;
  /** Side of the square that the model works best at, in pixels. */
  readonly sampleSize?: number;
  /** Pixels a side that one latent stands for. */
  readonly compression?: number;
  readonly defaults?: Checkpoint['defaults'];
  /** Weights that no part of the program reads. */
  readonly unusedTensors: readonly string[];
  /** What keeps it from running; empty: it can run. */
  readonly problems: readonly string[];
}

/** Opens a checkpoint and compiles all its parts, which reads no weights, and tells what is in it and what is wrong with it. */
export async function reportCheckpoint(path: string): Promise<CheckpointReport> {
  let checkpoint: Checkpoint;
  try {
    checkpoint = await openCheckpoint(path);
  } catch (error) {
    if (!(error instanceof InvalidCheckpointError)) throw error;
    return { path, components: [], unusedTensors: [], problems: [error.message] };
  }
  const classes = await classNames(checkpoint);
  const stateDicts = {
    text_encoder: checkpoint.textEncoder.stateDict,
    transformer: checkpoint.transformer.stateDict,
    vae: checkpoint.vae.stateDict,
  };
  const { used, problems } = compileAll(checkpoint);
  const compression = 2 ** (checkpoint.vae.config.encoder_block_out_channels.length - 1);
  return {
    path: checkpoint.path,
    hash: checkpoint.hash,
    components: Object.entries(stateDicts).map(([folder, stateDict]) =>
      describeFolder(folder, classes[folder], stateDict),
    ),
    scheduler: checkpoint.scheduler._class_name,
    sampleSize: checkpoint.transformer.config.sample_size * compression,
    compression,
    defaults: checkpoint.defaults,
    unusedTensors:
      problems.length > 0
        ? []
        : Object.entries(stateDicts).flatMap(([folder, stateDict]) =>
            [...stateDict.keys()].map((key) => `${folder}.${key}`).filter((name) => !used.has(name)),
          ),
    problems,
  };
}

function describeFolder(folder: string, className: string | undefined, stateDict: StateDict): ComponentReport {
  const tensors = [...stateDict.values()];
  const dtypes: Record<string, number> = {};
  for (const { dtype, byteLength } of tensors) dtypes[dtype] = (dtypes[dtype] ?? 0) + byteLength;
  return {
    folder,
    class: className ?? 'unknown',
    files: new Set(tensors.map(({ file }) => file)).size,
    tensors: tensors.length,
    parameters: tensors.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0),
    bytes: tensors.reduce((sum, { byteLength }) => sum + byteLength, 0),
    dtypes,
  };
}

/** Class of every folder. The file was checked when the checkpoint was opened. */
async function classNames({ path }: Checkpoint): Promise<Record<string, string | undefined>> {
  const index: Record<string, unknown> = JSON.parse(await readFile(join(path, 'model_index.json'), 'utf8'));
  return Object.fromEntries(
    Object.entries(index).map(([folder, entry]) => [folder, Array.isArray(entry) ? String(entry[1]) : undefined]),
  );
}

function compileAll(checkpoint: Checkpoint): { used: Set<string>; problems: string[] } {
  const used = new Set<string>();
  const problems: string[] = [];
  for (const component of COMPONENTS) {
    try {
      for (const name of compileComponent({ component, checkpoint }).weights) used.add(name);
    } catch (error) {
      if (!(error instanceof InvalidCheckpointError)) throw error;
      problems.push(`${component}: ${error.message}`);
    }
  }
  return { used, problems };
}

import { join, parse, relative, resolve, sep } from 'node:path';
import { InvalidCheckpointError } from '../errors/invalid-checkpoint-error.js';
import { parseAutoencoderConfig } from './autoencoder-config.js';
import { checkConfigsFit } from './check-configs-fit.js';
import type { Checkpoint } from './checkpoint.js';
import { checkpointDefaults } from './checkpoint-defaults.js';
import { type CheckpointFiles, checkpointFiles } from './checkpoint-files.js';
import { findSnapshot, hubCacheFolder, isFolder, parseRepository, repositoryFolder } from './hub-cache.js';
import { parseModelIndex } from './model-index.js';
import { readOutOfScope } from './out-of-scope.js';
import type { JsonValue } from './parse-json.js';
import { readPrototypes } from './prototypes.js';
import { readTensorBytes } from './safetensors-file.js';
import { parseSchedulerConfig } from './scheduler-config.js';
import { readStateDict } from './state-dict.js';
import type { StateDict } from './tensor-info.js';
import { parseTextEncoderConfig } from './text-encoder-config.js';
import { readImageProcessorConfig, readTokenizerFiles } from './tokenizer-files.js';
import { parseTransformerConfig } from './transformer-config.js';

export interface OpenCheckpointOptions {
  /** Where to look for `OWNER/NAME`. Default: the cache that all Hugging Face libraries share. */
  cacheDir?: string;
}

/**
 * Opens a VIBE checkpoint: reads and checks its configs and the headers of its safetensors files; the weights stay on disk.
 * @param path A folder in the published diffusers layout, a repository's folder in a Hugging Face cache, or `OWNER/NAME` or
 * `OWNER/NAME@REVISION` of one that was pulled into the cache. A folder of that name wins.
 * @throws {InvalidCheckpointError} when it is not there, or a file is missing, damaged, or describes what this version cannot run.
 * @example
 * const checkpoint = await openCheckpoint('./VIBE-Image-Edit');
 * checkpoint.transformer.config.num_layers; // 20
 */
export async function openCheckpoint(path: string, options: OpenCheckpointOptions = {}): Promise<Checkpoint> {
  const files = checkpointFiles(await findCheckpoint(path, options));
  const read = async <T>(name: string, parse: (source: { value: JsonValue; file: string }) => T): Promise<T> =>
    parse({ value: await files.readJson(name), file: files.resolve(name) });

  const modelIndex = await read('model_index.json', parseModelIndex);
  const textEncoder = await read('text_encoder/config.json', parseTextEncoderConfig);
  const transformer = await read('transformer/config.json', parseTransformerConfig);
  const vae = await read('vae/config.json', parseAutoencoderConfig);
  const scheduler = await read('scheduler/scheduler_config.json', parseSchedulerConfig);
  const imageProcessor = await readImageProcessorConfig(files);
  checkConfigsFit({ path: files.path, modelIndex, textEncoder, transformer, scheduler, imageProcessor });
  const { defaults, prototypes } = await readHints(files, transformer);
  const outOfScope = await readOutOfScope(files);
  const tokenizer = await readTokenizerFiles(files);
  const stateDicts = {
    textEncoder: await readStateDict(files, 'text_encoder', 'model'),
    transformer: await readStateDict(files, 'transformer', 'diffusion_pytorch_model'),
    vae: await readStateDict(files, 'vae', 'diffusion_pytorch_model'),
  };
  return {
    path: files.path,
    weightsRoot: commonFolder(Object.values(stateDicts), files.path),
    textEncoder: { config: textEncoder, stateDict: stateDicts.textEncoder },
    transformer: { config: transformer, stateDict: stateDicts.transformer },
    vae: { config: vae, stateDict: stateDicts.vae },
    scheduler,
    imageProcessor,
    tokenizer,
    defaults,
    prototypes,
    outOfScope,
    readTensor: readTensorBytes,
    hash: files.hash(),
  };
}

async function findCheckpoint(path: string, { cacheDir = hubCacheFolder() }: OpenCheckpointOptions): Promise<string> {
  const folder = resolve(path);
  if (await isFolder(folder)) {
    // A repository's folder in a cache holds its files one level down.
    if (!(await isFolder(join(folder, 'snapshots')))) return folder;
    const snapshot = await findSnapshot(folder, 'main');
    if (snapshot !== undefined) return snapshot;
    throw new InvalidCheckpointError({ file: folder, expected: 'a snapshot of the revision main', received: 'none' });
  }
  const repository = parseRepository(path);
  if (repository === undefined) {
    throw new InvalidCheckpointError({
      file: path,
      expected: 'a folder with model_index.json',
      received: 'nothing there',
    });
  }
  const cached = repositoryFolder(cacheDir, repository.repo);
  const snapshot = await findSnapshot(cached, repository.revision);
  if (snapshot !== undefined) return snapshot;
  throw new InvalidCheckpointError({
    file: cached,
    expected: `revision ${repository.revision} of ${repository.repo} (pull it first), or a folder ${folder}`,
    received: 'neither',
  });
}

async function readHints(
  files: CheckpointFiles,
  transformer: Checkpoint['transformer']['config'],
): Promise<Pick<Checkpoint, 'defaults' | 'prototypes'>> {
  const name = 'vibe_edit.json';
  const file = files.resolve(name);
  if (!(await files.has(name))) return { defaults: checkpointDefaults({ file, transformer }) };
  const hints = await files.readJson(name);
  const prototypes = await readPrototypes({ hints, hintsFile: file, files, transformer });
  return { defaults: checkpointDefaults({ value: hints, file, transformer }), prototypes };
}

/** Deepest folder above all weight files. */
function commonFolder(stateDicts: readonly StateDict[], path: string): string {
  const folders = new Set<string>();
  for (const stateDict of stateDicts) {
    for (const { file } of stateDict.values()) folders.add(parse(file).dir);
  }
  const [first = path, ...others] = folders;
  let common = first;
  for (const folder of others) {
    while (!isInside(folder, common)) {
      const above = parse(common).dir;
      if (above === common) {
        throw new InvalidCheckpointError({
          file: path,
          expected: 'all weights on one drive',
          received: `${first}, ${folder}`,
        });
      }
      common = above;
    }
  }
  return common;
}

function isInside(folder: string, root: string): boolean {
  const path = relative(root, folder);
  return path !== '..' && !path.startsWith(`..${sep}`) && !parse(path).root;
}

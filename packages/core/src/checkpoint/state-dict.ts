import { readdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { InvalidCheckpointError } from '../errors/invalid-checkpoint-error.js';
import type { CheckpointFiles } from './checkpoint-files.js';
import { fields, parseConfig } from './config-fields.js';
import { parseJson } from './parse-json.js';
import { readSafetensorsHeader } from './safetensors-file.js';
import type { StateDict, TensorInfo } from './tensor-info.js';

const MAX_INDEX_BYTES = 32 * 2 ** 20;
const MAX_SHARDS = 1000;

// A shard stands beside its index: no name may lead elsewhere.
const shardName = z
  .string({ error: 'the name of a shard' })
  .regex(/^[^/\\\p{Cc}]{1,240}\.safetensors$/u, { error: 'a plain file name that ends in .safetensors' });
const indexSchema = fields({ weight_map: z.record(z.string(), shardName, { error: 'an object' }) });

/**
 * Locates the weights of one component folder, in one safetensors file or in shards with an `*.safetensors.index.json`. Headers
 * are checked; the weights stay on disk.
 * @param preferred Base name that the folder's library writes, e.g. `diffusion_pytorch_model`; where files of that name are
 * missing, the only ones there are taken.
 * @throws {InvalidCheckpointError} when a file is missing or damaged, or when index and shards contradict each other.
 */
export async function readStateDict(files: CheckpointFiles, folder: string, preferred: string): Promise<StateDict> {
  const { file, sharded } = await findWeights(files, folder, preferred);
  return sharded ? await readShards(files, folder, file) : await readTensorFile(files, `${folder}/${file}`);
}

async function findWeights(
  files: CheckpointFiles,
  folder: string,
  preferred: string,
): Promise<{ file: string; sharded: boolean }> {
  let names: string[];
  try {
    names = await readdir(files.resolve(folder));
  } catch (cause) {
    throw new InvalidCheckpointError({
      file: files.resolve(folder),
      expected: 'a folder',
      received: String(cause),
      cause,
    });
  }
  const whole = names.filter((name) => name.endsWith('.safetensors'));
  const indexes = names.filter((name) => name.endsWith('.safetensors.index.json'));
  if (whole.includes(`${preferred}.safetensors`)) return { file: `${preferred}.safetensors`, sharded: false };
  const index = indexes.find((name) => name === `${preferred}.safetensors.index.json`);
  if (index !== undefined) return { file: index, sharded: true };
  if (indexes.length === 1) return { file: indexes[0]!, sharded: true };
  if (indexes.length === 0 && whole.length === 1) return { file: whole[0]!, sharded: false };
  throw new InvalidCheckpointError({
    file: files.resolve(folder),
    expected: `${preferred}.safetensors or ${preferred}.safetensors.index.json`,
    received: whole.length + indexes.length === 0 ? 'no weights' : [...indexes, ...whole].slice(0, 4).join(', '),
  });
}

/**
 * Locates the tensors of one safetensors file.
 * @throws {InvalidCheckpointError} when it is missing or damaged.
 */
export async function readTensorFile(files: CheckpointFiles, name: string): Promise<ReadonlyMap<string, TensorInfo>> {
  const link = files.resolve(name);
  let file: string;
  try {
    file = await realpath(link);
  } catch (cause) {
    throw new InvalidCheckpointError({ file: link, expected: 'a file', received: String(cause), cause });
  }
  const { tensors, bytes } = await readSafetensorsHeader(file);
  files.addToHash(name, bytes);
  return tensors;
}

async function readShards(files: CheckpointFiles, folder: string, indexName: string): Promise<StateDict> {
  const indexFile = files.resolve(`${folder}/${indexName}`);
  const text = await files.readText(`${folder}/${indexName}`, { maxBytes: MAX_INDEX_BYTES });
  const { weight_map } = parseConfig({
    schema: indexSchema,
    value: parseJson({ text, file: indexFile }),
    file: indexFile,
  });
  const keys = Object.keys(weight_map);
  const shards = [...new Set(Object.values(weight_map))];
  if (keys.length === 0 || shards.length > MAX_SHARDS) {
    throw new InvalidCheckpointError({
      file: indexFile,
      field: 'weight_map',
      expected: `keys in at most ${MAX_SHARDS} shards`,
      received: `${keys.length} keys in ${shards.length} shards`,
    });
  }
  const stateDict = new Map<string, TensorInfo>();
  for (const shard of shards) {
    for (const [key, info] of await readTensorFile(files, `${folder}/${shard}`)) {
      const named = Object.hasOwn(weight_map, key) ? weight_map[key] : undefined;
      if (named !== shard) {
        throw new InvalidCheckpointError({
          file: join(dirname(indexFile), shard),
          tensor: key,
          expected:
            named === undefined
              ? 'only tensors that the index lists'
              : `the tensor in ${named}, where the index has it`,
          received: 'the tensor',
        });
      }
      stateDict.set(key, info);
    }
  }
  const missing = keys.find((key) => !stateDict.has(key));
  if (missing !== undefined) {
    throw new InvalidCheckpointError({
      file: join(dirname(indexFile), weight_map[missing]!),
      tensor: missing.slice(0, 200),
      expected: 'the tensor, as the index says',
      received: 'no such tensor',
    });
  }
  return stateDict;
}

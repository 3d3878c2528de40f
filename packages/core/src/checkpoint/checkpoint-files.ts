import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidCheckpointError } from '../errors/invalid-checkpoint-error.js';
import { decodeUtf8, type JsonValue, parseJson } from './parse-json.js';
import { readSmallFile } from './regular-file.js';

/** Longest config file that is read, bytes. */
const MAX_CONFIG_BYTES = 2 ** 20;

export interface ReadTextOptions {
  /** Default 1 MiB. */
  maxBytes?: number;
}

/**
 * Reads the small files of one checkpoint, and remembers a digest of each for the checkpoint's hash. Names are relative, with
 * forward slashes.
 */
export interface CheckpointFiles {
  /** Folder that holds `model_index.json`. */
  readonly path: string;
  /** Absolute path of a file. */
  resolve(name: string): string;
  /** Whether something of that name is there. */
  has(name: string): Promise<boolean>;
  /** @throws {InvalidCheckpointError} when it is missing, too long or no UTF-8. */
  readText(name: string, options?: ReadTextOptions): Promise<string>;
  /** @throws {InvalidCheckpointError} when it is missing, too long or no JSON. */
  readJson(name: string, options?: ReadTextOptions): Promise<JsonValue>;
  /** Adds what else names the checkpoint. */
  addToHash(name: string, bytes: Uint8Array): void;
  /** sha256, hex, of all that was read and added, whatever the order. */
  hash(): string;
}

/** Opens a folder. Nothing is read yet. */
export function checkpointFiles(path: string): CheckpointFiles {
  const digests = new Map<string, string>();
  const resolve = (name: string): string => join(path, ...name.split('/'));
  const files: CheckpointFiles = {
    path,
    resolve,
    async has(name) {
      try {
        await stat(resolve(name));
        return true;
      } catch (cause) {
        if (isMissing(cause)) return false;
        throw new InvalidCheckpointError({
          file: resolve(name),
          expected: 'a readable file',
          received: String(cause),
          cause,
        });
      }
    },
    async readText(name, { maxBytes = MAX_CONFIG_BYTES } = {}) {
      const bytes = await readSmallFile(resolve(name), maxBytes);
      files.addToHash(name, bytes);
      return decodeUtf8({ bytes, file: resolve(name) });
    },
    async readJson(name, options) {
      return parseJson({ text: await files.readText(name, options), file: resolve(name) });
    },
    addToHash(name, bytes) {
      digests.set(name, createHash('sha256').update(bytes).digest('hex'));
    },
    hash() {
      const hash = createHash('sha256');
      for (const name of [...digests.keys()].sort()) hash.update(`${name}\0${digests.get(name)}\n`);
      return hash.digest('hex');
    },
  };
  return files;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

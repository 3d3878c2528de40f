import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type ApiKeyLimits, type ApiKeyRecord, checkApiKeyRecord, createApiKey } from '@vibe-edit/bots/webhook';
import { UsageError } from '../usage-error.js';
import { writeNewFile } from './data-folder.js';

const SUFFIX = '.json';
/** A folder that changed so short a time before it was read may change again within one tick of its clock, ms. */
const SETTLED_MS = 2000;

/** The API keys of a server: a file each, with a hash and never with the key. */
export interface ApiKeyFolder {
  /** Newly read when a key came or went; cheap otherwise. */
  list(): Promise<readonly ApiKeyRecord[]>;
  /**
   * Makes a key and keeps its record.
   * @returns The key; it cannot be had again.
   * @throws {UsageError} when the name is taken.
   * @throws {InvalidArgumentError} when the name or a limit is not what it should be.
   */
  create(options: { name: string; limits?: ApiKeyLimits }): Promise<string>;
  /** @returns false when there is none of this name. */
  remove(name: string): Promise<boolean>;
}

export function createApiKeyFolder(folder: string): ApiKeyFolder {
  let read:
    | { readonly changedAt: number; readonly readAt: number; readonly records: readonly ApiKeyRecord[] }
    | undefined;

  const readRecords = async (): Promise<readonly ApiKeyRecord[]> => {
    const names = (await readdir(folder)).filter((name) => name.endsWith(SUFFIX)).sort();
    const records = await Promise.all(names.map((name) => readRecord(join(folder, name))));
    return records.filter((record) => record !== undefined);
  };

  return {
    async list() {
      const readAt = Date.now();
      const changedAt = await stat(folder).then(
        ({ mtimeMs }) => mtimeMs,
        () => undefined,
      );
      if (changedAt === undefined) return [];
      if (read?.changedAt !== changedAt || read.readAt - changedAt < SETTLED_MS) {
        read = { changedAt, readAt, records: await readRecords() };
      }
      return read.records;
    },
    async create(options) {
      const { key, record } = createApiKey(options);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      if (!(await writeNewFile(join(folder, record.name + SUFFIX), `${JSON.stringify(record)}\n`))) {
        throw new UsageError(`Expected a new name but there is a key for ${record.name}: remove it first`);
      }
      return key;
    },
    async remove(name) {
      if (!(await this.list()).some((record) => record.name === name)) return false;
      await rm(join(folder, name + SUFFIX));
      return true;
    },
  };
}

/** @returns undefined when it was removed meanwhile */
async function readRecord(path: string): Promise<ApiKeyRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(path, 'utf8')) as ApiKeyRecord;
    checkApiKeyRecord(record);
    return record;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new UsageError(`Expected the record of a key in ${path}: ${error instanceof Error ? error.message : error}`);
  }
}

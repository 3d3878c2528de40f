import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { compareCase } from './compare-case.js';
import { compareDefinitions } from './compare-definitions.js';
import { compareFullSize } from './compare-full-size.js';
import { compareVectors, VECTOR_FILES } from './compare-vectors.js';
import { NO_DATA } from './golden-folder.js';
import type { Report } from './report.js';

/** Compares folders of golden data. What makes one of them fail as a whole is reported, and the others are still compared. */
export async function compareFolders(paths: readonly string[], report: Report): Promise<void> {
  for (const path of paths) {
    try {
      await compareFolder(resolve(path), report);
    } catch (error) {
      report.failed(path, error);
    }
  }
}

/** A folder is told by the files in it; one that only holds folders stands for those. */
async function compareFolder(path: string, report: Report): Promise<void> {
  const has = (name: string): boolean => existsSync(join(path, name));
  if (has('runs.json')) return await compareCase(path, report);
  if (has('manifest.json.gz')) return await compareFullSize(path, report);
  if (VECTOR_FILES.some(has)) return await compareVectors(path, report);
  const entries = await readdir(path, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(path, entry.name));
  const files = entries.filter((entry) => !entry.isDirectory() && !NO_DATA.test(entry.name));
  if (folders.length === 0 && files.length > 0 && files.every((entry) => entry.name.endsWith('.json'))) {
    return await compareDefinitions(path, report);
  }
  for (const { name } of files) report.notCompared(join(path, name));
  if (folders.length === 0 && files.length === 0) report.notCompared(path);
  await compareFolders(folders.sort(), report);
}

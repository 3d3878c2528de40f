import 'reflect-metadata';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { compareCase } from './compare-case.js';
import { compareDefinitions } from './compare-definitions.js';
import { compareFullSize } from './compare-full-size.js';
import { compareVectors } from './compare-vectors.js';
import { Report } from './report.js';

const USAGE = `Compares this implementation with recorded results of the reference.

  pnpm parity DIR... [--tolerance X]

DIR is a case (runs.json beside its checkpoint), a folder of vectors, the full-size manifest, definitions of
cases, or a folder that holds such folders. --tolerance sets the largest difference of floats (default 1e-4);
whole numbers must always be identical. Exits with 1 when something differs or was not compared.`;

const DEFAULT_TOLERANCE = 1e-4;

async function compareFolder(path: string, report: Report): Promise<void> {
  if (existsSync(join(path, 'runs.json'))) return await compareCase(path, report);
  if (existsSync(join(path, 'manifest.json.gz'))) return await compareFullSize(path, report);
  if (existsSync(join(path, 'randn.safetensors')) || existsSync(join(path, 'scheduler.safetensors'))) return await compareVectors(path, report);
  const entries = await readdir(path, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(path, entry.name));
  if (folders.length > 0) {
    for (const folder of folders.sort()) await compareFolder(folder, report);
    return;
  }
  if (entries.length > 0 && entries.every((entry) => entry.name.endsWith('.json'))) return await compareDefinitions(path, report);
  report.notCompared(path);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { tolerance: { type: 'string', short: 't' }, help: { type: 'boolean', short: 'h' } },
  });
  const floatFloor = values.tolerance === undefined ? DEFAULT_TOLERANCE : Number(values.tolerance);
  if (values.help || positionals.length === 0 || !(floatFloor >= 0)) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  const report = new Report({ print: (line) => console.log(line), floatFloor });
  for (const path of positionals) {
    try {
      await compareFolder(resolve(path), report);
    } catch (error) {
      report.failures.push(path);
      console.error(error);
    }
  }
  console.log(`\n${report.compared} compared, ${report.failures.length} over`);
  for (const failure of report.failures) console.log(`  ${failure}`);
  return report.failures.length === 0 ? 0 : 1;
}

process.exitCode = await main();

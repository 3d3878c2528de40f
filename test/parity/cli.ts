import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { compareFolders } from './compare-folders.js';
import { Report } from './report.js';

const USAGE = `Compares this implementation with recorded results of the reference.

  pnpm parity DIR... [--tolerance X]

DIR is a case (runs.json beside its checkpoint), a folder of vectors, the full-size manifest, definitions of
cases, or a folder that holds such folders. --tolerance sets the largest difference of floats (default 1e-4);
whole numbers must always be identical. Exits with 1 when something differs or was not compared.`;

const DEFAULT_TOLERANCE = 1e-4;

async function main(): Promise<number> {
  const { values, positionals } = readArguments();
  const floatFloor = values.tolerance === undefined ? DEFAULT_TOLERANCE : readTolerance(values.tolerance);
  if (values.help || positionals.length === 0 || !(floatFloor >= 0)) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  const report = new Report({ print: (line) => console.log(line), floatFloor });
  await compareFolders(positionals, report);
  report.summary();
  return report.failures.length === 0 ? 0 : 1;
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { tolerance: { type: 'string', short: 't' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    console.error(`${(error as Error).message}\n`);
    return { values: {}, positionals: [] };
  }
}

/** Not a number for what is not one, the empty text among it. */
function readTolerance(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}

process.exitCode = await main();

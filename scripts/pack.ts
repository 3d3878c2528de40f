/**
 * `pnpm release:pack [FOLDER]`: packs every published package as it would go to the registry (default folder: reports/packed) and
 * prints packed and unpacked sizes. `packAll` is what the checks of the packages use.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type TarballFile, unpack } from '@publint/pack';
import { fail, pnpmCommand, ROOT, setUp } from './setup.mjs';

export interface PackedPackage {
  readonly name: string;
  readonly version: string;
  /** Absolute path of the .tgz. */
  readonly tarball: string;
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  readonly files: readonly TarballFile[];
}

export const PACKED_FOLDER = join(ROOT, 'reports', 'packed');

/** Builds, then packs the packages of the workspace into a folder that is emptied first. */
export async function packAll(folder: string): Promise<PackedPackage[]> {
  setUp();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { command, args, shell } = pnpmCommand();
  const packing = spawnSync(
    command,
    [...args, '-r', '--filter', './packages/*', 'pack', '--json', '--pack-destination', folder],
    { cwd: ROOT, encoding: 'utf8', shell, stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 28 },
  );
  if (packing.status !== 0) fail(`The packages could not be packed: ${packing.stdout}`);
  const listed = JSON.parse(packing.stdout) as { name: string; version: string; filename: string }[];
  return Promise.all(listed.map(({ name, version, filename }) => describe(name, version, resolve(folder, filename))));
}

async function describe(name: string, version: string, tarball: string): Promise<PackedPackage> {
  const bytes = readFileSync(tarball);
  const { files } = await unpack(Uint8Array.from(bytes).buffer);
  const manifest = files.find((file) => file.name === 'package/package.json');
  if (manifest === undefined || Buffer.from(manifest.data).includes('workspace:')) {
    fail(`Expected a manifest without workspace: versions in ${tarball}`);
  }
  const unpackedBytes = files.reduce((sum, file) => sum + file.data.length, 0);
  return { name, version, tarball, packedBytes: statSync(tarball).size, unpackedBytes, files };
}

/** Sizes as a table. */
export function sizeTable(packages: readonly PackedPackage[]): string {
  const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`.padStart(12);
  const row = (name: string, packed: number, unpacked: number, files: number): string =>
    `${name.padEnd(32)}${kilobytes(packed)}${kilobytes(unpacked)}${String(files).padStart(8)}`;
  const total = (pick: (item: PackedPackage) => number): number => packages.reduce((sum, item) => sum + pick(item), 0);
  return [
    `${'package'.padEnd(32)}${'packed'.padStart(12)}${'unpacked'.padStart(12)}${'files'.padStart(8)}`,
    ...packages.map((item) =>
      row(`${item.name}@${item.version}`, item.packedBytes, item.unpackedBytes, item.files.length),
    ),
    row(
      'total',
      total((item) => item.packedBytes),
      total((item) => item.unpackedBytes),
      total((item) => item.files.length),
    ),
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(sizeTable(await packAll(resolve(process.argv[2] ?? PACKED_FOLDER))));
}

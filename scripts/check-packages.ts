/** Packs the packages and checks the tarballs: publint (manifest and files), attw (types as an ESM user resolves them). */
import { readFileSync } from 'node:fs';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { PACKED_FOLDER, packAll, sizeTable } from './pack.ts';
import { runTool } from './setup.mjs';

let failed = false;
const packages = await packAll(PACKED_FOLDER);
console.log(sizeTable(packages));
for (const { name, tarball } of packages) {
  const { messages, pkg } = await publint({
    pack: { tarball: Uint8Array.from(readFileSync(tarball)).buffer },
    strict: true,
  });
  for (const message of messages) console.error(`${name}: publint: ${formatMessage(message, pkg, { color: false })}`);
  const attw = runTool('@arethetypeswrong/cli/dist/index.js', [
    tarball,
    '--profile=esm-only',
    '--format=ascii',
    '--no-emoji',
  ]);
  failed ||= messages.length > 0 || attw !== 0;
}
if (failed) process.exitCode = 1;

/**
 * Bundles what must run in a browser, and fails when a Node module, sharp, or the globals Buffer and process get in. Prints the
 * size of each bundle.
 */
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Plugin } from 'esbuild';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const ENTRIES = [
  '@vibe-edit/core/runtime',
  '@vibe-edit/compiler',
  '@vibe-edit/plugins/in-turn',
  '@vibe-edit/plugins/preserve',
  '@vibe-edit/plugins/provenance',
];
/** Globals that only Node has. */
const NODE_GLOBALS = ['Buffer', '__dirname', '__filename', 'require'];
/** Globals that code may use where it has asked with `typeof` whether they are there. */
const OPTIONAL_GLOBALS = ['process', 'setImmediate', 'clearImmediate'];
const STAND_IN = '__nodeGlobal_';

/** Refuses modules that exist in Node only, naming who imports them. */
const refuseNodeModules: Plugin = {
  name: 'refuse-node-modules',
  setup({ onResolve }) {
    // A Node module named without the prefix is left to esbuild: it finds none for a browser and says so.
    onResolve({ filter: /^(node:|sharp(\/|$)|onnxruntime-node(\/|$))/ }, ({ path, importer }) => ({
      errors: [{ text: `${relative(ROOT, importer)} imports ${path}, which no browser has` }],
    }));
  },
};

/** The entry as one script. Free uses of Node's globals are renamed, so that they can be found. */
async function bundle(entry: string, minify: boolean): Promise<string> {
  const result = await build({
    stdin: { contents: `export * from '${entry}';`, resolveDir: join(ROOT, 'test'), sourcefile: 'entry.js' },
    bundle: true,
    write: false,
    minify,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    define: Object.fromEntries([...NODE_GLOBALS, ...OPTIONAL_GLOBALS].map((name) => [name, STAND_IN + name])),
    plugins: [refuseNodeModules],
    absWorkingDir: ROOT,
    logLevel: 'error',
  });
  return result.outputFiles[0]?.text ?? '';
}

/** Where a bundle uses Node's globals: esbuild writes each module's path in a comment above its code. */
function nodeGlobalsIn(code: string): string[] {
  const found = new Set<string>();
  for (const [, module = '', body = ''] of code.matchAll(
    /^\/\/ (\S+\.[cm]?js)\n([\s\S]*?)(?=^\/\/ \S+\.[cm]?js\n|$(?![\s\S]))/gm,
  )) {
    for (const [, name = ''] of body.matchAll(new RegExp(`${STAND_IN}(\\w+)`, 'g'))) {
      if (OPTIONAL_GLOBALS.includes(name) && body.includes(`typeof ${STAND_IN}${name}`)) continue;
      found.add(`${module} uses the global ${name}, which no browser has`);
    }
  }
  return [...found];
}

let failed = false;
for (const entry of ENTRIES) {
  try {
    const problems = nodeGlobalsIn(await bundle(entry, false));
    for (const problem of problems) console.error(`${entry}: ${problem}`);
    failed ||= problems.length > 0;
    const code = await bundle(entry, true);
    console.log(`${entry}: ${kilobytes(code.length)} minified, ${kilobytes(gzipSync(code).length)} gzipped`);
  } catch {
    // esbuild has printed what is wrong and where.
    console.error(`${entry}: cannot be bundled for a browser`);
    failed = true;
  }
}
if (failed) process.exitCode = 1;

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

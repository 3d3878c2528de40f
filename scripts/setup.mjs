/**
 * Prepares a clone for work: installs the dependencies with the pinned pnpm and builds the packages. Needs Node alone (its
 * npm brings `npx`), and does nothing where nothing changed. Run it by itself or import `setUp`.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
export const CACHE = join(ROOT, 'node_modules', '.cache', 'vibe-edit');
const STAMP = join(CACHE, 'installed');
const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/**
 * Ends the process with a message and no stack.
 * @param {string} message
 * @returns {never}
 */
export function fail(message) {
  console.error(message);
  process.exit(1);
}

/**
 * Runs a program to its end and returns its exit status; its output goes where ours goes.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 */
export function run(command, args, options) {
  const result = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], ...options });
  if (result.error) fail(`Could not start ${command}: ${result.error.message}`);
  return result.status ?? 1;
}

/**
 * Runs a script of an installed package with this Node and returns its exit status.
 * @param {string} script path under node_modules
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 */
export function runTool(script, args, options) {
  return run(process.execPath, [join(ROOT, 'node_modules', script), ...args], options);
}

function checkNode() {
  const [wantedMajor = 0, wantedMinor = 0] = MANIFEST.engines.node.match(/\d+/g).map(Number);
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < wantedMajor || (major === wantedMajor && minor < wantedMinor)) {
    fail(`Expected Node ${MANIFEST.engines.node} but this is ${process.versions.node}.`);
  }
}

/** Folders of the workspace that have a manifest, the root included. */
function workspaceFolders() {
  const folders = [ROOT, join(ROOT, 'test'), join(ROOT, 'bench')];
  for (const group of ['packages', 'examples']) {
    if (!existsSync(join(ROOT, group))) continue;
    for (const name of readdirSync(join(ROOT, group))) folders.push(join(ROOT, group, name));
  }
  return folders.filter((folder) => existsSync(join(folder, 'package.json')));
}

/** Changes whenever another installation is needed. */
function installationHash() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`);
  const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml'].map((name) => join(ROOT, name));
  for (const folder of workspaceFolders()) files.push(join(folder, 'package.json'));
  for (const file of files) {
    hash.update(relative(ROOT, file)).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

/**
 * How to call the pinned pnpm: by its name where that is the one on the path, else through `npx`, which fetches it.
 * @returns {{ command: string, args: string[], shell: boolean }}
 */
export function pnpmCommand() {
  const version = MANIFEST.packageManager.split('@')[1];
  // A pnpm that is corepack's stand-in would ask before it downloads.
  const env = { ...process.env, COREPACK_ENABLE_DOWNLOAD_PROMPT: '0' };
  const shell = process.platform === 'win32';
  const found = spawnSync('pnpm', ['--version'], { cwd: ROOT, encoding: 'utf8', env, shell });
  if (found.status === 0 && found.stdout.trim() === version) return { command: 'pnpm', args: [], shell };
  return { command: 'npx', args: ['--yes', `pnpm@${version}`], shell };
}

/** Installs when a manifest or the lockfile changed since the last time. */
function install() {
  const hash = installationHash();
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === hash) return;
  console.error('Installing the dependencies (needs the network the first time)...');
  const { command, args, shell } = pnpmCommand();
  const status = run(command, [...args, 'install', '--frozen-lockfile', '--config.confirmModulesPurge=false'], {
    shell,
    // What it prints is not the output of the command that this set-up is for.
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) fail('The dependencies could not be installed; what went wrong stands above.');
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(STAMP, hash);
}

/**
 * Removes compiled files whose source is gone: the compiler leaves them, and they would be packed.
 * @param {string} folder
 */
function removeStaleOutput(folder) {
  const output = join(folder, 'dist');
  if (!existsSync(output) || !existsSync(join(folder, 'tsconfig.json'))) return;
  for (const entry of readdirSync(output, { recursive: true, withFileTypes: true })) {
    const compiled = entry.name.match(/^(.*?)(\.d)?\.(js|ts)(\.map)?$/);
    if (!entry.isFile() || !compiled) continue;
    const source = join(folder, 'src', relative(output, entry.parentPath), `${compiled[1]}.ts`);
    if (existsSync(source)) continue;
    rmSync(join(entry.parentPath, entry.name));
    // The compiler's notes say that the file is there; without them it looks again.
    rmSync(join(output, '.tsbuildinfo'), { force: true });
  }
}

/** Compiles the packages; what is up to date is left alone. */
function build() {
  for (const folder of workspaceFolders()) removeStaleOutput(folder);
  if (runTool('typescript/bin/tsc', ['-b'], { stdio: ['ignore', 2, 2] }) !== 0) {
    fail('The packages do not compile; what is wrong stands above.');
  }
}

/** Brings the clone to where everything can run: Node checked, dependencies installed, packages built. */
export function setUp() {
  checkNode();
  install();
  build();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setUp();

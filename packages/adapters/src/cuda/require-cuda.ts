import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BackendUnavailableError } from '@vibe-edit/core/runtime';

const PROVIDER = 'libonnxruntime_providers_cuda.so';
const PROVIDER_FILES = [PROVIDER, 'libonnxruntime_providers_shared.so'];
/** Some of what the provider is linked to: enough to tell whether CUDA and cuDNN are there before it is. */
const CUDA_LIBRARIES = ['libcudart.so.12', 'libcublas.so.12', 'libcudnn.so.9'];
/** Device files of NVIDIA's driver; `dxg` is how Windows shows its GPUs to Linux. */
const DEVICE = /^(nvidia\d+|dxg)$/;
/** Values of `CUDA_VISIBLE_DEVICES` that leave no GPU: CUDA takes the numbers up to the first that is none. */
const NONE_VISIBLE = /^\s*(-1.*)?$/;
/** The loader only looks at tables of symbols, but at gigabytes of libraries, which may lie on a slow disk. */
const LDD_TIMEOUT_MS = 30_000;

/** Where things lie; tests have places of their own. */
export interface CudaPlaces {
  /** Folder of the package onnxruntime-node; undefined where it is not installed. */
  readonly ort: string | undefined;
  /** Folder of device files. */
  readonly devices: string;
  /** Folder in which NVIDIA's driver lists its GPUs: the device files of an idle machine may not be made yet. */
  readonly gpus: string;
}

/**
 * Looks for all that the CUDA backend needs, without loading any of it.
 * @throws {BackendUnavailableError} that says for each thing that is missing what was expected, what is there, and what to do.
 */
export async function requireCuda(): Promise<void> {
  const { platform, arch } = process;
  const lacks =
    platform === 'linux' && arch === 'x64'
      ? await cudaLacks({ ort: ortFolder(), devices: '/dev', gpus: '/proc/driver/nvidia/gpus' })
      : [`Linux on x64 but this is ${platform} on ${arch}, where the webgpu backend runs on GPUs`];
  if (lacks.length === 0) return;
  throw new BackendUnavailableError({ backend: 'cuda', reason: `expected ${lacks.join('. Also expected ')}` });
}

/** What is missing: for each thing what was expected, what is there, and what to do. */
export async function cudaLacks({ ort, devices, gpus }: CudaPlaces): Promise<string[]> {
  const lacks: string[] = [];
  const folder = ort === undefined ? undefined : await bindingFolder(ort);
  // Without a binding, loading it says more than can be said here.
  if (ort !== undefined && folder !== undefined) {
    const present = PROVIDER_FILES.filter((name) => existsSync(join(folder, name)));
    if (present.length < PROVIDER_FILES.length) {
      lacks.push(
        `ONNX Runtime's CUDA provider (${PROVIDER_FILES.join(', ')}) in ${folder} but found ${found(present)}; ` +
          `fetch it with \`ONNXRUNTIME_NODE_INSTALL=true node ${quoted(join(ort, 'script', 'install.js'))}\``,
      );
    }
    const missing = present.includes(PROVIDER)
      ? await unresolvedBy(join(folder, PROVIDER))
      : await notWhereLoaderLooks(CUDA_LIBRARIES);
    if (missing.length > 0) {
      lacks.push(
        `the libraries of CUDA 12 and cuDNN 9 but the system's loader does not find ${missing.join(', ')}; ` +
          "install them (NVIDIA's packages cuda-libraries-12-9 and libcudnn9-cuda-12, libcuda.so.1 comes with the driver), " +
          'or name their folders in LD_LIBRARY_PATH',
      );
    }
  }
  const device = (await list(devices)).some((name) => DEVICE.test(name)) || (await list(gpus)).length > 0;
  const visible = process.env.CUDA_VISIBLE_DEVICES;
  if (device && visible !== undefined && NONE_VISIBLE.test(visible)) {
    lacks.push(`an NVIDIA GPU but CUDA_VISIBLE_DEVICES hides all of them; it is "${visible}"`);
  }
  if (!device) {
    lacks.push(
      `an NVIDIA GPU (${join(devices, 'nvidia0')}) but found no such device; ` +
        "it needs NVIDIA's driver, and a container NVIDIA's container toolkit and `--gpus all`",
    );
  }
  return lacks;
}

function ortFolder(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  } catch {
    return undefined;
  }
}

/** Where a version of onnxruntime-node has its binding, beside which the runtime looks for providers. */
async function bindingFolder(ort: string): Promise<string | undefined> {
  const bin = join(ort, 'bin');
  return (await list(bin))
    .map((version) => join(bin, version, 'linux', 'x64'))
    .find((folder) => existsSync(join(folder, 'onnxruntime_binding.node')));
}

/** What the loader would not find for a library, and for what that needs; nothing where it cannot be asked. */
function unresolvedBy(library: string): Promise<string[]> {
  return new Promise((resolve) => {
    execFile('ldd', [library], { timeout: LDD_TIMEOUT_MS }, (_error, stdout, stderr) => {
      const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.includes('not found'));
      resolve(lines.map((line) => line.replace(/ => not found.*/, '').trim()));
    });
  });
}

async function notWhereLoaderLooks(libraries: readonly string[]): Promise<string[]> {
  const folders = (process.env.LD_LIBRARY_PATH ?? '').split(':').filter((folder) => folder !== '');
  const cache = await readFile('/etc/ld.so.cache').catch(() => Buffer.alloc(0));
  return libraries.filter(
    (name) => !folders.some((folder) => existsSync(join(folder, name))) && !cache.includes(`\0${name}\0`),
  );
}

async function list(folder: string): Promise<string[]> {
  return await readdir(folder).catch(() => []);
}

function found(names: readonly string[]): string {
  return names.length === 0 ? 'neither' : `only ${names.join(', ')}`;
}

/** A path as a shell takes it. */
function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

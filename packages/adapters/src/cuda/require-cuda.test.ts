import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type CudaPlaces, cudaLacks } from './require-cuda.js';

const BINDING = join(
  dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json')),
  'bin/napi-v6/linux/x64/onnxruntime_binding.node',
);

let root = '';
let binding = '';
let places: CudaPlaces;

/** A machine with onnxruntime-node as the registry has it, and nothing of NVIDIA's. */
beforeEach(async () => {
  vi.stubEnv('CUDA_VISIBLE_DEVICES', undefined);
  root = await mkdtemp(join(tmpdir(), 'vibe-edit cuda-'));
  places = { ort: join(root, 'ort'), devices: join(root, 'dev'), gpus: join(root, 'gpus') };
  binding = join(root, 'ort', 'bin', 'napi-v9', 'linux', 'x64');
  await mkdir(binding, { recursive: true });
  await mkdir(places.devices);
  await writeFile(join(binding, 'onnxruntime_binding.node'), '');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true });
});

const addProvider = (): Promise<void> => writeFile(join(binding, 'libonnxruntime_providers_shared.so'), '');
const addGpu = (name = 'nvidia0'): Promise<void> => writeFile(join(places.devices, name), '');

test('says where the provider belongs and how to fetch it, also in a folder with a space', async () => {
  const [provider] = await cudaLacks(places);
  expect(provider).toContain(`in ${binding} but found neither`);
  expect(provider).toContain(`ONNXRUNTIME_NODE_INSTALL=true node '${join(root, 'ort', 'script', 'install.js')}'`);
});

test('says which half of the provider is there', async () => {
  await addProvider();
  const [provider] = await cudaLacks(places);
  expect(provider).toContain('found only libonnxruntime_providers_shared.so');
});

test('says everything that is missing at once', async () => {
  const lacks = await cudaLacks(places);
  expect(lacks.join('\n')).toMatch(/provider.*\n(.*libraries of CUDA 12.*\n)?.*NVIDIA GPU/);
});

test('finds libraries in the folders of LD_LIBRARY_PATH', async () => {
  for (const name of ['libcudart.so.12', 'libcublas.so.12', 'libcudnn.so.9']) await writeFile(join(root, name), '');
  await addGpu();
  vi.stubEnv('LD_LIBRARY_PATH', `/nowhere:${root}`);
  expect(await cudaLacks(places)).toHaveLength(1);
});

test.each(['', '-1'])('says that CUDA_VISIBLE_DEVICES, "%s", hides the GPU', async (value) => {
  await addGpu();
  vi.stubEnv('CUDA_VISIBLE_DEVICES', value);
  expect((await cudaLacks(places)).at(-1)).toContain(`CUDA_VISIBLE_DEVICES hides all of them; it is "${value}"`);
  vi.stubEnv('CUDA_VISIBLE_DEVICES', '0,1');
  expect((await cudaLacks(places)).join()).not.toContain('CUDA_VISIBLE_DEVICES');
});

test.runIf(process.platform === 'linux' && process.arch === 'x64')(
  'asks the loader what the provider needs and does not find',
  async () => {
    await addProvider();
    await addGpu();
    // A library that is linked to one that lies beside it, where it comes from, but not here.
    await copyFile(BINDING, join(binding, 'libonnxruntime_providers_cuda.so'));
    const lacks = await cudaLacks(places);
    expect(lacks).toHaveLength(1);
    expect(lacks[0]).toContain("the system's loader does not find libonnxruntime.so.1;");
    await copyFile(join(dirname(BINDING), 'libonnxruntime.so.1'), join(binding, 'libonnxruntime.so.1'));
    expect(await cudaLacks(places)).toEqual([]);
  },
);

test.each(['nvidia1', 'dxg'])('takes %s for a GPU', async (name) => {
  await addGpu(name);
  expect((await cudaLacks(places)).join()).not.toContain('NVIDIA GPU');
});

test('takes a GPU for one whose device file is not made yet', async () => {
  await mkdir(join(places.gpus, '0000:01:00.0'), { recursive: true });
  expect((await cudaLacks(places)).join()).not.toContain('NVIDIA GPU');
});

test("does not take the driver's other files for a GPU", async () => {
  for (const name of ['nvidiactl', 'nvidia-uvm', 'null']) await addGpu(name);
  expect((await cudaLacks(places)).join()).toContain('NVIDIA GPU');
});

test('leaves an absent onnxruntime-node to those who load it', async () => {
  await addGpu();
  expect(await cudaLacks({ ...places, ort: undefined })).toEqual([]);
  expect(await cudaLacks({ ...places, ort: join(root, 'none') })).toEqual([]);
});

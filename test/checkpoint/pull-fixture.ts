import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServedFile } from './hub-server.js';

export const TINY_A = fileURLToPath(new URL('../fixtures/golden/tiny-a/checkpoint/', import.meta.url));
export const TINY_B = fileURLToPath(new URL('../fixtures/golden/tiny-b/checkpoint/', import.meta.url));

/** The files of a folder as a repository, with some beside them that no checkpoint needs. */
export async function repositoryOf(folder: string): Promise<Map<string, ServedFile>> {
  const files = new Map<string, ServedFile>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).split(sep).join('/');
    files.set(name, { bytes: await readFile(path), large: name.endsWith('.safetensors') });
  }
  const other = { bytes: new TextEncoder().encode('not needed'), large: false };
  for (const name of [
    'README.md',
    '.gitattributes',
    'text_encoder/pytorch_model.bin',
    'vae/model.onnx',
    'images/a b?.png',
  ]) {
    files.set(name, other);
  }
  return files;
}

/** A repository just large enough to be pulled: its weights are any bytes. */
export function smallRepository(weights: Uint8Array): Map<string, ServedFile> {
  return new Map([
    ['model_index.json', { bytes: new TextEncoder().encode('{}'), large: false }],
    [WEIGHTS, { bytes: weights, large: true }],
  ]);
}

export const WEIGHTS = 'transformer/diffusion_pytorch_model.safetensors';

/** Bytes that repeat nowhere near: a shifted or mixed download shows. */
export function distinctBytes(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

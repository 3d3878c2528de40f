import { createProcessBackend, openCheckpoint, sharpCodec } from '@vibe-edit/core';
import { hostTensor } from '@vibe-edit/core/runtime';
import { checkpointPath } from '@vibe-edit/model-nano';
import { BACKEND_NAMES, type BackendName } from '../backends.js';
import { formatSeconds } from '../format-amounts.js';
import { errorText } from '../messages.js';
import type { Services } from '../services.js';
import type { Check } from './check.js';

/** Writes and reads a picture, which loads sharp's native library. */
export async function checkPictures(): Promise<Check> {
  try {
    const raster = { width: 2, height: 2, channels: 3 as const, data: new Uint8Array(12) };
    for (const format of ['png', 'jpeg', 'webp', 'avif'] as const)
      await sharpCodec.decode(await sharpCodec.encode(raster, format));
    return { name: 'pictures', status: 'ok', detail: 'reads and writes PNG, JPEG, WebP and AVIF' };
  } catch (error) {
    return { name: 'pictures', status: 'failed', detail: errorText(error, false) };
  }
}

/** Opens the checkpoint that edits would use. */
export async function checkCheckpoint(path: string | undefined): Promise<Check> {
  try {
    const checkpoint = await openCheckpoint(path ?? checkpointPath);
    return { name: 'checkpoint', status: 'ok', detail: `${path ?? 'the embedded one'} (${checkpoint.path})` };
  } catch (error) {
    return { name: 'checkpoint', status: 'failed', detail: errorText(error, false) };
  }
}

/**
 * Tries a backend as an edit would: in a child process, with a real part of the embedded checkpoint. The default backend has to
 * work, the others may be missing.
 */
export async function checkBackend({
  name,
  services,
  signal,
}: {
  name: BackendName;
  services: Pick<Services, 'describeBackend'>;
  signal: AbortSignal;
}): Promise<Check> {
  const started = performance.now();
  try {
    const backend = createProcessBackend(await services.describeBackend(name));
    try {
      const checkpoint = await openCheckpoint(checkpointPath);
      const session = await backend.open('connector', checkpoint, { signal });
      const { num_meta_queries: queries, meta_queries_dim: width } = checkpoint.transformer.config;
      const zeros = hostTensor('float32', [1, queries, width], new Float32Array(queries * width));
      await session.run({ hidden_states: zeros }, { signal });
    } finally {
      await backend.close();
    }
    const seconds = formatSeconds((performance.now() - started) / 1000);
    return { name: `backend ${name}`, status: 'ok', detail: `runs a part of the model (${seconds} with its start)` };
  } catch (error) {
    signal.throwIfAborted();
    const status = name === BACKEND_NAMES[0] ? 'failed' : 'unavailable';
    return { name: `backend ${name}`, status, detail: errorText(error, false) };
  }
}

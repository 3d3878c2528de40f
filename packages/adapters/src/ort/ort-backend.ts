import { type CompiledModel, compileComponent } from '@vibe-edit/compiler';
import {
  type Backend,
  BackendError,
  BackendUnavailableError,
  type Checkpoint,
  ClosedError,
  type Component,
  type DType,
  elementCount,
  type OpenOptions,
  type TensorData,
  throwIfAborted,
} from '@vibe-edit/core/runtime';
import type { InferenceSession, Tensor as NativeTensor } from 'onnxruntime-node';
import { identityModel } from './identity-model.js';
import { loadOrt } from './load-ort.js';
import type { OrtProvider } from './ort-provider.js';
import { firstLine, OrtSession } from './ort-session.js';

/** Fatal messages only: errors are thrown, and warnings are for the runtime's developers. */
const LOG_SEVERITY = 4;

/**
 * A backend on an execution provider of ONNX Runtime: compiles components to ONNX in memory and opens them with the weights
 * mapped from the checkpoint's own files.
 */
export async function createOrtBackend(provider: OrtProvider): Promise<Backend> {
  const { name } = provider;
  const ort = await loadOrt(name);
  const sessions = new Set<OrtSession>();
  const owner = {};
  let downloader: Promise<InferenceSession> | undefined;
  let closing: Promise<void> | undefined;

  async function create(
    bytes: Uint8Array,
    component: Component | undefined,
    options: InferenceSession.SessionOptions,
  ): Promise<InferenceSession> {
    const { executionProviders } = provider;
    try {
      return await ort.InferenceSession.create(bytes, {
        executionProviders,
        logSeverityLevel: LOG_SEVERITY,
        ...options,
      });
    } catch (cause) {
      const reason = cause instanceof Error ? provider.missing(cause) : undefined;
      if (reason !== undefined) throw new BackendUnavailableError({ backend: name, reason, cause });
      throw new BackendError({ backend: name, message: firstLine(cause), cause, ...(component && { component }) });
    }
  }

  async function createNative(
    component: Component,
    checkpoint: Checkpoint,
    model: CompiledModel,
  ): Promise<InferenceSession> {
    const { threads, memoryArena, entries } = provider.sessionOptions({
      component,
      weightBytes: weightBytes(model, checkpoint),
    });
    const names = [...model.outputs, ...model.taps].map((value) => value.name);
    const locations = Object.fromEntries(names.map((output) => [output, provider.outputLocation]));
    const folder = { model_external_initializers_file_folder_path: model.weightsRoot };
    return create(model.bytes, component, {
      ...(threads === undefined ? {} : { intraOpNumThreads: threads, interOpNumThreads: 1 }),
      ...(memoryArena === undefined ? {} : { enableCpuMemArena: memoryArena }),
      ...(provider.outputLocation === 'cpu' ? {} : { preferredOutputLocation: locations }),
      extra: { ...entries, session: { ...entries.session, ...folder } },
    });
  }

  async function read(native: NativeTensor): Promise<TensorData[DType]> {
    if (native.location === 'cpu') return copyOf(native);
    downloader ??= create(identityModel(), undefined, {});
    const { y } = await (await downloader).run({ x: native });
    return copyOf(y as NativeTensor);
  }

  async function open(component: Component, checkpoint: Checkpoint, options: OpenOptions = {}): Promise<OrtSession> {
    if (closing !== undefined) throw new ClosedError(`backend ${name}`);
    const { signal, ...compileOptions } = options;
    throwIfAborted(signal);
    const model = compileComponent({ component, checkpoint, target: provider.target, ...compileOptions });
    const native = await createNative(component, checkpoint, model);
    const session = new OrtSession({
      ort,
      native,
      model,
      component,
      backend: name,
      owner,
      read,
      tensorsOutlive: provider.tensorsOutliveSessions,
    });
    if (signal?.aborted) await session.close();
    throwIfAborted(signal);
    for (const known of sessions) if (known.released) sessions.delete(known);
    sessions.add(session);
    return session;
  }

  async function close(): Promise<void> {
    await Promise.all([...sessions].map((session) => session.destroy()));
    await (await downloader)?.release();
  }

  return {
    name,
    open,
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** Size of a graph's weights in float32; they are listed as `folder.key`. */
function weightBytes(model: CompiledModel, checkpoint: Checkpoint): number {
  const { textEncoder, transformer, vae } = checkpoint;
  const folders = { text_encoder: textEncoder, transformer, vae };
  let elements = 0;
  for (const [folder, { stateDict }] of Object.entries(folders)) {
    const keys = model.weights
      .filter((name) => name.startsWith(`${folder}.`))
      .map((name) => name.slice(folder.length + 1));
    for (const key of keys) elements += elementCount(stateDict.get(key)?.shape ?? []);
  }
  return elements * Float32Array.BYTES_PER_ELEMENT;
}

/** The elements of a tensor on the CPU, in memory of JavaScript's own. */
function copyOf({ data }: NativeTensor): TensorData[DType] {
  if (
    data instanceof Float32Array ||
    data instanceof BigInt64Array ||
    data instanceof Int32Array ||
    data instanceof Uint8Array
  ) {
    return data.slice();
  }
  throw new TypeError('Expected an output of a type that crosses the boundary but received another');
}

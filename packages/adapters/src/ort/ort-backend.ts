import { type CompiledModel, compileComponent } from '@vibe-edit/compiler';
import { componentBytes } from '@vibe-edit/core';
import {
  type Backend,
  BackendError,
  BackendUnavailableError,
  type Checkpoint,
  ClosedError,
  type Component,
  type DType,
  type OpenOptions,
  type TensorData,
  throwIfAborted,
} from '@vibe-edit/core/runtime';
import type { InferenceSession, Tensor as NativeTensor } from 'onnxruntime-node';
import { identityModel } from './identity-model.js';
import { loadMatrices } from './load-matrices.js';
import { loadOrt } from './load-ort.js';
import type { OrtPlan, OrtProvider } from './ort-provider.js';
import { firstLine, OrtSession } from './ort-session.js';

/** Fatal messages only: errors are thrown, and warnings are for the runtime's developers. */
const LOG_SEVERITY = 4;

/**
 * A backend on an execution provider of ONNX Runtime: compiles components to ONNX in memory and opens them with the weights
 * of the checkpoint's own files, mapped, or converted once.
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

  async function createNative(component: Component, model: CompiledModel, plan: OrtPlan): Promise<InferenceSession> {
    const { threads, memoryArena, entries } = plan;
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

  async function readMatrices(options: {
    component: Component;
    model: CompiledModel;
    native: InferenceSession;
    threads: number;
    signal: AbortSignal | undefined;
  }): Promise<Record<string, NativeTensor>> {
    const { component, model, native, threads, signal } = options;
    try {
      const values = await loadMatrices({ weights: model.weightInputs, threads, signal });
      return Object.fromEntries(
        model.weightInputs.map(({ name, tensor }) => [
          name,
          new ort.Tensor('float32', values.get(name) as Float32Array, tensor.shape),
        ]),
      );
    } catch (cause) {
      await native.release();
      throwIfAborted(signal);
      throw new BackendError({ backend: name, component, message: firstLine(cause), cause });
    }
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
    const plan = provider.plan({
      component,
      weightBytes: componentBytes(checkpoint)[component],
      storedBytes: componentBytes(checkpoint, 'stored')[component],
    });
    const model = compileComponent({ component, checkpoint, target: plan.target, ...compileOptions });
    const native = await createNative(component, model, plan);
    const session = new OrtSession({
      ort,
      native,
      matrices: await readMatrices({ component, model, native, threads: plan.threads ?? 1, signal }),
      model,
      plan,
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

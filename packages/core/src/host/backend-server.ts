import type { Backend, Session } from '../backend/backend.js';
import type { Tensor } from '../backend/tensor.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { BackendError } from '../errors/backend-error.js';
import { InvalidCheckpointError } from '../errors/invalid-checkpoint-error.js';
import { encodeError } from './error-codec.js';
import { type LoadableBackend, loadBackend } from './load-backend.js';
import type { Envelope, Request, ToChild, ToParent, WireTensor } from './messages.js';
import { tensorBytes, tensorFromBytes } from './tensor-bytes.js';

type Reply = Envelope<ToParent>;
type RequestOf<Kind extends Request['kind']> = Extract<Request, { kind: Kind }>;

/** Carries out the messages of an editing process on a backend of its own: the inner end of a process host. */
export interface BackendServer {
  /** Takes a message; messages are carried out one after the other. */
  handle(envelope: Envelope<ToChild>): void;
}

export function createBackendServer(options: {
  openCheckpoint(path: string): Promise<Checkpoint>;
  reply(envelope: Reply): void;
}): BackendServer {
  const sessions = new Map<number, Session>();
  const kept = new Map<number, Tensor>();
  let description: LoadableBackend = { name: 'backend', module: '' };
  let backend: Backend | undefined;
  let checkpoint: Checkpoint | undefined;
  let lastKept = 0;
  let queue = Promise.resolve();

  const fault = (message: string): BackendError => new BackendError({ backend: description.name, message });

  async function openCheckpoint(wanted: RequestOf<'open'>['checkpoint']): Promise<Checkpoint> {
    if (checkpoint?.path !== wanted.path || checkpoint.hash !== wanted.hash) {
      checkpoint = await options.openCheckpoint(wanted.path);
    }
    if (checkpoint.hash === wanted.hash) return checkpoint;
    const received = 'files that have changed';
    throw new InvalidCheckpointError({
      file: wanted.path,
      expected: 'the files the checkpoint was opened with',
      received,
    });
  }

  async function open(call: number, request: RequestOf<'open'>): Promise<Reply> {
    backend ??= await loadBackend(description);
    const { task, taps, dimensions } = request;
    const session = await backend.open(request.component, await openCheckpoint(request.checkpoint), {
      ...(task === undefined ? {} : { task }),
      ...(taps === undefined ? {} : { taps }),
      ...(dimensions === undefined ? {} : { dimensions }),
    });
    sessions.set(request.session, session);
    const { inputs, outputs, memoryBytes, mapped } = session;
    return { body: { type: 'done', call, inputs, outputs, memoryBytes, mapped }, tensors: {} };
  }

  function resolve(wire: WireTensor): Tensor {
    if (!('kept' in wire)) return tensorFromBytes(wire, description.name);
    const tensor = kept.get(wire.kept);
    if (tensor === undefined) throw fault('Expected a tensor that is still kept but received one that was disposed of');
    return tensor;
  }

  async function toWire(tensor: Tensor): Promise<WireTensor> {
    const values = await tensor.data();
    // The buffer is handed over to another thread, so it must not be one that the backend still uses.
    return { dtype: tensor.dtype, shape: tensor.shape, bytes: tensorBytes(values.slice()) };
  }

  async function run(call: number, request: RequestOf<'run'>, wires: Reply['tensors']): Promise<Reply> {
    const session = sessions.get(request.session);
    if (session === undefined) throw fault('Expected an open session but received one that is closed');
    const inputs = Object.fromEntries(Object.entries(wires).map(([name, wire]) => [name, resolve(wire)]));
    const { outputs, keep } = request;
    const results = await session.run(inputs, { keep, ...(outputs === undefined ? {} : { outputs }) });
    const tensors: Record<string, WireTensor> = {};
    for (const [name, tensor] of Object.entries(results)) {
      if (!keep.includes(name)) {
        tensors[name] = await toWire(tensor);
        tensor.dispose();
        continue;
      }
      lastKept += 1;
      kept.set(lastKept, tensor);
      tensors[name] = { dtype: tensor.dtype, shape: tensor.shape, kept: lastKept };
    }
    return { body: { type: 'done', call }, tensors };
  }

  async function carryOut(call: number, request: Request, tensors: Reply['tensors']): Promise<Reply> {
    switch (request.kind) {
      case 'open':
        return open(call, request);
      case 'run':
        return run(call, request, tensors);
      case 'read': {
        const data = await toWire(resolve({ dtype: 'float32', shape: [], kept: request.tensor }));
        return { body: { type: 'done', call }, tensors: { data } };
      }
      case 'close-session': {
        await sessions.get(request.session)?.close();
        sessions.delete(request.session);
        return { body: { type: 'done', call }, tensors: {} };
      }
      case 'close-backend': {
        for (const tensor of kept.values()) tensor.dispose();
        for (const session of sessions.values()) await session.close();
        await backend?.close();
        return { body: { type: 'done', call }, tensors: {} };
      }
    }
  }

  async function take({ body, tensors }: Envelope<ToChild>): Promise<void> {
    if (body.type === 'start') {
      description = { ...body, options: body.options as Readonly<Record<string, unknown>> | undefined };
      return;
    }
    if (body.type === 'dispose') {
      for (const id of body.kept) {
        kept.get(id)?.dispose();
        kept.delete(id);
      }
      return;
    }
    let reply: Reply;
    try {
      reply = await carryOut(body.call, body.request, tensors);
    } catch (error) {
      reply = { body: { type: 'failed', call: body.call, error: encodeError(error) }, tensors: {} };
    }
    options.reply(reply);
  }

  return {
    handle(envelope) {
      queue = queue.then(() => take(envelope));
    },
  };
}

import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createAdaptorServer } from '@hono/node-server';
import { createWebhook, type Webhook, type WebhookOptions } from '@vibe-edit/bots/webhook';
import {
  type BlobStore,
  createEditor,
  createMemoryBlobStore,
  createMemoryQueue,
  type Editor,
  type JobQueue,
  type MemoryQueueOptions,
  openCheckpoint,
  runJobs,
} from '@vibe-edit/core';
import { createFakeBackend, type FakeBackend, type FakeCall } from '@vibe-edit/core/testing';
import sharp from 'sharp';
import { expect, onTestFinished } from 'vitest';

/** A webhook that listens on this machine, with a queue in memory and a worker. */
export interface TestServer {
  readonly url: string;
  readonly queue: JobQueue;
  readonly blobs: BlobStore;
  readonly webhook: Webhook;
  readonly backend: FakeBackend;
  /** Asks the server, with the key if one was given. */
  request(path: string, init?: RequestInit & { key?: string }): Promise<Response>;
}

export interface TestServerOptions extends Partial<WebhookOptions> {
  /** Called before each call of the fake backend: to wait, to throw. */
  before?(call: FakeCall): void | Promise<void>;
  /** Opens another editor than one over the fake backend. */
  openEditor?(): Promise<Editor>;
  queueOptions?: MemoryQueueOptions;
  /** Default true. Without one jobs wait for ever. */
  worker?: boolean;
}

const checkpoint = await openCheckpoint(
  fileURLToPath(new URL('../fixtures/golden/tiny-a/checkpoint', import.meta.url)),
);

/** Starts a server for one test; it ends with the test. */
export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { before, openEditor, queueOptions, worker: wanted = true, ...webhookOptions } = options;
  const backend = createFakeBackend(before === undefined ? {} : { before });
  const blobs = createMemoryBlobStore();
  const queue = createMemoryQueue({ blobs, ...queueOptions });
  const editor = wanted ? await (openEditor?.() ?? createEditor({ checkpoint, backend })) : undefined;
  const worker = editor && runJobs({ queue, blobs, editor });
  const webhook = await createWebhook({
    queue,
    blobs,
    model: { id: 'vibe-test' },
    auth: { local: true },
    ...webhookOptions,
  });
  const server = createAdaptorServer({ fetch: webhook.app.fetch });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(async () => {
    await webhook.close();
    if ('closeAllConnections' in server) server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await worker?.close();
    await queue.close();
    await editor?.close();
  });
  return {
    url,
    queue,
    blobs,
    webhook,
    backend,
    request(path, { key, ...init } = {}) {
      const headers = new Headers(init.headers);
      if (key !== undefined) headers.set('authorization', `Bearer ${key}`);
      return fetch(url + path, { ...init, headers });
    },
  };
}

/** A colour gradient as a picture file. */
export async function picture(
  options: { width?: number; height?: number; format?: 'png' | 'jpeg' | 'webp'; alpha?: number } = {},
): Promise<Buffer> {
  const { width = 64, height = 48, format = 'png', alpha } = options;
  const channels = alpha === undefined ? 3 : 4;
  const data = Uint8Array.from({ length: width * height * channels }, (_, at) =>
    at % channels === 3 ? (alpha as number) : (at * 7) % 256,
  );
  return await sharp(data, { raw: { width, height, channels } }).toFormat(format).toBuffer();
}

export function file(bytes: Uint8Array, name = 'photo.png', type = 'image/png'): File {
  return new File([Uint8Array.from(bytes)], name, { type });
}

/** A multipart form of fields. */
export function form(fields: Readonly<Record<string, string | File | readonly string[]>>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    for (const item of Array.isArray(value) ? value : [value]) data.append(name, item);
  }
  return data;
}

export function json(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

/** Asks for a job until it is in one of these states. */
export async function waitForState(
  server: TestServer,
  path: string,
  options: { key?: string; states?: readonly string[] } = {},
) {
  const { key, states = ['succeeded', 'failed', 'cancelled', 'expired'] } = options;
  for (;;) {
    const response = await server.request(path, key === undefined ? {} : { key });
    const job = await response.json();
    if (response.status !== 200 || states.includes(job.state)) return job;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export interface ReadEvent {
  event: string;
  id: string | undefined;
  data: unknown;
}

/** The events of a `text/event-stream` as they come. */
export async function* readEvents(response: Response): AsyncGenerator<ReadEvent> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = text
        .slice(0, end)
        .split('\n')
        .filter((line) => !line.startsWith(':'));
      text = text.slice(end + 2);
      if (fields.length === 0) continue;
      const value = (name: string) => fields.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      yield { event: value('event') ?? 'message', id: value('id'), data: JSON.parse(value('data') ?? 'null') };
    }
  }
}

/** Holds the fake backend up in the denoising until `open` is called. */
export function gate() {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  // A test that fails before it opens the gate must not hang.
  setTimeout(() => open(), 20_000).unref();
  let reached = (): void => undefined;
  const running = new Promise<void>((resolve) => {
    reached = resolve;
  });
  return {
    open: () => open(),
    running,
    before: async ({ kind, component }: { kind: string; component: string }) => {
      if (kind !== 'run' || component !== 'transformer') return;
      reached();
      await opened;
    },
  };
}

/** `expect.poll` with the patience that a busy machine needs. */
export function eventually<Value>(read: () => Value | Promise<Value>) {
  return expect.poll(read, { timeout: 60_000, interval: 20 });
}

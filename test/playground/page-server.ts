import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { createWebhook, type WebhookAuth } from '@vibe-edit/bots/webhook';
import { createMemoryBlobStore, createMemoryQueue, type JobQueue, runJobs } from '@vibe-edit/core';
import { createPlayground } from '@vibe-edit/playground';
import { Hono } from 'hono';
import { createEditor } from 'vibe-edit';

/** The page and its API on this machine, with the embedded checkpoint. */
export interface PageServer {
  readonly url: string;
  readonly queue: JobQueue;
  /** Ends every connection that is open, as a network that breaks. */
  dropConnections(): void;
  close(): Promise<void>;
}

/** @param options.mount Path under which everything lies, e.g. `/edits`. */
export async function startPageServer(options: { auth?: WebhookAuth; mount?: string } = {}): Promise<PageServer> {
  const { auth = { local: true }, mount = '' } = options;
  const blobs = createMemoryBlobStore();
  const queue = createMemoryQueue({ blobs });
  const editor = await createEditor();
  const worker = runJobs({ queue, blobs, editor });
  const { defaults } = editor.checkpoint;
  const webhook = await createWebhook({
    queue,
    blobs,
    auth,
    model: {
      id: 'vibe-edit-nano',
      defaults: {
        numInferenceSteps: defaults.numInferenceSteps,
        guidanceScale: defaults.guidanceScale,
        imageGuidanceScale: defaults.imageGuidanceScale,
      },
    },
  });
  const page = await createPlayground();
  const app = new Hono();
  app.get(mount === '' ? '/' : mount, (c) => page(c.req.raw));
  app.get(`${mount}/`, (c) => page(c.req.raw));
  app.get(`${mount}/playground/*`, (c) => page(c.req.raw));
  app.route(mount === '' ? '/' : mount, webhook.app);
  const server = createAdaptorServer({ fetch: app.fetch });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const dropConnections = (): void => {
    if ('closeAllConnections' in server) server.closeAllConnections();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${mount}`,
    queue,
    dropConnections,
    async close() {
      await webhook.close();
      dropConnections();
      await new Promise((resolve) => server.close(resolve));
      await worker.close();
      await queue.close();
      await editor.close();
    },
  };
}

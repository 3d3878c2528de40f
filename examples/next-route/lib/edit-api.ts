import { createWebhook } from '@vibe-edit/bots/webhook';
import { createFolderBlobStore, createMemoryQueue, runJobs } from '@vibe-edit/core';
import { Hono } from 'hono';
import { createEditor } from 'vibe-edit';

/** Opens the editor and the API over it. */
async function open(): Promise<Hono> {
  const blobs = createFolderBlobStore({ folder: './pictures' });
  const queue = createMemoryQueue({ blobs });
  runJobs({ queue, blobs, editor: await createEditor() });
  const webhook = await createWebhook({ queue, blobs, model: { id: 'vibe-edit-nano' }, auth: { local: true } });
  return new Hono().route('/api', webhook.app);
}

// One for the process: in development Next loads this module anew after each change.
const shared = globalThis as { editApi?: Promise<Hono> };

/** Answers a request of a Next route. */
export async function handleEdit(request: Request): Promise<Response> {
  shared.editApi ??= open();
  return (await shared.editApi).fetch(request);
}

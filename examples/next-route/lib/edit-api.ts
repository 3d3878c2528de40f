import { Hono } from 'hono';

/** Opens the editor and the API over it. */
async function open(): Promise<Hono> {
  // Native code, and files of their own beside the modules: Node loads them, no bundler packs them.
  const { createWebhook } = await import(/* webpackIgnore: true */ '@vibe-edit/bots/webhook');
  const { createFolderBlobStore, createMemoryQueue, runJobs } = await import(
    /* webpackIgnore: true */ '@vibe-edit/core'
  );
  const { createEditor } = await import(/* webpackIgnore: true */ 'vibe-edit');
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

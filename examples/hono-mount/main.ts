/**
 * An application of its own, with the edit API mounted under /pictures.
 *
 *     npm start
 *     curl -F image=@photo.jpg -F instruction="make it warmer" http://localhost:8080/pictures/v1/jobs
 */
import { serve } from '@hono/node-server';
import { createWebhook } from '@vibe-edit/bots/webhook';
import { createFolderBlobStore, createMemoryQueue, runJobs } from '@vibe-edit/core';
import { Hono } from 'hono';
import { createEditor } from 'vibe-edit';

const blobs = createFolderBlobStore({ folder: './pictures' });
const queue = createMemoryQueue({ blobs });
const editor = await createEditor();
const worker = runJobs({ queue, blobs, editor });
const webhook = await createWebhook({
  queue,
  blobs,
  model: { id: 'vibe-edit-nano' },
  // Whoever can reach this machine's loopback address. For others see `createApiKey`.
  auth: { local: true },
});

const app = new Hono();
app.get('/', (c) => c.text('The edit API is under /pictures, its description under /pictures/docs'));
app.route('/pictures', webhook.app);

const port = Number(process.env.PORT ?? 8080);
const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port }, (info) => {
  console.log(`http://localhost:${info.port}/pictures/docs`);
});

process.once('SIGTERM', async () => {
  await webhook.close();
  server.close();
  await worker.close({ drainSeconds: 60 });
  await queue.close();
  await editor.close();
});

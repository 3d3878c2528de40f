/**
 * An Express application with the edit API under /pictures, for the users whom the application knows.
 *
 *     npm start
 *     curl -H "x-user: alice" -F image=@photo.jpg -F instruction="make it warmer" http://localhost:8080/pictures/v1/jobs
 */
import { getRequestListener } from '@hono/node-server';
import { createWebhook } from '@vibe-edit/bots/webhook';
import { createFolderBlobStore, createMemoryQueue, runJobs } from '@vibe-edit/core';
import express from 'express';
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
  auth: {
    // Your application's own sign-in goes here: who is behind this session or token?
    authenticate(request) {
      const name = request.headers.get('x-user');
      return name === null ? undefined : { name };
    },
  },
});

const app = express();
app.get('/', (_, response) => void response.send('The edit API is under /pictures'));
// Before any body parser: the API reads bodies itself, within its limits. Express keeps the whole path in `originalUrl`.
const listener = getRequestListener(new Hono().route('/pictures', webhook.app).fetch);
app.use('/pictures', (request, response) => {
  request.url = request.originalUrl;
  return listener(request, response);
});

const server = app.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  const address = server.address();
  console.log(`http://localhost:${typeof address === 'object' ? address?.port : ''}/pictures/docs`);
});

process.once('SIGTERM', async () => {
  await webhook.close();
  server.close();
  await worker.close({ drainSeconds: 60 });
  await queue.close();
  await editor.close();
});

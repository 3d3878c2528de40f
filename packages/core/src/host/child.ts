/**
 * Entry of the child process. This thread runs no model: it passes messages between the parent and the thread that does, and
 * ends the process as soon as the parent is gone, even in the middle of a run.
 */
import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { createChunkedChannel, type Frame } from './chunked-channel.js';
import type { Envelope, ToChild, ToParent } from './messages.js';
import { ownBuffers } from './own-buffers.js';

const STDERR = 2;
const PARENT_CHECK_MS = 250;

/** The orderly ways to exit join the worker thread first, that is, wait until its run is over. */
function exitNow(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('the process was killed');
}

function crash(error: unknown): never {
  try {
    writeSync(STDERR, `${error instanceof Error ? error.stack : error}\n`);
  } finally {
    exitNow();
  }
}

// Ctrl-C and service managers signal the whole process group. The parent decides what becomes of the work: it ends this process, or
// dies itself, and then this process follows.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('uncaughtException', crash);
process.on('disconnect', exitNow);

// The parent may have died while this module was being loaded, before anybody listened.
if (!process.connected) exitNow();
const parent = process.ppid;
setInterval(() => {
  // An orphan gets another parent; this also holds when somebody else keeps the channel open. On Windows the number stays.
  if (process.ppid !== parent) exitNow();
}, PARENT_CHECK_MS);

const worker = new Worker(new URL('./worker.js', import.meta.url), { name: 'vibe-edit backend' });
worker.on('error', crash);
worker.on('exit', (code) => crash(new Error(`the backend's thread ended with exit code ${code}`)));

const channel = createChunkedChannel<ToParent, ToChild>({
  post: (frame) =>
    new Promise((resolve) => {
      // Without a parent there is nobody to tell; 'disconnect' ends the process.
      process.send?.(frame, undefined, undefined, () => resolve());
    }),
});
process.on('message', (frame: Frame<ToChild>) => {
  const envelope = channel.receive(frame);
  if (envelope !== undefined) worker.postMessage(envelope, ownBuffers(envelope));
});
worker.on('message', (envelope: Envelope<ToParent>) => void channel.send(envelope));

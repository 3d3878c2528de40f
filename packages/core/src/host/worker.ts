/**
 * Entry of the thread that runs the models in the child process: a run blocks its thread, so it must not be the one that watches
 * the parent.
 */
import { parentPort } from 'node:worker_threads';
import { openCheckpoint } from '../checkpoint/open-checkpoint.js';
import { createBackendServer } from './backend-server.js';
import type { Envelope, ToChild } from './messages.js';
import { ownBuffers } from './own-buffers.js';

const port = parentPort;
if (port === null) throw new Error('worker.js runs in a worker thread only');

const server = createBackendServer({
  openCheckpoint: (path) => openCheckpoint(path),
  reply: (envelope) => port.postMessage(envelope, ownBuffers(envelope)),
});
port.on('message', (envelope: Envelope<ToChild>) => server.handle(envelope));

export { createLibsqlQueue, type LibsqlQueueOptions } from './create-libsql-queue.js';

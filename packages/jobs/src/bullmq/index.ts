export { type BullmqQueueOptions, createBullmqQueue } from './create-bullmq-queue.js';
export { createRedisSharedState, type RedisSharedStateOptions } from './create-redis-shared-state.js';

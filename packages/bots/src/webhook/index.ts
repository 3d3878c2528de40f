export { type ApiKeyLimits, type ApiKeyRecord, checkApiKeyRecord, createApiKey, hashApiKey } from './auth/api-key.js';
export { checkListenAddress, isLoopbackHost } from './auth/check-listen-address.js';
export { createWebhook, type Webhook } from './create-webhook.js';
export {
  createGuardedFetch,
  type DownloadedFile,
  type GuardedFetch,
  type GuardedFetchOptions,
} from './fetch/guarded-fetch.js';
export { createWebhookLogger } from './operations/logger.js';
export type { WebhookLimits } from './webhook-limits.js';
export type { Caller, WebhookAuth, WebhookLogger, WebhookModel, WebhookOptions } from './webhook-options.js';
export type { WebhookEnv } from './webhook-parts.js';

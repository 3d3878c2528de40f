export type { ApiErrorDetails, ApiErrorType } from './api-error.js';
export { type ApiKeyLimits, type ApiKeyRecord, checkApiKeyRecord, createApiKey, hashApiKey } from './auth/api-key.js';
export { checkListenAddress, isLoopbackHost } from './auth/check-listen-address.js';
export { createWebhook, type Webhook } from './create-webhook.js';
export { apiErrorResponse } from './error-response.js';
export type { HostRefusal } from './fetch/guarded-connector.js';
export {
  createGuardedFetch,
  type DownloadedFile,
  type GuardedFetch,
  type GuardedFetchOptions,
} from './fetch/guarded-fetch.js';
export { answerParserErrors } from './http/answer-parser-errors.js';
export { createWebhookLogger } from './operations/logger.js';
export type { WebhookLimits } from './webhook-limits.js';
export type { Caller, WebhookAuth, WebhookLogger, WebhookModel, WebhookOptions } from './webhook-options.js';
export type { WebhookEnv } from './webhook-parts.js';

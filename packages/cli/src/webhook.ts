/** What a program that serves edits over HTTP is made from: apart from the SDK, which needs none of it. */
export {
  type ApiKeyLimits,
  type ApiKeyRecord,
  type Caller,
  checkListenAddress,
  createApiKey,
  createGuardedFetch,
  createWebhook,
  createWebhookLogger,
  type GuardedFetch,
  type GuardedFetchOptions,
  hashApiKey,
  type Webhook,
  type WebhookAuth,
  type WebhookLimits,
  type WebhookLogger,
  type WebhookModel,
  type WebhookOptions,
} from '@vibe-edit/bots/webhook';
export { createPlayground, type Playground } from '@vibe-edit/playground';

import type { Hono } from 'hono';
import { ApiError } from '../api-error.js';
import type { WebhookModel } from '../webhook-options.js';
import type { WebhookEnv, WebhookParts } from '../webhook-parts.js';

/** Names that programs written for OpenAI ask for; they get the model that is here. */
const ALIASES = /^(gpt-image|chatgpt-image|dall-e)-[a-z0-9.-]{1,60}$/;

function viewModel({ id, created = 0, ownedBy = 'vibe-edit' }: WebhookModel) {
  return { id, object: 'model', created, owned_by: ownedBy };
}

/**
 * Refuses a model that is not here. Names of OpenAI's image models stand for the one that is.
 * @throws {ApiError} 404
 */
export function checkModel({ id }: WebhookModel, asked: string | undefined): void {
  if (asked === undefined || asked === '' || asked === id || ALIASES.test(asked)) return;
  const name = JSON.stringify(asked.slice(0, 100));
  throw new ApiError({
    status: 404,
    type: 'not_found_error',
    code: 'model_not_found',
    message: `Expected the model ${JSON.stringify(id)} but received ${name}`,
    param: 'model',
  });
}

/** Adds `/v1/models`. */
export function addModelRoutes(app: Hono<WebhookEnv>, parts: WebhookParts): void {
  const { model } = parts;
  app.get('/v1/models', parts.open, parts.callers(), (c) => c.json({ object: 'list', data: [viewModel(model)] }));
  app.get('/v1/models/:id{.+}', parts.open, parts.callers(), (c) => {
    checkModel(model, c.req.param('id'));
    return c.json(viewModel(model));
  });
}

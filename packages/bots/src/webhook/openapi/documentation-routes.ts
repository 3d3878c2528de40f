import type { Hono } from 'hono';
import type { WebhookEnv, WebhookParts } from '../webhook-parts.js';
import { openApiDocument } from './document.js';
import { documentationPage, PAGE_POLICY } from './page.js';

/** Adds `/openapi.json` and `/docs`. */
export function addDocumentationRoutes(app: Hono<WebhookEnv>, parts: WebhookParts): void {
  const document = openApiDocument(parts.limits);
  const page = documentationPage(document, parts.limits);
  app.get('/openapi.json', parts.open, (c) =>
    c.json({ ...document, servers: [{ url: serverUrl(parts, c.req.path) }] }),
  );
  app.get('/docs', parts.open, (c) => c.html(page, 200, { 'content-security-policy': PAGE_POLICY }));
}

/** Where the routes begin: the webhook may be mounted anywhere. */
function serverUrl({ publicUrl }: WebhookParts, path: string): string {
  const mount = path.slice(0, path.lastIndexOf('/openapi.json'));
  return `${publicUrl?.replace(/\/+$/, '') ?? ''}${mount}` || '/';
}

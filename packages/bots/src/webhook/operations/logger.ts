import { loadOptional } from '../load-optional.js';
import type { WebhookLogger } from '../webhook-options.js';

/** Paths in log objects that are never written. */
const REDACTED = ['authorization', '*.authorization', 'key', '*.key', 'secret', '*.secret'];

/**
 * Makes a logger that writes one JSON object a line to the standard output, with pino.
 *
 * @param options.level Default `info`.
 * @param options.destination Something else to write to.
 * @throws {MissingPackageError} when pino is not installed.
 */
export async function createWebhookLogger(
  options: { level?: 'error' | 'warn' | 'info' | 'debug'; destination?: { write(line: string): void } } = {},
): Promise<WebhookLogger> {
  const { pino } = await loadOptional(() => import('pino'), { what: 'The log', packages: ['pino'] });
  const settings = { level: options.level ?? 'info', redact: REDACTED };
  const logger: WebhookLogger =
    options.destination === undefined ? pino(settings) : pino(settings, options.destination);
  return logger;
}

import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError, type Job, type JobDelivery, type JobQueue, type SharedState } from '@vibe-edit/core';
import { RefusedHostError } from '../fetch/guarded-connector.js';
import type { GuardedFetch } from '../fetch/guarded-fetch.js';
import type { WebhookLogger } from '../webhook-options.js';
import { CALLBACK_OUTBOX, type CallbackTarget, callbackMessage, callbackTarget } from './callback-message.js';
import type { CallbackSigner } from './callback-signer.js';

export type CallbackOutcome = 'delivered' | 'retry' | 'disabled' | 'given_up';

export interface CallbackDeliveryOptions {
  queue: JobQueue;
  /** Where receivers that answered 410 are remembered. */
  shared: SharedState;
  guardedFetch: GuardedFetch;
  signer: CallbackSigner;
  /** Pauses between attempts in seconds. Default: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h. */
  retrySeconds?: readonly number[];
  /** Seconds that a receiver may take. Default 20. */
  timeoutSeconds?: number;
  /** Seconds between looks into the queue while nothing is due. Default 1. */
  pollSeconds?: number;
  logger?: WebhookLogger | undefined;
  onOutcome?: (outcome: CallbackOutcome) => void;
}

export interface CallbackDelivery {
  /** Ends what is under way; what was not confirmed is sent again by whoever delivers next. */
  close(): Promise<void>;
}

const RETRY_SECONDS = [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600];
/** Receivers that hear at once. */
const CONCURRENCY = 8;
/** Longest pause that a receiver can ask for. */
const MAX_RETRY_AFTER_SECONDS = 24 * 3600;
/** How long a receiver that answered 410 is left alone. */
const DISABLED_SECONDS = 24 * 3600;
/** Pause after the queue itself failed. */
const FAILED_SECONDS = 5;

/**
 * Reports finished jobs to the URLs that their callers gave, until it is closed. A report that a receiver confirmed (2xx) is not sent
 * again; one that it did not, or that this process died over, is, with the same id. Any number of processes may deliver.
 */
export function deliverCallbacks(options: CallbackDeliveryOptions): CallbackDelivery {
  const { queue, shared, timeoutSeconds = 20, pollSeconds = 1, logger, onOutcome = () => undefined } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const underWay = new Set<Promise<void>>();

  const deliver = async (delivery: JobDelivery): Promise<void> => {
    const { job, attempt } = delivery;
    const target = callbackTarget(job);
    if (target === undefined || (await shared.remembers(disabledReceiver(job, target)))) {
      return await queue.settleDelivery(job.id);
    }
    const { outcome, retryAt, reason } = await attemptDelivery(delivery, target, options, timeoutSeconds, signal);
    // Broken off by the end of this process: whoever delivers next takes it at once.
    if (signal.aborted && outcome !== 'delivered') {
      return await queue.settleDelivery(job.id, { retryAt: Date.now() });
    }
    onOutcome(outcome);
    const fields = { job: job.id, attempt, outcome, ...(reason !== undefined && { reason }) };
    if (outcome === 'delivered') logger?.info(fields, 'callback');
    else logger?.warn(fields, 'callback');
    if (outcome === 'disabled') await shared.remember(disabledReceiver(job, target), { seconds: DISABLED_SECONDS });
    await queue.settleDelivery(job.id, retryAt === undefined ? {} : { retryAt });
  };

  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        const delivery =
          underWay.size < CONCURRENCY
            ? await queue.takeDelivery(CALLBACK_OUTBOX, { leaseSeconds: timeoutSeconds + 30 })
            : undefined;
        if (delivery === undefined) {
          await sleep(pollSeconds * 1000, undefined, { signal });
          continue;
        }
        const work = deliver(delivery).catch((error) =>
          logger?.error({ err: error, job: delivery.job.id }, 'callback'),
        );
        const tracked = work.then(() => void underWay.delete(tracked));
        underWay.add(tracked);
      } catch (error) {
        if (signal.aborted) break;
        logger?.error({ err: error }, 'callbacks cannot be taken from the queue');
        await sleep(FAILED_SECONDS * 1000, undefined, { signal }).catch(() => undefined);
      }
    }
    await Promise.all(underWay);
  };
  const ended = loop();

  return {
    async close() {
      closing.abort();
      await ended;
    },
  };
}

function disabledReceiver({ user }: Job, { url }: CallbackTarget): string {
  return `gone: ${user} ${url}`;
}

async function attemptDelivery(
  { job, attempt }: JobDelivery,
  target: CallbackTarget,
  { guardedFetch, signer, retrySeconds = RETRY_SECONDS }: CallbackDeliveryOptions,
  timeoutSeconds: number,
  signal: AbortSignal,
): Promise<{ outcome: CallbackOutcome; retryAt?: number; reason?: string }> {
  const { id, body } = callbackMessage(job, target);
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'vibe-edit',
    ...signer.headers({ user: job.user, id, at: Date.now(), body }),
  };
  let reason: string;
  let asked: number | undefined;
  try {
    const { status, retryAfter } = await guardedFetch.post(target.url, { body, headers, timeoutSeconds, signal });
    if (status >= 200 && status < 300) return { outcome: 'delivered' };
    reason = `status ${status}`;
    if (status === 410) return { outcome: 'disabled', reason };
    asked = retryAfterSeconds(retryAfter);
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
    // An address that is not public now is not worth another attempt; a name that is not found now may be.
    const isUnknown = error instanceof RefusedHostError && !error.isFound;
    if (error instanceof InvalidArgumentError && !isUnknown) return { outcome: 'given_up', reason };
  }
  const pause = retrySeconds[attempt - 1];
  if (pause === undefined) return { outcome: 'given_up', reason };
  // Jitter: receivers that were down for a while are not hit by everything at once.
  const seconds = Math.max(pause * (1 + Math.random() / 4), asked ?? 0);
  return { outcome: 'retry', retryAt: Date.now() + seconds * 1000, reason };
}

/** `Retry-After` in seconds: a number of them, or a date. */
function retryAfterSeconds(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(0, seconds), MAX_RETRY_AFTER_SECONDS) : undefined;
}

import type { BlobStore, JobQueue, SharedState } from '@vibe-edit/core';
import type { ApiKeyLimits, ApiKeyRecord } from './auth/api-key.js';
import type { GuardedFetchOptions } from './fetch/guarded-fetch.js';
import type { WebhookLimits } from './webhook-limits.js';

/** Who calls. */
export interface Caller {
  /** Jobs, pictures and limits belong to it. At most 200 characters. */
  readonly name: string;
  readonly limits?: ApiKeyLimits;
}

/**
 * Who may call:
 * - `keys`: whoever shows one of these API keys as `Authorization: Bearer`. A function is asked at each request, so that keys come and go.
 * - `authenticate`: whoever a function of yours says, e.g. from your application's session; undefined refuses.
 * - `local`: anybody on this machine, and pages of no other site. `hosts` are further names that the server is called by.
 */
export type WebhookAuth =
  | { readonly keys: readonly ApiKeyRecord[] | (() => readonly ApiKeyRecord[] | Promise<readonly ApiKeyRecord[]>) }
  | { readonly authenticate: (request: Request) => Caller | undefined | Promise<Caller | undefined> }
  | { readonly local: true; readonly hosts?: readonly string[] };

/** What the API tells of the model that carries jobs out. */
export interface WebhookModel {
  /** Name in `/v1/models`, e.g. `vibe-edit-nano`. */
  readonly id: string;
  /** Default `vibe-edit`. */
  readonly ownedBy?: string;
  /** When it was made or loaded, in seconds since 1970. Default 0. */
  readonly created?: number;
  /** What the checkpoint takes when a request does not say, for pages that show it; `quality` of OpenAI's routes is reckoned from `numInferenceSteps`. */
  readonly defaults?: Readonly<Record<string, number | string>>;
}

/** Takes log lines; a pino logger is one. */
export interface WebhookLogger {
  debug?(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface WebhookOptions {
  /** Where jobs go; workers on it carry them out. Give it the same `blobs`, so that it deletes pictures with their jobs. */
  queue: JobQueue;
  /** Where pictures go. */
  blobs: BlobStore;
  model: WebhookModel;
  auth: WebhookAuth;
  /**
   * What several servers behind one address agree on: how often each caller called, which receivers of callbacks are gone. Stays open; its maker
   * closes it. Default: each server counts for itself, in memory.
   */
  shared?: SharedState;
  /** Bounds of everything; see `WebhookLimits` for the defaults. */
  limits?: Partial<WebhookLimits>;
  /** How URLs that callers name are fetched. */
  fetch?: GuardedFetchOptions;
  /**
   * Turns `callback_url` on. `secret`: 24 bytes or more, kept from restart to restart; each caller's signing secret is made from it.
   * `retrySeconds`: pauses between attempts. Default: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h.
   */
  callbacks?: { secret: string; retrySeconds?: readonly number[]; timeoutSeconds?: number; pollSeconds?: number };
  /** Where the API can be reached from outside, e.g. `https://edits.example.com`; links in callbacks begin with it. Default: links are paths. */
  publicUrl?: string;
  /** Sites whose pages may call the API from a browser, e.g. `https://app.example.com`. Default: none. */
  cors?: { origins: readonly string[] };
  /** Who may read `/metrics`: callers, anybody, or nobody. Default: callers, if `prom-client` is installed. */
  metrics?: 'callers' | 'anybody' | 'off';
  /** Default: nothing is logged. */
  logger?: WebhookLogger;
  /** Write instructions into the log. Default false: they are private. */
  logInstructions?: boolean;
}

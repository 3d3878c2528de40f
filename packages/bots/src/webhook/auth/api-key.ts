import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { InvalidArgumentError } from '@vibe-edit/core';

/** Bounds of one key's use; what is left out is the webhook's own limit. */
export interface ApiKeyLimits {
  /** Requests of any kind. */
  requestsPerMinute?: number;
  /** New jobs. */
  jobsPerHour?: number;
}

/** An API key as it is stored: the key itself cannot be found from it. Plain data. */
export interface ApiKeyRecord {
  /** Who holds it; unique. Jobs belong to the name, so that a new key with it sees the old one's. 1 to 64 of letters, digits, `-`, `_`, `.` */
  readonly name: string;
  /** SHA-256 of the key, 64 characters of 0-9a-f. */
  readonly hash: string;
  readonly limits?: ApiKeyLimits;
}

const PREFIX = 've_';
const NAME = /^[A-Za-z0-9._-]{1,64}$/;
const HASH = /^[0-9a-f]{64}$/;

/**
 * Makes a new API key with 256 random bits. The key is shown once and never stored; the record is what the server needs.
 *
 * @throws {InvalidArgumentError} when the name is not what it should be.
 * @example
 * ```ts
 * const { key, record } = createApiKey({ name: 'alice', limits: { jobsPerHour: 100 } });
 * console.log(`Give this to Alice: ${key}`);
 * const stored = JSON.stringify([record]);
 * ```
 */
export function createApiKey(options: { name: string; limits?: ApiKeyLimits }): { key: string; record: ApiKeyRecord } {
  const { name, limits } = options;
  const key = PREFIX + randomBytes(32).toString('base64url');
  const record = { name, hash: hashApiKey(key), ...(limits !== undefined && { limits }) };
  checkApiKeyRecord(record);
  return { key, record };
}

/**
 * The hash that an `ApiKeyRecord` holds. A key is random, so that a fast hash gives nothing away; a password must not be used as key.
 * @returns 64 characters of 0-9a-f
 */
export function hashApiKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** @throws {InvalidArgumentError} */
export function checkApiKeyRecord(record: ApiKeyRecord): void {
  const refuse = (argument: string, expected: string, received: unknown): never => {
    throw new InvalidArgumentError({ argument, expected, received: String(received) });
  };
  if (!NAME.test(record.name)) refuse('name', '1 to 64 letters, digits, ".", "_" or "-"', record.name);
  if (!HASH.test(record.hash))
    refuse(`hash of ${record.name}`, 'the SHA-256 of a key in hex', `${record.hash.length} characters`);
  for (const [limit, value] of Object.entries(record.limits ?? {})) {
    if (!Number.isInteger(value) || value < 1) refuse(`${limit} of ${record.name}`, 'a whole number above 0', value);
  }
}

/** The record of a key among all: each is compared, in constant time. */
export function findApiKey(records: readonly ApiKeyRecord[], key: string): ApiKeyRecord | undefined {
  const hash = Buffer.from(hashApiKey(key), 'hex');
  let found: ApiKeyRecord | undefined;
  for (const record of records) if (timingSafeEqual(Buffer.from(record.hash, 'hex'), hash)) found = record;
  return found;
}

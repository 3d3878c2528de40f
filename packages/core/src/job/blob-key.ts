import { randomBytes } from 'node:crypto';
import type { BlobReference } from './blob-store.js';

const KEY = /^[A-Za-z0-9_-]{1,128}$/;

/** A key that nobody guesses. */
export function newBlobKey(): string {
  return randomBytes(16).toString('hex');
}

/** The key of a reference, or undefined for what can be no key: with separators, dots or none at all it never reaches a path. */
export function blobKeyOf(blob: BlobReference | string): string | undefined {
  const key: unknown = typeof blob === 'string' ? blob : blob?.key;
  return typeof key === 'string' && KEY.test(key) ? key : undefined;
}

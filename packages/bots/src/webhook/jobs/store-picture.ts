import { type BlobReference, checkSideRatio, type PictureReference, readImageInfo } from '@vibe-edit/core';
import { ApiError, badRequest } from '../api-error.js';
import { toApiError } from '../error-response.js';
import type { ByteLease } from '../http/byte-budget.js';
import type { WebhookParts } from '../webhook-parts.js';

/** A caller's picture: bytes that came, or where they are. */
export type PictureSource = { readonly bytes: Uint8Array } | { readonly url: string };

const BASE64 = /^[A-Za-z0-9+/_=\s-]+$/;

/**
 * Bytes of a picture that came as text: base64, or a data URL with it.
 * @throws {ApiError} 400, 413
 */
export function decodeBase64(text: string, param: string, maxBytes: number): Uint8Array {
  const comma = text.startsWith('data:') ? text.indexOf(',') : -1;
  if (text.startsWith('data:') && !/^data:[^,]{0,200};base64,/i.test(text)) {
    throw badRequest(`Expected a base64 data URL for ${param}`, { param });
  }
  const base64 = text.slice(comma + 1);
  if (!BASE64.test(base64)) throw badRequest(`Expected base64 for ${param} but received other text`, { param });
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length > maxBytes) throw tooLarge(param, maxBytes);
  return bytes;
}

function tooLarge(param: string, maxBytes: number): ApiError {
  const message = `Expected a picture of at most ${maxBytes} bytes for ${param} but received more`;
  return new ApiError({ status: 413, type: 'invalid_request_error', code: 'file_too_large', message, param });
}

/**
 * Fetches a picture where it has to be fetched, looks at its header and stores it.
 * @throws {ApiError} naming `param` when it cannot be fetched, is no picture, or too large.
 */
export async function storePicture(
  parts: Pick<WebhookParts, 'blobs' | 'guardedFetch' | 'limits'>,
  options: { source: PictureSource; param: string; lease: ByteLease; signal: AbortSignal },
): Promise<PictureReference> {
  const { source, param, lease, signal } = options;
  const { maxImageBytes, maxPixels } = parts.limits;
  try {
    let bytes: Uint8Array;
    if ('url' in source) {
      bytes = (await parts.guardedFetch.download(source.url, { maxBytes: maxImageBytes, signal })).bytes;
      lease.take(bytes.length);
    } else {
      bytes = source.bytes;
    }
    if (bytes.length > maxImageBytes) throw tooLarge(param, maxImageBytes);
    const { width, height, format } = await readImageInfo({ bytes, maxPixels, signal });
    const stored = await parts.blobs.put(bytes, { mediaType: `image/${format}`, maxBytes: maxImageBytes, signal });
    return { ...stored, width, height };
  } catch (error) {
    throw toApiError(error, param);
  }
}

/**
 * Refuses a picture to be edited that its job would only fail over.
 * @throws {ApiError} 400 when one side is too long for the other.
 */
export function checkEditable(picture: PictureReference, param: string): void {
  try {
    checkSideRatio(picture);
  } catch (error) {
    throw toApiError(error, param);
  }
}

/** Deletes pictures that no job came to refer to. */
export async function discardPictures(
  { blobs }: Pick<WebhookParts, 'blobs'>,
  pictures: readonly (BlobReference | undefined)[],
): Promise<void> {
  await Promise.allSettled(pictures.map((picture) => picture && blobs.delete(picture)));
}

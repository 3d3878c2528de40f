import { type ImageModelV3File, InvalidArgumentError } from '@ai-sdk/provider';
import { convertBase64ToUint8Array, downloadBlob } from '@ai-sdk/provider-utils';
import type { PictureFile } from './image-service.js';

const MAX_BYTES = 48 * 1024 * 1024;
const DOWNLOAD_SECONDS = 60;

/**
 * The bytes of a picture that came with a call. One that is somewhere else is downloaded by the AI SDK's own guarded download, which goes
 * to public addresses alone.
 *
 * @throws {InvalidArgumentError} the bytes are empty, too many, or no base64
 * @throws {DownloadError} of the AI SDK
 */
export async function loadPicture(
  file: ImageModelV3File,
  { argument, signal }: { argument: string; signal: AbortSignal | undefined },
): Promise<PictureFile> {
  if (file.type === 'url') {
    const timeout = AbortSignal.timeout(DOWNLOAD_SECONDS * 1000);
    const abortSignal = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    const blob = await downloadBlob(file.url, { maxBytes: MAX_BYTES, abortSignal });
    return { bytes: new Uint8Array(await blob.arrayBuffer()), mediaType: blob.type };
  }
  const { mediaType } = file;
  const bytes = typeof file.data === 'string' ? fromBase64(file.data, argument) : file.data;
  if (bytes.length > 0 && bytes.length <= MAX_BYTES) return { bytes, mediaType };
  const message = `Expected 1 to ${MAX_BYTES} bytes of a picture for ${argument} but received ${bytes.length}`;
  throw new InvalidArgumentError({ argument, message });
}

function fromBase64(text: string, argument: string): Uint8Array {
  try {
    return convertBase64ToUint8Array(text);
  } catch (cause) {
    const message = `Expected a picture as base64 or bytes for ${argument} but received other text`;
    throw new InvalidArgumentError({ argument, message, cause });
  }
}

import type { BlobStore, Job, JobImage } from '@vibe-edit/core';
import type { ImageParameters } from './image-parameters.js';

/** Nothing is counted or billed: clients only want the fields to be there. */
export const USAGE = {
  input_tokens: 0,
  input_tokens_details: { image_tokens: 0, text_tokens: 0 },
  output_tokens: 0,
  total_tokens: 0,
};

/** What the answers say of their pictures besides. */
export function pictureFields(params: ImageParameters, size: { width: number; height: number }) {
  return {
    background: 'opaque',
    output_format: params.output_format ?? 'png',
    quality: params.quality ?? 'auto',
    size: `${size.width}x${size.height}`,
  };
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** A job's pictures; the caller has seen to it that it succeeded. */
export function picturesOf(job: Job): readonly JobImage[] {
  return job.result?.images ?? [];
}

/** The answer without `stream`. */
export async function imagesAnswer(job: Job, params: ImageParameters, blobs: BlobStore): Promise<object> {
  const pictures = picturesOf(job);
  const data: { b64_json: string }[] = [];
  for (const picture of pictures) data.push({ b64_json: base64(await blobs.get(picture)) });
  const [first = { width: 0, height: 0 }] = pictures;
  return { created: seconds(job.createdAt), data, ...pictureFields(params, first), usage: USAGE };
}

export function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}

import type { BlobStore, Job, JobImage, Warning } from '@vibe-edit/core';
import type { z } from 'zod';
import { qualityLevel } from './denoising-steps.js';
import type { imagesAnswer as answerSchema, ImageParameters } from './image-parameters.js';
import type { ImageRequest } from './image-request.js';

/** Nothing is counted or billed: clients only want the fields to be there. */
const USAGE = {
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
    quality: qualityLevel(params),
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

/** What the answers say of the whole, in fields that OpenAI's clients keep although their types do not know all of them. */
export function resultFields(job: Job, warnings: readonly Warning[]) {
  return { seed: job.result?.seed ?? 0, warnings: [...warnings, ...(job.result?.warnings ?? [])], usage: USAGE };
}

/** The codes of warnings as a header, which takes few characters; plugins choose theirs freely. */
export function warningCodes(warnings: readonly Warning[]): string {
  const codes = warnings.map(({ code }) => code.replace(/[^\w.-]/g, '_'));
  return [...new Set(codes)].join(', ');
}

/** The answer without `stream`. */
export async function imagesAnswer(
  job: Job,
  { params, warnings }: Pick<ImageRequest, 'params' | 'warnings'>,
  blobs: BlobStore,
): Promise<z.infer<typeof answerSchema>> {
  const pictures = picturesOf(job);
  const data: { b64_json: string }[] = [];
  for (const picture of pictures) data.push({ b64_json: base64(await blobs.get(picture)) });
  const [first = { width: 0, height: 0 }] = pictures;
  return { created: seconds(job.createdAt), data, ...pictureFields(params, first), ...resultFields(job, warnings) };
}

export function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}

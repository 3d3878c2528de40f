import { APICallError, type SharedV3Warning } from '@ai-sdk/provider';
import {
  combineHeaders,
  createEventSourceResponseHandler,
  type FetchFunction,
  postFormDataToApi,
  postJsonToApi,
} from '@ai-sdk/provider-utils';
import { streamedError, toApiCallError } from './http-error.js';
import { type ImageEvent, imageEvent } from './image-event.js';
import type { ImageAnswer, ImageRequest, ImageService, MadePicture, PictureFile } from './image-service.js';

export interface HttpServiceOptions {
  /** With `/v1` and without a slash at its end. */
  readonly baseURL: string;
  readonly apiKey: string | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly fetch: FetchFunction | undefined;
  /** Sent as `model`; without one the server takes the one it has. */
  readonly model: string | undefined;
}

/**
 * Has pictures made by a server. The answer is streamed: its heartbeats keep the connection alive however long an edit waits and takes,
 * where Node gives up on an answer whose head is not there after five minutes.
 */
export function createHttpService(options: HttpServiceOptions): ImageService {
  return {
    async make(request) {
      const url = `${options.baseURL}/images/${request.picture === undefined ? 'generations' : 'edits'}`;
      const call = { url, requestBodyValues: fieldsOf(request, options.model) };
      const { value: events, responseHeaders } = await send(options, request, call);
      return {
        ...(await readPictures(events, { ...call, count: request.count, responseHeaders })),
        headers: responseHeaders,
      };
    },
    async close() {},
  };
}

interface Call {
  readonly url: string;
  /** What is sent besides pictures. */
  readonly requestBodyValues: Readonly<Record<string, string | number | boolean>>;
}

function fieldsOf(request: ImageRequest, model: string | undefined): Call['requestBodyValues'] {
  const { instruction, count, seed, size, options } = request;
  const fields = {
    prompt: instruction,
    model,
    n: count,
    seed,
    size: size && `${size.width}x${size.height}`,
    steps: options.numInferenceSteps,
    guidance_scale: options.guidanceScale,
    image_guidance_scale: options.imageGuidanceScale,
    preserve: options.preserve,
    geometry: options.geometry,
    output_format: options.outputFormat,
    output_compression: options.outputQuality,
    stream: true,
  };
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, string | number | boolean] => field[1] !== undefined),
  );
}

function send({ apiKey, headers, fetch }: HttpServiceOptions, request: ImageRequest, call: Call) {
  const { url, requestBodyValues } = call;
  const { picture, mask, signal } = request;
  const common = {
    url,
    headers: combineHeaders(
      apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
      headers,
      request.headers as Record<string, string | undefined> | undefined,
    ),
    failedResponseHandler: toApiCallError,
    successfulResponseHandler: createEventSourceResponseHandler(imageEvent),
    ...(signal !== undefined && { abortSignal: signal }),
    ...(fetch !== undefined && { fetch }),
  };
  if (picture === undefined) return postJsonToApi({ ...common, body: requestBodyValues });
  const formData = new FormData();
  for (const [name, value] of Object.entries(requestBodyValues)) formData.append(name, String(value));
  formData.append('image', toBlob(picture));
  if (mask !== undefined) formData.append('mask', toBlob(mask));
  return postFormDataToApi({ ...common, formData });
}

function toBlob({ bytes, mediaType }: PictureFile): Blob {
  return new Blob([bytes as Uint8Array<ArrayBuffer>], { type: mediaType });
}

type ParsedEvent = { success: true; value: ImageEvent } | { success: false; error: Error };

/** @throws {APICallError} as the server says, or when the stream ends too early */
async function readPictures(
  events: ReadableStream<ParsedEvent>,
  details: Call & { count: number; responseHeaders: Record<string, string> | undefined },
): Promise<Pick<ImageAnswer, 'pictures' | 'warnings'>> {
  const { count, ...call } = details;
  const pictures: MadePicture[] = [];
  const warnings: SharedV3Warning[] = [];
  for await (const event of events) {
    if (!event.success) {
      const message = 'Expected an event of an image stream but received something else';
      throw new APICallError({ ...errorDetails(call), message, isRetryable: false, cause: event.error });
    }
    const { value } = event;
    if ('error' in value) throw streamedError(value, errorDetails(call));
    if (value.type !== 'completed') continue;
    pictures.push(value.picture);
    warnings.push(...value.warnings.map(({ message }) => ({ type: 'other' as const, message })));
  }
  if (pictures.length === count) return { pictures, warnings };
  const message = `Expected ${count} pictures but the answer ended after ${pictures.length}`;
  throw new APICallError({ ...errorDetails(call), message, isRetryable: false });
}

function errorDetails({ responseHeaders, ...call }: Call & { responseHeaders: Record<string, string> | undefined }) {
  return { ...call, ...(responseHeaders !== undefined && { responseHeaders }) };
}

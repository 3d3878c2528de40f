import {
  ClosedError,
  InvalidArgumentError,
  QueueFullError,
  QueueUnavailableError,
  UserLimitError,
  VibeError,
} from '@vibe-edit/core';
import { ApiError, type ApiErrorDetails, type ApiErrorType } from './api-error.js';
import { newRequestId } from './auth/middleware.js';

/** Seconds after which a caller may try again when the queue, or the user's share of it, is full. */
const FULL_RETRY_SECONDS = 10;
/** The same, when the queue is away. */
const AWAY_RETRY_SECONDS = 5;

/** Status and class of the errors that a caller can do something about, by code. */
const KNOWN: Readonly<Record<string, readonly [status: number, type: ApiErrorType]>> = {
  VIBE_INVALID_ARGUMENT: [400, 'invalid_request_error'],
  VIBE_INVALID_INSTRUCTION: [400, 'invalid_request_error'],
  VIBE_INVALID_IMAGE: [400, 'invalid_request_error'],
  VIBE_DOWNLOAD_FAILED: [400, 'invalid_request_error'],
  VIBE_BLOB_MISSING: [404, 'not_found_error'],
  VIBE_UNKNOWN_JOB: [404, 'not_found_error'],
  VIBE_IDEMPOTENCY_CONFLICT: [422, 'invalid_request_error'],
  VIBE_BLOB_TOO_LARGE: [413, 'invalid_request_error'],
  VIBE_USER_LIMIT: [429, 'rate_limit_error'],
  VIBE_QUEUE_FULL: [503, 'server_error'],
  // The caller hung up: nobody reads this, but the log does.
  VIBE_ABORTED: [499, 'invalid_request_error'],
  VIBE_CLOSED: [503, 'server_error'],
  VIBE_JOB_TIMEOUT: [504, 'server_error'],
  VIBE_JOB_LOST: [500, 'server_error'],
};

/** A code of ours as the API spells it: `VIBE_INVALID_IMAGE` is `invalid_image`. */
export function apiCode(code: string): string {
  return code.replace(/^VIBE_/, '').toLowerCase();
}

/** Why a job came to nothing, as its owner is told: of errors that concern the server alone no more than the code. */
export function viewFailure(failure: { code: string; message: string }): { code: string; message: string } {
  const told = failure.code in KNOWN || failure.code === 'VIBE_JOB_EXPIRED';
  return { code: apiCode(failure.code), message: told ? failure.message : 'The edit failed on the server' };
}

/** The answer for a failed job: the same as if the caller had waited for it. */
export function failureToApiError(failure: { code: string; message: string }): ApiError {
  const [status, type] = KNOWN[failure.code] ?? [500, 'server_error'];
  return new ApiError({ status, type, ...viewFailure(failure) });
}

/**
 * The answer for whatever was thrown. Errors of ours keep their message; of others nothing is told but that it happened.
 * @param param Parameter that the failed step worked on, where the error does not name one.
 */
export function toApiError(error: unknown, param?: string): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof QueueUnavailableError) {
    // Where the queue is concerns the server alone.
    const message = 'The queue cannot be reached right now; try again soon';
    const code = apiCode(error.code);
    return new ApiError({
      status: 503,
      type: 'server_error',
      code,
      message,
      retryAfter: AWAY_RETRY_SECONDS,
      cause: error,
    });
  }
  const known = error instanceof VibeError ? KNOWN[error.code] : undefined;
  if (!(error instanceof VibeError) || known === undefined) {
    const message = 'Something went wrong on the server; the request id is in its log';
    return new ApiError({ status: 500, type: 'server_error', code: 'internal', message, cause: error });
  }
  const [status, type] = known;
  const full = error instanceof QueueFullError || error instanceof UserLimitError || error instanceof ClosedError;
  return new ApiError({
    status,
    type,
    code: apiCode(error.code),
    message: error.message,
    param: param ?? (error instanceof InvalidArgumentError ? error.argument : undefined),
    retryAfter: full ? FULL_RETRY_SECONDS : undefined,
    cause: error,
  });
}

/** The body that every error has. */
export interface ErrorBody {
  error: { message: string; type: ApiErrorType; param: string | null; code: string };
}

export function errorBody({ message, type, param, code }: ApiError): ErrorBody {
  return { error: { message, type, param: param ?? null, code } };
}

/** Clients of OpenAI try these again by themselves: a second edit for a first one that failed or took too long helps nobody. */
const NO_RETRY: ReadonlySet<number> = new Set([409, 500, 504]);

/** Headers that go with an error. */
export function errorHeaders(error: ApiError): Record<string, string> {
  const shouldRetry = error.shouldRetry ?? !NO_RETRY.has(error.status);
  return {
    ...(error.retryAfter !== undefined && { 'retry-after': String(Math.max(1, Math.ceil(error.retryAfter))) }),
    ...(!shouldRetry && { 'x-should-retry': 'false' }),
  };
}

/** An answer in the API's error form, for what a server around the webhook refuses by itself. */
export function apiErrorResponse(details: Omit<ApiErrorDetails, 'cause'>): Response {
  const error = new ApiError(details);
  const headers = { ...errorHeaders(error), 'x-request-id': newRequestId() };
  return Response.json(errorBody(error), { status: error.status, headers });
}

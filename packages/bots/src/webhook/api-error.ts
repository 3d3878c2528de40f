/** OpenAI's classes of errors; clients show them and decide by the status. */
export type ApiErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'not_found_error'
  | 'conflict_error'
  | 'rate_limit_error'
  | 'server_error';

export interface ApiErrorDetails {
  /** HTTP status, 400 or above. */
  status: number;
  type: ApiErrorType;
  /** Stable, e.g. `invalid_image`. */
  code: string;
  message: string;
  /** Name of the parameter at fault, as the caller wrote it. */
  param?: string | undefined;
  /** Seconds after which it makes sense to try again. */
  retryAfter?: number | undefined;
  /** False: clients that try again by themselves should not. Default: the status decides. */
  shouldRetry?: boolean | undefined;
  cause?: unknown;
}

/** An answer that is an error, on its way to the caller. Never leaves the webhook as an exception. */
export class ApiError extends Error {
  readonly status: number;
  readonly type: ApiErrorType;
  readonly code: string;
  readonly param: string | undefined;
  readonly retryAfter: number | undefined;
  readonly shouldRetry: boolean | undefined;

  constructor({ status, type, code, message, param, retryAfter, shouldRetry, cause }: ApiErrorDetails) {
    super(message, { cause });
    this.name = 'ApiError';
    this.status = status;
    this.type = type;
    this.code = code;
    this.param = param;
    this.retryAfter = retryAfter;
    this.shouldRetry = shouldRetry;
  }
}

/** A request that is wrong in itself. */
export function badRequest(message: string, details: { code?: string; param?: string } = {}): ApiError {
  const { code = 'invalid_value', param } = details;
  return new ApiError({ status: 400, type: 'invalid_request_error', code, message, param });
}

export function notFound(message: string, code = 'not_found'): ApiError {
  return new ApiError({ status: 404, type: 'not_found_error', code, message });
}

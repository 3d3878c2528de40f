import { APICallError } from '@ai-sdk/provider';
import { createJsonErrorResponseHandler } from '@ai-sdk/provider-utils';
import { type ApiErrorBody, apiError } from './image-event.js';

/** An answer that is an error. A server that says whether to try again knows better than its status. */
export const toApiCallError = createJsonErrorResponseHandler({
  errorSchema: apiError,
  errorToMessage: ({ error }) => error.message,
  isRetryable: ({ status, headers }) => {
    const said = headers.get('x-should-retry');
    return said === null ? [408, 409, 429].includes(status) || status >= 500 : said === 'true';
  },
});

/** Statuses that the server gives these where it waits with its answer, and whether a second edit would do better. */
const BY_CODE: Readonly<Record<string, readonly [status: number, isRetryable: boolean]>> = {
  closed: [503, true],
  queue_full: [503, true],
  job_timeout: [504, false],
};
const BY_TYPE: Readonly<Record<string, readonly [status: number, isRetryable: boolean]>> = {
  invalid_request_error: [400, false],
  not_found_error: [404, false],
  conflict_error: [409, false],
  rate_limit_error: [429, true],
};

/** An error that came when the answer had begun, with the status 200: it gets the status that it would have had before. */
export function streamedError(
  data: ApiErrorBody,
  call: { url: string; requestBodyValues: unknown; responseHeaders?: Record<string, string> },
): APICallError {
  const { message, code, type } = data.error;
  const [statusCode, isRetryable] = BY_CODE[code ?? ''] ?? BY_TYPE[type ?? ''] ?? [500, false];
  return new APICallError({ ...call, message, statusCode, isRetryable, data, responseBody: JSON.stringify(data) });
}

import { APICallError, InvalidArgumentError, InvalidPromptError } from '@ai-sdk/provider';
import type { VibeError } from '@vibe-edit/core';

/** Stands where a server's address would: APICallError is the one error that the AI SDK tries again. */
const IN_PROCESS = 'vibe-edit:in-process';
/** What may go well a moment later: the queue has room again, the child process that died is replaced. */
const RETRYABLE: readonly string[] = ['VIBE_QUEUE_FULL', 'VIBE_HOST_CRASHED'];

/** An error of the editor as one of the AI SDK's own, with the editor's as its `cause`. What is not the editor's stays what it is. */
export function toAiSdkError(error: unknown, { instruction }: { instruction: string }): unknown {
  if (!isVibeError(error)) return error;
  const { code, message } = error;
  if (code === 'VIBE_INVALID_INSTRUCTION') {
    return new InvalidPromptError({ prompt: instruction, message, cause: error });
  }
  if (code === 'VIBE_INVALID_IMAGE') {
    return new InvalidArgumentError({ argument: 'prompt', message, cause: error });
  }
  if (code === 'VIBE_INVALID_ARGUMENT') {
    const argument = 'argument' in error ? String(error.argument) : 'options';
    return new InvalidArgumentError({ argument, message, cause: error });
  }
  return new APICallError({
    message,
    url: IN_PROCESS,
    requestBodyValues: { prompt: instruction },
    isRetryable: RETRYABLE.includes(code),
    data: { code },
    cause: error,
  });
}

/** By its code: an editor of another copy of the package has classes of its own. */
function isVibeError(error: unknown): error is VibeError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('VIBE_');
}

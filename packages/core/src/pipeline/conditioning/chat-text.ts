import { Template } from '@huggingface/jinja';
import type { TokenizerFiles } from '../../checkpoint/checkpoint.js';
import { InvalidCheckpointError } from '../../errors/invalid-checkpoint-error.js';
import { namedTokens } from './named-tokens.js';

/**
 * Writes one user message as the checkpoint's chat template wants it: the picture first where there is one, then the text, no
 * generation prompt.
 */
export type ChatWriter = (message: { text: string; picture: boolean }) => string;

/**
 * Reads the chat template.
 * @throws {InvalidCheckpointError} when it is no valid Jinja. The writer throws the same when it fails on a message.
 */
export function createChatWriter(files: TokenizerFiles): ChatWriter {
  const template = guarded(() => new Template(files.chatTemplate));
  const tokens = namedTokens(files.config);
  return ({ text, picture }) => {
    const content = [...(picture ? [{ type: 'image', image: 'image' }] : []), { type: 'text', text }];
    return guarded(() =>
      template.render({ ...tokens, messages: [{ role: 'user', content }], add_generation_prompt: false }),
    );
  };
}

function guarded<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    throw new InvalidCheckpointError({
      file: 'tokenizer/chat_template.jinja',
      expected: 'a Jinja template that writes a user message',
      received: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}

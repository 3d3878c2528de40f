import { Tokenizer } from '@huggingface/tokenizers';
import { type HostTensor, hostTensor } from '../../backend/tensor.js';
import type { Checkpoint } from '../../checkpoint/checkpoint.js';
import { InvalidArgumentError } from '../../errors/invalid-argument-error.js';
import { InvalidCheckpointError } from '../../errors/invalid-checkpoint-error.js';
import { InvalidInstructionError } from '../../errors/invalid-instruction-error.js';
import { createChatWriter } from './chat-text.js';
import { countImageTokens, type ImageGrid } from './image-grid.js';
import { namedTokens } from './named-tokens.js';
import { pythonStrip } from './python-strip.js';

/** Stands for the picture's tokens inside the reference's processor; a user who types it makes that processor fail. */
const INTERNAL_PLACEHOLDER = '<|placeholder|>';

/** Prompts as token ids. */
export interface EncodedPrompts {
  /** What the chat template wrote for each instruction; the picture is one placeholder here. */
  readonly chatTexts: readonly string[];
  /** Token ids of each prompt, the placeholder repeated for every image token, without padding. */
  readonly tokens: readonly (readonly number[])[];
  /** [prompts, length], padded on the right: `input_ids` of the reference's processor. */
  readonly inputIds: HostTensor<'int64'>;
  /** [prompts, length], 1 for a token, 0 for padding. */
  readonly attentionMask: HostTensor<'int64'>;
}

/** The part of the tokenizer library that is used; its own declarations do not resolve under Node's module rules. */
interface TokenIds {
  encode(text: string): { ids: number[] };
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
}

/** Turns instructions into token ids. Reading its vocabulary takes a while: make one for a checkpoint and keep it. */
export interface PromptEncoder {
  /**
   * @param options.grid The picture's patches, or undefined in text-to-image. All instructions share the picture.
   * @throws {InvalidArgumentError} when there is no instruction.
   * @throws {InvalidInstructionError} when an instruction is empty, no valid Unicode, or holds a placeholder of a picture or video.
   * @throws {InvalidCheckpointError} when template, tokenizer and config do not fit together.
   */
  encode(options: { instructions: readonly string[]; grid: ImageGrid | undefined }): EncodedPrompts;
}

/**
 * The sentence that the model was trained on, round an instruction trimmed as Python does it.
 * Source: `edit_query_template` and `t2i_query_template` of the authors' pipeline.
 */
export function instructionQuery({ instruction, task }: { instruction: string; task: 'edit' | 'generate' }): string {
  const text = pythonStrip(instruction);
  return task === 'edit' ? `what will this image be like if ${text}` : `generate the image by description: ${text}`;
}

/**
 * @throws {InvalidCheckpointError} when the tokenizer or the chat template cannot be read.
 * @example
 * ```ts
 * import { createPromptEncoder, openCheckpoint } from '@vibe-edit/core';
 *
 * const checkpoint = await openCheckpoint('./VIBE-Image-Edit');
 * const encoder = createPromptEncoder(checkpoint);
 * const { inputIds } = encoder.encode({ instructions: ['make it snow'], grid: [1, 20, 28] });
 * ```
 */
export function createPromptEncoder(checkpoint: Pick<Checkpoint, 'tokenizer' | 'textEncoder'>): PromptEncoder {
  const { tokenizer: files, textEncoder } = checkpoint;
  const { config } = textEncoder;
  const tokenizer = readTokenizer(files.tokenizer, files.config);
  const writeChat = createChatWriter(files);
  const imageToken = tokenizer.id_to_token(config.image_token_id);
  if (imageToken === undefined) throw mismatch(`a token for image_token_id ${config.image_token_id}`, 'none');

  const encodeOne = (text: string, instruction: string, imageTokens: number | undefined): number[] => {
    const ids = tokenizer.encode(text).ids;
    const { vocab_size } = config.text_config;
    const stray = ids.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocab_size));
    if (stray !== undefined || ids.length === 0)
      throw mismatch(`ids under the vocabulary's ${vocab_size}`, String(stray));
    if (imageTokens === undefined) return ids;
    const video = ids.findIndex(
      (id, at) => id === config.video_token_id && ids[at - 1] === config.vision_start_token_id,
    );
    if (video !== -1) {
      throw new InvalidInstructionError({
        instruction,
        expected: 'an instruction without the start of a video',
        received: `${tokenizer.id_to_token(config.vision_start_token_id)}${tokenizer.id_to_token(config.video_token_id)}`,
      });
    }
    const places = ids.filter((id) => id === config.image_token_id).length;
    if (places !== 1) throw mismatch('one image token for the placeholder of the chat template', String(places));
    return ids.flatMap((id) => (id === config.image_token_id ? new Array<number>(imageTokens).fill(id) : [id]));
  };

  return {
    encode({ instructions, grid }) {
      if (instructions.length === 0) {
        throw new InvalidArgumentError({
          argument: 'instructions',
          expected: 'at least one instruction',
          received: 'none',
        });
      }
      const task = grid === undefined ? 'generate' : 'edit';
      const mergeSize = config.vision_config.spatial_merge_size;
      const imageTokens = grid === undefined ? undefined : countImageTokens({ grid, mergeSize });
      for (const instruction of instructions) checkInstruction(instruction, imageToken, task);
      const chatTexts = instructions.map((instruction) =>
        writeChat({ text: instructionQuery({ instruction, task }), picture: grid !== undefined }),
      );
      const tokens = chatTexts.map((text, index) => encodeOne(text, instructions[index]!, imageTokens));
      const padding = (): number => paddingId(tokenizer, files.config);
      return { chatTexts, tokens, ...padded(tokens, padding) };
    },
  };
}

/** The tokenizer of a checkpoint. @throws {InvalidCheckpointError} when it cannot be read. */
export function readTokenizer(
  tokenizer: Readonly<Record<string, unknown>>,
  config: Readonly<Record<string, unknown>>,
): TokenIds {
  try {
    return new Tokenizer(tokenizer, config);
  } catch (cause) {
    throw new InvalidCheckpointError({
      file: 'tokenizer/tokenizer.json',
      expected: 'a tokenizer of a known kind',
      received: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}

function mismatch(expected: string, received: string): InvalidCheckpointError {
  return new InvalidCheckpointError({ file: 'tokenizer/tokenizer.json', expected, received });
}

function checkInstruction(instruction: string, imageToken: string, task: 'edit' | 'generate'): void {
  const refuse = (expected: string, received: string): never => {
    throw new InvalidInstructionError({ instruction, expected, received });
  };
  if (pythonStrip(instruction) === '')
    refuse('an instruction', instruction === '' ? 'an empty string' : 'only white space');
  if (/\p{Surrogate}/u.test(instruction)) refuse('an instruction of valid Unicode', 'half a surrogate pair');
  // Without a picture nothing takes the placeholder's place: it is a token like any other, as in the reference.
  if (task === 'generate') return;
  for (const placeholder of [imageToken, INTERNAL_PLACEHOLDER]) {
    if (instruction.includes(placeholder)) refuse('an instruction without the placeholder of a picture', placeholder);
  }
}

function paddingId(tokenizer: TokenIds, config: Readonly<Record<string, unknown>>): number {
  const token = namedTokens(config).pad_token;
  const id = token === undefined ? undefined : tokenizer.token_to_id(token);
  if (id === undefined) {
    throw new InvalidCheckpointError({
      file: 'tokenizer/tokenizer_config.json',
      expected: 'pad_token to be a token of the tokenizer, since prompts differ in length',
      received: token ?? 'no pad_token',
    });
  }
  return id;
}

function padded(
  rows: readonly (readonly number[])[],
  paddingOf: () => number,
): Pick<EncodedPrompts, 'inputIds' | 'attentionMask'> {
  const length = Math.max(...rows.map((row) => row.length));
  const shape = [rows.length, length];
  const padding = rows.some((row) => row.length < length) ? BigInt(paddingOf()) : 0n;
  const ids = new BigInt64Array(rows.length * length).fill(padding);
  const mask = new BigInt64Array(rows.length * length);
  for (const [index, row] of rows.entries()) {
    ids.set(row.map(BigInt), index * length);
    mask.fill(1n, index * length, index * length + row.length);
  }
  return { inputIds: hostTensor('int64', shape, ids), attentionMask: hostTensor('int64', shape, mask) };
}

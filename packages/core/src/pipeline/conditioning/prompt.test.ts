import { describe, expect, test } from 'vitest';
import { GOLDEN_CASES } from '../../../../../test/golden-cases.js';
import { goldenJson, goldenTensors } from '../../../../../test/golden-vectors.js';
import { openCheckpoint } from '../../checkpoint/open-checkpoint.js';
import { InvalidArgumentError, InvalidCheckpointError, InvalidInstructionError } from '../../errors/index.js';
import { createChatWriter } from './chat-text.js';
import type { ImageGrid } from './image-grid.js';
import { createPromptEncoder, instructionQuery, readTokenizer } from './prompt.js';

const vectors = goldenJson<{
  strings: { text: string; ids: number[] }[];
  instructions: { instruction: string; edit: string; generate: string }[];
  chats: { image: boolean; text: string; chat: string }[];
}>('vectors/tokenizer.json');

const [tinyA, tinyB] = await Promise.all(
  GOLDEN_CASES.filter(({ name }) => name.startsWith('tiny')).map(({ checkpoint }) => openCheckpoint(checkpoint)),
);
const GRID: ImageGrid = [1, 4, 6];
const encoder = createPromptEncoder(tinyA!);
const edit = (...instructions: string[]) => encoder.encode({ instructions, grid: GRID });
const generate = (...instructions: string[]) => encoder.encode({ instructions, grid: undefined });

describe('instructionQuery', () => {
  test.each(vectors.instructions)('trims $instruction as Python does', ({ instruction, edit, generate }) => {
    expect(instructionQuery({ instruction, task: 'edit' })).toBe(edit);
    expect(instructionQuery({ instruction, task: 'generate' })).toBe(generate);
  });
});

describe('createChatWriter', () => {
  test.each(vectors.chats)('writes "$text" as the reference does', ({ image, text, chat }) => {
    expect(createChatWriter(tinyA!.tokenizer)({ text, picture: image })).toBe(chat);
    expect(createChatWriter(tinyB!.tokenizer)({ text, picture: image })).toBe(chat);
  });

  test('names the template when it is damaged', () => {
    const files = { ...tinyA!.tokenizer, chatTemplate: '{% for turn in messages %}' };
    expect(() => createChatWriter(files)).toThrow(InvalidCheckpointError);
  });

  test('names the template when it refuses the message', () => {
    const files = { ...tinyA!.tokenizer, chatTemplate: "{{ raise_exception('no pictures') }}" };
    expect(() => createChatWriter(files)({ text: 'a', picture: true })).toThrow(/chat_template.*no pictures/);
  });
});

describe('readTokenizer', () => {
  const tokenizer = readTokenizer(tinyA!.tokenizer.tokenizer, tinyA!.tokenizer.config);

  test.each(vectors.strings)('gives $text the ids of the reference', ({ text, ids }) => {
    expect(tokenizer.encode(text).ids).toEqual(ids);
  });

  test('names the file when it is no tokenizer', () => {
    expect(() => readTokenizer({ model: { type: 'Abacus' } }, {})).toThrow(InvalidCheckpointError);
  });
});

describe.each(GOLDEN_CASES)('prompts of $name', ({ name, checkpoint, runs }) => {
  test.each(runs)('$name: chat text, ids and mask of the reference', async (run) => {
    const prompts = createPromptEncoder(await openCheckpoint(checkpoint));
    const golden = goldenTensors(`${name}/runs/${run.name}/tensors.safetensors`);
    const grid = golden.get('image_grid_thw')?.values.subarray(0, 3);
    const encoded = prompts.encode({
      instructions: [run.prompt].flat(),
      grid: grid && (Array.from(grid) as unknown as ImageGrid),
    });
    expect(encoded.chatTexts).toEqual(run.chat_text);
    expect(encoded.inputIds.shape).toEqual(golden.get('input_ids')!.shape);
    expect(Array.from(encoded.inputIds.values, Number)).toEqual(Array.from(golden.get('input_ids')!.values));
    expect(Array.from(encoded.attentionMask.values, Number)).toEqual(Array.from(golden.get('attention_mask')!.values));
  });
});

describe('what an instruction may not hold', () => {
  test.each(['', '   ', '\u001c\u3000\n'])('nothing but white space: %j', (instruction) => {
    expect(() => edit(instruction)).toThrow(InvalidInstructionError);
    expect(() => generate('a cat', instruction)).toThrow(InvalidInstructionError);
  });

  test('the placeholder of a picture', () => {
    expect(() => edit('put <|image_pad|> here')).toThrow(/without the placeholder of a picture.*<\|image_pad\|>/);
    expect(() => edit('make it snow', 'put <|placeholder|> here')).toThrow(InvalidInstructionError);
  });

  test('the start of a video, beside a picture', () => {
    expect(() => edit('play <|vision_start|><|video_pad|>')).toThrow(/start of a video/);
  });

  test('half a surrogate pair', () => {
    expect(() => generate('a \ud83d cat')).toThrow(/surrogate/);
  });

  test('what the error says can be shown to the user', () => {
    expect(() => edit('<|image_pad|>')).toThrow(expect.objectContaining({ instruction: '<|image_pad|>' }));
  });

  test('an empty list is refused', () => {
    expect(() => edit()).toThrow(InvalidArgumentError);
  });
});

describe('what an instruction may hold', () => {
  const { image_token_id, video_token_id, vision_start_token_id } = tinyA!.textEncoder.config;

  test('in text-to-image, the placeholder of a picture: a token like any other', () => {
    const [tokens] = generate('a <|image_pad|> cat').tokens;
    expect(tokens!.filter((id) => id === image_token_id)).toHaveLength(1);
  });

  test('other special tokens become those tokens', () => {
    const [tokens] = edit('end <|video_pad|> it <|vision_start|>').tokens;
    expect(tokens!.filter((id) => id === video_token_id)).toHaveLength(1);
    expect(tokens!.filter((id) => id === vision_start_token_id)).toHaveLength(2);
  });

  test('without a picture, the start of a video and the processor’s own placeholder', () => {
    expect(generate('<|vision_start|><|video_pad|>').tokens[0]).toContain(video_token_id);
    expect(generate('a <|placeholder|>').tokens[0]).not.toContain(image_token_id);
  });
});

describe('encode', () => {
  test('repeats the placeholder for every image token', () => {
    const [tokens] = edit('add a hat').tokens;
    expect(tokens!.filter((id) => id === tinyA!.textEncoder.config.image_token_id)).toHaveLength(6);
  });

  test('refuses a grid that is no single frame of whole merge blocks', () => {
    for (const grid of [
      [1, 3, 4],
      [2, 4, 4],
      [1, 0, 2],
      [1, 2.5, 2],
    ] as const) {
      expect(() => encoder.encode({ instructions: ['a'], grid })).toThrow(InvalidArgumentError);
    }
  });

  test('needs a padding token only where prompts differ in length', () => {
    const { pad_token: _, ...config } = tinyA!.tokenizer.config;
    const unpadded = createPromptEncoder({ ...tinyA!, tokenizer: { ...tinyA!.tokenizer, config } });
    expect(unpadded.encode({ instructions: ['a cat'], grid: undefined }).tokens).toHaveLength(1);
    expect(() => unpadded.encode({ instructions: ['a', 'a very big cat'], grid: undefined })).toThrow(/pad_token/);
  });

  test('refuses a template that leaves the picture out', () => {
    const chatTemplate = '{% for turn in messages %}{{ turn.content[-1].text }}{% endfor %}';
    const deaf = createPromptEncoder({ ...tinyA!, tokenizer: { ...tinyA!.tokenizer, chatTemplate } });
    expect(() => deaf.encode({ instructions: ['a cat'], grid: GRID })).toThrow(InvalidCheckpointError);
  });

  test('refuses a tokenizer that is larger than the vocabulary', () => {
    const { config } = tinyA!.textEncoder;
    const small = { ...config, text_config: { ...config.text_config, vocab_size: 100 } };
    const narrow = createPromptEncoder({ ...tinyA!, textEncoder: { ...tinyA!.textEncoder, config: small } });
    expect(() => narrow.encode({ instructions: ['a cat'], grid: undefined })).toThrow(InvalidCheckpointError);
  });

  test('refuses a config whose image token the tokenizer does not have', () => {
    const textEncoder = { ...tinyA!.textEncoder, config: { ...tinyA!.textEncoder.config, image_token_id: 999_999 } };
    expect(() => createPromptEncoder({ ...tinyA!, textEncoder })).toThrow(/image_token_id 999999/);
  });
});

import * as z from 'zod';
import { InvalidCheckpointError } from '../errors/invalid-checkpoint-error.js';
import type { TokenizerFiles } from './checkpoint.js';
import type { CheckpointFiles } from './checkpoint-files.js';
import { fields, parseConfig } from './config-fields.js';
import type { ImageProcessorConfig } from './configs.js';
import { parseImageProcessorConfig } from './image-processor-config.js';
import type { JsonObject, JsonValue } from './parse-json.js';

/** `tokenizer.json` of a 150,000 token vocabulary takes 11 MB. */
const MAX_TOKENIZER_BYTES = 32 * 2 ** 20;
const MAX_TOKENIZER_CONFIG_BYTES = 8 * 2 ** 20;

const anyObject = z.looseObject({}, { error: 'an object' });
const template = z.string({ error: 'the text of a Jinja template' }).min(1, { error: 'a template that is not empty' });
const templateFile = fields({ chat_template: template });
const configWithTemplate = z.looseObject(
  {
    chat_template: z
      .union([template, z.array(fields({ name: z.string(), template }), { error: 'a list of templates' })], {
        error: 'a template, or a list of named ones',
      })
      .nullish(),
  },
  { error: 'an object' },
);
const processorFile = fields({ image_processor: anyObject });

/**
 * Reads `tokenizer/`: `tokenizer.json`, `tokenizer_config.json` and the chat template, which stands in `chat_template.jinja`, in
 * `chat_template.json` or in the tokenizer's config, looked for in this order.
 * @throws {InvalidCheckpointError} when a file is missing or damaged.
 */
export async function readTokenizerFiles(files: CheckpointFiles): Promise<TokenizerFiles> {
  const tokenizer = await readTokenizer(files);
  const configName = 'tokenizer/tokenizer_config.json';
  const config = parseConfig({
    schema: configWithTemplate,
    value: await files.readJson(configName, { maxBytes: MAX_TOKENIZER_CONFIG_BYTES }),
    file: files.resolve(configName),
  });
  return { tokenizer, config, chatTemplate: await readChatTemplate(files, config.chat_template ?? undefined) };
}

/** Not read by `parseJson`: a vocabulary may well hold the token `__proto__`. */
async function readTokenizer(files: CheckpointFiles): Promise<Readonly<Record<string, unknown>>> {
  const name = 'tokenizer/tokenizer.json';
  const text = await files.readText(name, { maxBytes: MAX_TOKENIZER_BYTES });
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw new InvalidCheckpointError({ file: files.resolve(name), expected: 'JSON', received: String(cause), cause });
  }
  parseConfig({ schema: fields({ model: anyObject }), value, file: files.resolve(name) });
  return value as JsonObject;
}

async function readChatTemplate(
  files: CheckpointFiles,
  fromConfig: string | readonly { name: string; template: string }[] | undefined,
): Promise<string> {
  if (await files.has('tokenizer/chat_template.jinja')) return await files.readText('tokenizer/chat_template.jinja');
  const jsonName = 'tokenizer/chat_template.json';
  if (await files.has(jsonName)) {
    const value = await files.readJson(jsonName);
    return parseConfig({ schema: templateFile, value, file: files.resolve(jsonName) }).chat_template;
  }
  const found =
    typeof fromConfig === 'string' ? fromConfig : fromConfig?.find(({ name }) => name === 'default')?.template;
  if (found === undefined) {
    throw new InvalidCheckpointError({
      file: files.resolve('tokenizer'),
      expected: 'a chat template in chat_template.jinja, chat_template.json or tokenizer_config.json',
      received: 'none',
    });
  }
  return found;
}

/**
 * Reads the image processor's config: `tokenizer/preprocessor_config.json`, or the part of that name in `processor_config.json`.
 * @throws {InvalidCheckpointError} when both are missing or one is wrong.
 */
export async function readImageProcessorConfig(files: CheckpointFiles): Promise<ImageProcessorConfig> {
  const name = 'tokenizer/preprocessor_config.json';
  const newer = 'tokenizer/processor_config.json';
  if ((await files.has(name)) || !(await files.has(newer))) {
    return parseImageProcessorConfig({ value: await files.readJson(name), file: files.resolve(name) });
  }
  const file = files.resolve(newer);
  const value = await files.readJson(newer);
  parseConfig({ schema: processorFile, value, file });
  return parseImageProcessorConfig({ value: (value as JsonObject).image_processor!, file });
}

import { type ImageModelV3, InvalidArgumentError, NoSuchModelError, type ProviderV3 } from '@ai-sdk/provider';
import type { FetchFunction } from '@ai-sdk/provider-utils';
import type { Editor } from '@vibe-edit/core';
import { createEditorService } from './editor-service.js';
import { createHttpService } from './http-service.js';
import { createImageModel } from './image-model.js';

/** Pictures are made in this process. */
export interface VibeEditorOptions {
  /** An editor, whose maker closes it, or what opens one when it is first needed; that one is closed by the provider's `close`. */
  editor: Editor | (() => Editor | Promise<Editor>);
  /** Name of the one model there is. Default `default`. */
  modelId?: string;
}

/** Pictures are made by a server of vibe-edit. */
export interface VibeHttpOptions {
  /** Where its API begins, e.g. `http://localhost:8080/v1`. */
  baseURL: string;
  /** Default: none, for a server that asks this machine for none. */
  apiKey?: string;
  /** Model asked for where a call names none. Default: the one that the server has. */
  modelId?: string;
  /** Sent with every request. */
  headers?: Readonly<Record<string, string>>;
  /** In place of the global one: to go through a proxy, to log. */
  fetch?: FetchFunction;
}

export interface VibeProvider extends ProviderV3 {
  /**
   * The image model.
   * @param modelId Default: the `modelId` of the provider.
   * @throws {NoSuchModelError} for another than the one in this process; a server is asked when the model is used.
   */
  image(modelId?: string): ImageModelV3;
  imageModel(modelId: string): ImageModelV3;
  /** Closes the editor that the provider opened; a later call opens one again. An editor that was given stays open. */
  close(): Promise<void>;
}

const DEFAULT_MODEL = 'default';

/**
 * Makes a provider of images for Vercel's AI SDK: over an editor of this process, or over a server.
 *
 * @throws {InvalidArgumentError} of the AI SDK
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { generateImage } from 'ai';
 * import { createEditor } from 'vibe-edit';
 *
 * const vibe = createVibe({ editor: () => createEditor() });
 * const { image } = await generateImage({
 *   model: vibe.image(),
 *   prompt: { images: [await readFile('photo.jpg')], text: 'make it warmer' },
 * });
 * console.log(image.mediaType, image.uint8Array.length);
 * await vibe.close();
 * ```
 * @example
 * ```ts
 * const vibe = createVibe({ baseURL: 'http://localhost:8080/v1', apiKey: 'vibe_...' });
 * ```
 */
export function createVibe(options: VibeEditorOptions | VibeHttpOptions): VibeProvider {
  const { image, close } = 'editor' in options ? overEditor(options) : overHttp(options);
  const noSuch = (modelType: 'languageModel' | 'embeddingModel') => (modelId: string) => {
    throw new NoSuchModelError({ modelId, modelType });
  };
  return {
    specificationVersion: 'v3',
    image,
    imageModel: image,
    languageModel: noSuch('languageModel'),
    embeddingModel: noSuch('embeddingModel'),
    close,
  };
}

function overEditor({ editor, modelId: own = DEFAULT_MODEL, ...rest }: VibeEditorOptions) {
  if ('baseURL' in rest) throw invalid('baseURL', 'no baseURL beside an editor', 'both');
  const good = typeof editor === 'function' || typeof editor?.edit === 'function';
  if (!good) throw invalid('editor', 'an editor or a function that opens one', String(editor));
  const service = createEditorService(editor);
  return {
    image(modelId = own): ImageModelV3 {
      if (modelId !== own) {
        const message = `Expected the model ${JSON.stringify(own)} but received ${JSON.stringify(modelId)}`;
        throw new NoSuchModelError({ modelId, modelType: 'imageModel', message });
      }
      return createImageModel({ modelId, service });
    },
    close: () => service.close(),
  };
}

function overHttp({ baseURL, apiKey, modelId: own, headers, fetch }: VibeHttpOptions) {
  const url = checkedURL(baseURL);
  return {
    image(modelId = own): ImageModelV3 {
      const model = modelId === DEFAULT_MODEL ? undefined : modelId;
      const service = createHttpService({ baseURL: url, apiKey, headers, fetch, model });
      return createImageModel({ modelId: modelId ?? DEFAULT_MODEL, service });
    },
    async close() {},
  };
}

function checkedURL(baseURL: unknown): string {
  const expected = 'an http or https URL like http://localhost:8080/v1';
  if (typeof baseURL !== 'string' || !URL.canParse(baseURL)) throw invalid('baseURL', expected, String(baseURL));
  const { protocol } = new URL(baseURL);
  if (protocol !== 'http:' && protocol !== 'https:') throw invalid('baseURL', expected, baseURL);
  return baseURL.replace(/\/+$/, '');
}

function invalid(argument: string, expected: string, received: string): InvalidArgumentError {
  return new InvalidArgumentError({
    argument,
    message: `Expected ${expected} for ${argument} but received ${received}`,
  });
}

import { compose } from './container.js';
import { createEditedImage } from './edited-image.js';
import type { Editor, EditorOptions, EditRequest, EditResult, GenerateRequest } from './editor-types.js';
import { ClosedError } from './errors/closed-error.js';
import { decodeMask } from './image/mask.js';
import type { Raster8 } from './image/raster.js';
import type { ResolvedRequest } from './pipeline/request.js';
import { resolveRequest } from './resolve-request.js';
import { TOKENS } from './tokens.js';

/**
 * Opens an editor: a checkpoint, a backend and the pipeline between them. Components load when they are first used.
 *
 * @throws {InvalidCheckpointError} when the checkpoint cannot be run.
 * @throws {InvalidArgumentError} when an option is not what it should be.
 * @example
 * ```ts
 * import { createEditor } from '@vibe-edit/core';
 * import { cpu } from '@vibe-edit/adapters/cpu';
 *
 * const editor = await createEditor({ checkpoint: './VIBE-Image-Edit', backend: cpu() });
 * const { image } = await editor.edit({ image: 'photo.jpg', instruction: 'make it warmer' });
 * await image.toFile('warmer.png');
 * await editor.close();
 * ```
 */
export async function createEditor(options: EditorOptions): Promise<Editor> {
  const { container, close } = await compose(options);
  const checkpoint = container.resolve(TOKENS.checkpoint);
  const codec = container.resolve(TOKENS.imageCodec);
  const queue = container.resolve(TOKENS.workQueue);
  const pipeline = container.resolve(TOKENS.pipeline);
  const closing = new AbortController();
  const inFlight = new Set<Promise<unknown>>();

  const run = async (
    request: ResolvedRequest,
    call: EditRequest | GenerateRequest,
    decode: (signal: AbortSignal) => Promise<{ source: Raster8 | undefined; mask: Uint8Array | undefined }>,
  ): Promise<EditResult> => {
    const { signal, unlink } = linkSignals([closing.signal, call.signal]);
    const onProgress = call.onProgress ?? (() => {});
    const asked = performance.now();
    onProgress({ stage: 'queue', step: 0, steps: request.numInferenceSteps });
    const limit = options.maxQueued === undefined ? {} : { limit: options.maxQueued };
    const { result, queued, read } = await queue
      .run(
        async () => {
          const started = performance.now();
          const { source, mask } = await decode(signal);
          const decoded = performance.now();
          const result = await pipeline.run({ request, source, mask, signal, onProgress });
          return { result, queued: (started - asked) / 1000, read: (decoded - started) / 1000 };
        },
        { signal, ...limit },
      )
      .finally(unlink);
    const images = result.pictures.map((picture) =>
      createEditedImage({
        picture,
        codec,
        instruction: request.instructions[Math.floor(picture.index / request.numImages)] as string,
      }),
    );
    const [image] = images;
    if (image === undefined) throw new Error('An edit has at least one picture');
    return {
      images,
      image,
      width: image.width,
      height: image.height,
      seed: request.seed,
      warnings: result.warnings,
      seconds: { ...result.seconds, queue: queued, prepare: result.seconds.prepare + read },
    };
  };

  const track = async (work: () => Promise<EditResult>): Promise<EditResult> => {
    if (closing.signal.aborted) throw new ClosedError('editor');
    const promise = work();
    inFlight.add(promise);
    try {
      return await promise;
    } finally {
      inFlight.delete(promise);
    }
  };

  return {
    checkpoint,
    edit: (request) =>
      track(async () =>
        run(resolveRequest('edit', request, checkpoint), request, async (signal) => {
          const limits = { signal, ...(options.maxPixels !== undefined && { maxPixels: options.maxPixels }) };
          const { raster } = await codec.decode(request.image, limits);
          const mask =
            request.mask === undefined
              ? undefined
              : await decodeMask({ input: request.mask, codec, size: raster, ...limits });
          return { source: raster, mask };
        }),
      ),
    generate: (request) =>
      track(async () =>
        run(resolveRequest('generate', request, checkpoint), request, async () => ({
          source: undefined,
          mask: undefined,
        })),
      ),
    async close() {
      closing.abort(new ClosedError('editor'));
      await Promise.allSettled(inFlight);
      for (const plugin of options.plugins ?? []) await plugin.close?.();
      await close();
    },
  };
}

/**
 * A signal that is aborted when one of the others is, until it is unlinked. `AbortSignal.any` would leave something behind on a signal that
 * lives as long as the editor, with every edit.
 */
function linkSignals(sources: readonly (AbortSignal | undefined)[]): { signal: AbortSignal; unlink: () => void } {
  const controller = new AbortController();
  const links = sources
    .filter((source) => source !== undefined)
    .map((source) => ({ source, abort: () => controller.abort(source.reason) }));
  for (const { source, abort } of links) {
    if (source.aborted) abort();
    source.addEventListener('abort', abort, { once: true });
  }
  const unlink = (): void => {
    for (const { source, abort } of links) source.removeEventListener('abort', abort);
  };
  return { signal: controller.signal, unlink };
}

import type { SharedV3Warning } from '@ai-sdk/provider';
import type { Editor, EditResult } from '@vibe-edit/core';
import { toAiSdkError } from './editor-error.js';
import type { ImageRequest, ImageService, MadePicture } from './image-service.js';

/** An editor, or what opens one. */
export type EditorSource = Editor | (() => Editor | Promise<Editor>);

/** Makes pictures with an editor of this process. */
export function createEditorService(source: EditorSource): ImageService {
  let opened: Promise<Editor> | undefined;

  const open = async (): Promise<Editor> => {
    if (typeof source !== 'function') return source;
    if (opened !== undefined) return opened;
    // Calls at the same time share one editor; what could not be opened is tried again by the next call.
    const opening = (async () => source())();
    opened = opening;
    opening.catch(() => {
      if (opened === opening) opened = undefined;
    });
    return opening;
  };

  return {
    async make(request) {
      const editor = await unlessAborted(open(), request.signal);
      try {
        const result = await carryOut(editor, request);
        return { pictures: await encode(result, request), warnings: warningsOf(result), headers: undefined };
      } catch (error) {
        throw toAiSdkError(error, request);
      }
    },
    async close() {
      const closing = opened;
      opened = undefined;
      // One that could not be opened told its caller so.
      const editor = await closing?.catch(() => undefined);
      await editor?.close();
    },
  };
}

/** Waits no longer than until the abort. What is awaited goes on, for others. */
async function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return work;
  const stop = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: stop.signal });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    stop.abort();
  }
}

function carryOut(editor: Editor, request: ImageRequest): Promise<EditResult> {
  const { instruction, picture, mask, count, seed, size, options, signal } = request;
  const { numInferenceSteps, guidanceScale, imageGuidanceScale, preserve, geometry } = options;
  const common = {
    instruction,
    seed,
    numImages: count,
    ...(size !== undefined && { size }),
    ...(numInferenceSteps !== undefined && { numInferenceSteps }),
    ...(guidanceScale !== undefined && { guidanceScale }),
    ...(signal !== undefined && { signal }),
  };
  if (picture === undefined) return editor.generate(common);
  return editor.edit({
    ...common,
    image: picture.bytes,
    ...(mask !== undefined && { mask: mask.bytes }),
    ...(imageGuidanceScale !== undefined && { imageGuidanceScale }),
    ...(preserve !== undefined && { preserve }),
    ...(geometry !== undefined && { geometry }),
  });
}

/** One after the other: a picture's file takes several times its pixels while it is written. */
async function encode({ images }: EditResult, { options, signal }: ImageRequest): Promise<MadePicture[]> {
  const { outputFormat = 'png', outputQuality: quality } = options;
  const pictures: MadePicture[] = [];
  for (const image of images) {
    signal?.throwIfAborted();
    const data = await image.toBuffer(outputFormat, quality === undefined ? {} : { quality });
    pictures.push({ data, width: image.width, height: image.height });
  }
  return pictures;
}

function warningsOf({ warnings }: EditResult): SharedV3Warning[] {
  return warnings.map(({ message }) => ({ type: 'other', message }));
}

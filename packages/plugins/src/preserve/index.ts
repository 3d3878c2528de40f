import type { Plugin } from '@vibe-edit/core/runtime';
import { createPreserve, type PreserveOptions } from './create-preserve.js';
import { createThreadRunner } from './thread-runner.js';

export type { PreserveOptions } from './create-preserve.js';

/**
 * Keeps what the instruction did not ask to change, at the source's full resolution.
 *
 * A decoded picture has the autoencoder's softness and the working size. So only the *change* is taken from it: an affine colour
 * transform for every place and luma, fitted between what the autoencoder makes of the source and the decoded edit, and applied to the
 * source's own pixels. Alpha stays as it was. The request (or the checkpoint's default) says how:
 *
 * - `preserve: 'off'`: nothing; the decoded picture is enlarged
 * - `preserve: 'tone'`: the colour transform, everywhere
 * - `preserve: 'auto'`: the colour transform; where it does not explain the edit, because content is new, the decoded pixels,
 *   enlarged, through a soft mask. Where nothing is new the mask is exactly 0.
 *
 * An edit that leaves the picture as it was gives back the source, bit by bit. The plugin needs geometry `exact`: with another one, which
 * moves the picture, it does nothing and adds the warning `preserve-skipped`.
 *
 * The pixels are worked on in a thread, a strip at a time: the event loop stays free, and a photo of 24 megapixels takes a few seconds and,
 * beside the result, some 100 MB. In a browser the work is done on the page's thread in slices of a few milliseconds.
 *
 * @throws {InvalidArgumentError} an option is out of range
 * @example
 * ```ts
 * import { createEditor, preserve } from 'vibe-edit';
 *
 * const editor = await createEditor({ plugins: [preserve({ contentThreshold: 3 })] });
 * const { image } = await editor.edit({ image: 'photo.jpg', instruction: 'add a hat', preserve: 'auto' });
 * ```
 */
export function preserve(options?: PreserveOptions): Plugin {
  return createPreserve(createThreadRunner, options);
}

import { cpu } from '@vibe-edit/adapters/cpu';
import { createEditor as createCoreEditor, type Editor, type EditorOptions } from '@vibe-edit/core';
import { checkpointPath } from '@vibe-edit/model-nano';
import { defaultPlugins } from './default-plugins.js';

/**
 * Opens an editor. Everything has a default: the embedded checkpoint, the CPU backend in a child process, and two plugins.
 *
 * @param options.checkpoint Default: the small checkpoint that comes with this package.
 * @param options.backend Default: `cpu()`.
 * @param options.plugins Default: `[preserve(), inTurn()]`. A list of your own replaces it.
 * @throws {InvalidCheckpointError} when the checkpoint cannot be run.
 * @throws {InvalidArgumentError} when an option is not what it should be.
 * @example
 * ```ts
 * import { createEditor } from 'vibe-edit';
 *
 * const editor = await createEditor();
 * const { image } = await editor.edit({ image: 'photo.jpg', instruction: 'make it warmer' });
 * await image.toFile('warmer.png');
 * await editor.close();
 * ```
 */
export async function createEditor(options: Partial<EditorOptions> = {}): Promise<Editor> {
  return await createCoreEditor({
    ...options,
    checkpoint: options.checkpoint ?? checkpointPath,
    backend: options.backend ?? cpu(),
    plugins: options.plugins ?? defaultPlugins(),
  });
}

import type { BackendDescription, Editor, PulledCheckpoint, PullOptions } from '@vibe-edit/core';
import { type BackendName, describeBackend } from './backends.js';

export interface OpenEditorOptions {
  /** Folder or `OWNER/NAME[@REVISION]`; default: the embedded checkpoint. */
  readonly checkpoint?: string;
  readonly backend: BackendName;
  /** Write instruction, seed and checkpoint into the pictures. */
  readonly provenance?: boolean;
}

/** What the commands do their work with. */
export interface Services {
  openEditor(options: OpenEditorOptions): Promise<Editor>;
  pullCheckpoint(options: PullOptions): Promise<PulledCheckpoint>;
  describeBackend(name: BackendName): Promise<BackendDescription>;
}

/** The SDK. Its parts are loaded when they are needed, so that `--help` is there at once. */
export const sdkServices: Services = {
  async openEditor({ checkpoint, backend, provenance: stamped = false }) {
    const { createEditor, provenance } = await import('../index.js');
    const { defaultPlugins } = await import('../default-plugins.js');
    const { blockOtherLoaders } = await import('@vibe-edit/core');
    // This process reads the pictures of strangers with nothing but the codec.
    await blockOtherLoaders();
    return createEditor({
      backend: await describeBackend(backend),
      plugins: [...defaultPlugins(), ...(stamped ? [provenance()] : [])],
      ...(checkpoint !== undefined && { checkpoint }),
    });
  },
  pullCheckpoint: async (options) => (await import('@vibe-edit/core')).pullCheckpoint(options),
  describeBackend,
};

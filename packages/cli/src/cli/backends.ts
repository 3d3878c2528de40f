import type { BackendDescription } from '@vibe-edit/core';

/** The backends that `--backend` takes, the default first. A backend's module is loaded when it is asked for. */
const BACKENDS = {
  cpu: async () => (await import('@vibe-edit/adapters/cpu')).cpu(),
  webgpu: async () => (await import('@vibe-edit/adapters/webgpu')).webgpu(),
  cuda: async () => {
    const { cuda, requireCuda } = await import('@vibe-edit/adapters/cuda');
    // A server had better not start than fail with every job.
    await requireCuda();
    return cuda();
  },
} as const satisfies Record<string, () => Promise<BackendDescription>>;

export type BackendName = keyof typeof BACKENDS;

export const BACKEND_NAMES = ['cpu', 'webgpu', 'cuda'] as const satisfies readonly BackendName[];

/**
 * Describes a backend by its name.
 * @throws {BackendUnavailableError} when it is already clear that it cannot run here.
 */
export function describeBackend(name: BackendName): Promise<BackendDescription> {
  return BACKENDS[name]();
}

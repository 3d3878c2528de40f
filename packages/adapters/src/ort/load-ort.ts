import { BackendUnavailableError } from '@vibe-edit/core/runtime';

export type Ort = typeof import('onnxruntime-node');

/**
 * Loads ONNX Runtime's Node binding, a native library, when it is first needed.
 * @throws {BackendUnavailableError} when it is not installed or there is no build of it for this machine.
 */
export async function loadOrt(backend: string): Promise<Ort> {
  try {
    const binding: Partial<Record<'default', Ort>> & Ort = await import('onnxruntime-node');
    // A CommonJS package: loaders that compile TypeScript on the fly take its exports apart and have no default.
    return binding.default ?? binding;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    const reason =
      `onnxruntime-node cannot be loaded on ${process.platform} ${process.arch} (${why}). ` +
      'Install it with `npm install onnxruntime-node`; it has builds for Linux, macOS and Windows on x64 and arm64';
    throw new BackendUnavailableError({ backend, reason, cause });
  }
}

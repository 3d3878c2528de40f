/** How ONNX Runtime reports an error of the CUDA runtime. */
const CUDA_FAILURE = /\bCUDA failure (\d+): ([^;]*[^;\s])/;

/**
 * Errors of the CUDA runtime that say that a device cannot be used at all: the driver is too old, no or another device, one that this
 * build has no code for, a driver that is not set up. Others, such as memory that is used up, are of the work at hand.
 */
const UNUSABLE = new Set([35, 46, 100, 101, 209, 802, 803, 804, 999]);

/** Why a device cannot be used, when an error of session creation says so. */
export function deviceFault(message: string, deviceId: number): string | undefined {
  if (message.includes('Failed to load shared library')) {
    return (
      "ONNX Runtime's CUDA provider is there but cannot be loaded. It must be of the version of onnxruntime-node: its install script, " +
      'run with ONNXRUNTIME_NODE_INSTALL=true, fetches that'
    );
  }
  const [, code, text] = CUDA_FAILURE.exec(message) ?? [];
  if (code === undefined || !UNUSABLE.has(Number(code))) return undefined;
  return `expected an NVIDIA GPU that CUDA 12 can use as device ${deviceId} but CUDA says: ${text} (error ${code})`;
}

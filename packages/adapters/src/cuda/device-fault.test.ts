import { expect, test } from 'vitest';
import { deviceFault } from './device-fault.js';

/** As ONNX Runtime words an error of the CUDA runtime. */
const failure = (code: number, text: string): string =>
  `/src/cuda_call.cc:123 CUDA failure ${code}: ${text} ; GPU=-1 ; hostname=box ; file=/src/x.cc ; line=1 ; expr=cudaSetDevice(1);`;

test.each([
  [100, 'no CUDA-capable device is detected'],
  [101, 'invalid device ordinal'],
  [35, 'CUDA driver version is insufficient for CUDA runtime version'],
])('error %i means that the device cannot be used', (code, text) => {
  expect(deviceFault(failure(code, text), 1)).toMatch(
    new RegExp(`device 1 but CUDA says: ${text} \\(error ${code}\\)$`),
  );
});

test('memory that is used up is not a missing device', () => {
  expect(deviceFault(failure(2, 'out of memory'), 0)).toBeUndefined();
  expect(deviceFault('This is an invalid model', 0)).toBeUndefined();
});

test('a provider that cannot be loaded is one of another version', () => {
  const message = 'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library';
  expect(deviceFault(message, 0)).toContain('of the version of onnxruntime-node');
});

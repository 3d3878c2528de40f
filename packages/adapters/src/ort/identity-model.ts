const FLOAT = 1;
const IR_VERSION = 10;
const OPSET = 22;

/**
 * An ONNX model of one node that returns its float32 input of any shape. Running it with the output on the CPU is the one safe
 * way to read a tensor that lies on a GPU: asking the tensor itself for its data aborts the process.
 */
export function identityModel(): Uint8Array {
  const node = [...text(1, 'x'), ...text(2, 'y'), ...text(4, 'Identity')];
  const type = field(2, field(1, integer(1, FLOAT)));
  const graph = [
    ...field(1, node),
    ...text(2, 'identity'),
    ...field(11, [...text(1, 'x'), ...type]),
    ...field(12, [...text(1, 'y'), ...type]),
  ];
  return Uint8Array.from([...integer(1, IR_VERSION), ...field(7, graph), ...field(8, integer(2, OPSET))]);
}

// Protocol buffers: every number and length here is under 128, so each is one byte.

function integer(tag: number, value: number): number[] {
  return [tag << 3, value];
}

function field(tag: number, bytes: readonly number[]): number[] {
  return [(tag << 3) | 2, bytes.length, ...bytes];
}

function text(tag: number, value: string): number[] {
  return field(tag, [...new TextEncoder().encode(value)]);
}

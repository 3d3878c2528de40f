import { InvalidCheckpointError, type TensorInfo } from '@vibe-edit/core/runtime';
import type { Attribute, Constant, Graph, Node, Value } from '../ir/graph.js';
import { ONNX_TYPE } from '../ir/ops.js';
import { storedType } from '../ir/stored-type.js';
import { ProtobufWriter } from './protobuf-writer.js';

const IR_VERSION = 10;
/** Kernels match their schema's exact version: 22 is the newest opset that every provider has kernels for. */
const OPSET = 22;

/**
 * Writes a graph as an ONNX ModelProto. Weights are external data: name, offset and length in their safetensors file,
 * relative to `weightsRoot`. What has another type in its file than in the graph is padded and cast by nodes; these come first,
 * so that a runtime that does not fold them frees each result soon.
 */
export function serializeModel(graph: Graph, weightsRoot: string): Uint8Array {
  const writer = new ProtobufWriter();
  writer.integer(1, IR_VERSION);
  writer.string(2, 'vibe-edit');
  writer.message(7, (proto) => writeGraph(proto, graph, weightsRoot));
  writer.message(8, (proto) => proto.string(1, '').integer(2, OPSET));
  writer.message(8, (proto) => proto.string(1, 'com.microsoft').integer(2, 1));
  return writer.finish().slice();
}

function writeGraph(writer: ProtobufWriter, graph: Graph, weightsRoot: string): void {
  const all = [...graph.weights.values()];
  const weights = all.filter(({ isInput }) => !isInput);
  for (const { value, tensor, padding } of weights) {
    if (storedType(tensor) === value.dtype) continue;
    const prepare = (opType: string, attributes: Node['attributes'], inputs: Value[], output: Value): void => {
      const name = `${value.name}/${opType}`;
      writer.message(1, (proto) =>
        writeNode(proto, { name, opType, domain: '', attributes, inputs, outputs: [output] }),
      );
    };
    let stored = { ...value, name: storedName(value) };
    if (padding !== undefined) {
      const padded = { ...value, name: `${stored.name}.padded` };
      prepare('Concat', { axis: 1 }, [stored, padding], padded);
      stored = padded;
    }
    prepare('Cast', { to: ONNX_TYPE[value.dtype] }, [stored], value);
  }
  for (const node of graph.nodes) writer.message(1, (proto) => writeNode(proto, node));
  writer.string(2, graph.name);
  for (const constant of graph.constants.values()) writer.message(5, (proto) => writeConstant(proto, constant));
  for (const { value, tensor } of weights) writer.message(5, (proto) => writeWeight(proto, value, tensor, weightsRoot));
  const weightInputs = all.filter(({ isInput }) => isInput).map(({ value }) => value);
  for (const value of [...graph.inputs, ...weightInputs]) writer.message(11, (proto) => writeValueInfo(proto, value));
  for (const value of [...graph.outputs, ...graph.taps]) writer.message(12, (proto) => writeValueInfo(proto, value));
}

function storedName(value: Value): string {
  return `${value.name}.stored`;
}

function writeNode(writer: ProtobufWriter, node: Node): void {
  for (const input of node.inputs) writer.string(1, input?.name ?? '');
  for (const output of node.outputs) writer.string(2, output.name);
  writer.string(3, node.name).string(4, node.opType);
  for (const [name, value] of Object.entries(node.attributes)) {
    writer.message(5, (proto) => writeAttribute(proto, name, value));
  }
  writer.string(7, node.domain);
}

function writeAttribute(writer: ProtobufWriter, name: string, value: Attribute): void {
  writer.string(1, name);
  if (typeof value === 'number') writer.integer(3, value).integer(20, 2);
  else if (typeof value === 'string') writer.string(4, value).integer(20, 3);
  else if ('float' in value) writer.float(2, value.float).integer(20, 1);
  else {
    for (const item of value) writer.integer(8, item);
    writer.integer(20, 7);
  }
}

function writeConstant(writer: ProtobufWriter, { value, bytes }: Constant): void {
  for (const size of value.shape) writer.integer(1, Number(size));
  writer.integer(2, ONNX_TYPE[value.dtype]).string(8, value.name).bytes(9, bytes);
}

function writeWeight(writer: ProtobufWriter, value: Value, tensor: TensorInfo, weightsRoot: string): void {
  const stored = storedType(tensor);
  for (const size of tensor.shape) writer.integer(1, size);
  writer.integer(2, ONNX_TYPE[stored]).string(8, stored === value.dtype ? value.name : storedName(value));
  const entries = {
    location: relativePath(weightsRoot, tensor),
    offset: String(tensor.offset),
    length: String(tensor.byteLength),
  };
  for (const [key, entry] of Object.entries(entries))
    writer.message(13, (proto) => proto.string(1, key).string(2, entry));
  writer.integer(14, 1);
}

function writeValueInfo(writer: ProtobufWriter, value: Value): void {
  writer.string(1, value.name);
  writer.message(2, (type) =>
    type.message(1, (tensor) => {
      tensor.integer(1, ONNX_TYPE[value.dtype]);
      tensor.message(2, (shape) => {
        for (const dim of value.shape) {
          shape.message(1, (proto) => (typeof dim === 'number' ? proto.integer(1, dim) : proto.string(2, dim)));
        }
      });
    }),
  );
}

function relativePath(root: string, tensor: TensorInfo): string {
  const file = tensor.file.replaceAll('\\', '/');
  const folder = `${root.replaceAll('\\', '/').replace(/\/$/, '')}/`;
  if (!file.startsWith(folder)) {
    throw new InvalidCheckpointError({
      file: tensor.file,
      tensor: tensor.name,
      expected: `a file inside ${root}`,
      received: tensor.file,
    });
  }
  return file.slice(folder.length);
}

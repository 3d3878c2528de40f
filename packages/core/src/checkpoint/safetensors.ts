import { InvalidCheckpointError } from '../errors/invalid-checkpoint-error.js';
import { decodeUtf8, describeValue, type JsonObject, type JsonValue, parseJson } from './parse-json.js';
import type { TensorInfo } from './tensor-info.js';

/** Bytes of one element. */
export const SAFETENSORS_ITEM_SIZE: Readonly<Record<TensorInfo['dtype'], number>> = {
  F64: 8,
  I64: 8,
  F32: 4,
  I32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

/** What precedes the JSON header: its length as a little-endian uint64. */
export const SAFETENSORS_PREFIX_BYTES = 8;
/** Longest JSON header that is read. The format allows 100 MB; a hundred thousand tensors fit in this. */
export const SAFETENSORS_MAX_HEADER_BYTES = 16 * 2 ** 20;

const MAX_TENSORS = 100_000;
const MAX_NAME_LENGTH = 512;
const MAX_RANK = 8;

export interface SafetensorsHeader {
  /** The tensors, in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** The file's `__metadata__`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Where the tensors' bytes begin in the file. */
  readonly dataOffset: number;
}

export interface SafetensorsSource {
  /** The file's leading bytes. */
  bytes: Uint8Array;
  /** Size of the whole file, bytes. */
  fileSize: number;
  /** Path: goes into `TensorInfo.file` and into errors. */
  file: string;
}

/**
 * Length of the JSON header in bytes, from the file's first eight.
 * @throws {InvalidCheckpointError} when the file is too short for it or it is longer than any honest header.
 */
export function safetensorsHeaderLength({ bytes, fileSize, file }: SafetensorsSource): number {
  if (bytes.length < SAFETENSORS_PREFIX_BYTES || fileSize < SAFETENSORS_PREFIX_BYTES) {
    throw new InvalidCheckpointError({
      file,
      expected: 'a safetensors file of at least 8 bytes',
      received: `${Math.min(fileSize, bytes.length)} bytes`,
    });
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true);
  const limit = Math.min(fileSize - SAFETENSORS_PREFIX_BYTES, SAFETENSORS_MAX_HEADER_BYTES);
  if (length < 2n || length > BigInt(limit)) {
    throw new InvalidCheckpointError({
      file,
      expected: `a header length from 2 to ${limit}`,
      received: String(length),
    });
  }
  return Number(length);
}

/**
 * Reads the header of a safetensors file and checks all of it: known dtypes, shapes whose product times the element size is the
 * size of the byte range, ranges that lie side by side and fill the file exactly, no name twice. `bytes` must hold the prefix and
 * the header; the weights are not looked at.
 * Format: https://github.com/huggingface/safetensors.
 * @throws {InvalidCheckpointError} naming the file, the tensor, what was expected and what came.
 */
export function parseSafetensorsHeader({ bytes, fileSize, file }: SafetensorsSource): SafetensorsHeader {
  const length = safetensorsHeaderLength({ bytes, fileSize, file });
  const dataOffset = SAFETENSORS_PREFIX_BYTES + length;
  if (bytes.length < dataOffset) {
    throw new InvalidCheckpointError({
      file,
      expected: `${dataOffset} bytes of header`,
      received: `${bytes.length} bytes`,
    });
  }
  const json = bytes.subarray(SAFETENSORS_PREFIX_BYTES, dataOffset);
  // The format wants the brace first: no byte-order mark, no space.
  if (json[0] !== 0x7b) {
    throw new InvalidCheckpointError({ file, expected: 'a header that begins with "{"', received: `byte ${json[0]}` });
  }
  const header = parseJson({ text: decodeUtf8({ bytes: json, file }), file });
  if (!isObject(header)) {
    throw new InvalidCheckpointError({ file, expected: 'a JSON object as header', received: describeValue(header) });
  }

  const metadata = parseMetadata(header.__metadata__, file);
  const entries: TensorInfo[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    if (entries.length === MAX_TENSORS) {
      throw new InvalidCheckpointError({ file, expected: `at most ${MAX_TENSORS} tensors`, received: 'more' });
    }
    entries.push(parseEntry({ name, entry, dataOffset, dataSize: fileSize - dataOffset, file }));
  }
  entries.sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  checkContiguous({ entries, dataOffset, fileSize, file });
  return { tensors: new Map(entries.map((info) => [info.name, info])), metadata, dataOffset };
}

function parseMetadata(value: JsonValue | undefined, file: string): Record<string, string> {
  if (value === undefined) return {};
  const fault = { file, expected: '__metadata__ to map text to text' };
  if (!isObject(value)) throw new InvalidCheckpointError({ ...fault, received: describeValue(value) });
  const metadata: Record<string, string> = {};
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw new InvalidCheckpointError({ ...fault, received: describeValue(text) });
    metadata[key] = text;
  }
  return metadata;
}

interface EntrySource {
  name: string;
  entry: JsonValue | undefined;
  dataOffset: number;
  dataSize: number;
  file: string;
}

function parseEntry({ name, entry, dataOffset, dataSize, file }: EntrySource): TensorInfo {
  if (name.length === 0 || name.length > MAX_NAME_LENGTH) {
    throw new InvalidCheckpointError({
      file,
      expected: `tensor names of 1 to ${MAX_NAME_LENGTH} characters`,
      received: `one of ${name.length}`,
    });
  }
  const fail = (expected: string, received: string): never => {
    throw new InvalidCheckpointError({ file, tensor: name, expected, received });
  };
  if (!isObject(entry)) return fail('a JSON object', describeValue(entry));
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !isDType(dtype)) {
    return fail(`dtype to be one of ${Object.keys(SAFETENSORS_ITEM_SIZE).join(', ')}`, describeValue(dtype));
  }
  if (!isSizes(shape) || shape.length > MAX_RANK) {
    return fail(`shape to be at most ${MAX_RANK} whole numbers >= 0`, describeValue(shape));
  }
  if (!isSizes(offsets) || offsets.length !== 2)
    return fail('data_offsets to be two whole numbers >= 0', describeValue(offsets));
  const [begin, end] = offsets as readonly [number, number];
  if (begin > end || end > dataSize) {
    return fail(`data_offsets in order and within the ${dataSize} bytes of data`, describeValue(offsets));
  }
  // Exact as long as no intermediate product passes 2^53; past that it cannot equal a byte range either.
  const byteLength = shape.reduce((product, size) => product * size, SAFETENSORS_ITEM_SIZE[dtype]);
  if (byteLength !== end - begin) {
    return fail(`${byteLength} bytes for ${dtype} [${shape.join(', ')}]`, `${end - begin} bytes`);
  }
  return { name, dtype, shape, file, offset: dataOffset + begin, byteLength };
}

interface Layout {
  entries: readonly TensorInfo[];
  dataOffset: number;
  fileSize: number;
  file: string;
}

/** The format forbids gaps, overlaps and bytes after the last tensor. */
function checkContiguous({ entries, dataOffset, fileSize, file }: Layout): void {
  let end = dataOffset;
  for (const { name, offset, byteLength } of entries) {
    if (offset !== end) {
      throw new InvalidCheckpointError({
        file,
        tensor: name,
        expected: `bytes from ${end - dataOffset} of the data on, right behind the tensor before it`,
        received: `${offset - dataOffset}`,
      });
    }
    end += byteLength;
  }
  if (end !== fileSize) {
    throw new InvalidCheckpointError({ file, expected: `a file of ${end} bytes`, received: `${fileSize} bytes` });
  }
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDType(name: string): name is TensorInfo['dtype'] {
  return Object.hasOwn(SAFETENSORS_ITEM_SIZE, name);
}

function isSizes(value: JsonValue | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0);
}

import { readFile, writeFile } from 'node:fs/promises';

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** A tensor of a safetensors file and where its bytes lie. */
export interface EditableTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Buffer;
}

/** Rewrites a safetensors file: `edit` may change the bytes of tensors, take some out and add others. */
export async function editTensors(file: string, edit: (tensors: Map<string, EditableTensor>) => void): Promise<void> {
  const content = await readFile(file);
  const start = 8 + Number(content.readBigUInt64LE(0));
  const header = JSON.parse(content.toString('utf8', 8, start)) as Record<string, Entry>;
  delete header.__metadata__;
  const tensors = new Map<string, EditableTensor>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    const bytes = content.subarray(start + data_offsets[0], start + data_offsets[1]);
    tensors.set(name, { dtype, shape, bytes: Buffer.from(bytes) });
  }
  edit(tensors);
  let offset = 0;
  const entries = [...tensors].map(([name, { dtype, shape, bytes }]) => {
    const data_offsets = [offset, offset + bytes.length];
    offset += bytes.length;
    return [name, { dtype, shape, data_offsets }];
  });
  const text = JSON.stringify(Object.fromEntries(entries));
  const json = Buffer.from(text);
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, ' ');
  json.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  await writeFile(file, Buffer.concat([length, padded, ...[...tensors.values()].map(({ bytes }) => bytes)]));
}

/** Adds to the first number of a float32 or int64 tensor, whose name may be followed by how it was thinned out. */
export function addTo(tensors: ReadonlyMap<string, EditableTensor>, name: string, amount: number): void {
  const [, tensor] = [...tensors].find(([key]) => key === name || key.startsWith(`${name}[`)) ?? [];
  if (tensor === undefined) throw new Error(`No tensor ${name}`);
  const { dtype, bytes } = tensor;
  if (dtype === 'F32') bytes.writeFloatLE(bytes.readFloatLE(0) + amount, 0);
  else if (dtype === 'I64') bytes.writeBigInt64LE(bytes.readBigInt64LE(0) + BigInt(amount), 0);
  else throw new Error(`${name} is of type ${dtype}`);
}

/** Rewrites a JSON file. */
export async function editJson<Value>(file: string, edit: (value: Value) => void): Promise<void> {
  const value = JSON.parse(await readFile(file, 'utf8')) as Value;
  edit(value);
  await writeFile(file, JSON.stringify(value));
}

import { readFile } from 'node:fs/promises';

/** The float32 tensors of a safetensors file by name. */
export async function readTensors(file: string): Promise<Map<string, Float32Array>> {
  const bytes = await readFile(file);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, start)) as Record<string, { data_offsets?: [number, number] }>;
  const tensors = new Map<string, Float32Array>();
  for (const [name, { data_offsets: offsets }] of Object.entries(header)) {
    if (offsets === undefined) continue;
    const [from, to] = offsets;
    tensors.set(name, new Float32Array(new Uint8Array(bytes.subarray(start + from, start + to)).buffer));
  }
  return tensors;
}

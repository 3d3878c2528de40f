import { fileURLToPath } from 'node:url';
import type { Component } from '../backend/component.js';
import { type DType, type HostTensor, hostTensor, type TensorData } from '../backend/tensor.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { openCheckpoint } from '../checkpoint/open-checkpoint.js';
import { type LoadedTensor, readSafetensorsFile } from '../checkpoint/safetensors-file.js';

/** Inputs of one call of a component, and what the published implementation returns for them. */
export interface ConformanceCase {
  readonly inputs: Readonly<Record<string, HostTensor>>;
  /** None for the `transformerContext`, whose outputs only the transformer understands. */
  readonly outputs: Readonly<Record<string, HostTensor<'float32'>>>;
}

export interface ConformanceData {
  readonly checkpoint: Checkpoint;
  /** Cases of a component; they differ in every symbolic dimension. */
  cases(component: Component): readonly ConformanceCase[];
}

// Beside `src` and `dist` alike.
const FOLDER = new URL('../../fixtures/conformance/', import.meta.url);
const DTYPES: Readonly<Partial<Record<LoadedTensor['dtype'], DType>>> = { F32: 'float32', I64: 'int64', U8: 'uint8' };

/** The suite's own checkpoint and its expected outputs, which `fixtures/conformance/make.py` made. */
export async function loadConformanceData(): Promise<ConformanceData> {
  const checkpoint = await openCheckpoint(fileURLToPath(new URL('checkpoint', FOLDER)));
  const loaded = await readSafetensorsFile(fileURLToPath(new URL('expected.safetensors', FOLDER)));
  const tensors = new Map([...loaded].map(([path, tensor]) => [path, toHostTensor(tensor)]));
  const group = (prefix: string): Record<string, HostTensor> =>
    Object.fromEntries(
      [...tensors]
        .filter(([path]) => path.startsWith(prefix))
        .map(([path, tensor]) => [path.slice(prefix.length), tensor]),
    );
  return {
    checkpoint,
    cases: (component) => {
      const paths = [...tensors.keys()].filter((path) => path.startsWith(`${component}/`));
      const indices = [...new Set(paths.map((path) => path.split('/')[1] as string))].sort();
      return indices.map((index) => ({
        inputs: group(`${component}/${index}/inputs/`),
        outputs: group(`${component}/${index}/outputs/`) as ConformanceCase['outputs'],
      }));
    },
  };
}

function toHostTensor({ dtype, shape, values }: LoadedTensor): HostTensor {
  const known = DTYPES[dtype];
  if (known === undefined) throw new TypeError(`Expected F32, I64 or U8 in the expected outputs but received ${dtype}`);
  return hostTensor(known, shape, values as TensorData[DType]);
}

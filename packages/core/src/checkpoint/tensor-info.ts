/** Where one weight lies in a checkpoint's files. */
export interface TensorInfo {
  /** Key in the state dict, e.g. `transformer_blocks.0.attn1.to_q.weight`. */
  readonly name: string;
  readonly dtype: 'F32' | 'F16' | 'BF16' | 'F64' | 'I64' | 'I32' | 'I16' | 'I8' | 'U8' | 'BOOL';
  readonly shape: readonly number[];
  /** Absolute path of the file, symlinks resolved. */
  readonly file: string;
  /** Where its bytes begin in the file. */
  readonly offset: number;
  readonly byteLength: number;
}

/** The weights of one component folder, by key. */
export type StateDict = ReadonlyMap<string, TensorInfo>;

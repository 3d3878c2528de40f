/**
 * What a graph is compiled for. A model definition never asks which backend it is for: it asks these.
 */
export interface CompileTarget {
  /**
   * Softmax attention of the vision-language model: `fused` is one node (MultiHeadAttention, GroupQueryAttention; the fastest on
   * CPU, but CUDA has no GroupQueryAttention in float32), `plain` is MatMul and Softmax, which every provider computes right.
   */
  readonly attention: 'fused' | 'plain';
  /**
   * The table of token embeddings: `stored` reads rows in the type of the file and converts only those (the table is the largest
   * weight of all), `float32` converts the table, for providers that cannot read rows of bfloat16 or float16.
   */
  readonly embeddings: 'stored' | 'float32';
  /**
   * Matrices of at least this many elements that are not float32 in their file become inputs of the graph, named in
   * `CompiledModel.weightInputs`, for a backend that converts them itself, faster than a runtime that does it on one thread.
   * Kernels of wider convolutions never do: runtimes reorder them when a session is made. Default: none.
   */
  readonly matrixInputs?: number;
  /**
   * Linear layers whose input is a multiple of this (16 or more) wide get some zeros more to multiply with, which change nothing: rows
   * that lie a power of two apart displace each other in a processor's first cache. Each run copies the stored weight for it, so that
   * it pays from some 300 rows on. Only weights that the graph converts. Default: none.
   */
  readonly crowdedWidth?: number;
}

export const DEFAULT_TARGET: CompileTarget = { attention: 'plain', embeddings: 'float32' };

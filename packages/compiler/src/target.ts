/**
 * What a graph is compiled for. A model definition never asks which backend it is for: it asks these.
 */
export interface CompileTarget {
  /**
   * Causal self-attention of the language model: `fused` is one GroupQueryAttention node (the fastest on CPU and CUDA), `plain` is
   * MatMul and Softmax, which every provider computes right.
   */
  readonly attention: 'fused' | 'plain';
}

export const DEFAULT_TARGET: CompileTarget = { attention: 'plain' };

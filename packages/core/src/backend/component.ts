/**
 * The parts of a checkpoint that a backend can open, and what goes in and out of each. Names in brackets are symbolic
 * dimensions: one session serves every value of them. All floats are float32 at the boundary.
 *
 * - **visionEncoder**: in `pixel_codes` uint8 [patches, channels, patch, patch] (value = code / 127.5 - 1; patches in
 *   merge-block order, every temporal frame the same), `position_indices` int64 [4, patches] and `position_weights`
 *   [4, patches] (bilinear neighbours in the position table), `rotary_cos` and `rotary_sin` [patches, head_dim].
 *   Out `image_embeds` [image_tokens, hidden], `deepstack.N` [image_tokens, hidden].
 * - **textEncoder**: in `input_ids` int64 [batch, sequence] (0 at places of meta queries), `embedding_index` int64
 *   [batch, sequence] (row of the concatenation: token embeddings of `input_ids` [batch * sequence], then `image_embeds`
 *   [image_tokens], then the meta queries), `deepstack_index` int64 [batch, sequence] (0: nothing is added; n: row n - 1 of every
 *   `deepstack.N`), `image_embeds` and `deepstack.N` [image_tokens, hidden] (one row of zeros where there is no
 *   picture), `rotary_cos` and `rotary_sin` [batch, sequence, head_dim], `row_index` int64
 *   [batch, sequence] (0, 1, 2... on through all prompts: each token's row in the flattened [batch * sequence]), `query_index`
 *   int64 [batch, queries] (such rows of the meta queries).
 *   Out `meta_hidden_states` [batch, queries, hidden]. Attention is causal; padding stands on the right and needs no mask.
 * - **connector**: in `hidden_states` [batch, queries, hidden] (the meta queries are added inside). Out `prompt_embeds` [batch, queries, caption_channels].
 * - **transformerContext**: in `prompt_embeds` [batch, queries, caption_channels]. Out `key.N`, `value.N` of every block:
 *   opaque, to be handed to the transformer as they are.
 * - **transformer**: in `latents` and `source_latents` [batch, channels, height, width], `timestep` float32 [batch]
 *   (already times `timestep_scale`), `latent_size` int64 [2] (height and width of the latents), `key.N`, `value.N`.
 *   Out `prediction` [batch, out_channels, height, width]. With `seq_cat` conditioning there is also `source_mask` [batch] (1: has a source,
 *   0: none), and with `task: 'generate'` neither `source_latents` nor `source_mask`.
 * - **vaeEncoder**: in `image` [batch, 3, height, width] in -1..1, `latent_size` int64 [2]. Out `latents` [batch, channels, height, width] (not yet
 *   times the scaling factor).
 * - **vaeDecoder**: in `latents` (already divided by the scaling factor), `latent_size` int64 [2]. Out `image`, not clamped.
 */
export const COMPONENTS = [
  'visionEncoder',
  'textEncoder',
  'connector',
  'transformerContext',
  'transformer',
  'vaeEncoder',
  'vaeDecoder',
] as const;

export type Component = (typeof COMPONENTS)[number];

/** The fields of a checkpoint's config files that the program reads. Names are the files' own. */

export interface VisionConfig {
  depth: number;
  hidden_size: number;
  hidden_act: string;
  intermediate_size: number;
  num_heads: number;
  in_channels: number;
  patch_size: number;
  spatial_merge_size: number;
  temporal_patch_size: number;
  out_hidden_size: number;
  num_position_embeddings: number;
  deepstack_visual_indexes: readonly number[];
}

export interface TextConfig {
  hidden_size: number;
  intermediate_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  num_key_value_heads: number;
  head_dim: number;
  hidden_act: string;
  rms_norm_eps: number;
  rope_theta: number;
  rope_scaling: { mrope_section: readonly number[]; mrope_interleaved: boolean; rope_type: string };
  vocab_size: number;
  attention_bias: boolean;
}

/** `text_encoder/config.json`, class `Qwen3VLForConditionalGeneration`. */
export interface TextEncoderConfig {
  text_config: TextConfig;
  vision_config: VisionConfig;
  image_token_id: number;
  video_token_id: number;
  vision_start_token_id: number;
  vision_end_token_id: number;
}

/** `transformer/config.json`, class `VIBESanaEditingModel`. */
export interface TransformerConfig {
  in_channels: number;
  out_channels: number;
  num_attention_heads: number;
  attention_head_dim: number;
  num_layers: number;
  num_cross_attention_heads: number;
  cross_attention_head_dim: number;
  cross_attention_dim: number;
  caption_channels: number;
  mlp_ratio: number;
  sample_size: number;
  patch_size: number;
  norm_eps: number;
  qk_norm: 'rms_norm_across_heads' | null;
  timestep_scale: number;
  input_condition_type: 'channel_cat' | 'seq_cat';
  edit_head_input_dim: number;
  edit_head_stacks_num: number;
  num_meta_queries: number;
  meta_queries_dim: number;
  attention_bias: boolean;
  norm_elementwise_affine: boolean;
  /** Guidance was distilled into the weights: one branch a step. */
  cfg_distilled: boolean;
}

export type AutoencoderBlockType = 'ResBlock' | 'EfficientViTBlock';

/** `vae/config.json`, class `AutoencoderDC`. Lists have one entry a stage, highest resolution first. */
export interface AutoencoderConfig {
  in_channels: number;
  latent_channels: number;
  attention_head_dim: number;
  encoder_block_types: readonly AutoencoderBlockType[];
  decoder_block_types: readonly AutoencoderBlockType[];
  encoder_block_out_channels: readonly number[];
  decoder_block_out_channels: readonly number[];
  encoder_layers_per_block: readonly number[];
  decoder_layers_per_block: readonly number[];
  encoder_qkv_multiscales: readonly (readonly number[])[];
  decoder_qkv_multiscales: readonly (readonly number[])[];
  upsample_block_type: 'interpolate' | 'pixel_shuffle';
  downsample_block_type: 'conv' | 'pixel_unshuffle';
  /** One for all stages in the file, or a list; here always a list. */
  decoder_norm_types: readonly string[];
  /** One for all stages in the file, or a list; here always a list. */
  decoder_act_fns: readonly string[];
  scaling_factor: number;
}

/** `scheduler/scheduler_config.json`; a scheduler reads and checks its own fields. `-Infinity` is allowed. */
export interface SchedulerConfig {
  readonly _class_name: string;
  readonly [field: string]: unknown;
}

/** `tokenizer/preprocessor_config.json`. */
export interface ImageProcessorConfig {
  patch_size: number;
  merge_size: number;
  temporal_patch_size: number;
  image_mean: readonly number[];
  image_std: readonly number[];
  rescale_factor: number;
}

/** What a checkpoint recommends for itself: `vibe_edit.json` beside `model_index.json`. Missing fields: the authors' defaults. */
export interface CheckpointDefaults {
  numInferenceSteps: number;
  guidanceScale: number;
  imageGuidanceScale: number;
  preserve: 'off' | 'tone' | 'auto';
  /**
   * An instruction whose embedding lies nearer to the unconditional one than this, as a share of that one's length, counts as not
   * understood. For checkpoints that were trained to say the unconditional embedding then; none by default.
   */
  nullDistance?: number | undefined;
  /** Whether it makes pictures from text alone; where not, every description counts as not understood. True by default. */
  textToImage: boolean;
}

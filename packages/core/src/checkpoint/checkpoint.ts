import type {
  AutoencoderConfig,
  CheckpointDefaults,
  ImageProcessorConfig,
  SchedulerConfig,
  TextEncoderConfig,
  TransformerConfig,
} from './configs.js';
import type { OutOfScope } from './out-of-scope.js';
import type { Prototypes } from './prototypes.js';
import type { StateDict, TensorInfo } from './tensor-info.js';

/** The tokenizer's files, parsed. */
export interface TokenizerFiles {
  /** `tokenizer.json`. */
  readonly tokenizer: Readonly<Record<string, unknown>>;
  /** `tokenizer_config.json`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Jinja source of the chat template. */
  readonly chatTemplate: string;
}

/**
 * A VIBE checkpoint in the published diffusers layout, its configs checked and its weights located. Holds no weights: they
 * stay in the safetensors files.
 */
export interface Checkpoint {
  /** Absolute path of the folder that holds `model_index.json`. */
  readonly path: string;
  /** Deepest folder above all weight files (symlinks resolved): what an ONNX Runtime session takes as its folder. */
  readonly weightsRoot: string;
  readonly textEncoder: { readonly config: TextEncoderConfig; readonly stateDict: StateDict };
  readonly transformer: { readonly config: TransformerConfig; readonly stateDict: StateDict };
  readonly vae: { readonly config: AutoencoderConfig; readonly stateDict: StateDict };
  readonly scheduler: SchedulerConfig;
  readonly imageProcessor: ImageProcessorConfig;
  readonly tokenizer: TokenizerFiles;
  readonly defaults: CheckpointDefaults;
  /** In a checkpoint that comes with them. */
  readonly prototypes?: Prototypes | undefined;
  /** In a checkpoint that comes with it. */
  readonly outOfScope?: OutOfScope | undefined;
  /** The bytes of one weight, copied. */
  readTensor(tensor: TensorInfo): Promise<Uint8Array>;
  /** sha256, hex, over every config file and safetensors header: names the checkpoint without reading the weights. */
  readonly hash: string;
}

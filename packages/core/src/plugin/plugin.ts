import type { HostTensor } from '../backend/tensor.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { Raster8 } from '../image/raster.js';
import type { ResolvedRequest } from '../pipeline/request.js';

/** Pixels a side. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Something the caller of an edit should know although the edit succeeded. `code` is stable. */
export interface Warning {
  readonly code: string;
  readonly message: string;
}

/** What an edit starts from. */
export interface PipelineInput {
  /** The source, upright, at its full size; none in text-to-image. */
  image: Raster8 | undefined;
  instructions: readonly string[];
}

/** The input brought to working size. */
export interface PreparedInput extends PipelineInput {
  /** Working size: the resolution bin. Multiples of the autoencoder's compression. */
  bin: Size;
  /** Size of the pictures that come out. */
  outputSize: Size;
  /** The source at working size, [1, 3, height, width] in -1..1; none in text-to-image. */
  workingImage: HostTensor<'float32'> | undefined;
}

/** What the transformer hears of the instructions. */
export interface Conditioning {
  /** [instructions, queries, channels] */
  promptEmbeds: HostTensor<'float32'>;
  /** The unconditional embedding, [1, queries, channels]; a constant of the checkpoint. */
  nullEmbeds: HostTensor<'float32'>;
  /**
   * What is asked for after that, by the instruction's place: embeddings [1, queries, channels], each carried out on the picture that the
   * one before it made, from the encode stage to the restore stage. The model never gives any; a plugin may.
   */
  turns?: ReadonlyMap<number, readonly HostTensor<'float32'>[]>;
}

/** The state of one denoising step. */
export interface StepState {
  /** 0-based. */
  readonly step: number;
  readonly steps: number;
  readonly timestep: number;
  /** [pictures, channels, height, width] */
  latents: HostTensor<'float32'>;
}

/** One of the pictures of an edit; `index` counts pictures: all of instruction 0 first. */
export interface PictureState<Value> {
  readonly index: number;
  value: Value;
}

/** Between decoding and the result. */
export interface RestoreState {
  readonly index: number;
  /** Decoded, at working size, [1, 3, height, width], not clamped. */
  readonly decoded: HostTensor<'float32'>;
  /** Scaled latents the picture was decoded from, [1, channels, height, width]. */
  readonly latents: HostTensor<'float32'>;
  /** Set by a plugin that makes the result itself, at output size; then the decoded picture is not resized. */
  picture: Raster8 | undefined;
}

/** A finished picture and what will be written into its file. */
export interface FinishedPicture {
  readonly index: number;
  picture: Raster8;
  /** PNG text entries by keyword. */
  text: Record<string, string>;
  /** XMP packet, where there is one. */
  xmp: string | undefined;
}

/** Stages of the pipeline that a plugin may call itself. */
export interface PipelineStages {
  /** Autoencoder: image [1, 3, height, width] in -1..1 to scaled latents [1, channels, height / f, width / f]. */
  encode(image: HostTensor<'float32'>): Promise<HostTensor<'float32'>>;
  /** Autoencoder: scaled latents to an image, not clamped. */
  decode(latents: HostTensor<'float32'>): Promise<HostTensor<'float32'>>;
  /** Vision-language model and connector. */
  condition(instructions: readonly string[], image: Raster8 | undefined): Promise<Conditioning>;
  /** The picture [1, 3, height, width] in -1..1 of a raster resized (Lanczos, as Pillow does) to a size. */
  toTensor(image: Raster8, size: Size): Promise<HostTensor<'float32'>>;
}

/** What every hook gets beside its value. One context an edit, shared by its plugins. */
export interface PluginContext {
  readonly request: ResolvedRequest;
  readonly checkpoint: Checkpoint;
  readonly stages: PipelineStages;
  /** The source at its full size, after `beforePrepare`; none in text-to-image. In a later turn the picture that is edited then. */
  readonly source: Raster8 | undefined;
  /** Scaled latents of that, once the encode stage is done. */
  readonly sourceLatents: HostTensor<'float32'> | undefined;
  readonly signal: AbortSignal | undefined;
  /** For what a plugin carries from one hook to the next; gone with the edit. */
  readonly store: Map<unknown, unknown>;
  warn(warning: Warning): void;
}

/** A hook may change its value in place, return another one, or return nothing. */
export type Hook<Value> = (
  value: Value,
  context: PluginContext,
) => Value | undefined | void | Promise<Value | undefined | void>;

export interface PluginHooks {
  beforePrepare?: Hook<PipelineInput>;
  afterPrepare?: Hook<PreparedInput>;
  beforeCondition?: Hook<PreparedInput>;
  afterCondition?: Hook<Conditioning>;
  beforeEncode?: Hook<HostTensor<'float32'>>;
  afterEncode?: Hook<HostTensor<'float32'>>;
  /** The initial noise, [pictures, channels, height, width]. This and the hooks up to `beforeRestore` run in every turn, with one picture in later ones. */
  beforeDenoise?: Hook<HostTensor<'float32'>>;
  beforeStep?: Hook<StepState>;
  afterStep?: Hook<StepState>;
  /** The final latents, [pictures, channels, height, width]. */
  afterDenoise?: Hook<HostTensor<'float32'>>;
  beforeDecode?: Hook<PictureState<HostTensor<'float32'>>>;
  afterDecode?: Hook<PictureState<HostTensor<'float32'>>>;
  beforeRestore?: Hook<RestoreState>;
  afterRestore?: Hook<FinishedPicture>;
}

/** Adds to the pipeline without changing it. Hooks of several plugins run one after the other, in the order of the list. */
export interface Plugin {
  readonly name: string;
  readonly hooks: PluginHooks;
  /** Called by the editor's `close()`. */
  close?(): Promise<void>;
}

import type { DependencyContainer } from 'tsyringe';
import type { Backend, BackendDescription } from './backend/backend.js';
import type { Checkpoint } from './checkpoint/checkpoint.js';
import type { EncodeOptions, ImageFormat, ImageInput } from './image/image-codec.js';
import type { Raster8 } from './image/raster.js';
import type { ProgressEvent, Stage } from './pipeline/progress.js';
import type { Plugin, Size, Warning } from './plugin/plugin.js';

export interface EditorOptions {
  /** Folder of a checkpoint in the published layout, or one already opened. */
  checkpoint: string | Checkpoint;
  /** A backend (its maker closes it), or a description of one that another process can make. */
  backend: Backend | BackendDescription;
  /** Where sessions live when `backend` is a description: a child process (default) or this process. */
  host?: 'process' | 'inline';
  /** Which components stay open between edits. `auto` (default) decides by the memory there is. */
  memory?: 'keep' | 'sequential' | 'auto';
  plugins?: readonly Plugin[];
  /** Edits that may wait for a free backend. Default 32. */
  maxQueued?: number;
  /** Pictures of one request that are denoised at once; more take more memory. Default 4. */
  batchSize?: number;
  /** Parts of your own, registered by `TOKENS`. What it lacks is supplied. */
  container?: DependencyContainer;
  /** Largest picture read, in pixels. Default 100 million. */
  maxPixels?: number;
}

interface CommonRequest {
  /** Seed of the initial noise, 0..2^53-1. Default 42, as the authors'. */
  seed?: number;
  /** Denoising steps. Default: the checkpoint's, else 20. */
  numInferenceSteps?: number;
  /** Weight of the instruction. Default: the checkpoint's, else 4.5. */
  guidanceScale?: number;
  /** Pictures an instruction. Default 1. */
  numImages?: number;
  signal?: AbortSignal;
  onProgress?: (event: ProgressEvent) => void;
  /** Add a small preview picture to the progress events of the denoising steps. Default false. */
  previews?: boolean;
}

export interface EditRequest extends CommonRequest {
  /** Path, file URL, bytes, Blob, stream or sharp instance. */
  image: ImageInput;
  /** One sentence, or several to be carried out apart. */
  instruction: string | readonly string[];
  /** Where pixels may change: white may, black stays; in a mask with transparency what is transparent may. Any size; it is stretched over the source. */
  mask?: ImageInput;
  /** Weight of the source picture. Default: the checkpoint's, else 1.2. */
  imageGuidanceScale?: number;
  /** Size of the result. Default: the source's. */
  size?: Size;
  /** Default `exact`. */
  geometry?: 'exact' | 'reference' | 'pipeline';
  /** How far the untouched source is kept. Default: the checkpoint's. Needs the preserve plugin. */
  preserve?: 'off' | 'tone' | 'auto';
}

export interface GenerateRequest extends CommonRequest {
  /** What the picture shows; one or several. */
  instruction: string | readonly string[];
  /** Default: 1024 x 1024, or the checkpoint's own size if that is smaller. */
  size?: Size;
}

/** One picture that came out. */
export interface EditedImage {
  readonly width: number;
  readonly height: number;
  /** The instruction it follows. */
  readonly instruction: string;
  readonly raster: Raster8;
  /** Default format `png`. */
  toBuffer(format?: ImageFormat, options?: EncodeOptions): Promise<Uint8Array>;
  /** The format follows the file's extension. */
  toFile(path: string, options?: EncodeOptions): Promise<void>;
  /** A sharp instance over the pixels. */
  toSharp(): Promise<import('sharp').Sharp>;
}

export interface EditResult {
  /** Pictures, all of the first instruction first. */
  readonly images: readonly EditedImage[];
  /** The first picture: what most callers want. */
  readonly image: EditedImage;
  readonly width: number;
  readonly height: number;
  readonly seed: number;
  readonly warnings: readonly Warning[];
  /** Seconds spent in each stage. */
  readonly seconds: Readonly<Record<Stage, number>>;
}

export interface Editor {
  readonly checkpoint: Checkpoint;
  /**
   * Changes a picture as the instruction says.
   * @throws {InvalidArgumentError} {InvalidImageError} {InvalidInstructionError} {QueueFullError} {AbortedError} {BackendError} {HostCrashedError} {ClosedError}
   */
  edit(request: EditRequest): Promise<EditResult>;
  /** Makes a picture from a description. Throws as `edit` does. */
  generate(request: GenerateRequest): Promise<EditResult>;
  /** Ends the work in flight, frees sessions and processes. Safe to call twice. */
  close(): Promise<void>;
}

import type { Raster8 } from '../image/raster.js';

/** The stages of an edit, in their order. `queue` comes before the first, `restore` is everything after decoding. */
export const STAGES = ['queue', 'prepare', 'condition', 'encode', 'denoise', 'decode', 'restore'] as const;

export type Stage = (typeof STAGES)[number];

/** One type everywhere: the SDK's callback, the command line's bar, an SSE stream, a bot's message. */
export interface ProgressEvent {
  readonly stage: Stage;
  /** Denoising steps done. */
  readonly step: number;
  /** Denoising steps of this edit; more from the encode stage on where an instruction takes several turns. */
  readonly steps: number;
  /** A small rough picture of the current latents (one pixel a latent), when previews were asked for. */
  readonly preview?: Raster8;
}

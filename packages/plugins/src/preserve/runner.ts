import type { Analysis, AnalysisInput } from './preserve-work.js';
import type { Strip } from './render-strip.js';

/** Where the work on pixels is done. */
export interface Runner {
  /** Brings numbers to where `analyse` and `render` can read them without another copy. */
  share(values: Float32Array, signal: AbortSignal | undefined): Promise<Float32Array>;
  /** @throws {AbortedError} the signal was aborted */
  analyse(input: AnalysisInput, signal: AbortSignal | undefined): Promise<Analysis>;
  /** The pixels of a strip; those handed over may be gone afterwards. Throws as `analyse` does. */
  render(strip: Strip, signal: AbortSignal | undefined): Promise<Uint8Array>;
  /** Frees threads. The next call starts anew. */
  close(): Promise<void>;
}

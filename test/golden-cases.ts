import { fileURLToPath } from 'node:url';
import { goldenJson, goldenPath } from './golden-vectors.js';

/** The part of a case's `runs.json` that tests of the conditioning use. */
export interface GoldenRun {
  readonly name: string;
  readonly prompt: string | readonly string[];
  /** Name of the input picture; none in text-to-image. */
  readonly picture?: string;
  readonly chat_text: readonly string[];
  /** Whether every intermediate value was recorded. */
  readonly full?: boolean;
}

export interface GoldenCase {
  readonly name: string;
  /** Absolute path of the checkpoint's folder. */
  readonly checkpoint: string;
  readonly runs: readonly GoldenRun[];
}

/** The cases of the golden data, one a checkpoint. */
export const GOLDEN_CASES: readonly GoldenCase[] = ['tiny-a', 'tiny-b', 'nano'].map((name) => {
  const { checkpoint = 'checkpoint', runs } = goldenJson<{ checkpoint?: string; runs: GoldenRun[] }>(
    `${name}/runs.json`,
  );
  return { name, checkpoint: fileURLToPath(goldenPath(`${name}/${checkpoint}`)), runs };
});

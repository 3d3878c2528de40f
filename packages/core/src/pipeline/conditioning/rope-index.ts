import { type HostTensor, hostTensor } from '../../backend/tensor.js';
import type { TextConfig, TextEncoderConfig } from '../../checkpoint/configs.js';
import type { ImageGrid } from './image-grid.js';
import { inverseFrequencies, type RotaryTables, rotaryTables } from './rotary.js';

/** What the reference leaves at places that hold no token. */
const PADDING_POSITION = 1;

/**
 * Position of every token on three axes (time, rows, columns): text counts on all three at once, a picture's tokens by their place in
 * it, and what follows the picture goes on after its longer side. Meta queries count as text.
 * Source: `Qwen3VLModel.get_rope_index` of transformers 4.57 (M-RoPE, Qwen2-VL, arXiv 2409.12191, section 2.1).
 *
 * @param options.tokens Token ids of each prompt, without padding.
 * @param options.queries Meta queries that follow each prompt.
 * @param options.grid The picture's patches; undefined in text-to-image.
 * @returns [3, prompts, length of the longest prompt + queries]; 1 at padding.
 */
export function ropePositions(options: {
  tokens: readonly (readonly number[])[];
  queries: number;
  grid: ImageGrid | undefined;
  config: TextEncoderConfig;
}): HostTensor<'int64'> {
  const { tokens, queries, grid, config } = options;
  const length = Math.max(...tokens.map((row) => row.length)) + queries;
  const positions = new BigInt64Array(3 * tokens.length * length).fill(BigInt(PADDING_POSITION));
  for (const [index, row] of tokens.entries()) {
    const picture = grid === undefined ? undefined : pictureAt(row, grid, config);
    for (let place = 0; place < row.length + queries; place++) {
      const axes = picture === undefined ? [place, place, place] : positionAt(place, picture);
      for (let axis = 0; axis < 3; axis++) {
        positions[(axis * tokens.length + index) * length + place] = BigInt(axes[axis]!);
      }
    }
  }
  return hostTensor('int64', [3, tokens.length, length], positions);
}

/** Where a prompt's picture stands, in image tokens. */
interface Picture {
  readonly start: number;
  readonly rows: number;
  readonly columns: number;
}

/** A picture counts as one only where the token that opens it stands before its first token. */
function pictureAt(
  row: readonly number[],
  [, rows, columns]: ImageGrid,
  config: TextEncoderConfig,
): Picture | undefined {
  const start = row.indexOf(config.image_token_id);
  if (start === -1 || row[start - 1] !== config.vision_start_token_id) return undefined;
  const merge = config.vision_config.spatial_merge_size;
  return { start, rows: rows / merge, columns: columns / merge };
}

function positionAt(place: number, { start, rows, columns }: Picture): readonly [number, number, number] {
  if (place < start) return [place, place, place];
  const inside = place - start;
  if (inside < rows * columns) return [start, start + Math.floor(inside / columns), start + (inside % columns)];
  const after = start + Math.max(rows, columns) + inside - rows * columns;
  return [after, after, after];
}

/**
 * Cosines and sines for the language model, the three axes interleaved over the frequencies: time, row, column, time, row, column...
 * as far as `mrope_section` reaches, time for the rest (arXiv 2511.21631, section 2).
 *
 * @param options.positions [3, prompts, sequence].
 * @returns Tables [prompts, sequence, head_dim].
 */
export function textRotaryTables(options: { positions: HostTensor<'int64'>; config: TextConfig }): RotaryTables {
  const { positions, config } = options;
  const { mrope_section } = config.rope_scaling;
  const frequencies = inverseFrequencies({ dim: config.head_dim, theta: config.rope_theta });
  const axes = Array.from(frequencies, (_, i) => (i % 3 !== 0 && i < 3 * mrope_section[i % 3]! ? i % 3 : 0));
  const values = Float32Array.from(positions.values, Number);
  const [, prompts, sequence] = positions.shape as [number, number, number];
  return rotaryTables({
    shape: [prompts, sequence, config.head_dim],
    angle: (row, column) => values[axes[column]! * prompts * sequence + row]! * frequencies[column]!,
  });
}

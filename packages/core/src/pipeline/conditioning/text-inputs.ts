import { type HostTensor, hostTensor } from '../../backend/tensor.js';
import type { TextEncoderConfig } from '../../checkpoint/configs.js';
import { countImageTokens, type ImageGrid } from './image-grid.js';
import type { EncodedPrompts } from './prompt.js';
import { ropePositions, textRotaryTables } from './rope-index.js';

/** What goes into the text encoder for some prompts. `sequence` is the longest prompt and the meta queries. */
export interface TextEncoderInputs {
  /** Inputs by name, as `Component` describes them, but for the picture's `image_embeds` and `deepstack.N`. */
  readonly inputs: Readonly<Record<string, HostTensor>>;
  /** [3, prompts, sequence]: positions on the axes time, rows, columns. */
  readonly positionIds: HostTensor<'int64'>;
  /** [prompts, sequence]: 1 for tokens and meta queries, 0 for padding. */
  readonly extendedAttentionMask: HostTensor<'uint8'>;
  /** [prompts, sequence]: 1 for image tokens. */
  readonly visualPositionsMask: HostTensor<'uint8'>;
}

/**
 * Lays the prompts out for the text encoder: meta queries after the last token of each prompt, then the padding.
 *
 * ```
 * prompt 0   text  image tokens  text        queries  padding
 * prompt 1   text  image tokens  longer text          queries
 * ```
 *
 * @param options.grid The picture's patches; undefined in text-to-image. All prompts share the picture.
 * @param options.queries Number of meta queries.
 * @throws {InvalidArgumentError} when the grid is no single frame of whole blocks.
 */
export function textEncoderInputs(options: {
  prompts: EncodedPrompts;
  grid: ImageGrid | undefined;
  config: TextEncoderConfig;
  queries: number;
}): TextEncoderInputs {
  const { prompts, grid, config, queries } = options;
  const count = prompts.tokens.length;
  const promptLength = prompts.inputIds.shape[1]!;
  const sequence = promptLength + queries;
  const shape = [count, sequence];
  const ids = new BigInt64Array(count * sequence);
  const embeddings = new BigInt64Array(count * sequence);
  const deepstack = new BigInt64Array(count * sequence);
  const queryRows = new BigInt64Array(count * queries);
  const attended = new Uint8Array(count * sequence);
  const visual = new Uint8Array(count * sequence);

  // Rows of the text encoder's table of embeddings: first the tokens, then the picture, then the meta queries.
  const imageStart = count * sequence;
  const imageTokens =
    grid === undefined ? 1 : countImageTokens({ grid, mergeSize: config.vision_config.spatial_merge_size });
  const queryStart = imageStart + imageTokens;

  for (const [prompt, tokens] of prompts.tokens.entries()) {
    const first = prompt * sequence;
    let image = 0;
    for (let place = 0; place < sequence; place++) {
      const row = first + place;
      const query = place - tokens.length;
      embeddings[row] = BigInt(row);
      attended[row] = query < queries ? 1 : 0;
      if (query >= 0 && query < queries) {
        embeddings[row] = BigInt(queryStart + query);
        queryRows[prompt * queries + query] = BigInt(row);
        continue;
      }
      ids[row] = prompts.inputIds.values[prompt * promptLength + (query < 0 ? place : place - queries)]!;
      if (grid !== undefined && query < 0 && tokens[place] === config.image_token_id) {
        embeddings[row] = BigInt(imageStart + image);
        image += 1;
        deepstack[row] = BigInt(image);
        visual[row] = 1;
      }
    }
  }

  const positionIds = ropePositions({ tokens: prompts.tokens, queries, grid, config });
  const { cos, sin } = textRotaryTables({ positions: positionIds, config: config.text_config });
  return {
    inputs: {
      input_ids: hostTensor('int64', shape, ids),
      embedding_index: hostTensor('int64', shape, embeddings),
      deepstack_index: hostTensor('int64', shape, deepstack),
      rotary_cos: cos,
      rotary_sin: sin,
      row_index: hostTensor(
        'int64',
        shape,
        BigInt64Array.from(ids, (_, row) => BigInt(row)),
      ),
      query_index: hostTensor('int64', [count, queries], queryRows),
    },
    positionIds,
    extendedAttentionMask: hostTensor('uint8', shape, attended),
    visualPositionsMask: hostTensor('uint8', shape, visual),
  };
}

/** What stands for the picture in text-to-image: one row of zeros for `image_embeds` and every `deepstack.N`; no token takes it. */
export function emptyPictureFeatures(config: TextEncoderConfig): Record<string, HostTensor<'float32'>> {
  const { depth, deepstack_visual_indexes } = config.vision_config;
  const levels = new Set(deepstack_visual_indexes.filter((block) => block >= 0 && block < depth)).size;
  const width = config.text_config.hidden_size;
  const row = (): HostTensor<'float32'> => hostTensor('float32', [1, width], new Float32Array(width));
  return Object.fromEntries([
    ['image_embeds', row()],
    ...Array.from({ length: levels }, (_, level) => [`deepstack.${level}`, row()] as const),
  ]);
}

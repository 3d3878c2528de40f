import type { Value } from '../../ir/graph.js';
import type { RuntimeSize } from '../../ir/ops.js';

/** How the tokens of a batch row lie. */
export interface TokenGrid {
  readonly height: RuntimeSize;
  readonly width: RuntimeSize;
  /** Tokens of a batch row: height * width, twice that where source tokens follow. */
  readonly tokens: RuntimeSize;
  /** [batch, tokens, 1]; only where tokens may be masked out. */
  readonly mask: Value | undefined;
  /** Ones, [batch, heads, tokens, 1]. */
  readonly ones: Value;
}

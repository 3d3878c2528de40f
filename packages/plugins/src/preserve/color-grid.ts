/** Bins of the grid's luma axis; bin k stands for luma k / 5. */
export const LUMA_BINS = 6;
/** Numbers of one affine change: a 3 x 3 matrix, [from, to], and an offset a channel. */
export const AFFINE = 12;
/** Numbers of one node. */
export const NODE = LUMA_BINS * AFFINE;

/**
 * A bilateral grid: for places of a picture and, at each, for bins of luma, an affine colour change d = x A + beta (x: RGB 0..1).
 *
 * Nodes lie `spacing` pixels of the working picture apart, one in the middle of every cell of that size and one more beyond
 * either edge, so that every pixel lies between nodes.
 */
export interface ColorGrid {
  /** Size of the working picture the grid was fitted on, pixels. */
  readonly width: number;
  readonly height: number;
  readonly spacing: number;
  readonly columns: number;
  readonly rows: number;
  /** Row of the whole grid that comes first in `coefficients`: a grid may be cut to the rows that a strip needs. */
  readonly firstRow: number;
  /** [rows, columns, LUMA_BINS, AFFINE] */
  readonly coefficients: Float32Array;
}

/** Rec. 601 luma, gamma-encoded. */
export function luma(red: number, green: number, blue: number): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}

/** Where a pixel of a picture stretched over the grid lies: the node before it, and how far on the way to the next it is, 0..1. */
export interface NodePosition {
  readonly node: number;
  readonly fraction: number;
}

/**
 * Place of pixel `index` of `count` among the nodes of one axis. Pixel centres lie at half a pixel; what lies beyond the outermost
 * pixel centres of the working picture counts as lying on them.
 *
 * @param axis.size pixels of the working picture along this axis
 * @param axis.nodes nodes along this axis
 */
export function nodePosition(
  index: number,
  count: number,
  axis: { size: number; spacing: number; nodes: number },
): NodePosition {
  const { size, spacing, nodes } = axis;
  const pixel = Math.min(Math.max(((index + 0.5) * size) / count - 0.5, 0), size - 1);
  // Node 0 lies one cell before the middle of the first cell.
  const position = (pixel - (spacing - 1) / 2) / spacing + 1;
  const node = Math.min(Math.max(Math.floor(position), 0), nodes - 2);
  return { node, fraction: position - node };
}

/** The rows of nodes that pixel rows `from` to `to` (exclusive) of a picture `height` pixels high need; a copy. */
export function cutGrid(grid: ColorGrid, from: number, to: number, height: number): ColorGrid {
  const axis = { size: grid.height, spacing: grid.spacing, nodes: grid.rows };
  const firstRow = nodePosition(from, height, axis).node;
  const lastRow = nodePosition(to - 1, height, axis).node + 1;
  const rowLength = grid.columns * NODE;
  return { ...grid, firstRow, coefficients: grid.coefficients.slice(firstRow * rowLength, (lastRow + 1) * rowLength) };
}

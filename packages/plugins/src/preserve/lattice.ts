/**
 * Fields of a picture on a lattice of nodes.
 *
 *     pixels   |. . . .|. . . .|. . . .|. .(.)|      cells of `spacing` pixels; the last one is filled with the edge pixel
 *     nodes  o     o       o       o       o     o   one in the middle of every cell, and one more beyond either edge
 */
export interface Lattice {
  readonly columns: number;
  readonly rows: number;
  /** Values a node. */
  readonly fields: number;
  /** [rows, columns, fields] */
  readonly values: Float64Array;
}

/** The Gaussian is cut at this many standard deviations. */
const CUT = 2.5;

export interface CellOptions {
  /** Size of the picture, pixels. */
  readonly width: number;
  readonly height: number;
  /** Pixels between two nodes. */
  readonly spacing: number;
  /** Values a pixel. */
  readonly fields: number;
  /** Adds the fields of pixel (x, y) to `sums`, from `offset` on. Called row by row. */
  add(x: number, y: number, sums: Float64Array, offset: number): void;
}

/**
 * Smooths fields with a separable Gaussian cut at int(2.5 sd + 1) pixels, edges replicated.
 *
 * A Gaussian of many pixels is all but constant over a cell much smaller than itself, so pixels are averaged into cells (`cellMeans`) and
 * the cells are smoothed: one visit a pixel, whatever the width of the Gaussian. With `spacing` 1 this is the plain sum.
 *
 * @param window.deviation standard deviation of the Gaussian, pixels
 * @param window.spacing the one the cells were made with
 */
export function* smoothCells(cells: Lattice, window: { deviation: number; spacing: number }): Generator<void, Lattice> {
  const kernel = cellKernel(window.deviation, window.spacing);
  const { columns, rows, fields } = cells;
  const rowLength = columns * fields;
  const across = new Float64Array(cells.values.length);
  for (let row = 0; row < rows; row++) {
    const line = { start: row * rowLength, count: columns, size: fields };
    for (let column = 0; column < columns; column++) smoothValue(cells.values, across, line, kernel, column);
    yield;
  }
  const values = new Float64Array(cells.values.length);
  // Down all columns at once: a value of that line is a whole row of nodes.
  const line = { start: 0, count: rows, size: rowLength };
  for (let row = 0; row < rows; row++) {
    smoothValue(across, values, line, kernel, row);
    yield;
  }
  return { columns, rows, fields, values };
}

/** Means of the cells; the outermost nodes stand for the replicated edge and hold the means of the edge pixels alone. */
export function* cellMeans(options: CellOptions): Generator<void, Lattice> {
  const { width, height, spacing, fields, add } = options;
  const columns = Math.ceil(width / spacing) + 2;
  const rows = Math.ceil(height / spacing) + 2;
  const rowLength = columns * fields;
  const values = new Float64Array(rows * rowLength);
  const sums = new Float64Array(rowLength);
  const missingColumns = (columns - 2) * spacing - width;
  const missingRows = (rows - 2) * spacing - height;
  const lastCell = (columns - 2) * fields;
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    add(0, y, sums, 0);
    for (let x = 0; x < width; x++) add(x, y, sums, (Math.floor(x / spacing) + 1) * fields);
    add(width - 1, y, sums, rowLength - fields);
    for (let field = 0; field < fields; field++) {
      sums[lastCell + field]! += missingColumns * sums[rowLength - fields + field]!;
    }
    for (let i = fields; i < rowLength - fields; i++) sums[i]! /= spacing;
    const row = Math.floor(y / spacing) + 1;
    addRow(values, row * rowLength, sums, (y === height - 1 ? 1 + missingRows : 1) / spacing);
    if (y === 0) addRow(values, 0, sums, 1);
    if (y === height - 1) addRow(values, (rows - 1) * rowLength, sums, 1);
    yield;
  }
  return { columns, rows, fields, values };
}

function addRow(values: Float64Array, start: number, row: Float64Array, factor: number): void {
  for (let i = 0; i < row.length; i++) values[start + i]! += row[i]! * factor;
}

/**
 * Weights of the cells round a node, from far left to far right, summing to 1. Weights that are constant within a cell, and the
 * linear interpolation between nodes later, each widen the Gaussian by spacing^2 / 6: it is made that much narrower.
 */
function cellKernel(deviation: number, spacing: number): Float64Array {
  const cut = Math.trunc(CUT * deviation + 1);
  const variance = deviation ** 2 - (spacing ** 2 - 1) / 3;
  const reach = Math.floor((cut + (spacing - 1) / 2) / spacing);
  const kernel = new Float64Array(2 * reach + 1);
  for (let cell = -reach; cell <= reach; cell++) {
    for (let pixel = 0; pixel < spacing; pixel++) {
      const distance = cell * spacing + pixel - (spacing - 1) / 2;
      if (Math.abs(distance) <= cut) kernel[cell + reach]! += Math.exp(-(distance ** 2) / (2 * variance));
    }
  }
  const sum = kernel.reduce((total, weight) => total + weight, 0);
  return kernel.map((weight) => weight / sum);
}

/** `count` values of `size` numbers each, one after the other. */
interface Line {
  readonly start: number;
  readonly count: number;
  readonly size: number;
}

/** Numbers smoothed together: what fits a processor's first cache while the kernel passes over it. */
const TILE = 512;

function smoothValue(from: Float64Array, to: Float64Array, line: Line, kernel: Float64Array, index: number): void {
  const { start, count, size } = line;
  const reach = (kernel.length - 1) / 2;
  const target = start + index * size;
  for (let tile = 0; tile < size; tile += TILE) {
    const end = Math.min(tile + TILE, size);
    for (let k = tile; k < end; k++) to[target + k] = kernel[reach]! * from[target + k]!;
    // The kernel is symmetric: two neighbours at a time.
    for (let tap = 1; tap <= reach; tap++) {
      const before = start + Math.max(index - tap, 0) * size;
      const after = start + Math.min(index + tap, count - 1) * size;
      const weight = kernel[reach + tap]!;
      for (let k = tile; k < end; k++) to[target + k]! += weight * (from[before + k]! + from[after + k]!);
    }
  }
}

import { InvalidArgumentError } from '../../errors/invalid-argument-error.js';

/** A picture as the vision tower sees it: frames (1), rows and columns of patches. `image_grid_thw` of transformers. */
export type ImageGrid = readonly [frames: number, rows: number, columns: number];

/**
 * Image tokens that a picture becomes: one for each block of `mergeSize` x `mergeSize` patches.
 * @throws {InvalidArgumentError} when the grid is no single frame of whole blocks.
 */
export function countImageTokens({ grid, mergeSize }: { grid: ImageGrid; mergeSize: number }): number {
  const [frames, rows, columns] = grid;
  const whole = (patches: number): boolean => Number.isInteger(patches / mergeSize) && patches > 0;
  if (frames !== 1 || !whole(rows) || !whole(columns)) {
    throw new InvalidArgumentError({
      argument: 'grid',
      expected: `one frame of rows and columns that are multiples of ${mergeSize}`,
      received: `[${grid.join(', ')}]`,
    });
  }
  return (rows / mergeSize) * (columns / mergeSize);
}

/**
 * Solves a symmetric positive definite system with several right-hand sides, by elimination.
 * @param system [size, size + sides], what stands left and right of the equals sign; it is used up
 * @returns [size, sides]
 */
export function solve(system: Float64Array, size: number): Float64Array {
  const width = system.length / size;
  const sides = width - size;
  for (let pivot = 0; pivot < size; pivot++) {
    for (let row = pivot + 1; row < size; row++) {
      const factor = system[row * width + pivot]! / system[pivot * width + pivot]!;
      if (factor === 0) continue;
      for (let column = pivot; column < width; column++)
        system[row * width + column]! -= factor * system[pivot * width + column]!;
    }
  }
  const solution = new Float64Array(size * sides);
  for (let row = size - 1; row >= 0; row--) {
    for (let side = 0; side < sides; side++) {
      let value = system[row * width + size + side]!;
      for (let column = row + 1; column < size; column++)
        value -= system[row * width + column]! * solution[column * sides + side]!;
      solution[row * sides + side] = value / system[row * width + row]!;
    }
  }
  return solution;
}

/** Adds `stiffness` times the squared second differences of the unknowns `start` to `start + count` to a system. */
export function stiffen(
  system: Float64Array,
  size: number,
  curve: { start: number; count: number; stiffness: number },
): void {
  const width = system.length / size;
  const bend = [1, -2, 1];
  for (let first = curve.start; first < curve.start + curve.count - 2; first++) {
    for (let i = 0; i < 3; i++)
      for (let j = 0; j < 3; j++) system[(first + i) * width + first + j]! += curve.stiffness * bend[i]! * bend[j]!;
  }
}

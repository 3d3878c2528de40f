/**
 * Small reproducible pseudo-random numbers for tests: a linear congruential generator, not for anything else.
 * @returns a function that gives the next number in 0..1
 */
export function randomValues(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

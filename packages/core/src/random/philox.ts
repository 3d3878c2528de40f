const MULTIPLIER_A = 0xd2511f53;
const MULTIPLIER_B = 0xcd9e8d57;
const KEY_STEP_A = 0x9e3779b9;
const KEY_STEP_B = 0xbb67ae85;
const ROUNDS = 10;

/** Four or two unsigned 32-bit words. */
export type Words4 = readonly [number, number, number, number];
export type Words2 = readonly [number, number];

/** Upper half of the 64-bit product of two unsigned 32-bit words. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  // Each partial sum stays under 2^53, so doubles carry it exactly.
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 0x10000)) >>> 0;
}

/**
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011, section 3.3): 128 random bits for a counter and a
 * key. Any counter can be asked for by itself, which is how GPU threads draw side by side.
 */
export function philox4x32(counter: Words4, key: Words2): Words4 {
  let [a, b, c, d] = counter;
  let [keyA, keyB] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const lowA = Math.imul(MULTIPLIER_A, a) >>> 0;
    const highA = multiplyHigh(MULTIPLIER_A, a);
    const lowB = Math.imul(MULTIPLIER_B, c) >>> 0;
    const highB = multiplyHigh(MULTIPLIER_B, c);
    [a, b, c, d] = [(highB ^ b ^ keyA) >>> 0, lowB, (highA ^ d ^ keyB) >>> 0, lowA];
    keyA = (keyA + KEY_STEP_A) >>> 0;
    keyB = (keyB + KEY_STEP_B) >>> 0;
  }
  return [a, b, c, d];
}

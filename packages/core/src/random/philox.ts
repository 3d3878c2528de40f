const MULTIPLIER_A = 0xd2511f53;
const MULTIPLIER_B = 0xcd9e8d57;
const KEY_STEP_A = 0x9e3779b9;
const KEY_STEP_B = 0xbb67ae85;
const ROUNDS = 10;

/** Four or two unsigned 32-bit words. */
export type Words4 = readonly [number, number, number, number];
export type Words2 = readonly [number, number];

/** Upper half of the 64-bit product of two 32-bit words taken as unsigned, by halves of 16 bits. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const first = Math.imul(aHigh, bLow);
  // Neither sum reaches 2^32: (2^16 - 1)^2 + 2 (2^16 - 1) is 2^32 - 1.
  const second = Math.imul(aLow, bHigh) + (Math.imul(aLow, bLow) >>> 16) + (first & 0xffff);
  return (Math.imul(aHigh, bHigh) + (first >>> 16) + (second >>> 16)) | 0;
}

/**
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011, section 3.3): 128 random bits for a counter and a
 * key. Any counter can be asked for by itself, which is how GPU threads draw side by side.
 */
export function philox4x32(counter: Words4, key: Words2): Words4 {
  let [a, b, c, d] = counter;
  let [keyA, keyB] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const nextA = multiplyHigh(MULTIPLIER_B, c) ^ b ^ keyA;
    const nextC = multiplyHigh(MULTIPLIER_A, a) ^ d ^ keyB;
    b = Math.imul(MULTIPLIER_B, c);
    d = Math.imul(MULTIPLIER_A, a);
    a = nextA;
    c = nextC;
    keyA = (keyA + KEY_STEP_A) | 0;
    keyB = (keyB + KEY_STEP_B) | 0;
  }
  return [a >>> 0, b >>> 0, c >>> 0, d >>> 0];
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Rounds a float32 value to the nearest bfloat16, ties to even, and gives it back as a number. */
export function roundToBfloat16(value: number): number {
  float[0] = value;
  const word = bits[0]!;
  if ((word & 0x7fffffff) > 0x7f800000) return Number.NaN;
  // Adding just under half of the dropped part, plus the lowest kept bit, makes truncation round half to even.
  bits[0] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
  return float[0]!;
}

import { InvalidArgumentError } from '../errors/invalid-argument-error.js';

const SMALLEST = -(2n ** 63n);
const LARGEST = 2n ** 64n - 1n;

/**
 * Brings a seed to the unsigned 64 bits that torch keeps: negative ones wrap round.
 * @throws {InvalidArgumentError} the seed is no whole number or out of torch's range
 */
export function normaliseSeed(seed: number | bigint): bigint {
  const whole = typeof seed === 'bigint' || Number.isSafeInteger(seed) ? BigInt(seed) : undefined;
  if (whole === undefined || whole < SMALLEST || whole > LARGEST) {
    throw new InvalidArgumentError({
      argument: 'seed',
      expected: 'a whole number from -2^63 to 2^64 - 1 (a bigint beyond 2^53)',
      received: String(seed),
    });
  }
  return BigInt.asUintN(64, whole);
}

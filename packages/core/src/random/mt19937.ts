const SIZE = 624;
const SHIFT = 397;
const UPPER_BIT = 0x80000000;
const LOWER_BITS = 0x7fffffff;
const TWIST = 0x9908b0df;

/**
 * The Mersenne Twister with 32-bit output (Matsumoto and Nishimura, "Mersenne Twister: a 623-dimensionally equidistributed
 * uniform pseudo-random number generator", 1998), seeded by its authors' 2002 initialisation: the engine of torch's CPU generator.
 */
export class Mt19937 {
  readonly #state = new Uint32Array(SIZE);
  #next = SIZE;

  /** @param seed unsigned 32 bits */
  constructor(seed: number) {
    this.#state[0] = seed;
    for (let i = 1; i < SIZE; i++) {
      const previous = this.#state[i - 1]!;
      this.#state[i] = Math.imul(1812433253, previous ^ (previous >>> 30)) + i;
    }
  }

  /** The next 32 random bits, unsigned. */
  next32(): number {
    if (this.#next === SIZE) this.#advance();
    let word = this.#state[this.#next++]!;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    word ^= word >>> 18;
    return word >>> 0;
  }

  /** A float32 in [0, 1), a multiple of 2^-24, from one word. */
  nextFloat(): number {
    return (this.next32() & 0xffffff) * 2 ** -24;
  }

  /** A double in [0, 1), a multiple of 2^-53, from two words. */
  nextDouble(): number {
    const high = this.next32() & 0x1fffff;
    return (high * 2 ** 32 + this.next32()) * 2 ** -53;
  }

  #advance(): void {
    const state = this.#state;
    for (let i = 0; i < SIZE; i++) {
      const mixed = (state[i]! & UPPER_BIT) | (state[(i + 1) % SIZE]! & LOWER_BITS);
      state[i] = state[(i + SHIFT) % SIZE]! ^ (mixed >>> 1) ^ (mixed & 1 ? TWIST : 0);
    }
    this.#next = 0;
  }
}

const N = 624;
const M = 397;

/**
 * The Mersenne Twister MT19937 of Matsumoto and Nishimura (1998), seeded as in their initialisation of 2002, with the
 * bookkeeping of PyTorch's engine: the `left`th word from here twists the state first; `next` is the next word's index.
 *
 * ```ts
 * new Mt19937(5489n).random(); // 3499211612, the first output of the published generator
 * ```
 */
export class Mt19937 {
  /** The seed as an unsigned 64-bit integer. Only its low 32 bits enter the state. */
  seed: bigint;
  left = 1;
  next = 0;
  /** The 624 words; signed, because that is what bit operations yield. */
  readonly state = new Int32Array(N);

  constructor(seed: bigint) {
    this.seed = seed;
    const { state } = this;
    state[0] = Number(BigInt.asIntN(32, seed));
    for (let j = 1; j < N; j++) {
      const previous = state[j - 1]!;
      state[j] = Math.imul(1812433253, previous ^ (previous >>> 30)) + j;
    }
  }

  /** The next word, an unsigned 32-bit integer. */
  random(): number {
    if (--this.left === 0) this.#twist();
    let y = this.state[this.next++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #twist(): void {
    const { state } = this;
    const first = state[0]!;
    let word = first;
    for (let k = 0; k < N; k++) {
      const following = k === N - 1 ? state[0]! : state[k + 1]!;
      const mixed = (word & 0x80000000) | (following & 0x7fffffff);
      state[k] = state[k < N - M ? k + M : k + M - N]! ^ (mixed >>> 1) ^ (-(following & 1) & 0x9908b0df);
      word = following;
    }
    this.left = N;
    this.next = 0;
  }
}

import { RuntimeError, ValueError } from "../errors.ts";
import { Mt19937 } from "./mt19937.ts";

const DEFAULT_SEED = 67280421310721n;
/** Bytes of a state and where its fields lie, little-endian, as PyTorch lays them out; the rest is zero. */
const STATE_BYTES = 5056;
const AT = { seed: 0, left: 8, seeded: 12, next: 16, words: 24, normal: 5024, normalIsValid: 5040 };
const WORDS = 624;

/**
 * torch.Generator for the CPU: the state behind every random function, bit for bit PyTorch's.
 *
 * ```ts
 * const g = new Generator().manual_seed(42);
 * const state = g.get_state();
 * const word = g.random(); // 1608637542
 * g.set_state(state).random() === word; // true
 * ```
 */
export class Generator {
  #engine = new Mt19937(DEFAULT_SEED);
  /** The second value of the last Box-Muller pair, which the next short normal draw returns, whatever its dtype. */
  nextNormal: number | null = null;

  /**
   * Starts the stream that belongs to `seed`, an integer from -2^63 to 2^64 - 1; a negative one stands for itself plus
   * 2^64. RuntimeError where it is no integer, ValueError where it is out of range. Returns the generator.
   */
  manual_seed(seed: number | bigint): this {
    this.#engine = new Mt19937(seedOf(seed));
    this.nextNormal = null;
    return this;
  }

  /** The seed in force, from 0 to 2^64 - 1. */
  initial_seed(): bigint {
    return this.#engine.seed;
  }

  /** Seeds the generator with 64 bits from the system's source of randomness, and returns them. */
  seed(): bigint {
    const [seed] = globalThis.crypto.getRandomValues(new BigUint64Array(1));
    this.manual_seed(seed!);
    return seed!;
  }

  /** The whole state: 5056 bytes that PyTorch's `set_state` takes too, and the other way round. */
  get_state(): Uint8Array {
    const bytes = new Uint8Array(STATE_BYTES);
    const view = new DataView(bytes.buffer);
    const { seed, left, next, state } = this.#engine;
    view.setBigUint64(AT.seed, seed, true);
    view.setInt32(AT.left, left, true);
    view.setInt32(AT.seeded, 1, true);
    view.setInt32(AT.next, next, true);
    for (let j = 0; j < WORDS; j++) view.setInt32(AT.words + 8 * j, state[j]!, true);
    view.setFloat64(AT.normal, this.nextNormal ?? 0, true);
    view.setInt32(AT.normalIsValid, this.nextNormal === null ? 0 : 1, true);
    return bytes;
  }

  /** Takes over a state; TypeError where it is no Uint8Array, RuntimeError where it is no valid state. */
  set_state(state: Uint8Array): this {
    if (!ArrayBuffer.isView(state)) throw new TypeError(`expected a torch.ByteTensor, but got ${pythonType(state)}`);
    if (!(state instanceof Uint8Array)) throw new TypeError("RNG state must be a torch.ByteTensor");
    if (state.length !== STATE_BYTES) {
      const expected = `Expected a CPUGeneratorImplState of size ${STATE_BYTES}`;
      throw new RuntimeError(`${expected} but found the input RNG state size to be ${state.length}`);
    }
    const view = new DataView(state.buffer, state.byteOffset, STATE_BYTES);
    const left = view.getInt32(AT.left, true);
    const next = view.getUint32(AT.next, true);
    const valid = view.getInt32(AT.seeded, true) !== 0 && left > 0 && left <= WORDS && next <= WORDS;
    if (!valid) throw new RuntimeError("Invalid mt19937 state");
    const engine = new Mt19937(view.getBigUint64(AT.seed, true));
    engine.left = left;
    engine.next = next;
    for (let j = 0; j < WORDS; j++) engine.state[j] = view.getInt32(AT.words + 8 * j, true);
    this.#engine = engine;
    this.nextNormal = view.getInt32(AT.normalIsValid, true) === 0 ? null : view.getFloat64(AT.normal, true);
    return this;
  }

  /** A new generator in the same state. */
  clone_state(): Generator {
    return twinOf(this);
  }

  /** The next 32 bits, an unsigned integer. */
  random(): number {
    return this.#engine.random();
  }

  /** The next 64 bits, an unsigned integer: the first word is the high one. */
  random64(): bigint {
    const high = this.random();
    return (BigInt(high) << 32n) | BigInt(this.random());
  }

  /** A multiple of 2^-24 in [0, 1), from one word: PyTorch's float32 uniform. */
  uniform32(): number {
    return (this.#engine.random() & 0xffffff) * 2 ** -24;
  }

  /** A multiple of 2^-53 in [0, 1), from two words: PyTorch's float64 uniform. */
  uniform64(): number {
    const high = this.#engine.random() & 0x1fffff;
    return (high * 2 ** 32 + this.#engine.random()) * 2 ** -53;
  }
}

/** Stands outside the class: bundlers give another name to a class that names itself. */
function twinOf(generator: Generator): Generator {
  return new Generator().set_state(generator.get_state());
}

/** What random functions draw from unless they are given a generator. */
export const defaultGenerator = new Generator();

function seedOf(seed: number | bigint): bigint {
  if (typeof seed !== "bigint" && !Number.isInteger(seed)) {
    throw new RuntimeError(`manual_seed expected a long, but got ${pythonType(seed)}`);
  }
  const value = BigInt(seed);
  if (value < -(2n ** 63n) || value >= 2n ** 64n) throw new ValueError("Overflow when unpacking long long");
  return BigInt.asUintN(64, value);
}

/** What Python would call the type of `value`, as far as error texts need it. */
function pythonType(value: unknown): string {
  if (value === null || value === undefined) return "NoneType";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float";
  if (Array.isArray(value)) return "list";
  const names: Record<string, string> = { string: "str", boolean: "bool", bigint: "int", object: "dict" };
  return names[typeof value] ?? typeof value;
}

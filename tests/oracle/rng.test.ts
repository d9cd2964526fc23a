/**
 * Random streams, bit for bit. `rng.json` and `rng-avx2.json` come out of `rng_reference.py`, with PyTorch's
 * ATEN_CPU_CAPABILITY set to default and to avx2 (of the latter, the keys whose bits differ); `rng-digests.json` holds
 * SHA-256 of longer streams, by `rng_digests.py`.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { type CpuCapability, get_cpu_capability, setCpuCapability } from "../../src/random/capability.ts";
import * as draw from "../../src/random/distributions.ts";
import type { Elements, Floats } from "../../src/random/elements.ts";
import { defaultGenerator, Generator } from "../../src/random/generator.ts";
import { randint, randomFull, randperm } from "../../src/random/integers.ts";
import { multinomial } from "../../src/random/multinomial.ts";
import { logNormal, normal } from "../../src/random/normal.ts";

type Fixture = { cases: Record<string, unknown> };
type Drawn = Elements | Elements[] | string;

/** Numbers beyond 2^53 are kept as text: JSON.parse would round them. */
function read(name: string): Fixture {
  const text = readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8");
  return JSON.parse(text.replaceAll(/(?<=[[, ])-?\d{16,}(?=[,\]])/g, '"$&"'));
}

const ARRAYS = {
  f32: Float32Array,
  f64: Float64Array,
  i64: BigInt64Array,
  i32: Int32Array,
  i16: Int16Array,
  u8: Uint8Array,
  bool: Uint8Array,
};
const zeros = (dtype: string, n: number): Elements => new ARRAYS[dtype as keyof typeof ARRAYS](n);
const floats = (dtype: string, n: number): Floats => zeros(dtype, n) as Floats;
const seeded = (seed: string | number): Generator => new Generator().manual_seed(BigInt(seed));

/** `out`, filled. */
function filled<T extends Elements>(out: T, fill: (out: T) => void): T {
  fill(out);
  return out;
}

/** What lies in memory as `columns` rows of `rows`, read as its transpose. */
function transposed(out: Floats, rows: number, columns: number): Floats {
  return out.slice().map((_, i) => out[(i % columns) * rows + Math.floor(i / columns)]!);
}

/** How each key of the reference is drawn: what `rng_reference.py` says in PyTorch's words. */
const streams: [key: RegExp, draw: (...parts: string[]) => Drawn][] = [
  [/^raw32\/(\d+)$/, (s) => filled(new Int32Array(1300), (x) => randomFull(x, seeded(s!)))],
  [/^seed\/(-1)$/, (s) => filled(new Int32Array(5), (x) => randomFull(x, seeded(s!)))],
  [/^rand\/(f32|f64)\/(\d+)\/(\d+)$/, (d, n, s) => filled(floats(d!, +n!), (x) => draw.uniform(x, 0, 1, seeded(s!)))],
  [/^randn\/(f32|f64)\/(\d+)\/(\d+)$/, (d, n, s) => filled(floats(d!, +n!), (x) => normal(x, 0, 1, seeded(s!)))],
  [
    /^uniform\/(f32|f64)\/(.+),(.+)$/,
    (d, a, b) => filled(floats(d!, 1000), (x) => draw.uniform(x, +a!, +b!, seeded(0))),
  ],
  [
    /^normal_\/(f32|f64)\/(\d+)\/(.+),(.+)$/,
    (d, n, m, s) => filled(floats(d!, +n!), (x) => normal(x, +m!, +s!, seeded(0))),
  ],
  [
    /^randn_noncontig\/(f32|f64)\/4x5T$/,
    (d) => transposed(filled(floats(d!, 20), (x) => normal(x, 0, 1, seeded(0), false)), 4, 5),
  ],
  [/^rand_like_perm$/, () => transposed(filled(new Float32Array(24), (x) => draw.uniform(x, 0, 1, seeded(0))), 4, 6)],
  [/^exponential\/(f32|f64)$/, (d) => filled(floats(d!, 1000), (x) => draw.exponential(x, 1, seeded(0)))],
  [/^exponential2\/(f32|f64)$/, (d) => filled(floats(d!, 20), (x) => draw.exponential(x, 2.5, seeded(0)))],
  [/^bernoulli_p\/(f32|f64)\/0.3$/, (d) => filled(floats(d!, 2000), (x) => draw.bernoulliScalar(x, 0.3, seeded(0)))],
  [/^bernoulli_p\/(f32|f64)\/0.5\/n10$/, (d) => filled(floats(d!, 10), (x) => draw.bernoulliScalar(x, 0.5, seeded(0)))],
  [
    /^bernoulli_t\/(f32|f64)$/,
    (d) => filled(floats(d!, 1000), (x) => draw.bernoulliTensor(x, floats(d!, 1000).fill(0.3) as Floats, seeded(0))),
  ],
  [/^cauchy\/(f32|f64)$/, (d) => filled(floats(d!, 100), (x) => draw.cauchy(x, 0, 1, seeded(0)))],
  [/^lognormal\/(f32|f64)$/, (d) => filled(floats(d!, 100), (x) => logNormal(x, 1, 2, seeded(0)))],
  [/^geometric\/(f32|f64)$/, (d) => filled(floats(d!, 100), (x) => draw.geometric(x, 0.3, seeded(0)))],
  [/^random_\/(f32|f64)$/, (d) => filled(floats(d!, 100), (x) => randomFull(x, seeded(0)))],
  [/^random_\/(i64|u8|i16|bool)$/, (d) => filled(zeros(d!, 200), (x) => randomFull(x, seeded(0), d === "bool"))],
  [/^random_to\/(f32|f64)\/100$/, (d) => filled(floats(d!, 100), (x) => randint(x, 0, 100, seeded(0)))],
  [
    /^randint\/(i64|i32|u8|f32)\/(.+),(.+)$/,
    (d, a, b) => filled(zeros(d!, 200), (x) => randint(x, BigInt(a!), BigInt(b!), seeded(0))),
  ],
  [/^randint_like$/, () => filled(new Float32Array(10), (x) => randint(x, 0, 100, seeded(0)))],
  [/^randperm\/(\d+)$/, (n) => filled(new BigInt64Array(+n!), (x) => randperm(x, seeded(0))).slice(0, 2000)],
  [/^randn_2d\/(\d)x(\d)$/, (m, n) => filled(new Float32Array(+m! * +n!), (x) => normal(x, 0, 1, seeded(0)))],
  [/^randn_complex64\/20$/, () => filled(new Float32Array(40), (x) => normal(x, 0, Math.SQRT1_2, seeded(0)))],
  [/^rand_complex64\/5$/, () => filled(new Float32Array(10), (x) => draw.uniform(x, 0, 1, seeded(0)))],
  [/^randn_cache\/odd_then$/, () => inTurn(["f32", 3], ["f32", 1], ["f64", 2], ["f32", 16], ["f32", 1])],
  [/^randn_cache\/rand_between$/, () => inTurn(["f32", 1], ["f32", 2, "uniform"], ["f32", 1])],
  [/^multinomial\/f32\/repl$/, () => sampled(Float32Array.of(0.1, 0.2, 0.3, 0.4), 4, 500, true)],
  [/^multinomial\/f64\/repl2d$/, () => sampled(Float64Array.of(1, 2, 3, 3, 0, 1), 3, 100, true)],
  [/^multinomial\/f32\/norepl$/, () => sampled(Float32Array.from({ length: 10 }, (_, i) => i + 1), 10, 10, false)],
  [/^multinomial\/f32\/norepl1$/, () => sampled(Float32Array.from({ length: 10 }, (_, i) => i + 1), 10, 1, false)],
  [/^multinomial\/f64\/norepl2d$/, () => sampled(Float64Array.from({ length: 12 }, (_, i) => i + 1), 6, 4, false)],
  [/^generator7$/, () => filled(new Float32Array(5), (x) => draw.uniform(x, 0, 1, seeded(7)))],
  [/^gen_default_seed$/, () => String(new Generator().initial_seed())],
  [/^state_len$/, () => String(new Generator().get_state().length)],
  [/^state_after_randn1$/, () => stateAfterNormal()],
];

/** The keys that no function here models, by the reason. */
const leftOut: [key: RegExp, reason: string][] = [
  [/\/b?f16(\/|$)/, "leafgrad has no half dtypes yet"],
  [/^(dropout|dropout2d|native_dropout|alpha_dropout|rrelu)(\/|$)/, "uniform or bernoulli numbers for nn"],
  [/^init\//, "nn's modules and torch.nn.init: uniform, normal and randperm with bounds of their own"],
  [/^normal_tensor/, "normal numbers that the op multiplies and adds to"],
  [/^gumbel$/, "exponential numbers that the op computes with"],
  [/^(poisson|standard_gamma)$/, "samplers that are not written yet"],
];

function inTurn(...draws: ["f32" | "f64", number, "uniform"?][]): Elements[] {
  const g = seeded(0);
  return draws.map(([dtype, n, kind]) =>
    filled(floats(dtype, n), (x) => (kind === "uniform" ? draw.uniform(x, 0, 1, g) : normal(x, 0, 1, g))),
  );
}

function sampled(weights: Floats, categories: number, samples: number, replacement: boolean): Elements {
  const out = new BigInt64Array((weights.length / categories) * samples);
  return filled(out, (x) => multinomial(x, weights, categories, { samples, replacement }, seeded(0)));
}

function stateAfterNormal(): Elements {
  const g = seeded(3);
  normal(new Float32Array(1), 0, 1, g);
  const state = g.get_state();
  return Uint8Array.of(...state.slice(0, 64), ...state.slice(-64));
}

/** A stream as the reference writes it: floats by their bits. */
function encoded(drawn: Drawn): unknown {
  if (typeof drawn === "string") return drawn;
  if (Array.isArray(drawn)) return drawn.map(encoded);
  if (drawn instanceof Float32Array) return [...new Int32Array(drawn.buffer)].map(String);
  if (drawn instanceof Float64Array) return [...new BigInt64Array(drawn.buffer)].map(String);
  return [...drawn].map(String);
}

const asText = (value: unknown): unknown => (Array.isArray(value) ? value.map(asText) : String(value));

function drawKey(key: string): unknown {
  const found = streams.flatMap(([pattern, make]) => {
    const match = pattern.exec(key);
    return match === null ? [] : [() => make(...match.slice(1))];
  });
  expect(found, key).toHaveLength(1);
  return encoded(found[0]!());
}

const initial = get_cpu_capability();
afterEach(() => void setCpuCapability(initial));

const fixtures: [CpuCapability, string, number[]][] = [
  ["DEFAULT", "rng.json", [68, 4, 10, 2, 1, 1]],
  ["AVX2", "rng-avx2.json", [2, 0, 12, 1, 1, 0]],
];

describe.each(fixtures)("capability %s", (capability, name, leftOutCounts) => {
  const { cases } = read(name);
  const reasonFor = (key: string): number => leftOut.findIndex(([pattern]) => pattern.test(key));

  test.each(Object.keys(cases).filter((key) => reasonFor(key) < 0))("%s", (key) => {
    setCpuCapability(capability);
    expect(drawKey(key)).toEqual(asText(cases[key]));
  });

  test("what is left out is counted", () => {
    const reasons = Object.keys(cases).map(reasonFor);
    expect(leftOut.map((_, i) => reasons.filter((reason) => reason === i).length)).toEqual(leftOutCounts);
  });
});

/** Long streams, written as `name/dtype/n/seed/arguments`. */
const long: Record<string, (x: Floats, g: Generator, a: number, b: number) => void> = {
  rand: (x, g) => draw.uniform(x, 0, 1, g),
  randn: (x, g) => normal(x, 0, 1, g),
  randn_noncontig: (x, g) => normal(x, 0, 1, g, false),
  uniform_: (x, g, a, b) => draw.uniform(x, a, b, g),
  normal_: (x, g, a, b) => normal(x, a, b, g),
  log_normal_: (x, g, a, b) => logNormal(x, a, b, g),
  cauchy_: (x, g, a, b) => draw.cauchy(x, a, b, g),
  exponential_: (x, g, a) => draw.exponential(x, a, g),
  geometric_: (x, g, a) => draw.geometric(x, a, g),
  bernoulli_: (x, g, a) => draw.bernoulliScalar(x, a, g),
  random_to: (x, g, a, b) => randint(x, a, b, g),
};

describe("long streams", () => {
  const digests = read("rng-digests.json") as unknown as Record<CpuCapability, Record<string, string>>;
  const keys = (["AVX2", "DEFAULT"] as const).flatMap((c) => Object.keys(digests[c]).map((key) => [c, key] as const));

  test.each(keys)("%s %s", (capability, key) => {
    setCpuCapability(capability);
    const [name, dtype, n, seed, values = ""] = key.split("/");
    const [a, b] = values.split(",").map(Number);
    const out = filled(floats(dtype!, +n!), (x) => long[name!]!(x, seeded(seed!), a!, b!));
    expect(createHash("sha256").update(new Uint8Array(out.buffer)).digest("hex")).toBe(digests[capability][key]);
  });
});

describe("Generator", () => {
  test("a seed is taken modulo 2^64, and its low 32 bits decide", () => {
    expect(new Generator().manual_seed(-1).initial_seed()).toBe(2n ** 64n - 1n);
    expect(new Generator().manual_seed(-(2n ** 63n)).initial_seed()).toBe(2n ** 63n);
    expect(seeded(5).random()).toBe(new Generator().manual_seed(2 ** 32 + 5).random());
  });

  test("what is no seed is refused in PyTorch's words", () => {
    const g = new Generator();
    const text = "manual_seed expected a long, but got";
    const notALong = (type: string) => ({ name: "RuntimeError", message: `${text} ${type}` });
    expect(() => g.manual_seed(1.7)).toThrow(expect.objectContaining(notALong("float")));
    expect(() => g.manual_seed("a" as unknown as number)).toThrow(expect.objectContaining(notALong("str")));
    expect(() => g.manual_seed(undefined as unknown as number)).toThrow(expect.objectContaining(notALong("NoneType")));
    const overflow = { name: "ValueError", message: "Overflow when unpacking long long" };
    expect(() => g.manual_seed(2n ** 64n)).toThrow(expect.objectContaining(overflow));
    expect(() => g.manual_seed(-(2n ** 63n) - 1n)).toThrow(expect.objectContaining(overflow));
  });

  test("seed() draws a seed and uses it", () => {
    const g = new Generator();
    const seed = g.seed();
    expect(g.initial_seed()).toBe(seed);
    expect(g.random()).toBe(seeded(String(seed)).random());
    expect(g.seed()).not.toBe(seed);
  });

  test("a state brings back the words and the kept normal number", () => {
    const g = seeded(3);
    normal(new Float64Array(701), 0, 1, g, false);
    const copy = g.clone_state();
    const state = g.get_state();
    const next = (h: Generator) => [...filled(new Float64Array(5), (x) => normal(x, 0, 1, h))];
    const expected = next(g);
    expect(next(copy)).toEqual(expected);
    expect(next(seeded(0).set_state(state))).toEqual(expected);
    // A state may lie anywhere in a buffer.
    const shifted = new Uint8Array(5060);
    shifted.set(state, 3);
    expect(next(seeded(0).set_state(shifted.subarray(3, 5059)))).toEqual(expected);
  });

  test("what is no state is refused in PyTorch's words, and changes nothing", () => {
    const g = seeded(1);
    const before = g.get_state();
    const size = "Expected a CPUGeneratorImplState of size 5056 but found the input RNG state size to be 10";
    expect(() => g.set_state(new Uint8Array(10))).toThrow(size);
    expect(() => g.set_state(new Uint8Array(5056))).toThrow("Invalid mt19937 state");
    const wrong = (state: unknown) => () => g.set_state(state as Uint8Array);
    expect(wrong(new Float32Array(10))).toThrow("RNG state must be a torch.ByteTensor");
    expect(wrong(3)).toThrow("expected a torch.ByteTensor, but got int");
    expect(g.get_state()).toEqual(before);
  });

  test("the default generator starts from PyTorch's default seed", () => {
    expect(defaultGenerator.initial_seed()).toBe(67280421310721n);
  });
});

describe("refused probabilities", () => {
  const weights = (...values: number[]) => Float32Array.from(values);
  const sample = (w: Floats, samples: number, replacement: boolean) => () => sampled(w, w.length, samples, replacement);

  test("multinomial", () => {
    const invalid = "probability tensor contains either `inf`, `nan` or element < 0";
    expect(sample(weights(-1, 2), 2, false)).toThrow(invalid);
    expect(sample(weights(Infinity, 1), 1, true)).toThrow(invalid);
    const text = "invalid multinomial distribution";
    expect(sample(weights(0, 0), 1, false)).toThrow(`${text} (sum of probabilities <= 0)`);
    expect(sample(weights(0, 0), 2, true)).toThrow(`${text} (sum of probabilities <= 0)`);
    expect(sample(weights(NaN, 1), 2, true)).toThrow(`${text} (encountering probability entry < 0)`);
  });

  test("bernoulli", () => {
    const refused = "Expected p_in >= 0 && p_in <= 1 to be true, but got false.";
    expect(() => draw.bernoulliTensor(new Float32Array(1), weights(1.5), seeded(0))).toThrow(refused);
    expect(() => draw.bernoulliTensor(new Float32Array(1), weights(NaN), seeded(0))).toThrow(refused);
  });
});

/**
 * Random tensors, bit for bit: the keys of `rng.json` and `rng-avx2.json` (see `rng.test.ts`) drawn by the functions that
 * users call, in the words of `rng_reference.py`; then what only tensors have: memory order, the graph, refusals.
 */
import { readFileSync } from "node:fs";
import * as torch from "leafgrad";
import { afterEach, describe, expect, test } from "vitest";
import { type CpuCapability, get_cpu_capability, setCpuCapability } from "../../src/random/capability.ts";

type Tensor = torch.Tensor;
type Drawn = Tensor | Tensor[] | readonly Tensor[] | bigint | number;

/** Numbers beyond 2^53 are kept as text: JSON.parse would round them. */
function read(name: string): Record<string, unknown> {
  const text = readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8");
  return (JSON.parse(text.replaceAll(/(?<=[[, ])-?\d{16,}(?=[,\]])/g, '"$&"')) as { cases: Record<string, unknown> }).cases;
}

const dtypes: Record<string, torch.dtype> = {
  f32: torch.float32, f64: torch.float64, i64: torch.int64, i32: torch.int32, i16: torch.int16, u8: torch.uint8, bool: torch.bool,
};
const of = (dtype: string): { dtype: torch.dtype } => ({ dtype: dtypes[dtype]! });
const empty = (n: number, dtype: string): Tensor => torch.empty([n], of(dtype));
const F = torch.nn.functional;
const { float64 } = torch;

/** How each key is drawn after `manual_seed(0)`; a key's own seed is set by its program. */
const programs: [key: RegExp, draw: (...parts: string[]) => Drawn][] = [
  [/^raw32\/(\d+)$/, (s) => (torch.manual_seed(BigInt(s!)), empty(1300, "i32").random_())],
  [/^seed\/(-1)$/, (s) => (torch.manual_seed(Number(s)), empty(5, "i32").random_())],
  [/^rand\/(f32|f64)\/(\d+)\/(\d+)$/, (d, n, s) => (torch.manual_seed(+s!), torch.rand(+n!, of(d!)))],
  [/^randn\/(f32|f64)\/(\d+)\/(\d+)$/, (d, n, s) => (torch.manual_seed(+s!), torch.randn(+n!, of(d!)))],
  [/^uniform\/(f32|f64)\/(.+),(.+)$/, (d, a, b) => empty(1000, d!).uniform_(+a!, +b!)],
  [/^normal_\/(f32|f64)\/(\d+)\/(.+),(.+)$/, (d, n, m, s) => empty(+n!, d!).normal_(+m!, +s!)],
  [/^randn_noncontig\/(f32|f64)\/4x5T$/, (d) => torch.empty([5, 4], of(d!)).t().normal_()],
  [/^rand_like_perm$/, () => torch.rand(6, 4).t()],
  [/^exponential\/(f32|f64)$/, (d) => empty(1000, d!).exponential_(1)],
  [/^exponential2\/(f32|f64)$/, (d) => empty(20, d!).exponential_(2.5)],
  [/^bernoulli_p\/(f32|f64)\/0.3$/, (d) => empty(2000, d!).bernoulli_(0.3)],
  [/^bernoulli_p\/(f32|f64)\/0.5\/n10$/, (d) => empty(10, d!).bernoulli_(0.5)],
  [/^bernoulli_t\/(f32|f64)$/, (d) => torch.bernoulli(torch.full([1000], 0.3, of(d!)))],
  [/^dropout\/(f32|f64)\/0.4$/, (d) => F.dropout(torch.ones([2000], of(d!)), 0.4)],
  [/^cauchy\/(f32|f64)$/, (d) => empty(100, d!).cauchy_()],
  [/^lognormal\/(f32|f64)$/, (d) => empty(100, d!).log_normal_()],
  [/^geometric\/(f32|f64)$/, (d) => empty(100, d!).geometric_(0.3)],
  [/^random_\/(f32|f64)$/, (d) => empty(100, d!).random_()],
  [/^random_\/(i64|u8|i16|bool)$/, (d) => empty(200, d!).random_()],
  [/^random_to\/(f32|f64)\/100$/, (d) => empty(100, d!).random_(100)],
  [/^randint\/(i64|i32|u8|f32)\/(.+),(.+)$/, (d, a, b) => torch.randint(BigInt(a!), BigInt(b!), [200], of(d!))],
  [/^randint_like$/, () => torch.randint_like(torch.zeros(10), 100)],
  [/^randperm\/(\d+)$/, (n) => torch.randperm(+n!).narrow(0, 0, Math.min(+n!, 2000))],
  [/^randn_2d\/(\d)x(\d)$/, (m, n) => torch.randn(+m!, +n!)],
  [/^randn_cache\/odd_then$/, () => [torch.randn(3), torch.randn(1), torch.randn(2, { dtype: float64 }), torch.randn(16), torch.randn(1)]],
  [/^randn_cache\/rand_between$/, () => [torch.randn(1), torch.rand(2), torch.randn(1)]],
  [/^multinomial\/f32\/repl$/, () => torch.multinomial(torch.tensor([0.1, 0.2, 0.3, 0.4]), 500, true)],
  [/^multinomial\/f64\/repl2d$/, () => torch.multinomial(torch.tensor([[1, 2, 3], [3, 0, 1]], { dtype: float64 }), 100, true)],
  [/^multinomial\/f32\/norepl$/, () => torch.multinomial(torch.arange(1, 11, { dtype: torch.float32 }), 10)],
  [/^multinomial\/f32\/norepl1$/, () => torch.multinomial(torch.arange(1, 11, { dtype: torch.float32 }), 1)],
  [/^multinomial\/f64\/norepl2d$/, () => torch.multinomial(torch.arange(1, 13, { dtype: float64 }).view(2, 6), 4)],
  [/^alpha_dropout$/, () => F.alpha_dropout(torch.ones(100), 0.3, true)],
  [/^dropout2d$/, () => F.dropout2d(torch.ones(4, 5, 2, 2), 0.3)],
  [/^native_dropout$/, () => torch.native_dropout(torch.ones(100), 0.3, true)[0]],
  [/^normal_tensor$/, () => torch.normal(torch.arange(20, { dtype: torch.float32 }), torch.arange(1, 21, { dtype: torch.float32 }))],
  [/^normal_tensor10$/, () => torch.normal(torch.arange(10, { dtype: torch.float32 }), 2)],
  [/^generator7$/, () => torch.rand(5, { generator: new torch.Generator().manual_seed(7) })],
  [/^gen_default_seed$/, () => new torch.Generator().initial_seed()],
  [/^state_len$/, () => (torch.manual_seed(3), torch.get_rng_state().numel())],
  [/^state_after_randn1$/, () => stateAfterNormal()],
];

function stateAfterNormal(): Tensor {
  torch.manual_seed(3);
  torch.randn(1);
  const state = torch.get_rng_state();
  return torch.cat([state.narrow(0, 0, 64), state.narrow(0, 5056 - 64, 64)]);
}

/** The keys that leafgrad's functions cannot draw, by the reason. */
const leftOut: [key: RegExp, reason: string][] = [
  [/\/b?f16(\/|$)/, "leafgrad has no half dtypes yet"],
  [/^rand\w*_complex64\//, "leafgrad has no complex dtypes yet"],
  [/^init\//, "modules and torch.nn.init are tested with nn"],
  [/^gumbel$/, "its softmax may round otherwise in the last place; compared below"],
  [/^rrelu(\/|$)/, "an activation that is not written yet"],
  [/^(poisson|standard_gamma)$/, "samplers that are not written yet"],
];

/** Floats by their bits, as the reference has them. */
function encoded(drawn: Drawn): unknown {
  if (typeof drawn !== "object") return String(drawn);
  if (Array.isArray(drawn)) return drawn.map(encoded);
  const data = (drawn as Tensor).toTypedArray();
  const bits = data instanceof Float32Array ? new Int32Array(data.buffer) : data instanceof Float64Array ? new BigInt64Array(data.buffer) : data;
  return Array.from(bits as ArrayLike<number | bigint>, String);
}

const asText = (value: unknown): unknown => (Array.isArray(value) ? value.map(asText) : String(value));

function drawKey(key: string): unknown {
  const found = programs.flatMap(([pattern, draw]) => {
    const match = pattern.exec(key);
    return match === null ? [] : [() => draw(...match.slice(1))];
  });
  expect(found, key).toHaveLength(1);
  torch.manual_seed(0);
  return encoded(found[0]!());
}

const initial = get_cpu_capability();
afterEach(() => void setCpuCapability(initial));

const fixtures: [CpuCapability, string, number[]][] = [
  ["DEFAULT", "rng.json", [68, 2, 10, 1, 1, 1]],
  ["AVX2", "rng-avx2.json", [2, 1, 12, 1, 0, 0]],
];

describe.each(fixtures)("capability %s", (capability, name, leftOutCounts) => {
  const cases = read(name);
  const reasonFor = (key: string): number => leftOut.findIndex(([pattern]) => pattern.test(key));

  test.each(Object.keys(cases).filter((key) => reasonFor(key) < 0))("%s", (key) => {
    setCpuCapability(capability);
    expect(drawKey(key)).toEqual(asText(cases[key]));
  });

  test("gumbel_softmax", () => {
    setCpuCapability(capability);
    torch.manual_seed(0);
    const expected = new Float32Array(Int32Array.from(cases.gumbel as number[]).buffer);
    expect(torch.allclose(F.gumbel_softmax(torch.zeros(20)), torch.tensor(expected), { rtol: 1e-6 })).toBe(true);
    torch.manual_seed(0);
    const hard = F.gumbel_softmax(torch.zeros(20, { requires_grad: true }), { hard: true });
    expect(hard.argmax().item()).toBe(expected.indexOf(Math.max(...expected)));
    expect(hard.detach().sum().item()).toBeCloseTo(1, 6);
  });

  test("what is left out is counted", () => {
    const reasons = Object.keys(cases).map(reasonFor);
    expect(leftOut.map((_, i) => reasons.filter((reason) => reason === i).length)).toEqual(leftOutCounts);
  });
});

/** The elements of a tensor by rows. */
const flat = (t: Tensor): unknown => t.reshape([-1]).tolist();

describe("memory order", () => {
  /** 24 distinct numbers in the order in which they are drawn. */
  const stream = (): Tensor => (torch.manual_seed(0), torch.rand(24));

  test("a tensor is filled in the order of its memory", () => {
    const base = torch.zeros(2, 3, 4);
    torch.manual_seed(0);
    base.permute([2, 0, 1]).uniform_();
    expect(flat(base)).toEqual(flat(stream()));
  });

  test("gaps are skipped", () => {
    const base = torch.zeros(4, 12);
    torch.manual_seed(0);
    base.t().index(torch.slice(0, null, 2)).uniform_();
    expect(flat(base.index(torch.slice(), torch.slice(null, null, 2)))).toEqual(flat(stream()));
    expect(flat(base.index(torch.slice(), torch.slice(1, null, 2)))).toEqual(new Array(24).fill(0));
  });

  test("16 normal numbers come in blocks only where the tensor is contiguous", () => {
    const columns = (torch.manual_seed(0), torch.zeros(4, 4).t().normal_());
    const rows = (torch.manual_seed(0), torch.randn(4, 4));
    const single = (torch.manual_seed(0), torch.cat([torch.randn(8), torch.randn(8)]));
    expect(flat(columns.t())).toEqual(flat(single));
    expect(flat(rows)).not.toEqual(flat(single));
  });

  test("probabilities are met in the order of the tensor that is written", () => {
    const p = torch.tensor([[0, 1, 0], [1, 0, 1]]);
    expect(torch.zeros(3, 2).t().bernoulli_(p).tolist()).toEqual(p.tolist());
    expect(torch.bernoulli(p.t()).stride()).toEqual([2, 1]);
  });
});

describe("the graph", () => {
  const made = (): Tensor => torch.ones([3], { requires_grad: true }).mul(1);
  const writes: [node: string, write: (x: Tensor) => Tensor][] = [
    ["UniformBackward0", (x) => x.uniform_()],
    ["NormalBackward0", (x) => x.normal_()],
    ["LogNormalBackward0", (x) => x.log_normal_()],
    ["ExponentialBackward0", (x) => x.exponential_()],
    ["CauchyBackward0", (x) => x.cauchy_()],
    ["GeometricBackward0", (x) => x.geometric_(0.5)],
    ["RandomBackward2", (x) => x.random_()],
    ["RandomBackward1", (x) => x.random_(5)],
    ["RandomBackward0", (x) => x.random_(2, 5)],
    ["BernoulliBackward1", (x) => x.bernoulli_(torch.full([3], 0.5))],
    ["BernoulliBackward2", (x) => x.bernoulli_()],
  ];

  test.each(writes)("%s gives no gradient and counts one write", (node, write) => {
    const x = made();
    expect(write(x)).toBe(x);
    expect(x.grad_fn!.name()).toBe(node);
    expect(x._version).toBe(1);
    const leaf = torch.ones([3], { requires_grad: true });
    write(leaf.mul(2)).sum().backward();
    expect(leaf.grad!.tolist()).toEqual([0, 0, 0]);
    expect(() => write(leaf)).toThrow("a leaf Variable that requires grad is being used in an in-place operation.");
  });

  test("means, deviations and probabilities get zeros", () => {
    const [m, s] = [torch.ones([3], { requires_grad: true }), torch.ones([2, 1], { requires_grad: true })];
    const drawn = torch.normal(m, s);
    expect(drawn.grad_fn!.name()).toBe("NormalBackward3");
    drawn.sum().backward();
    expect([m.grad!.tolist(), s.grad!.tolist()]).toEqual([[0, 0, 0], [[0], [0]]]);
    expect(torch.normal(m, 2).grad_fn!.name()).toBe("NormalBackward1");
    expect(torch.normal(2, s).grad_fn!.name()).toBe("NormalBackward2");
    expect(torch.bernoulli(m).grad_fn!.name()).toBe("BernoulliBackward0");
    const p = torch.bernoulli(m, 0.5);
    expect(p.grad_fn!.name()).toBe("NotImplemented");
    expect(() => p.sum().backward()).toThrow("derivative for aten::bernoulli is not implemented");
    expect(torch.multinomial(m, 2).requires_grad).toBe(false);
  });
});

describe("refusals", () => {
  const x = (dtype: torch.dtype = torch.float32): Tensor => torch.zeros([3], { dtype });
  const wrong: [name: string, text: string, run: () => unknown][] = [
    ["RuntimeError", "uniform_ expects to return a [from, to) range, but found from=1 > to=0", () => x().uniform_(1, 0)],
    ["RuntimeError", "to is out of bounds for float", () => x().uniform_(0, Infinity)],
    ["RuntimeError", "uniform_ expects to-from <= std::numeric_limits<Float>::max(), but found to=3e+38 and from=-3e+38 which result in to-from to exceed the limit", () => x().uniform_(-3e38, 3e38)],
    ["NotImplementedError", "\"check_uniform_bounds\" not implemented for 'Long'", () => torch.rand(3, { dtype: torch.int64 })],
    ["RuntimeError", "normal expects std >= 0.0, but found std -1", () => x().normal_(0, -1)],
    ["NotImplementedError", "\"normal_kernel_cpu\" not implemented for 'Int'", () => torch.randn(3, { dtype: torch.int32 })],
    ["RuntimeError", "normal expects all elements of std >= 0.0", () => torch.normal(0, torch.tensor([1, -1]))],
    ["RuntimeError", "log_normal_ expects std > 0.0, but found std=0", () => x().log_normal_(0, 0)],
    ["RuntimeError", "exponential_ expects lambda > 0.0, but found lambda=-1.5", () => x().exponential_(-1.5)],
    ["RuntimeError", "Cauchy distribution is a continuous probability distribution. dtype must be a floating point but you specified long int", () => x(torch.int64).cauchy_()],
    ["RuntimeError", "geometric_ expects p to be in (0, 1), but got p=1", () => x().geometric_(1)],
    ["RuntimeError", "bernoulli_ expects p to be in [0, 1], but got p=2", () => x().bernoulli_(2)],
    ["RuntimeError", "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be improved?  If so, please report an enhancement request to PyTorch.)", () => torch.bernoulli(torch.full([3], 2))],
    ["RuntimeError", "random_ expects 'from' to be less than 'to', but got from=5 >= to=3", () => x().random_(5, 3)],
    ["RuntimeError", "to - 1 is out of bounds for unsigned char", () => x(torch.uint8).random_(0, 300)],
    ["RuntimeError", "random_ expects 'from' to be less than 'to', but got from=0 >= to=0", () => torch.randint(0, [2])],
    ["ValueError", "Overflow when unpacking long long", () => torch.randint(2n ** 63n, [2])],
    ["RuntimeError", "value cannot be converted to type uint8_t without overflow", () => torch.randperm(300, { dtype: torch.uint8 })],
    ["RuntimeError", "Trying to create tensor with negative dimension -1: [-1]", () => torch.randn(-1)],
    ["RuntimeError", "cannot sample n_sample > prob_dist.size(-1) samples without replacement", () => torch.multinomial(torch.ones(3), 4)],
    ["RuntimeError", "invalid multinomial distribution (sum of probabilities <= 0)", () => torch.multinomial(torch.zeros(2), 1)],
    ["RuntimeError", "unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the tensor before performing the operation.", () => x().expand(2, 3).normal_()],
    ["TypeError", "normal_(): argument 'generator' must be torch.Generator, not int", () => x().normal_({ generator: 5 as never })],
    ["ValueError", "dropout probability has to be between 0 and 1, but got 1.5", () => F.dropout(x(), 1.5)],
    ["TypeError", "RNG state must be a torch.ByteTensor", () => torch.set_rng_state(x())],
  ];

  test.each(wrong)("%s: %s", (name, message, run) => {
    expect(run).toThrow(expect.objectContaining({ name, message }));
  });

  test("a refused write leaves the tensor and the stream as they were", () => {
    torch.manual_seed(0);
    const t = x();
    expect(() => t.uniform_(1, 0)).toThrow();
    expect([t.tolist(), t._version, torch.rand(1).item()]).toEqual([[0, 0, 0], 0, 0.49625658988952637]);
  });
});

test("the state can be kept and brought back", () => {
  torch.manual_seed(1);
  torch.randn(3);
  const state = torch.get_rng_state();
  const drawn = torch.randn(5).tolist();
  torch.set_rng_state(state);
  expect(torch.randn(5).tolist()).toEqual(drawn);
  expect(torch.manual_seed(7)).toBe(torch.default_generator);
  expect(torch.initial_seed()).toBe(7n);
});

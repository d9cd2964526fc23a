/** String(x) of real tensors against PyTorch: every case of fixtures/print.json whose dtype and making leafgrad has. */
import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import * as torch from "leafgrad";
import { afterEach, expect, test } from "vitest";

type Tensor = torch.Tensor;
interface Case {
  id: string;
  dtype: string;
  shape: number[];
  data: string[];
  opts: Record<string, unknown>;
  default_dtype: string;
  wrap: string;
  repr: string;
}

const { cases } = JSON.parse(readFileSync(new URL("./fixtures/print.json", import.meta.url), "utf8")) as { cases: Case[] };
const dtypes = torch as unknown as Record<string, torch.dtype>;

/** What print_golden.py did to a tensor before it printed it. */
const wraps: Record<string, (t: Tensor) => Tensor> = {
  plain: (t) => t,
  requires_grad: (t) => t.requires_grad_(),
  mul1: (t) => t.requires_grad_().mul(1),
  view_as: (t) => t.requires_grad_().view_as(t),
  sum: (t) => t.requires_grad_().sum(),
  setitem: (t) => {
    const copy = t.requires_grad_().mul(1);
    copy.index_put_([0], 7);
    return copy;
  },
  unbind0: (t) => t.requires_grad_().unbind(0)[0]!,
  detach: (t) => t.requires_grad_().mul(1).detach(),
  // A parameter prints as its tensor after a heading; nn.Parameter is not delivered yet.
  parameter: (t) => t.requires_grad_(),
};

function make({ dtype, shape, data }: Case): Tensor {
  const numbers = data.map((text) => (dtype === "int64" ? BigInt(text) : dtype === "bool" ? Boolean(Number(text)) : Number(text)));
  const special: Record<string, number> = { inf: Infinity, "-inf": -Infinity, nan: NaN };
  return torch.tensor(numbers.map((v, i) => special[data[i]!] ?? v), { dtype: dtypes[dtype]! }).reshape(shape);
}

const delivered = cases.filter(({ dtype, wrap }) => dtypes[dtype] !== undefined && wrap in wraps);

afterEach(() => {
  torch.set_printoptions({ profile: "default" });
  torch.set_default_dtype(torch.float32);
});

test.each(delivered.map((c) => [c.id, c] as const))("%s", (_, one) => {
  const { threshold, ...options } = one.opts;
  if (Object.keys(one.opts).length > 0) torch.set_printoptions({ ...options, ...(threshold === undefined ? {} : { threshold: Number(String(threshold).replace("inf", "Infinity")) }) });
  torch.set_default_dtype(dtypes[one.default_dtype]!);
  const text = String(wraps[one.wrap]!(make(one)));
  expect(one.wrap === "parameter" ? `Parameter containing:\n${text}` : text).toBe(one.repr);
});

test("what is left out is counted", () => {
  const out = cases.filter((c) => !delivered.includes(c));
  expect(out.filter(({ dtype }) => dtype.startsWith("complex")).length).toBe(48);
  expect(out.filter(({ dtype }) => dtype.endsWith("float16")).length).toBe(24);
  expect(out.length).toBe(72);
});

test("console.log shows the same", () => {
  expect(inspect(torch.tensor([1, 2]))).toBe("tensor([1., 2.])");
});

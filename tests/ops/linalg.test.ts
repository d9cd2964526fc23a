/** Products of matrices: the kernel against plain sums, and the graphs, layouts and refusals that PyTorch 2.13 shows. */
import * as torch from "leafgrad";
import { describe, expect, test } from "vitest";
import { gemm } from "../../src/backends/gemm.ts";
import { axis, single, type Factor } from "../../src/backends/product.ts";

type Tensor = torch.Tensor;

/** Small integers, exact in every dtype. */
const some = (sizes: number[], dtype: torch.dtype, salt: number): Tensor =>
  torch.arange(sizes.reduce((a, b) => a * b, 1)).mul(7).add(salt).remainder(11).to(dtype).reshape(sizes);

const matrix = (t: Tensor): Factor => ({
  storage: t._storage, offset: t.storage_offset(), batch: single, rows: axis(t.size(0), t.stride(0)), columns: axis(t.size(1), t.stride(1)),
});

/** A matrix of the given sizes: by rows, by columns, or every other element of a larger one. */
const layouts: ((m: number, n: number, dtype: torch.dtype, salt: number) => Tensor)[] = [
  (m, n, dtype, salt) => some([m, n], dtype, salt),
  (m, n, dtype, salt) => some([n, m], dtype, salt).t(),
  (m, n, dtype, salt) => some([2 * m, 2 * n], dtype, salt).as_strided([m, n], [4 * n, 2]),
];

describe("gemm", () => {
  const sizes = [[1, 1, 1], [1, 5, 4], [7, 1, 3], [2, 3, 4], [5, 6, 7], [9, 10, 11], [3, 2, 0]] as const;
  const { float32, float64, int8, uint8, int32, int64 } = torch;

  test.each([float32, float64, int8, uint8, int32, int64])("%s: sums of products in every layout", (dtype) => {
    for (const [m, n, k] of sizes) {
      for (const left of layouts) {
        for (const right of layouts) {
          const [a, b, before] = [left(m, k, dtype, 1), right(k, n, dtype, 2), some([m, n], dtype, 3)];
          const out = before.clone();
          gemm(dtype, { a: matrix(a), b: matrix(b), out: matrix(out), alpha: 2, beta: 3 });
          const plain = before.mul(3).add(a.unsqueeze(2).mul(b.unsqueeze(0)).sum(1, { dtype }).mul(2));
          expect(out.tolist()).toEqual(plain.tolist());
        }
      }
    }
  });

  test("with beta 0 what lay there does not matter", () => {
    const [a, b, out] = [torch.ones(2, 2), torch.ones(2, 2), torch.full([2, 2], NaN)];
    gemm(float32, { a: matrix(a), b: matrix(b), out: matrix(out), alpha: 1, beta: 0 });
    expect(out.tolist()).toEqual([[2, 2], [2, 2]]);
  });

  test("integers wrap around", () => {
    const big = torch.tensor([[2n ** 62n, 3n]]);
    expect(big.mm(torch.tensor([[2n], [5n]])).itemBigInt()).toBe(-(2n ** 63n) + 15n);
    expect(torch.full([1, 2], 100, { dtype: int8 }).mm(torch.full([2, 1], 100, { dtype: int8 })).item()).toBe(20000 % 256);
  });
});

const leaf = (...sizes: number[]): Tensor => torch.ones(sizes, { requires_grad: true });

/** `Mm(Unsqueeze(*), *)`: nodes without "Backward0", accumulators as stars. */
function tree(node: torch.Tensor["grad_fn"]): string {
  if (node === null) return "-";
  const name = node.name().replace("torch::autograd::", "").replace("Backward0", "");
  return name === "AccumulateGrad" ? "*" : `${name}(${node.next_functions.map(([next]) => tree(next as typeof node)).join(", ")})`;
}

describe("matmul", () => {
  const cases: [string, Tensor, Tensor, number[], string][] = [
    ["vectors", leaf(3), leaf(3), [], "Dot(*, *)"],
    ["matrix, vector", leaf(2, 3), leaf(3), [2], "Mv(*, *)"],
    ["vector, matrix", leaf(3), leaf(3, 2), [2], "SqueezeBackward4(Mm(Unsqueeze(*), *))"],
    ["matrices", leaf(2, 3), leaf(3, 2), [2, 2], "Mm(*, *)"],
    ["batch, vector", leaf(4, 2, 3), leaf(3), [4, 2], "UnsafeView(Mv(View(*), *))"],
    ["batch, matrix", leaf(5, 4, 2, 3), leaf(3, 2), [5, 4, 2, 2], "UnsafeView(Mm(View(*), *))"],
    ["vector, batch", leaf(3), leaf(4, 3, 2), [4, 2], "UnsafeView(Mv(UnsafeView(Clone(Transpose(*))), *))"],
    ["matrix, batch", leaf(2, 3), leaf(4, 3, 2), [4, 2, 2], "Clone(Transpose(UnsafeView(Mm(UnsafeView(Clone(Transpose(*))), T(*)))))"],
    ["constant matrix, batch", torch.ones(2, 3), leaf(4, 3, 2), [4, 2, 2], "UnsafeView(Bmm(-, View(Expand(*))))"],
    ["constant vector, batch", torch.ones(3), leaf(4, 3, 2), [4, 2], "UnsafeView(Bmm(-, View(Expand(*))))"],
    ["batches", leaf(4, 2, 3), leaf(4, 3, 2), [4, 2, 2], "UnsafeView(Bmm(View(Expand(*)), View(Expand(*))))"],
    ["batch, lone matrix in three dimensions", leaf(4, 2, 3), leaf(1, 3, 2), [4, 2, 2], "UnsafeView(Mm(View(*), SqueezeBackward1(*)))"],
    ["batches that are broadcast", leaf(4, 2, 3), leaf(5, 1, 3, 2), [5, 4, 2, 2], "UnsafeView(Bmm(UnsafeView(Clone(Expand(*))), UnsafeView(Clone(Expand(*)))))"],
  ];

  test.each(cases)("%s", (_, a, b, sizes, graph) => {
    const product = a.matmul(b);
    expect([product.shape, tree(product.grad_fn)]).toEqual([sizes, graph]);
    expect(product.is_contiguous()).toBe(true);
  });

  test("empty sums are zeros", () => {
    expect(torch.ones(2, 0).matmul(torch.ones(0, 3)).tolist()).toEqual([[0, 0, 0], [0, 0, 0]]);
    expect(torch.ones(0).dot(torch.ones(0)).item()).toBe(0);
    expect(torch.ones(4, 0, 3).matmul(torch.ones(3, 2)).shape).toEqual([4, 0, 2]);
  });
});

test("gradients of matrices lie as the matrices do", () => {
  const byRows = torch.randn(2, 3).requires_grad_();
  const byColumns = torch.randn(4, 3).t().requires_grad_();
  const [g1, g2] = torch.autograd.grad(byRows.mm(byColumns), [byRows, byColumns], torch.randn(2, 4)) as Tensor[];
  expect([g1!.stride(), g2!.stride()]).toEqual([[3, 1], [1, 3]]);
  const weight = leaf(4, 3);
  torch.nn.functional.linear(torch.randn(2, 3), weight, torch.zeros(4)).sum().backward();
  expect(weight.grad!.stride()).toEqual([3, 1]);
});

test("a saved factor that is written since is refused", () => {
  const [a, b] = [leaf(2, 2).mul(1), leaf(2, 2)];
  const product = a.mm(b);
  a.add_(1);
  expect(() => product.sum().backward()).toThrow("one of the variables needed for gradient computation has been modified by an inplace operation");
  const x = torch.ones(2, 2);
  const y = x.mm(b);
  x.add_(1);
  expect(() => y.sum().backward()).toThrow("modified by an inplace operation");
  const free = leaf(2, 2).mul(1);
  const z = free.mm(torch.ones(2, 2));
  free.add_(1); // only the other factor is needed for its gradient
  expect(() => z.sum().backward()).not.toThrow();
});

describe("refusals", () => {
  const { float64, int64, bool } = torch;
  const o = (...sizes: number[]): Tensor => torch.ones(sizes);
  const wide = (...sizes: number[]): Tensor => torch.ones(sizes, { dtype: float64 });
  const wrong: [string, () => unknown][] = [
    ["mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)", () => o(2, 3).matmul(o(2, 3))],
    ["expected m1 and m2 to have the same dtype, but got: float != double", () => o(2, 3).mm(wide(3, 4))],
    ["expected m1 and m2 to have the same dtype, but got: long int != float", () => o(2, 3).to(int64).mm(o(3, 2))],
    ["self must be a matrix", () => o(3).mm(o(3, 2))],
    ["mat2 must be a matrix", () => o(2, 3).mm(o(3))],
    ["\"addmm_impl_cpu_\" not implemented for 'Bool'", () => o(2, 2).to(bool).mm(o(2, 2).to(bool))],
    ["size mismatch, got input (2), mat (2x3), vec (2)", () => o(2, 3).mv(o(2))],
    ["vector + matrix @ vector expected, got 1, 2, 2", () => o(2, 3).mv(o(3, 1))],
    ["addmv input tensors must have the same dtype, but got Double, Float, and Double", () => o(2, 3).mv(wide(3))],
    ["inconsistent tensor size, expected tensor [2] and src [3] to have the same number of elements, but got 2 and 3 elements respectively", () => o(2).dot(o(3))],
    ["1D tensors expected, but got 2D and 1D tensors", () => o(3, 1).dot(o(3))],
    ["dot : expected both vectors to have same dtype, but found Float and Double", () => o(3).dot(wide(3))],
    ["batch1 must be a 3D tensor", () => o(2, 3).bmm(o(3, 2))],
    ["Expected size for first two dimensions of batch2 tensor to be: [2, 4] but got: [3, 4].", () => o(2, 3, 4).bmm(o(3, 4, 5))],
    ["expected scalar type Float but found Double", () => o(2, 3, 4).bmm(wide(2, 4, 5))],
    ["both arguments to matmul need to be at least 1D, but they are 0D and 1D", () => o().matmul(o(3))],
    ["The size of tensor a (4) must match the size of tensor b (5) at non-singleton dimension 0", () => o(4, 2, 3).matmul(o(5, 3, 2))],
    ["self and mat2 must have the same dtype, but got Double and Float", () => wide(2).addmm(o(2, 3), o(3, 2))],
    ["mat2 must be a matrix, got 1-D tensor", () => o(2).addmm(o(2, 3), o(3))],
    ["Bad in-place call: input tensor size [2] and output tensor size [2, 2] should match", () => o(2).addmm_(o(2, 3), o(3, 2))],
    ["outer: Expected 1-D argument self, but got 2-D", () => torch.outer(o(2, 2), o(3))],
    ["inner() the last dimension must match on both input tensors but got shapes [5, 2, 3] and [4, 2]", () => torch.inner(o(5, 2, 3), o(4, 2))],
    ["contracted dimensions need to match, but first has size 4 in dim 2 and second has size 3 in dim 1", () => torch.tensordot(o(2, 3, 4), o(4, 3, 5), [[1, 2], [1, 1]])],
    ["einsum(): subscript j has size 4 for operand 1 which does not broadcast with previously seen size 3", () => torch.einsum("ij,jk->ik", o(2, 3), o(4, 4))],
    ["einsum(): output subscript z does not appear in the equation for any input operand", () => torch.einsum("ij,jk->iz", o(2, 3), o(3, 4))],
    ["einsum(): fewer operands were provided than specified in the equation", () => torch.einsum("ij,jk", o(2, 3))],
    ["einsum(): subscript i is repeated for operand 0 but the sizes don't match, 3 != 2", () => torch.einsum("ii", o(2, 3))],
    ["expected dtype float for `end` but got dtype double", () => torch.lerp(o(3), wide(3), 0.5)],
  ];

  test.each(wrong)("%s", (message, run) => {
    expect(run).toThrow(expect.objectContaining({ message }));
  });
});

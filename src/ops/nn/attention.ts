/** Scaled dot product attention: a function of torch.nn.functional. */
import { gradMode } from "../../autograd/grad-mode.ts";
import { requiresGrad } from "../../autograd/variable.ts";
import { composite, KernelOverload } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import { bool, FLOAT, float32, typeMetaName, type DType } from "../../tensor/dtype.ts";
import { emptyStrided, emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { dropout } from "./dropout.ts";
import { emptyLike, filled } from "../creation/fill.ts";
import { multiplyBatches } from "../linalg/matrix-product.ts";
import { _softmax_backward_data, softmaxGradient, softmaxOf } from "./normalization.ts";

type MaybeTensor = Tensor | null;

/** Softmax along the last dimension; a row of -∞, which nothing may attend to, gives zeros. */
const safeSoftmax = new KernelOverload("_safe_softmax(Tensor self) -> Tensor", {
  forward: (self: Tensor) => softmaxOf("safe_softmax", self, self._sizes.length - 1),
  backward: { self: ({ grad, result }) => _softmax_backward_data(grad, result, -1, result.dtype) },
});

/** Zeros where `allowed`, -∞ elsewhere. */
const maskOf = (allowed: Tensor, dtype: DType): Tensor => filled(allowed._sizes, 0, dtype).masked_fill(allowed.logical_not(), -Infinity);

/** What is added to the scores: the mask, and -∞ for what lies after each position. */
function addedMask(query: Tensor, key: Tensor, mask: MaybeTensor, causal: boolean): MaybeTensor {
  const given = mask !== null && mask.dtype === bool ? maskOf(mask, query.dtype) : mask;
  if (!causal) return given;
  const before = maskOf(filled([query.size(-2), key.size(-2)], true, bool).tril(), query.dtype);
  return given === null ? before : given.add(before);
}

/** How much each query attends to each key. */
const weights = (scores: Tensor, mask: MaybeTensor): Tensor => safeSoftmax.call([mask === null ? scores : scores.add(mask)]) as Tensor;

interface Saved {
  query: Tensor;
  key: Tensor;
  value: Tensor;
  attn_mask: MaybeTensor;
  scale: number;
  attention: Tensor;
}

/** Unset, in the sizes of (batch, head, position, element), where a position's heads lie side by side: as PyTorch's gradients do. */
function headsTogether({ _sizes: [batch, heads, positions, width], dtype }: Tensor): Tensor {
  return emptyStrided([batch, heads, positions, width], [positions * heads * width, width, heads * width, 1], dtype);
}

function gradients(grad: Tensor, { query, key, value, scale, attention }: Saved): Tensor[] {
  const scores = softmaxGradient(false, multiplyBatches(emptyTensor(attention._sizes, attention.dtype), grad, value.mT), attention, -1);
  const scaling = { alpha: scale, beta: 0 };
  return [
    multiplyBatches(headsTogether(query), scores, key, scaling),
    multiplyBatches(headsTogether(key), scores.mT, query, scaling),
    multiplyBatches(headsTogether(value), attention.mT, grad),
  ];
}

/** Where the gradient is differentiated again the weights have to depend on query and key. */
function recordedGradients(grad: Tensor, { query, key, value, attn_mask, scale }: Saved): Tensor[] {
  const attention = weights(query.matmul(key.mT).mul(scale), attn_mask);
  const scores = _softmax_backward_data(grad.matmul(value.mT), attention, -1, attention.dtype).mul(scale);
  return [scores.matmul(key), scores.mT.matmul(query), attention.mT.matmul(grad)];
}

/** Attention as one node, which keeps the weights; the case of most models. */
const whole = new KernelOverload(
  "_scaled_dot_product_flash_attention_for_cpu(Tensor query, Tensor key, Tensor value, Tensor? attn_mask, float scale) -> (Tensor output, Tensor attention)",
  {
    forward: (query: Tensor, key: Tensor, value: Tensor, mask: MaybeTensor, scale: number) => {
      const scores = emptyTensor([...query._sizes.slice(0, 3), key._sizes[2]], query.dtype);
      const attention = weights(multiplyBatches(scores, query, key.mT, { alpha: scale, beta: 0 }), mask);
      const output = query._strides[3] === 1 ? emptyLike(query, query.dtype) : emptyTensor(query._sizes, query.dtype);
      return [multiplyBatches(output, attention, value), attention];
    },
    backward: {
      "query, key, value": ({ grad, query, key, value, attn_mask, scale, attention }) => {
        const saved = { query, key, value, attn_mask, scale, attention };
        return gradMode.enabled ? recordedGradients(grad, saved) : gradients(grad, saved);
      },
    },
    constants: ["attention"],
    node: "ScaledDotProductFlashAttentionForCpuBackward0",
  },
);

/** Attention op by op, with query and key scaled by the root of `scale` each, so that products do not overflow. */
function stepByStep(query: Tensor, key: Tensor, value: Tensor, mask: MaybeTensor, p: number, scale: number): Tensor {
  const root = Math.sqrt(Math.abs(scale));
  const scores = query.mul(scale < 0 ? -root : root).matmul(key.transpose(-2, -1).mul(root));
  const attended = weights(scores, mask);
  return (p > 0 ? dropout(attended, p, true) : attended).matmul(value);
}

function checkInputs(query: Tensor, key: Tensor, value: Tensor, mask: MaybeTensor): void {
  const [q, k, v] = [query, key, value].map((t) => typeMetaName(t.dtype));
  if (q !== k || q !== v) throw new RuntimeError(`Expected query, key, and value to have the same dtype, but got query.dtype: ${q} key.dtype: ${k} and value.dtype: ${v} instead.`);
  const dims = [query, key, value].map((t) => t._sizes.length);
  if (dims.some((n) => n < 2)) {
    throw new RuntimeError(`Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: ${dims[0]} key.dim: ${dims[1]} and value.dim: ${dims[2]} instead.`);
  }
  if (mask !== null && mask.dtype !== bool && mask.dtype !== float32 && mask.dtype !== query.dtype) {
    throw new RuntimeError(
      `Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: ${typeMetaName(mask.dtype)} and  query.dtype: ${q} instead.`,
    );
  }
}

/** Does PyTorch take its fused kernel? Batches and heads alike, one width, no dropout, and no gradient for the mask. */
function isWhole(query: Tensor, key: Tensor, value: Tensor, mask: MaybeTensor, p: number): boolean {
  const [q, k, v] = [query._sizes, key._sizes, value._sizes];
  if (p > 0 || query.dtype.kind !== FLOAT || query._numel === 0 || key._numel === 0) return false;
  if (![q, k, v].every((sizes) => sizes.length === 4 && sizes[0] === q[0] && sizes[1] === q[1] && sizes[3] === q[3]) || k[2] !== v[2]) return false;
  if (mask === null) return true;
  const fits = (sizes: readonly number[], whole: readonly number[]): boolean => sizes.every((size, d) => size === 1 || size === whole[d]);
  const scores = [q[0], q[1], q[2], k[2]];
  return !requiresGrad(mask) && ((mask._sizes.length === 2 && fits(mask._sizes, scores.slice(2))) || (mask._sizes.length === 4 && fits(mask._sizes, scores)));
}

/** The heads of key and value, each for several of query's. */
function sharedHeads(query: Tensor, key: Tensor, value: Tensor): [Tensor, Tensor] {
  const [q, k, v] = [query, key, value].map((t) => t.size(-3));
  if (q % k !== 0 || q % v !== 0) throw new RuntimeError("Number of heads in key and value must divide the number of heads in ");
  const repeated = (t: Tensor, heads: number): Tensor => (heads === q ? t : t.repeat_interleave(q / heads, -3));
  return [repeated(key, k), repeated(value, v)];
}

interface AttentionOptions {
  attn_mask?: MaybeTensor;
  dropout_p?: number;
  is_causal?: boolean;
  scale?: number | null;
  enable_gqa?: boolean;
}

/**
 * softmax(query · keyᵀ · scale + mask) · value over the last two dimensions: query (…, l, e), key (…, s, e), value (…, s, v) give
 * (…, l, v). `attn_mask` is added, or, of bools, says what may be attended to; `is_causal` forbids what comes later; `scale` is
 * 1/√e; `enable_gqa` lets several heads of query share one of key and value. A query that may attend to nothing gives zeros.
 *
 * @throws RuntimeError where shapes or dtypes do not fit.
 * @example
 * const x = torch.ones(1, 1, 2, 4);
 * torch.nn.functional.scaled_dot_product_attention(x, x, x, { is_causal: true }).shape; // [1, 1, 2, 4]
 */
export const scaled_dot_product_attention: FunctionOp<
  [query: Tensor, key: Tensor, value: Tensor, attn_mask?: MaybeTensor, dropout_p?: number, is_causal?: boolean], AttentionOptions
> = composite(
  "scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float dropout_p=0.0, bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> Tensor",
  (query: Tensor, key: Tensor, value: Tensor, given: MaybeTensor, p: number, causal: boolean, scale: number | null, shareHeads: boolean) => {
    checkInputs(query, key, value, given);
    const [keys, values] = shareHeads ? sharedHeads(query, key, value) : [key, value];
    const mask = addedMask(query, keys, given, causal);
    const factor = scale ?? 1 / Math.sqrt(query.size(-1));
    if (isWhole(query, keys, values, mask, p)) return (whole.call([query, keys, values, mask, factor]) as Tensor[])[0];
    return stepByStep(query, keys, values, mask, p, factor);
  },
  { takesOut: false },
);

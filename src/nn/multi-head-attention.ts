/** Attention with several heads, with the projections around it, as torch.nn.MultiheadAttention computes it. */
import { composite } from "../dispatch/define.ts";
import type { FunctionOp } from "../dispatch/op.ts";
import { AssertionError, RuntimeError } from "../errors.ts";
import { scaled_dot_product_attention } from "../ops/nn/attention.ts";
import { zeros } from "../ops/creation/creation.ts";
import { cat } from "../ops/shape/joining.ts";
import { linear } from "../ops/linalg/linear.ts";
import { pad } from "../ops/nn/padding.ts";
import { bool, FLOAT, type DType } from "../tensor/dtype.ts";
import { sameSizes, sizeText, type Sizes } from "../tensor/layout.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { dropout } from "./dropout.ts";

type MaybeTensor = Tensor | null;

const tupleText = (sizes: Sizes): string => `(${sizes.join(", ")})`;

function claim(holds: boolean, text: string): void {
  if (!holds) throw new AssertionError(text);
}

/** Is there a batch? Refuses inputs and masks that do not go together. */
function isBatched(query: Tensor, key: Tensor, value: Tensor, padding: MaybeTensor, mask: MaybeTensor, heads: number): boolean {
  const [q, k, v] = [query, key, value].map((t) => t._sizes.length);
  if (q !== 2 && q !== 3) throw new AssertionError(`query should be unbatched 2D or batched 3D tensor but received ${q}-D query tensor`);
  const kind = q === 3 ? "batched (3-D)" : "unbatched (2-D)";
  claim(k === q && v === q, `For ${kind} \`query\`, expected \`key\` and \`value\` to be ${q}-D but found ${k}-D and ${v}-D tensors respectively`);
  if (padding !== null) claim(padding._sizes.length === q - 1, `For ${kind} \`query\`, expected \`key_padding_mask\` to be \`None\` or ${q - 1}-D but found ${padding._sizes.length}-D tensor instead`);
  if (mask !== null) {
    const n = mask._sizes.length;
    claim(n === 2 || n === 3, `For ${kind} \`query\`, expected \`attn_mask\` to be \`None\`, 2-D or 3-D but found ${n}-D tensor instead`);
    const expected = [heads, query._sizes[0], key._sizes[0]];
    if (q === 2 && n === 3) claim(sameSizes(mask._sizes, expected), `Expected \`attn_mask\` shape to be ${tupleText(expected)} but got ${sizeText(mask._sizes)}`);
  }
  return q === 3;
}

/** A mask to be added: of bools, -∞ where one is true. */
function canonical(mask: MaybeTensor, name: string, dtype: DType): MaybeTensor {
  if (mask === null) return null;
  if (mask.dtype !== bool && mask.dtype.kind !== FLOAT) throw new AssertionError(`only bool and floating types of ${name} are supported`);
  return mask.dtype === bool ? zeros(mask._sizes as number[], { dtype }).masked_fill_(mask, -Infinity) : mask;
}

interface Projections {
  weights: readonly MaybeTensor[];
  biases: readonly MaybeTensor[];
}

/** The three projections that are packed in one weight. */
function unpacked(weight: MaybeTensor, bias: MaybeTensor): Projections {
  if (weight === null) throw new AssertionError("use_separate_proj_weight is False but in_proj_weight is None");
  return { weights: weight.chunk(3), biases: bias?.chunk(3) ?? [null, null, null] };
}

function project(inputs: readonly Tensor[], { weights, biases }: Projections): Tensor[] {
  return inputs.map((input, i) => {
    const weight = weights[i];
    if (weight === null) throw new AssertionError(`use_separate_proj_weight is True but ${"qkv"[i]}_proj_weight is None`);
    return linear(input, weight, biases[i]);
  });
}

/** The mask with a first dimension of one, or of batch and heads. */
function fittedMask(mask: MaybeTensor, batch: number, heads: number, target: number, source: number): MaybeTensor {
  if (mask === null) return null;
  const [flat, each] = [[target, source], [batch * heads, target, source]];
  const n = mask._sizes.length;
  if (n !== 2 && n !== 3) throw new RuntimeError(`attn_mask's dimension ${n} is not supported`);
  const expected = n === 2 ? flat : each;
  if (!sameSizes(mask._sizes, expected)) throw new RuntimeError(`The shape of the ${n}D attn_mask is ${sizeText(mask._sizes)}, but should be ${tupleText(expected)}.`);
  return n === 2 ? mask.unsqueeze(0) : mask;
}

/** (l, batch, e) as (batch · heads, l, e / heads). */
const headed = (t: Tensor, count: number, width: number): Tensor => t.contiguous().view([t._sizes[0], count, width]).transpose(0, 1);

interface Given {
  key: Tensor;
  value: Tensor;
  mask: MaybeTensor;
  padding: MaybeTensor;
}

/** One more key and value, which every query may attend to. */
function extended({ key, value, mask, padding }: Given, moreKeys: Tensor, moreValues: Tensor, dim: number): Given {
  return { key: cat([key, moreKeys], dim), value: cat([value, moreValues], dim), mask: mask && pad(mask, [0, 1]), padding: padding && pad(padding, [0, 1]) };
}

/** Attention op by op, for the weights are asked for. */
function weighed(q: Tensor, { key, value, mask }: Given, p: number): [Tensor, Tensor] {
  const scaled = q.mul(Math.sqrt(1 / q._sizes[2]));
  const keys = key.transpose(-2, -1);
  const scores = mask === null ? scaled.bmm(keys) : mask.baddbmm(scaled, keys);
  const weights = p > 0 ? dropout(scores.softmax(-1), p) : scores.softmax(-1);
  return [weights.bmm(value), weights];
}

interface Options {
  training?: boolean;
  key_padding_mask?: MaybeTensor;
  need_weights?: boolean;
  attn_mask?: MaybeTensor;
  use_separate_proj_weight?: boolean;
  q_proj_weight?: MaybeTensor;
  k_proj_weight?: MaybeTensor;
  v_proj_weight?: MaybeTensor;
  static_k?: MaybeTensor;
  static_v?: MaybeTensor;
  average_attn_weights?: boolean;
  is_causal?: boolean;
}
type Positional = [
  query: Tensor, key: Tensor, value: Tensor, embed_dim_to_check: number, num_heads: number, in_proj_weight: MaybeTensor, in_proj_bias: MaybeTensor,
  bias_k: MaybeTensor, bias_v: MaybeTensor, add_zero_attn: boolean, dropout_p: number, out_proj_weight: Tensor, out_proj_bias: MaybeTensor,
];

function attend(positional: Required<Positional>, options: Required<Options>): readonly [Tensor, Tensor | null] {
  let [query, key, value] = positional;
  const [, , , embedding, heads, inWeight, inBias, biasK, biasV, addZero, dropoutP, outWeight, outBias] = positional;
  const { training, need_weights: wantsWeights, static_k: staticK, static_v: staticV } = options;
  let padding = options.key_padding_mask;
  const batched = isBatched(query, key, value, padding, options.attn_mask, heads);
  if (!batched) {
    [query, key, value] = [query, key, value].map((t) => t.unsqueeze(1)) as [Tensor, Tensor, Tensor];
    padding = padding && padding.unsqueeze(0);
  }
  const [target, batch, width] = query._sizes;
  padding = canonical(padding, "key_padding_mask", query.dtype);
  if (options.is_causal && options.attn_mask === null) {
    throw new RuntimeError("Need attn_mask if specifying the is_causal hint. You may use the Transformer module method `generate_square_subsequent_mask` to create this mask.");
  }
  const hintOnly = options.is_causal && padding === null && !wantsWeights;
  const causal = options.is_causal && padding === null;
  let mask = hintOnly ? null : canonical(options.attn_mask, "attn_mask", query.dtype);
  const headWidth = Math.floor(width / heads);
  claim(width === embedding, `was expecting embedding dimension of ${embedding}, but got ${width}`);
  claim(headWidth * heads === width, `embed_dim ${width} not divisible by num_heads ${heads}`);
  const separate = options.use_separate_proj_weight;
  if (separate) claim(sameSizes(key._sizes.slice(0, 2), value._sizes.slice(0, 2)), `key's sequence and batch dims ${sizeText(key._sizes.slice(0, 2))} do not match value's ${sizeText(value._sizes.slice(0, 2))}`);
  else claim(sameSizes(key._sizes, value._sizes), `key shape ${sizeText(key._sizes)} does not match value shape ${sizeText(value._sizes)}`);
  const projections = separate
    ? { weights: [options.q_proj_weight, options.k_proj_weight, options.v_proj_weight], biases: inBias?.chunk(3) ?? [null, null, null] }
    : unpacked(inWeight, inBias);
  const [q, k, v] = project([query, key, value], projections);
  mask = fittedMask(mask, batch, heads, target, key._sizes[0]);

  let given: Given = { key: k, value: v, mask, padding };
  claim((biasK === null) === (biasV === null), biasK === null ? "bias_v is set but bias_k is None" : "bias_k is set but bias_v is None");
  if (biasK !== null) {
    claim(staticK === null, "bias cannot be added to static key.");
    claim(staticV === null, "bias cannot be added to static value.");
    given = extended(given, biasK.repeat(1, batch, 1), biasV!.repeat(1, batch, 1), 0);
  }
  const count = batch * heads;
  for (const [name, t] of Object.entries({ static_k: staticK, static_v: staticV })) {
    if (t === null) continue;
    claim(t.size(0) === count, `expecting ${name}.size(0) of ${count}, but got ${t.size(0)}`);
    claim(t.size(2) === headWidth, `expecting ${name}.size(2) of ${headWidth}, but got ${t.size(2)}`);
  }
  given = { ...given, key: staticK ?? headed(given.key, count, headWidth), value: staticV ?? headed(given.value, count, headWidth) };
  if (addZero) {
    const zero = zeros([count, 1, headWidth], { dtype: q.dtype });
    given = extended(given, zero, zero, 1);
  }
  const source = given.key._sizes[1];
  if (given.padding !== null) {
    const spread = given.padding.view([batch, 1, 1, source]).expand([-1, heads, -1, -1]).reshape([count, 1, source]);
    given = { ...given, mask: given.mask === null ? spread : given.mask.add(spread) };
  }
  const p = training ? dropoutP : 0;
  const outward = (attended: Tensor): Tensor => {
    const projected = linear(attended.reshape([target * batch, embedding]), outWeight, outBias);
    const output = projected.view([target, batch, projected._sizes[1]]);
    return batched ? output : output.squeeze(1);
  };
  if (!wantsWeights) {
    const [qs, ks, vs] = [headed(q, count, headWidth), given.key, given.value].map((t) => t.view([batch, heads, t._sizes[1], headWidth]));
    const fitted = given.mask && (given.mask._sizes[0] === 1 ? given.mask.unsqueeze(0) : given.mask.view([batch, heads, -1, source]));
    return [outward(scaled_dot_product_attention(qs, ks, vs, fitted, p, causal).permute([2, 0, 1, 3])), null];
  }
  claim(!(causal && given.mask === null), "FIXME: is_causal not implemented for need_weights");
  const [attended, weights] = weighed(headed(q, count, headWidth), given, p);
  const each = weights.view([batch, heads, target, source]);
  const shown = options.average_attn_weights ? each.mean(1) : each;
  return [outward(attended.transpose(0, 1)), batched ? shown : shown.squeeze(0)];
}

const parameters =
  "Tensor query, Tensor key, Tensor value, int embed_dim_to_check, int num_heads, Tensor? in_proj_weight, Tensor? in_proj_bias, Tensor? bias_k, Tensor? bias_v, bool add_zero_attn, float dropout_p, Tensor out_proj_weight, Tensor? out_proj_bias";
const defaults: Record<keyof Options, string> = {
  training: "bool training=True",
  key_padding_mask: "Tensor? key_padding_mask=None",
  need_weights: "bool need_weights=True",
  attn_mask: "Tensor? attn_mask=None",
  use_separate_proj_weight: "bool use_separate_proj_weight=False",
  q_proj_weight: "Tensor? q_proj_weight=None",
  k_proj_weight: "Tensor? k_proj_weight=None",
  v_proj_weight: "Tensor? v_proj_weight=None",
  static_k: "Tensor? static_k=None",
  static_v: "Tensor? static_v=None",
  average_attn_weights: "bool average_attn_weights=True",
  is_causal: "bool is_causal=False",
};
const optionNames = Object.keys(defaults);
const positionalCount = 13;

/**
 * Attention of `num_heads` heads over (l, n, e) or (l, e): query, key and value are projected by `in_proj_weight` (3e, e), attended
 * to, and projected by `out_proj_weight`. Gives the output and, with `need_weights`, the weights, averaged over the heads.
 *
 * @throws AssertionError or RuntimeError where shapes do not fit.
 */
export const multi_head_attention_forward: FunctionOp<Positional, Options, readonly [Tensor, Tensor | null]> = composite(
  `multi_head_attention_forward(${parameters}, ${Object.values(defaults).join(", ")}) -> (Tensor, Tensor)`,
  (...values: unknown[]) => {
    const options = Object.fromEntries(optionNames.map((name, i) => [name, values[positionalCount + i]]));
    return attend(values.slice(0, positionalCount) as Required<Positional>, options as unknown as Required<Options>);
  },
  { takesOut: false },
);

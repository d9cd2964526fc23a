/** NaN and Inf. */
import type { Pitfall } from "./pitfall.ts";

export const values: readonly Pitfall[] = [
  {
    name: "mask-hides-root",
    source: 'forum, "gradient is NaN although the loss is masked"',
    rule: "nan-from-zero-times-inf",
    bad: `
const x = torch.tensor([0, 0.5, 0.8], { requires_grad: true });
const mask = x.gt(0.1).float();
const y = x.sqrt(); // culprit
mask.mul(y).sum().backward();
`,
    good: `
const x = torch.tensor([0, 0.5, 0.8], { requires_grad: true });
const mask = x.gt(0.1).float();
const y = x.masked_fill(x.eq(0), 1).sqrt();
mask.mul(y).sum().backward();
`,
    elements: [[0]],
    proved: true,
  },
  {
    name: "where-hides-reciprocal",
    source: 'issue, "torch.where gives NaN gradients for the branch that is not taken"',
    rule: "division-by-zero",
    bad: `
const x = torch.tensor([0, 2], { requires_grad: true });
const inverse = x.reciprocal(); // culprit
torch.where(x.ne(0), inverse, 0).sum().backward();
`,
    good: `
const x = torch.tensor([0, 2], { requires_grad: true });
const inverse = x.masked_fill(x.eq(0), 1).reciprocal();
torch.where(x.ne(0), inverse, 0).sum().backward();
`,
    elements: [[0]],
    proved: true,
  },
  {
    name: "where-hides-log",
    source: 'forum, "where with log returns NaN grad for values that were masked out"',
    rule: "nan-from-zero-times-inf",
    bad: `
const x = torch.tensor([[-1, 2], [0, 3]], { requires_grad: true });
const safe = torch.where(x.gt(0), x.log(), 0); // culprit
safe.mean().backward();
`,
    good: `
const x = torch.tensor([[-1, 2], [0, 3]], { requires_grad: true });
const safe = torch.where(x.gt(0), x.masked_fill(x.le(0), 1).log(), 0);
safe.mean().backward();
`,
    elements: [[1, 0]],
    proved: true,
  },
  {
    name: "index-hides-root",
    source: 'forum, "I select the valid entries and the gradient is still NaN"',
    rule: "nan-from-zero-times-inf",
    bad: `
const x = torch.tensor([0, 4, 0, 9], { requires_grad: true });
const roots = x.sqrt(); // culprit
roots.index(x.gt(0)).sum().backward();
`,
    good: `
const x = torch.tensor([0, 4, 0, 9], { requires_grad: true });
const roots = x.index(x.gt(0)).sqrt();
roots.sum().backward();
`,
    elements: [[0], [2]],
    proved: true,
  },
  {
    name: "clamp-hides-log",
    source: 'forum, "clamping the log does not stop NaN gradients"',
    rule: "nan-from-zero-times-inf",
    bad: `
const p = torch.tensor([0, 1], { requires_grad: true });
const logs = p.log().clamp({ min: -10 }); // culprit
logs.sum().backward();
`,
    good: `
const p = torch.tensor([0, 1], { requires_grad: true });
const logs = p.clamp({ min: 1e-4 }).log();
logs.sum().backward();
`,
    elements: [[0]],
    proved: true,
  },
  {
    name: "nan-to-num-hides-quotient",
    source: 'issue, "nan_to_num passes NaN gradients to what it repaired"',
    rule: "nan-from-zero-times-inf",
    bad: `
const a = torch.tensor([0, 2], { requires_grad: true });
const b = torch.tensor([0, 4]);
const q = a.div(b); // culprit
q.nan_to_num(0).sum().backward();
`,
    good: `
const a = torch.tensor([0, 2], { requires_grad: true });
const b = torch.tensor([0, 4]);
const q = a.div(b.masked_fill(b.eq(0), 1));
q.sum().backward();
`,
    elements: [[0]],
    proved: true,
  },
  {
    name: "norm-by-hand-at-zero",
    source: 'forum, "gradient of the Euclidean norm at zero is NaN"',
    rule: "infinite-slope",
    bad: `
const w = torch.zeros([3], { requires_grad: true });
const squares = w.pow(2).sum();
const length = squares.sqrt(); // culprit
length.backward();
`,
    good: `
const w = torch.zeros([3], { requires_grad: true });
const length = w.norm();
length.backward();
`,
    elements: [[0], [1], [2]],
    proved: true,
  },
  {
    name: "eps-outside-root",
    source: 'forum, "I added epsilon and sqrt still gives NaN"',
    rule: "infinite-slope",
    bad: `
const x = torch.tensor([[0, 0], [3, 4]], { requires_grad: true });
const d = x.square().sum(1);
const r = d.sqrt().add(1e-8); // culprit
r.sum().backward();
`,
    good: `
const x = torch.tensor([[0, 0], [3, 4]], { requires_grad: true });
const d = x.square().sum(1);
const r = d.add(1e-8).sqrt();
r.sum().backward();
`,
    elements: [[0, 0], [0, 1]],
    proved: true,
  },
  {
    name: "distance-matrix-diagonal",
    source: 'issue, "NaN gradient of pairwise distances when two points are the same"',
    rule: "infinite-slope",
    bad: `
const points = torch.tensor([[0, 0], [1, 0], [0, 2]], { requires_grad: true });
const gap = points.unsqueeze(0).sub(points.unsqueeze(1));
const distances = gap.pow(2).sum(2).pow(0.5); // culprit
distances.mean().backward();
`,
    good: `
const points = torch.tensor([[0, 0], [1, 0], [0, 2]], { requires_grad: true });
const distances = torch.cdist(points, points);
distances.mean().backward();
`,
    elements: [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]],
    proved: true,
  },
  {
    name: "power-of-absolute-value",
    source: 'forum, "Lp penalty with p below one gives NaN for zero weights"',
    rule: "infinite-slope",
    bad: `
const w = torch.tensor([0, -1, 2], { requires_grad: true });
const penalty = w.abs().pow(0.7).sum(); // culprit
penalty.backward();
`,
    good: `
const w = torch.tensor([0, -1, 2], { requires_grad: true });
const penalty = w.abs().add(1e-6).pow(0.7).sum();
penalty.backward();
`,
    elements: [[0]],
    proved: true,
  },
  {
    name: "normalize-by-hand",
    source: 'forum, "dividing by the norm gives NaN for rows of padding"',
    rule: "division-by-zero",
    bad: `
const x = torch.tensor([[0, 0], [3, 4]], { requires_grad: true });
const lengths = x.norm(2, 1, true);
const unit = x.div(lengths); // culprit
unit.sum().backward();
`,
    good: `
const x = torch.tensor([[0, 0], [3, 4]], { requires_grad: true });
const unit = torch.nn.functional.normalize(x, { dim: 1 });
unit.sum().backward();
`,
    elements: [[]],
    proved: true,
  },
  {
    name: "cosine-of-zero-vector",
    source: 'forum, "cosine similarity by hand is NaN for an empty sentence"',
    rule: "division-by-zero",
    bad: `
const a = torch.tensor([0, 0, 0], { requires_grad: true });
const b = torch.tensor([1, 2, 2]);
const dot = a.mul(b).sum();
const cosine = dot.div(a.norm().mul(b.norm())); // culprit
cosine.backward();
`,
    good: `
const a = torch.tensor([0, 0, 0], { requires_grad: true });
const b = torch.tensor([1, 2, 2]);
const cosine = torch.nn.functional.cosine_similarity(a, b, 0);
cosine.backward();
`,
    elements: [[]],
    proved: true,
  },
  {
    name: "log-of-softmax",
    source: 'forum, "log(softmax(x)) is -inf, log_softmax is not"',
    rule: "log-of-zero",
    bad: `
const scores = torch.tensor([[0, 150], [1, 2]], { requires_grad: true });
const probabilities = scores.softmax(1);
const loss = probabilities.log().index([null, 0]).mean().neg(); // culprit
loss.backward();
`,
    good: `
const scores = torch.tensor([[0, 150], [1, 2]], { requires_grad: true });
const loss = scores.log_softmax(1).index([null, 0]).mean().neg();
loss.backward();
`,
    elements: [[]],
    proved: true,
  },
  {
    name: "log1p-at-minus-one",
    source: 'issue, "log1p(-x) in a survival loss is -inf when x reaches one"',
    rule: "log-of-zero",
    bad: `
const hazard = torch.tensor([0.2, 1], { requires_grad: true });
const survival = hazard.neg().log1p(); // culprit
survival.sum().neg().backward();
`,
    good: `
const hazard = torch.tensor([0.2, 1], { requires_grad: true });
const survival = hazard.clamp({ max: 0.999 }).neg().log1p();
survival.sum().neg().backward();
`,
    elements: [[]],
    proved: true,
  },
  {
    name: "angle-between-equal-vectors",
    source: 'issue, "acos gives an infinite gradient when vectors are parallel"',
    rule: "infinite-slope",
    bad: `
const a = torch.tensor([1, 0], { requires_grad: true });
const b = torch.tensor([1, 0]);
const cosine = a.mul(b).sum();
const angle = cosine.acos(); // culprit
angle.backward();
`,
    good: `
const a = torch.tensor([1, 0], { requires_grad: true });
const b = torch.tensor([1, 0]);
const cosine = a.mul(b).sum().clamp({ min: -0.9999, max: 0.9999 });
const angle = cosine.acos();
angle.backward();
`,
    elements: [[0], [1]],
    proved: true,
  },
  {
    name: "arcsine-at-its-ends",
    source: 'forum, "pitch from a quaternion: gradient explodes at ninety degrees"',
    rule: "infinite-slope",
    bad: `
const s = torch.tensor([0.5, -1], { requires_grad: true });
const pitch = s.asin(); // culprit
pitch.sum().backward();
`,
    good: `
const s = torch.tensor([0.5, -1], { requires_grad: true });
const pitch = s.clamp({ min: -0.9999, max: 0.9999 }).asin();
pitch.sum().backward();
`,
    elements: [[1]],
    proved: true,
  },
  {
    name: "arcsine-outside-its-domain",
    source: 'forum, "acos returns NaN because rounding gives 1.0000001"',
    rule: "outside-domain",
    bad: `
const u = torch.tensor([0.1, 1.0000002], { requires_grad: true });
const angle = u.acos(); // culprit
angle.sum().backward();
`,
    good: `
const u = torch.tensor([0.1, 1.0000002], { requires_grad: true });
const angle = u.clamp({ min: -0.9999, max: 0.9999 }).acos();
angle.sum().backward();
`,
    elements: [[]],
    proved: true,
  },
  {
    name: "angle-by-a-quotient",
    source: 'forum, "atan(y / x) has NaN gradients on the axis, atan2 has not"',
    rule: "nan-from-zero-times-inf",
    bad: `
const y = torch.tensor([1, 1], { requires_grad: true });
const x = torch.tensor([0, 2], { requires_grad: true });
const slope = y.div(x); // culprit
slope.atan().sum().backward();
`,
    good: `
const y = torch.tensor([1, 1], { requires_grad: true });
const x = torch.tensor([0, 2], { requires_grad: true });
torch.atan2(y, x).sum().backward();
`,
    elements: [[0]],
    proved: true,
  },
  {
    name: "atanh-of-one",
    source: 'forum, "Fisher transform of a perfect correlation"',
    rule: "outside-domain",
    bad: `
const r = torch.tensor([1, 0.3], { requires_grad: true });
const z = r.atanh(); // culprit
z.mean().backward();
`,
    good: `
const r = torch.tensor([1, 0.3], { requires_grad: true });
const z = r.clamp({ min: -0.999, max: 0.999 }).atanh();
z.mean().backward();
`,
    elements: [[]],
    proved: true,
  },
  {
    name: "std-of-one-value",
    source: 'issue, "std of a single element is NaN"',
    rule: "spread-of-one-value",
    bad: `
const x = torch.tensor([[3], [5]], { requires_grad: true });
const spread = x.std(1); // culprit
spread.sum().backward();
`,
    good: `
const x = torch.tensor([[3, 4], [5, 9]], { requires_grad: true });
const spread = x.std(1);
spread.sum().backward();
`,
    elements: [[0, 0], [1, 0]],
    proved: true,
  },
  {
    name: "batch-of-one",
    source: 'forum, "NaN in the last batch, which has one sample"',
    rule: "spread-of-one-value",
    bad: `
const batch = torch.tensor([[0.5, 2]], { requires_grad: true });
const scale = batch.var(0).add(1e-5).sqrt(); // culprit
batch.sub(batch.mean(0)).div(scale).sum().backward();
`,
    good: `
const batch = torch.tensor([[0.5, 2]], { requires_grad: true });
const scale = batch.var(0, false).add(1e-5).sqrt();
batch.sub(batch.mean(0)).div(scale).sum().backward();
`,
    elements: [[0, 0], [0, 1]],
    proved: true,
  },
  {
    name: "root-of-variance-of-equal-values",
    source: 'issue, "gradient of sqrt(var) is NaN for constant features"',
    rule: "infinite-slope",
    bad: `
const x = torch.tensor([[2, 2, 2], [1, 2, 3]], { requires_grad: true });
const spread = x.var(1);
const std = spread.sqrt(); // culprit
std.sum().backward();
`,
    good: `
const x = torch.tensor([[2, 2, 2], [1, 2, 3]], { requires_grad: true });
const std = x.std(1);
std.sum().backward();
`,
    elements: [[0, 0], [0, 1], [0, 2]],
    proved: true,
  },
  {
    name: "standardise-equal-values",
    source: 'forum, "advantage normalisation gives NaN when all rewards are equal"',
    rule: "division-by-zero",
    bad: `
const rewards = torch.tensor([1, 1, 1], { requires_grad: true });
const centred = rewards.sub(rewards.mean());
const advantages = centred.div(rewards.std()); // culprit
advantages.mul(torch.tensor([1, 2, 4])).sum().backward();
`,
    good: `
const rewards = torch.tensor([1, 1, 1], { requires_grad: true });
const centred = rewards.sub(rewards.mean());
const advantages = centred.div(rewards.std().add(1e-8));
advantages.mul(torch.tensor([1, 2, 4])).sum().backward();
`,
    elements: [[]],
    proved: true,
  },
  {
    name: "softmax-of-masked-row",
    source: 'issue, "softmax of a row that is all -inf is NaN"',
    rule: "softmax-of-nothing",
    bad: `
const scores = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const padding = torch.tensor([[false, true], [true, true]]);
const hidden = scores.masked_fill(padding, -Infinity);
const weights = hidden.softmax(-1); // culprit
weights.pow(2).sum().backward();
`,
    good: `
const scores = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const padding = torch.tensor([[false, true], [true, true]]);
const hidden = scores.masked_fill(padding, -1e9);
const weights = hidden.softmax(-1);
weights.pow(2).sum().backward();
`,
    elements: [[]],
    proved: true,
  },
  {
    name: "additive-mask-of-a-row",
    source: 'forum, "attention returns NaN for padded queries"',
    rule: "softmax-of-nothing",
    bad: `
const scores = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const mask = torch.tensor([[0, -Infinity], [-Infinity, -Infinity]]);
const weights = torch.log_softmax(scores.add(mask), 1); // culprit
weights.index([null, 0]).sum().backward();
`,
    good: `
const scores = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const mask = torch.tensor([[0, -Infinity], [0, -Infinity]]);
const weights = torch.log_softmax(scores.add(mask), 1);
weights.index([null, 0]).sum().backward();
`,
    elements: [[1, 0], [1, 1]],
    proved: true,
  },
  {
    name: "logsumexp-of-nothing",
    source: 'issue, "logsumexp of all -inf has a NaN gradient"',
    rule: "softmax-of-nothing",
    bad: `
const scores = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const mask = torch.tensor([[0, 0], [-Infinity, -Infinity]]);
const total = scores.add(mask).logsumexp(1); // culprit
total.exp().sum().backward();
`,
    good: `
const scores = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const mask = torch.tensor([[0, 0], [-1e9, -1e9]]);
const total = scores.add(mask).logsumexp(1);
total.exp().sum().backward();
`,
    elements: [[1, 0], [1, 1]],
    proved: true,
  },
  {
    name: "logsumexp-by-hand",
    source: 'forum, "log of the sum of exp is -inf for very negative scores"',
    rule: "log-of-zero",
    bad: `
const scores = torch.tensor([-200, -210], { requires_grad: true });
const total = scores.exp().sum();
const result = total.log(); // culprit
result.backward();
`,
    good: `
const scores = torch.tensor([-200, -210], { requires_grad: true });
const result = scores.logsumexp(0);
result.backward();
`,
    elements: [[]],
    proved: true,
  },
  {
    name: "binary-cross-entropy-by-hand",
    source: 'forum, "my own BCE is NaN when the prediction is certain"',
    rule: "log-of-zero",
    bad: `
const logits = torch.tensor([2, 200], { requires_grad: true });
const target = torch.tensor([0, 1]);
const p = logits.sigmoid();
const yes = target.mul(p.log());
const no = target.rsub(1).mul(p.rsub(1).log()); // culprit
yes.add(no).mean().neg().backward();
`,
    good: `
const logits = torch.tensor([2, 200], { requires_grad: true });
const target = torch.tensor([0, 1]);
torch.nn.functional.binary_cross_entropy_with_logits(logits, target).backward();
`,
    elements: [[]],
    proved: true,
  },
  {
    name: "entropy-by-hand",
    source: 'forum, "entropy of a one-hot distribution is NaN"',
    rule: "log-of-zero",
    bad: `
const p = torch.tensor([0, 0.25, 0.75], { requires_grad: true });
const entropy = p.mul(p.log()).sum().neg(); // culprit
entropy.backward();
`,
    good: `
const p = torch.tensor([0, 0.25, 0.75], { requires_grad: true });
const entropy = p.mul(p.clamp({ min: 1e-6 }).log()).sum().neg();
entropy.backward();
`,
    elements: [[0]],
    proved: true,
  },
  {
    name: "divergence-by-hand",
    source: 'forum, "KL divergence is NaN where the reference has no mass"',
    rule: "log-of-zero",
    bad: `
const p = torch.tensor([0, 1]);
const q = torch.tensor([0.5, 0.5], { requires_grad: true });
const gap = p.log().sub(q.log()); // culprit
p.mul(gap).sum().backward();
`,
    good: `
const p = torch.tensor([0, 1]);
const q = torch.tensor([0.5, 0.5], { requires_grad: true });
torch.nn.functional.kl_div(q.log(), p, { reduction: "sum" }).backward();
`,
    elements: [[]],
    proved: true,
  },
  {
    name: "softmax-by-hand",
    source: 'forum, "exp overflows in my softmax"',
    rule: "exp-overflow",
    bad: `
const scores = torch.tensor([10, 95], { requires_grad: true });
const e = scores.exp(); // culprit
e.div(e.sum()).pow(2).sum().backward();
`,
    good: `
const scores = torch.tensor([10, 95], { requires_grad: true });
const e = scores.sub(scores.max()).exp();
e.div(e.sum()).pow(2).sum().backward();
`,
    elements: [[0], [1]],
    proved: true,
  },
  {
    name: "softplus-by-hand",
    source: 'forum, "log(1 + exp(x)) is inf and its gradient NaN"',
    rule: "exp-overflow",
    bad: `
const x = torch.tensor([1, 100], { requires_grad: true });
const y = x.exp().add(1).log(); // culprit
y.sum().backward();
`,
    good: `
const x = torch.tensor([1, 100], { requires_grad: true });
const y = torch.nn.functional.softplus(x);
y.sum().backward();
`,
    elements: [[1]],
    proved: true,
  },
  {
    name: "log-cosh-by-hand",
    source: 'forum, "log(cosh(x)) loss is inf for large errors"',
    rule: "exp-overflow",
    bad: `
const x = torch.tensor([0.5, 120], { requires_grad: true });
const loss = x.cosh().log().mean(); // culprit
loss.backward();
`,
    good: `
const x = torch.tensor([0.5, 120], { requires_grad: true });
const a = x.abs();
const loss = a.add(torch.nn.functional.softplus(a.mul(-2))).sub(Math.log(2)).mean();
loss.backward();
`,
    elements: [[]],
    proved: true,
  },
  {
    name: "log-of-sigmoid",
    source: 'issue, "log(sigmoid(x)) underflows, logsigmoid does not"',
    rule: "log-of-zero",
    bad: `
const margin = torch.tensor([0.5, -120], { requires_grad: true });
const loss = margin.sigmoid().log().mean().neg(); // culprit
loss.backward();
`,
    good: `
const margin = torch.tensor([0.5, -120], { requires_grad: true });
const loss = torch.nn.functional.logsigmoid(margin).mean().neg();
loss.backward();
`,
    elements: [[]],
    proved: true,
  },
  {
    name: "mean-of-empty-selection",
    source: 'forum, "loss is NaN when no sample of the batch passes the filter"',
    rule: "average-over-nothing",
    bad: `
const errors = torch.tensor([0.1, 0.4], { requires_grad: true });
const hard = errors.index(errors.gt(0.5));
const loss = hard.mean(); // culprit
loss.backward();
`,
    good: `
const errors = torch.tensor([0.1, 0.4], { requires_grad: true });
const hard = errors.index(errors.gt(0.3));
const loss = hard.mean();
loss.backward();
`,
    elements: [[]],
    proved: true,
  },
  {
    name: "average-over-no-tokens",
    source: 'forum, "masked mean over a sequence of padding"',
    rule: "division-by-zero",
    bad: `
const h = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const mask = torch.tensor([[1, 1], [0, 0]]);
const counts = mask.sum(1);
const pooled = h.mul(mask).sum(1).div(counts); // culprit
pooled.sum().backward();
`,
    good: `
const h = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const mask = torch.tensor([[1, 1], [0, 0]]);
const counts = mask.sum(1).clamp({ min: 1 });
const pooled = h.mul(mask).sum(1).div(counts);
pooled.sum().backward();
`,
    elements: [[]],
    proved: true,
  },
  {
    name: "cross-entropy-of-ignored-batch",
    source: 'issue, "cross_entropy is NaN when every target is ignore_index"',
    rule: "average-over-nothing",
    bad: `
const logits = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const labels = torch.tensor([-100, -100], { dtype: torch.int64 });
const loss = torch.nn.functional.cross_entropy(logits, labels); // culprit
loss.backward();
`,
    good: `
const logits = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const labels = torch.tensor([-100, 1], { dtype: torch.int64 });
const loss = torch.nn.functional.cross_entropy(logits, labels);
loss.backward();
`,
    elements: [[]],
    proved: false,
  },
  {
    name: "sinc-by-hand",
    source: 'forum, "sin(x)/x at zero"',
    rule: "division-by-zero",
    bad: `
const x = torch.tensor([-1, 0, 1], { requires_grad: true });
const y = x.sin().div(x); // culprit
y.sum().backward();
`,
    good: `
const x = torch.tensor([-1, 0, 1], { requires_grad: true });
const y = torch.where(x.eq(0), 1, x.sin().div(x.masked_fill(x.eq(0), 1)));
y.sum().backward();
`,
    elements: [[]],
    proved: true,
  },
  {
    name: "power-overflow",
    source: 'forum, "polynomial features give inf minus inf"',
    rule: "float-overflow",
    bad: `
const x = torch.tensor([2, 5000], { requires_grad: true });
const high = x.pow(11); // culprit
high.sub(high.mul(0.5)).sum().backward();
`,
    good: `
const x = torch.tensor([2, 5000], { requires_grad: true });
const high = x.div(5000).pow(11);
high.sub(high.mul(0.5)).sum().backward();
`,
    elements: [[]],
    proved: true,
  },
  {
    name: "product-overflow",
    source: 'forum, "the product of likelihood ratios overflows float32"',
    rule: "float-overflow",
    bad: `
const a = torch.tensor([1e20, 2], { requires_grad: true });
const b = torch.tensor([1e20, 3]);
const ratio = a.mul(b); // culprit
ratio.sum().backward();
`,
    good: `
const a = torch.tensor([1e20, 2], { requires_grad: true });
const b = torch.tensor([1e20, 3]);
const ratio = a.log().add(b.log());
ratio.sum().backward();
`,
    elements: [[]],
    proved: true,
  },
  {
    name: "overflow-in-a-sum",
    source: 'forum, "sum of squares is inf for large activations"',
    rule: "float-overflow",
    bad: `
const x = torch.tensor([3e19, 1e19], { requires_grad: true });
const energy = x.dot(x); // culprit
energy.sqrt().backward();
`,
    good: `
const x = torch.tensor([3e19, 1e19], { requires_grad: true });
const scale = x.detach().abs().max();
const energy = x.div(scale).dot(x.div(scale));
energy.sqrt().mul(scale).backward();
`,
    elements: [[]],
    proved: false,
  },
  {
    name: "nan-in-the-data",
    source: 'forum, "loss is NaN from the first batch: the CSV had empty cells"',
    rule: "data-not-finite",
    bad: `
const features = torch.tensor([[1, 2], [NaN, 4]]); // culprit
const w = torch.tensor([[0.5], [0.1]], { requires_grad: true });
features.matmul(w).pow(2).mean().backward();
`,
    good: `
const features = torch.tensor([[1, 2], [NaN, 4]]).nan_to_num(0);
const w = torch.tensor([[0.5], [0.1]], { requires_grad: true });
features.matmul(w).pow(2).mean().backward();
`,
    elements: [[0, 0], [1, 0]],
    proved: true,
  },
  {
    name: "infinity-in-the-data",
    source: 'forum, "one label is inf and the gradient of everything is NaN"',
    rule: "data-not-finite",
    bad: `
const labels = torch.tensor([1, Infinity]); // culprit
const w = torch.tensor([0.5, 0.1], { requires_grad: true });
w.sub(labels).pow(2).mean().backward();
`,
    good: `
const labels = torch.tensor([1, Infinity]).clamp({ max: 10 });
const w = torch.tensor([0.5, 0.1], { requires_grad: true });
w.sub(labels).pow(2).mean().backward();
`,
    elements: [[1]],
    proved: true,
  },
  {
    name: "variance-as-a-difference",
    source: 'issue, "E[x²] - E[x]² is negative by rounding"',
    rule: "root-of-negative",
    bad: `
const x = torch.tensor([1000.1, 1000.1, 1000.1], { requires_grad: true });
const variance = x.square().mean().sub(x.mean().square());
const std = variance.sub(0.01).sqrt(); // culprit
std.backward();
`,
    good: `
const x = torch.tensor([1000.1, 1000.1, 1000.1], { requires_grad: true });
const std = x.var().add(1e-6).sqrt();
std.backward();
`,
    elements: [[0], [1], [2]],
    proved: true,
  },
  {
    name: "fractional-power-of-negative",
    source: 'forum, "cube root of a negative number is NaN"',
    rule: "root-of-negative",
    bad: `
const x = torch.tensor([-8, 27], { requires_grad: true });
const roots = x.pow(1 / 3); // culprit
roots.sum().backward();
`,
    good: `
const x = torch.tensor([-8, 27], { requires_grad: true });
const roots = x.sign().mul(x.abs().pow(1 / 3));
roots.sum().backward();
`,
    elements: [[]],
    proved: true,
  },
  {
    name: "gumbel-noise-of-zero",
    source: 'issue, "-log(-log(u)) when the generator gives exactly zero"',
    rule: "log-of-zero",
    bad: `
const u = torch.tensor([0, 0.3, 0.9]);
const logits = torch.tensor([1, 2, 3], { requires_grad: true });
const noise = u.log().neg().log().neg(); // culprit
logits.add(noise).logsumexp(0).sub(noise.min()).backward();
`,
    good: `
const u = torch.tensor([0, 0.3, 0.9]).clamp({ min: 1e-6 });
const logits = torch.tensor([1, 2, 3], { requires_grad: true });
const noise = u.log().neg().log().neg();
logits.add(noise).logsumexp(0).sub(noise.min()).backward();
`,
    elements: [[]],
    proved: true,
  },
  {
    name: "logit-of-certainty",
    source: 'forum, "odds of a probability of one"',
    rule: "division-by-zero",
    bad: `
const p = torch.tensor([0.5, 1], { requires_grad: true });
const odds = p.div(p.rsub(1)); // culprit
odds.log().sum().backward();
`,
    good: `
const p = torch.tensor([0.5, 1], { requires_grad: true });
const odds = p.clamp({ max: 0.9999 }).logit();
odds.sum().backward();
`,
    elements: [[]],
    proved: true,
  },
  {
    name: "reciprocal-root-of-degree",
    source: 'forum, "graph normalisation gives inf for isolated nodes"',
    rule: "division-by-zero",
    bad: `
const adjacency = torch.tensor([[0, 1, 0], [1, 0, 0], [0, 0, 0]], { requires_grad: true });
const degree = adjacency.sum(1);
const scale = degree.rsqrt(); // culprit
adjacency.mul(scale.unsqueeze(1)).sum().backward();
`,
    good: `
const adjacency = torch.tensor([[0, 1, 0], [1, 0, 0], [0, 0, 0]], { requires_grad: true });
const degree = adjacency.sum(1).add(1);
const scale = degree.rsqrt();
adjacency.mul(scale.unsqueeze(1)).sum().backward();
`,
    elements: [[2, 0], [2, 1], [2, 2]],
    proved: true,
  },
  {
    name: "angle-near-the-origin",
    source: "issue, gradient of atan2 is inf for tiny inputs",
    rule: "angle-at-origin",
    bad: `
const p = torch.tensor([[3, 4], [1e-21, 2e-21]], { requires_grad: true });
const angle = torch.atan2(p.select(1, 1), p.select(1, 0)); // culprit
angle.sum().backward();
`,
    good: `
const p = torch.tensor([[3, 4], [1e-21, 2e-21]], { requires_grad: true });
const angle = torch.atan2(p.select(1, 1).double(), p.select(1, 0).double());
angle.sum().backward();
`,
    proved: true,
  },
  {
    name: "angle-at-the-origin",
    source: "issue, atan2 of (0, 0): the gradient was nan, and is 0 now",
    rule: "angle-at-origin",
    bad: `
const p = torch.zeros([2], { requires_grad: true });
const angle = torch.atan2(p.index([1]), p.index([0])); // culprit
angle.sub(1).pow(2).backward();
`,
    good: `
const p = torch.tensor([0.1, 0], { requires_grad: true });
const angle = torch.atan2(p.index([1]), p.index([0]));
angle.sub(1).pow(2).backward();
`,
    proved: false,
  },
];

/** Losses, physics and training by hand, in which a value goes wrong or a gradient becomes too large or too small. */
import type { Pitfall } from "./pitfall.ts";

export const losses: readonly Pitfall[] = [
  {
    name: "lens-profile-by-where",
    source: "issue, profiles of gravitational lenses whose formulas differ inside and outside of a radius",
    rule: "root-of-negative",
    bad: `
function profile(x: torch.Tensor) {
  const inside = torch.atanh(x.square().neg().add(1).sqrt()).div(x.square().neg().add(1).sqrt()); // culprit
  const outside = torch.atan(x.square().sub(1).sqrt()).div(x.square().sub(1).sqrt()); // culprit
  return torch.where(x.lt(1), inside, outside);
}
const radius = torch.tensor([0.3, 0.8, 1.4, 2.5], { requires_grad: true });
const mass = profile(radius).sum();
mass.backward();
`,
    good: `
function profile(x: torch.Tensor) {
  const small = torch.where(x.lt(1), x, torch.full_like(x, 0.5));
  const large = torch.where(x.lt(1), torch.full_like(x, 2), x);
  const inside = torch.atanh(small.square().neg().add(1).sqrt()).div(small.square().neg().add(1).sqrt());
  const outside = torch.atan(large.square().sub(1).sqrt()).div(large.square().sub(1).sqrt());
  return torch.where(x.lt(1), inside, outside);
}
const radius = torch.tensor([0.3, 0.8, 1.4, 2.5], { requires_grad: true });
const mass = profile(radius).sum();
mass.backward();
`,
    proved: true,
  },
  {
    name: "labels-with-gaps-masked-late",
    source: "forum, missing labels that are NaN and a mask in the loss",
    rule: "data-not-finite",
    bad: `
const labels = torch.tensor([1.5, NaN, 0.3]);
const w = torch.tensor([1, 2, 3], { requires_grad: true });
const mask = labels.isnan().logical_not();
const err = w.sub(labels).square().mul(mask); // culprit
const loss = err.sum().div(mask.sum());
loss.backward();
`,
    good: `
const labels = torch.tensor([1.5, NaN, 0.3]);
const w = torch.tensor([1, 2, 3], { requires_grad: true });
const mask = labels.isnan().logical_not();
const err = w.index(mask).sub(labels.index(mask)).square();
const loss = err.sum().div(mask.sum());
loss.backward();
`,
    proved: true,
  },
  {
    name: "gaps-hidden-by-where",
    source: "issue, a squared error that ignores NaN by where",
    rule: "data-not-finite",
    bad: `
function nanMse(pred: torch.Tensor, target: torch.Tensor) {
  const r = pred.sub(target); // culprit
  const z = torch.where(target.isnan(), torch.tensor(0), r.square());
  return z.sum();
}
const w = torch.tensor([[0.5, 0.2]], { requires_grad: true });
const x = torch.tensor([[1, 2], [3, 4], [5, 6]]);
const y = torch.tensor([[1], [NaN], [2]]);
const loss = nanMse(x.mm(w.t()), y);
loss.backward();
`,
    good: `
function nanMse(pred: torch.Tensor, target: torch.Tensor) {
  const r = torch.where(target.isnan(), torch.tensor(0), pred.sub(target));
  return r.square().sum();
}
const w = torch.tensor([[0.5, 0.2]], { requires_grad: true });
const x = torch.tensor([[1, 2], [3, 4], [5, 6]]);
const y = torch.tensor([[1], [NaN], [2]]);
const loss = nanMse(x.mm(w.t()), y);
loss.backward();
`,
    proved: true,
  },
  {
    name: "inverse-of-softplus",
    source: "forum, a positive parameter that starts at a given value",
    rule: "exp-overflow",
    bad: `
const initial = torch.tensor([0.5, 1, 100], { requires_grad: true });
const raw = torch.log(torch.exp(initial).sub(1)); // culprit
const scale = torch.nn.functional.softplus(raw);
const loss = scale.sub(2).square().sum();
loss.backward();
`,
    good: `
const initial = torch.tensor([0.5, 1, 100], { requires_grad: true });
const raw = initial.add(torch.log(initial.neg().expm1().neg()));
const scale = torch.nn.functional.softplus(raw);
const loss = scale.sub(2).square().sum();
loss.backward();
`,
    proved: true,
  },
  {
    name: "hessian-of-distances",
    source: "forum, Newton's method for a sum of distances",
    rule: "infinite-slope",
    bad: `
const point = torch.tensor([0, 0], { requires_grad: true });
const anchors = torch.tensor([[0, 0], [4, 0], [0, 3]]);
const f = (p: torch.Tensor) => anchors.sub(p).pow(2).sum(1).sqrt().sum(); // culprit
const hess = torch.autograd.functional.hessian(f, point);
`,
    good: `
const point = torch.tensor([0, 0], { requires_grad: true });
const anchors = torch.tensor([[0, 0], [4, 0], [0, 3]]);
const f = (p: torch.Tensor) => anchors.sub(p).pow(2).sum(1).add(1e-8).sqrt().sum();
const hess = torch.autograd.functional.hessian(f, point);
`,
    proved: true,
  },
  {
    name: "energy-of-pairs-with-themselves",
    source: "issue, an energy of particles with the diagonal masked afterwards",
    rule: "division-by-zero",
    bad: `
function lennardJones(pos: torch.Tensor) {
  const diff = pos.unsqueeze(0).sub(pos.unsqueeze(1));
  const r = diff.norm(2, -1);
  const mask = torch.ones(pos.shape[0], pos.shape[0]).sub(torch.eye(pos.shape[0]));
  const inv6 = r.pow(-6); // culprit
  return inv6.square().sub(inv6).mul(4).mul(mask).sum().div(2);
}
const pos = torch.tensor([[0, 0, 0], [1.1, 0, 0], [0, 1.2, 0]], { requires_grad: true });
const energy = lennardJones(pos);
energy.backward();
`,
    good: `
function lennardJones(pos: torch.Tensor) {
  const diff = pos.unsqueeze(0).sub(pos.unsqueeze(1));
  const r = diff.square().sum(-1).add(torch.eye(pos.shape[0])).sqrt();
  const mask = torch.ones(pos.shape[0], pos.shape[0]).sub(torch.eye(pos.shape[0]));
  const inv6 = r.pow(-6);
  return inv6.square().sub(inv6).mul(4).mul(mask).sum().div(2);
}
const pos = torch.tensor([[0, 0, 0], [1.1, 0, 0], [0, 1.2, 0]], { requires_grad: true });
const energy = lennardJones(pos);
energy.backward();
`,
    proved: true,
  },
  {
    name: "bias-of-a-masked-row",
    source: "forum, a bias of -inf that hides a whole row of the attention",
    rule: "softmax-of-nothing",
    bad: `
torch.manual_seed(1);
const q = torch.randn(1, 3, 4, { requires_grad: true });
const k = torch.randn(1, 3, 4, { requires_grad: true });
const v = torch.randn(1, 3, 4, { requires_grad: true });
const keep = torch.tensor([[true, false, false], [true, true, false], [false, false, false]]);
const bias = torch.zeros(3, 3).masked_fill_(keep.logical_not(), -Infinity);
const attn = q.bmm(k.transpose(1, 2)).div(2).add(bias);
const weights = torch.softmax(attn, -1); // culprit
const out = weights.bmm(v);
const loss = out.index(0, 0).sum();
loss.backward();
`,
    good: `
torch.manual_seed(1);
const q = torch.randn(1, 3, 4, { requires_grad: true });
const k = torch.randn(1, 3, 4, { requires_grad: true });
const v = torch.randn(1, 3, 4, { requires_grad: true });
const keep = torch.tensor([[true, false, false], [true, true, false], [true, true, true]]);
const bias = torch.zeros(3, 3).masked_fill_(keep.logical_not(), -Infinity);
const attn = q.bmm(k.transpose(1, 2)).div(2).add(bias);
const weights = torch.softmax(attn, -1);
const out = weights.bmm(v);
const loss = out.index(0, 0).sum();
loss.backward();
`,
    proved: true,
  },
  {
    name: "distances-from-a-product",
    source: "forum, hard triplets by a matrix of distances",
    rule: "nan-from-zero-times-inf",
    bad: `
function pairwise(x: torch.Tensor) {
  const dot = x.matmul(x.t());
  const sq = dot.diagonal();
  const d = sq.unsqueeze(0).sub(dot.mul(2)).add(sq.unsqueeze(1));
  return d.clamp({ min: 0 }).sqrt(); // culprit
}
const emb = torch.tensor([[0.1, 0.3], [0.2, -0.5], [0.9, 0.4]], { requires_grad: true });
const labels = torch.tensor([0, 0, 1]);
const d = pairwise(emb);
const same = labels.unsqueeze(0).eq(labels.unsqueeze(1));
const positive = d.masked_fill(same.logical_not(), 0).amax(1);
const negative = d.masked_fill(same, 1e6).amin(1);
const loss = positive.sub(negative).add(0.2).relu().mean();
loss.backward();
`,
    good: `
function pairwise(x: torch.Tensor) {
  const dot = x.matmul(x.t());
  const sq = dot.diagonal();
  const d = sq.unsqueeze(0).sub(dot.mul(2)).add(sq.unsqueeze(1));
  return d.clamp({ min: 1e-12 }).sqrt();
}
const emb = torch.tensor([[0.1, 0.3], [0.2, -0.5], [0.9, 0.4]], { requires_grad: true });
const labels = torch.tensor([0, 0, 1]);
const d = pairwise(emb);
const same = labels.unsqueeze(0).eq(labels.unsqueeze(1));
const positive = d.masked_fill(same.logical_not(), 0).amax(1);
const negative = d.masked_fill(same, 1e6).amin(1);
const loss = positive.sub(negative).add(0.2).relu().mean();
loss.backward();
`,
    proved: true,
  },
  {
    name: "inputs-in-their-own-units",
    source: "forum, ages and salaries that were not scaled",
    rule: "vanishing-gradient",
    bad: `
torch.manual_seed(0);
const ages = torch.tensor([[23], [45], [61], [38]]);
const salaries = torch.tensor([[30000], [52000], [81000], [47000]]);
const x = torch.cat([ages, salaries], 1);
const w1 = torch.randn(2, 4, { requires_grad: true });
const w2 = torch.randn(4, 1, { requires_grad: true });
const hidden = torch.tanh(x.mm(w1)); // culprit
const loss = hidden.mm(w2).sub(1).square().mean();
loss.backward();
`,
    good: `
torch.manual_seed(0);
const ages = torch.tensor([[23], [45], [61], [38]]).div(100);
const salaries = torch.tensor([[30000], [52000], [81000], [47000]]).div(100000);
const x = torch.cat([ages, salaries], 1);
const w1 = torch.randn(2, 4, { requires_grad: true });
const w2 = torch.randn(4, 1, { requires_grad: true });
const hidden = torch.tanh(x.mm(w1));
const loss = hidden.mm(w2).sub(1).square().mean();
loss.backward();
`,
    proved: true,
  },
  {
    name: "aspect-ratio-of-a-flat-box",
    source: "issue, the aspect ratio term of a loss of boxes",
    rule: "nan-from-zero-times-inf",
    bad: `
const pred = torch.tensor([[2, 1], [0, 3]], { requires_grad: true });
const gt = torch.tensor([[2, 2], [1, 1]]);
const v = torch.atan(gt.select(1, 0).div(gt.select(1, 1))).sub(torch.atan(pred.select(1, 1).div(pred.select(1, 0)))).square(); // culprit
const loss = v.mul(4 / Math.PI ** 2).mean();
loss.backward();
`,
    good: `
const pred = torch.tensor([[2, 1], [0, 3]], { requires_grad: true });
const gt = torch.tensor([[2, 2], [1, 1]]);
const v = torch.atan(gt.select(1, 0).div(gt.select(1, 1))).sub(torch.atan(pred.select(1, 1).div(pred.select(1, 0).clamp({ min: 1e-4 })))).square();
const loss = v.mul(4 / Math.PI ** 2).mean();
loss.backward();
`,
    proved: true,
  },
  {
    name: "inverse-error-function-at-its-end",
    source: "forum, samples of a normal distribution by its inverse",
    rule: "outside-domain",
    bad: `
const loc = torch.tensor([0, 3], { requires_grad: true });
const u = torch.tensor([0.5, 1]);
const sample = loc.add(u.mul(2).sub(1).erfinv().mul(Math.SQRT2)); // culprit
const loss = sample.square().mean();
loss.backward();
`,
    good: `
const loc = torch.tensor([0, 3], { requires_grad: true });
const u = torch.tensor([0.5, 1]).clamp({ min: 1e-6, max: 1 - 1e-6 });
const sample = loc.add(u.mul(2).sub(1).erfinv().mul(Math.SQRT2));
const loss = sample.square().mean();
loss.backward();
`,
    proved: true,
  },
  {
    name: "recurrence-overflows",
    source: "forum, a recurrent network whose values grow until they overflow",
    rule: "float-overflow",
    bad: `
torch.manual_seed(0);
const W = torch.randn(6, 6).mul(1.8).requires_grad_();
const inputs = torch.randn(40, 1, 6);
let h = torch.zeros(1, 6);
for (const x of inputs.unbind(0)) {
  h = h.matmul(W).add(x); // culprit
}
const loss = h.square().mean();
loss.backward();
`,
    good: `
torch.manual_seed(0);
const W = torch.eye(6).mul(0.9).requires_grad_();
const inputs = torch.randn(40, 1, 6);
let h = torch.zeros(1, 6);
for (const x of inputs.unbind(0)) {
  h = h.matmul(W).add(x);
}
const loss = h.square().mean();
loss.backward();
`,
    proved: true,
  },
  {
    name: "product-of-many-probabilities",
    source: "forum, the likelihood as a product",
    rule: "log-of-zero",
    bad: `
const scores = torch.linspace(-3, -1, 60).requires_grad_();
const p = scores.sigmoid();
const likelihood = p.prod();
const loss = likelihood.log().neg(); // culprit
loss.backward();
`,
    good: `
const scores = torch.linspace(-3, -1, 60).requires_grad_();
const loss = torch.nn.functional.logsigmoid(scores).sum().neg();
loss.backward();
`,
    proved: true,
  },
  {
    name: "bias-correction-at-step-zero",
    source: "forum, Adam by hand that counts from 0",
    rule: "division-by-zero",
    bad: `
const w = torch.tensor([1, -2], { requires_grad: true });
const m = torch.zeros(2);
for (let t = 0; t < 5; t++) {
  const loss = w.sub(3).square().sum();
  loss.backward();
  torch.no_grad(() => {
    m.mul_(0.9).add_(w.grad!.mul(0.1));
    const mHat = m.div(1 - 0.9 ** t); // culprit
    w.sub_(mHat.mul(0.1));
  });
  w.grad = null;
}
`,
    good: `
const w = torch.tensor([1, -2], { requires_grad: true });
const m = torch.zeros(2);
for (let t = 1; t <= 5; t++) {
  const loss = w.sub(3).square().sum();
  loss.backward();
  torch.no_grad(() => {
    m.mul_(0.9).add_(w.grad!.mul(0.1));
    const mHat = m.div(1 - 0.9 ** t);
    w.sub_(mHat.mul(0.1));
  });
  w.grad = null;
}
`,
    proved: true,
  },
  {
    name: "tank-that-runs-empty",
    source: "forum, a simulation through a root, step by step",
    rule: "nan-from-zero-times-inf",
    bad: `
const a = torch.tensor(0.8, { requires_grad: true });
let h = torch.tensor(1);
const observed = torch.tensor([0.9, 0.7, 0.55, 0.4, 0.3, 0.2, 0.1, 0.05, 0, 0, 0, 0]);
let loss = torch.zeros([]);
for (let t = 0; t < 12; t++) {
  h = h.sub(a.mul(torch.sqrt(h)).mul(0.3)).clamp({ min: 0 }); // culprit
  loss = loss.add(h.sub(observed.index(t)).square());
}
loss.backward();
`,
    good: `
const a = torch.tensor(0.8, { requires_grad: true });
let h = torch.tensor(1);
const observed = torch.tensor([0.9, 0.7, 0.55, 0.4, 0.3, 0.2, 0.1, 0.05, 0, 0, 0, 0]);
let loss = torch.zeros([]);
for (let t = 0; t < 12; t++) {
  h = h.sub(a.mul(torch.sqrt(h.add(1e-6))).mul(0.3)).clamp({ min: 0 });
  loss = loss.add(h.sub(observed.index(t)).square());
}
loss.backward();
`,
    proved: true,
  },
  {
    name: "laplacian-at-the-origin",
    source: "forum, the residual of an equation in polar coordinates",
    rule: "division-by-zero",
    bad: `
const k = torch.tensor(1.5, { requires_grad: true });
const r = torch.linspace(0, 1, 5).requires_grad_();
const u = k.mul(r.square());
const [ur] = torch.autograd.grad(u.sum(), r, { create_graph: true });
const [urr] = torch.autograd.grad(ur.sum(), r, { create_graph: true });
const residual = urr.add(ur.div(r)); // culprit
const loss = residual.square().mean();
loss.backward();
`,
    good: `
const k = torch.tensor(1.5, { requires_grad: true });
const r = torch.linspace(0.01, 1, 5).requires_grad_();
const u = k.mul(r.square());
const [ur] = torch.autograd.grad(u.sum(), r, { create_graph: true });
const [urr] = torch.autograd.grad(ur.sum(), r, { create_graph: true });
const residual = urr.add(ur.div(r));
const loss = residual.square().mean();
loss.backward();
`,
    proved: true,
  },
  {
    name: "momentum-and-a-large-rate",
    source: "forum, momentum by hand and a loss that grows",
    rule: "diverging-updates",
    bad: `
torch.manual_seed(0);
const x = torch.randn(30, 4).mul(5);
const y = x.matmul(torch.tensor([1, -2, 0.5, 3]));
const w = torch.zeros(4, { requires_grad: true });
const velocity = torch.zeros(4);
const lr = 0.05;
for (let step = 0; step < 40; step++) {
  const loss = x.matmul(w).sub(y).square().mean();
  loss.backward();
  torch.no_grad(() => {
    velocity.mul_(0.9).add_(w.grad!);
    w.sub_(velocity.mul(lr)); // culprit
  });
  w.grad = null;
}
`,
    good: `
torch.manual_seed(0);
const x = torch.randn(30, 4).mul(5);
const y = x.matmul(torch.tensor([1, -2, 0.5, 3]));
const w = torch.zeros(4, { requires_grad: true });
const velocity = torch.zeros(4);
const lr = 0.001;
for (let step = 0; step < 40; step++) {
  const loss = x.matmul(w).sub(y).square().mean();
  loss.backward();
  torch.no_grad(() => {
    velocity.mul_(0.9).add_(w.grad!);
    w.sub_(velocity.mul(lr));
  });
  w.grad = null;
}
`,
    proved: true,
  },
  {
    name: "no-triplet-is-active",
    source: "forum, a mean over the triplets that still lose something",
    rule: "division-by-zero",
    bad: `
const emb = torch.tensor([[0, 0.1], [0.2, 1]], { requires_grad: true });
for (let step = 0; step < 30; step++) {
  const gap = emb.index(0).sub(emb.index(1)).square().sum();
  const losses = torch.relu(torch.sub(2, gap).view(1));
  const active = losses.gt(0).float();
  const loss = losses.mul(active).sum().div(active.sum()); // culprit
  loss.backward();
  torch.no_grad(() => emb.sub_(emb.grad!.mul(0.05)));
  emb.grad = null;
}
`,
    good: `
const emb = torch.tensor([[0, 0.1], [0.2, 1]], { requires_grad: true });
for (let step = 0; step < 30; step++) {
  const gap = emb.index(0).sub(emb.index(1)).square().sum();
  const losses = torch.relu(torch.sub(2, gap).view(1));
  const active = losses.gt(0).float();
  const loss = losses.mul(active).sum().div(active.sum().clamp({ min: 1 }));
  loss.backward();
  torch.no_grad(() => emb.sub_(emb.grad!.mul(0.05)));
  emb.grad = null;
}
`,
    proved: true,
  },
  {
    name: "residuals-without-a-norm",
    source: "forum, many residual blocks whose weights are not small",
    rule: "exploding-gradient",
    bad: `
torch.manual_seed(0);
const blocks = Array.from({ length: 30 }, () => torch.randn(16, 16).mul(0.5).requires_grad_());
let h = torch.randn(4, 16);
for (const w of blocks) h = h.add(h.matmul(w)); // culprit
h.square().mean().backward();
console.log(blocks[0].grad!.abs().max());
`,
    good: `
torch.manual_seed(0);
const blocks = Array.from({ length: 30 }, () => torch.randn(16, 16).mul(0.01).requires_grad_());
let h = torch.randn(4, 16);
for (const w of blocks) h = h.add(h.matmul(w));
h.square().mean().backward();
console.log(blocks[0].grad!.abs().max());
`,
    proved: true,
  },
];

/** Programs as people wrote them, in the style in which they are ported: functions, classes, closures, loops. */
import type { Pitfall } from "./pitfall.ts";

export const ported: readonly Pitfall[] = [
  {
    name: "layers-overwritten-in-rnn",
    source: "issue, the RNN example of the documentation fails in backward",
    rule: "saved-tensor-overwritten",
    bad: `
const [layers, hidden] = [2, 3];
const wIh = [2, hidden].map((inputs) => torch.full([hidden, inputs], 0.1).requires_grad_());
const wHh = [0, 1].map(() => torch.full([hidden, hidden], 0.2).requires_grad_());
const x = torch.ones(4, 1, 2);
let before = torch.zeros(layers, 1, hidden);
const h = torch.zeros(layers, 1, hidden);
const output: torch.Tensor[] = [];
for (let t = 0; t < 4; t++) {
  for (let layer = 0; layer < layers; layer++) {
    const inputs = layer === 0 ? x.select(0, t) : h.select(0, layer - 1);
    h.select(0, layer).copy_(torch.tanh(inputs.mm(wIh[layer].t()).add(before.select(0, layer).mm(wHh[layer].t())))); // culprit
  }
  output.push(h.select(0, layers - 1));
  before = h.clone();
}
torch.stack(output).sum().backward();
`,
    good: `
const [layers, hidden] = [2, 3];
const wIh = [2, hidden].map((inputs) => torch.full([hidden, inputs], 0.1).requires_grad_());
const wHh = [0, 1].map(() => torch.full([hidden, hidden], 0.2).requires_grad_());
const x = torch.ones(4, 1, 2);
let before = Array.from({ length: layers }, () => torch.zeros(1, hidden));
const output: torch.Tensor[] = [];
for (let t = 0; t < 4; t++) {
  const h: torch.Tensor[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const inputs = layer === 0 ? x.select(0, t) : h[layer - 1];
    h.push(torch.tanh(inputs.mm(wIh[layer].t()).add(before[layer].mm(wHh[layer].t()))));
  }
  output.push(h[layers - 1]);
  before = h;
}
torch.stack(output).sum().backward();
`,
    proved: true,
  },
  {
    name: "discriminator-stepped-between-losses",
    source: "issue, two losses of one forward in a GAN, with an optimizer step between",
    rule: "saved-tensor-overwritten",
    bad: `
class Linear {
  readonly weight: torch.Tensor;
  readonly bias: torch.Tensor;
  constructor(inputs: number, outputs: number) {
    this.weight = torch.full([outputs, inputs], 0.3).requires_grad_();
    this.bias = torch.zeros(outputs, { requires_grad: true });
  }
  forward(x: torch.Tensor) {
    return torch.nn.functional.linear(x, this.weight, this.bias);
  }
}
const generator = new Linear(2, 3);
const critic = [new Linear(3, 4), new Linear(4, 1)];
const judge = (x: torch.Tensor) => critic[1].forward(critic[0].forward(x).relu()).sigmoid();
const step = (layers: Linear[]) => torch.no_grad(() => {
  for (const { weight, bias } of layers) {
    for (const p of [weight, bias]) p.sub_(p.grad!.mul(0.1)); // culprit
  }
});
const fake = judge(generator.forward(torch.ones(2, 2)));
const lossD = judge(torch.ones(2, 3)).add(1e-6).log().add(fake.rsub(1).add(1e-6).log()).mean().neg();
const lossG = fake.rsub(1).add(1e-6).log().mean();
lossD.backward({ retain_graph: true });
step(critic);
lossG.backward();
step([generator]);
`,
    good: `
class Linear {
  readonly weight: torch.Tensor;
  readonly bias: torch.Tensor;
  constructor(inputs: number, outputs: number) {
    this.weight = torch.full([outputs, inputs], 0.3).requires_grad_();
    this.bias = torch.zeros(outputs, { requires_grad: true });
  }
  forward(x: torch.Tensor) {
    return torch.nn.functional.linear(x, this.weight, this.bias);
  }
}
const generator = new Linear(2, 3);
const critic = [new Linear(3, 4), new Linear(4, 1)];
const judge = (x: torch.Tensor) => critic[1].forward(critic[0].forward(x).relu()).sigmoid();
const step = (layers: Linear[]) => torch.no_grad(() => {
  for (const { weight, bias } of layers) {
    for (const p of [weight, bias]) p.sub_(p.grad!.mul(0.1));
  }
});
const made = generator.forward(torch.ones(2, 2));
const lossD = judge(torch.ones(2, 3)).add(1e-6).log().add(judge(made.detach()).rsub(1).add(1e-6).log()).mean().neg();
lossD.backward();
step(critic);
const lossG = judge(made).rsub(1).add(1e-6).log().mean();
lossG.backward();
step([generator]);
`,
    proved: true,
  },
  {
    name: "states-kept-by-lstm",
    source: "issue, a module that keeps hidden and cell state over batches",
    rule: "state-carried",
    bad: `
class Lstm {
  readonly w: torch.Tensor;
  readonly u: torch.Tensor;
  state: { h: torch.Tensor; c: torch.Tensor };
  constructor(size: number) {
    this.w = torch.full([4 * size, size], 0.1).requires_grad_();
    this.u = torch.full([4 * size, size], 0.2).requires_grad_();
    this.state = { h: torch.zeros(size), c: torch.zeros(size) };
  }
  step(x: torch.Tensor): torch.Tensor {
    const [i, f, g, o] = this.w.mv(x).add(this.u.mv(this.state.h)).chunk(4); // culprit
    const c = f.sigmoid().mul(this.state.c).add(i.sigmoid().mul(g.tanh()));
    this.state = { h: o.sigmoid().mul(c.tanh()), c };
    return this.state.h;
  }
}
const lstm = new Lstm(2);
for (const batch of [[1, 2], [3, 4], [5, 6]]) {
  lstm.step(torch.tensor(batch)).sum().backward();
  lstm.w.grad = null;
  lstm.u.grad = null;
}
`,
    good: `
class Lstm {
  readonly w: torch.Tensor;
  readonly u: torch.Tensor;
  state: { h: torch.Tensor; c: torch.Tensor };
  constructor(size: number) {
    this.w = torch.full([4 * size, size], 0.1).requires_grad_();
    this.u = torch.full([4 * size, size], 0.2).requires_grad_();
    this.state = { h: torch.zeros(size), c: torch.zeros(size) };
  }
  step(x: torch.Tensor): torch.Tensor {
    const [i, f, g, o] = this.w.mv(x).add(this.u.mv(this.state.h)).chunk(4);
    const c = f.sigmoid().mul(this.state.c).add(i.sigmoid().mul(g.tanh()));
    const h = o.sigmoid().mul(c.tanh());
    this.state = { h: h.detach(), c: c.detach() };
    return h;
  }
}
const lstm = new Lstm(2);
for (const batch of [[1, 2], [3, 4], [5, 6]]) {
  lstm.step(torch.tensor(batch)).sum().backward();
  lstm.w.grad = null;
  lstm.u.grad = null;
}
`,
    proved: true,
  },
  {
    name: "loss-rewrapped-in-training",
    source: "forum, torch.tensor(loss, requires_grad=True) to silence the error",
    rule: "graph-cut",
    bad: `
const w = torch.tensor([1.3, 2.7], { requires_grad: true });
const b = torch.tensor(0.1, { requires_grad: true });
const xs = torch.tensor([[1, 2], [3, 4]]);
const ys = torch.tensor([5, 11]);
for (let epoch = 0; epoch < 2; epoch++) {
  const out = xs.mv(w).add(b);
  const loss = torch.tensor(out.sub(ys).pow(2).mean().item(), { requires_grad: true }); // culprit
  loss.backward();
  console.log(w.grad);
}
`,
    good: `
const w = torch.tensor([1.3, 2.7], { requires_grad: true });
const b = torch.tensor(0.1, { requires_grad: true });
const xs = torch.tensor([[1, 2], [3, 4]]);
const ys = torch.tensor([5, 11]);
for (let epoch = 0; epoch < 2; epoch++) {
  const out = xs.mv(w).add(b);
  const loss = out.sub(ys).pow(2).mean();
  loss.backward();
  console.log(w.grad);
}
`,
    proved: true,
  },
  {
    name: "gradient-of-the-original",
    source: "forum, the gradient of an image of which a copy was made",
    rule: "grad-of-original",
    bad: `
const image = torch.tensor([[0.1, 0.4], [0.8, 0.3]]);
const perturbed = image.clone().requires_grad_();
perturbed.mul(3).pow(2).sum().backward();
console.log(image.grad); // culprit
`,
    good: `
const image = torch.tensor([[0.1, 0.4], [0.8, 0.3]]);
const perturbed = image.clone().requires_grad_();
perturbed.mul(3).pow(2).sum().backward();
console.log(perturbed.grad);
`,
    proved: true,
  },
  {
    name: "hook-of-another-shape",
    source: "issue, \"hook has changed the size of value\"",
    rule: "hook-changes-gradient",
    bad: `
const x = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const y = x.mul(2);
y.register_hook((g) => g.mean(0)); // culprit
y.pow(2).sum().backward();
`,
    good: `
const x = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const y = x.mul(2);
y.register_hook((g) => g.sub(g.mean(0)));
y.pow(2).sum().backward();
`,
    proved: false,
  },
  {
    name: "hook-normalises-nothing",
    source: "forum, gradients normalised in a hook",
    rule: "division-by-zero",
    bad: `
const x = torch.tensor([1, 2], { requires_grad: true });
const y = x.mul(2);
y.register_hook((g) => g.div(g.norm())); // culprit
y.mul(0).sum().backward();
console.log(x.grad);
`,
    good: `
const x = torch.tensor([1, 2], { requires_grad: true });
const y = x.mul(2);
y.register_hook((g) => g.div(g.norm().add(1e-8)));
y.mul(3).sum().backward();
console.log(x.grad);
`,
    elements: [[0], [1]],
    proved: true,
  },
  {
    name: "momentum-without-zeroing",
    source: "forum, an optimizer written by hand, and no zero_grad",
    rule: "gradients-never-zeroed",
    bad: `
class Momentum {
  readonly velocity: torch.Tensor[];
  readonly params: torch.Tensor[];
  readonly lr: number;
  constructor(params: torch.Tensor[], lr: number) {
    this.params = params;
    this.lr = lr;
    this.velocity = params.map((p) => torch.zeros_like(p));
  }
  step() {
    torch.no_grad(() => {
      this.params.forEach((p, i) => {
        this.velocity[i].mul_(0.9).add_(p.grad!);
        p.add_(this.velocity[i], { alpha: -this.lr });
      });
    });
  }
}
const w = torch.tensor([3, -2], { requires_grad: true });
const optimizer = new Momentum([w], 0.05);
for (let i = 0; i < 4; i++) {
  w.pow(2).sum().backward(); // culprit
  optimizer.step();
}
`,
    good: `
class Momentum {
  readonly velocity: torch.Tensor[];
  readonly params: torch.Tensor[];
  readonly lr: number;
  constructor(params: torch.Tensor[], lr: number) {
    this.params = params;
    this.lr = lr;
    this.velocity = params.map((p) => torch.zeros_like(p));
  }
  step() {
    torch.no_grad(() => {
      this.params.forEach((p, i) => {
        this.velocity[i].mul_(0.9).add_(p.grad!);
        p.add_(this.velocity[i], { alpha: -this.lr });
        p.grad = null;
      });
    });
  }
}
const w = torch.tensor([3, -2], { requires_grad: true });
const optimizer = new Momentum([w], 0.05);
for (let i = 0; i < 4; i++) {
  w.pow(2).sum().backward();
  optimizer.step();
}
`,
    proved: true,
  },
  {
    name: "outputs-read-while-filled",
    source: "forum, attention over the outputs so far, in one tensor",
    rule: "saved-tensor-overwritten",
    bad: `
const w = torch.tensor([[0.3, 0.1], [-0.2, 0.4]], { requires_grad: true });
const xs = torch.tensor([[1, 2], [0.5, -1], [-1, 0.3]]);
const outputs = torch.zeros(3, 2);
let context = torch.zeros(2);
for (let t = 0; t < 3; t++) {
  const h = torch.tanh(w.mv(xs.select(0, t).add(context)));
  outputs.select(0, t).copy_(h); // culprit
  const weights = outputs.mv(h).softmax(0);
  context = weights.unsqueeze(0).mm(outputs).squeeze(0);
}
context.sum().backward();
`,
    good: `
const w = torch.tensor([[0.3, 0.1], [-0.2, 0.4]], { requires_grad: true });
const xs = torch.tensor([[1, 2], [0.5, -1], [-1, 0.3]]);
const outputs: torch.Tensor[] = [];
let context = torch.zeros(2);
for (let t = 0; t < 3; t++) {
  const h = torch.tanh(w.mv(xs.select(0, t).add(context)));
  outputs.push(h);
  const all = torch.stack(outputs);
  const weights = all.mv(h).softmax(0);
  context = weights.unsqueeze(0).mm(all).squeeze(0);
}
context.sum().backward();
`,
    proved: true,
  },
  {
    name: "centroid-of-no-points",
    source: "issue, discriminative loss with an instance that has no points",
    rule: "division-by-zero",
    bad: `
const embedded = torch.tensor([[1, 2], [2, 1], [-1, 0.5]], { requires_grad: true });
const masks = torch.nn.functional.one_hot(torch.tensor([0, 0, 2], { dtype: torch.int64 }), 3).float();
const count = masks.sum(0);
const centroids = masks.t().mm(embedded).div(count.unsqueeze(1)); // culprit
const pull = embedded.sub(masks.mm(centroids)).norm(2, 1).mean();
pull.backward();
`,
    good: `
const embedded = torch.tensor([[1, 2], [2, 1], [-1, 0.5]], { requires_grad: true });
const masks = torch.nn.functional.one_hot(torch.tensor([0, 0, 2], { dtype: torch.int64 }), 3).float();
const count = masks.sum(0).clamp({ min: 1 });
const centroids = masks.t().mm(embedded).div(count.unsqueeze(1));
const pull = embedded.sub(masks.mm(centroids)).norm(2, 1).mean();
pull.backward();
`,
    proved: true,
  },
  {
    name: "indices-of-max-into-embedding",
    source: "issue, backprop through an argmax between two networks",
    rule: "graph-cut",
    bad: `
const first = torch.tensor([[1, 0.5], [0.2, 2]], { requires_grad: true });
const second = torch.tensor([[0.1, 0.2], [0.3, 0.4]], { requires_grad: true });
const x = torch.tensor([[1, 2], [3, -4]]);
const choose = (scores: torch.Tensor): torch.Tensor => torch.max(scores, 1)[1]; // culprit
const token = choose(x.mm(first));
const loss = torch.nn.functional.embedding(token, second).pow(2).sum();
loss.backward();
console.log(first.grad, second.grad);
`,
    good: `
const first = torch.tensor([[1, 0.5], [0.2, 2]], { requires_grad: true });
const second = torch.tensor([[0.1, 0.2], [0.3, 0.4]], { requires_grad: true });
const x = torch.tensor([[1, 2], [3, -4]]);
const soft = x.mm(first).softmax(1);
const loss = soft.mm(second).pow(2).sum();
loss.backward();
console.log(first.grad, second.grad);
`,
    proved: false,
  },
  {
    name: "similarity-in-plain-arrays",
    source: "forum, a custom metric computed outside of torch",
    rule: "graph-cut",
    bad: `
const embedding = torch.tensor([[0.1, 0.4], [0.8, 0.3]], { requires_grad: true });
function cosineInJs(a: number[], b: number[]): number {
  const dot = a.reduce((s, x, i) => s + x * b[i], 0);
  return dot / (Math.hypot(...a) * Math.hypot(...b));
}
const rows = embedding.tolist() as number[][]; // culprit
const similarity = torch.tensor([cosineInJs(rows[0], rows[1])]);
const loss = similarity.sub(1).abs().mean();
loss.backward();
`,
    good: `
const embedding = torch.tensor([[0.1, 0.4], [0.8, 0.3]], { requires_grad: true });
const [a, b] = embedding.unbind(0);
const similarity = torch.nn.functional.cosine_similarity(a, b, 0);
const loss = similarity.sub(1).abs().mean();
loss.backward();
`,
    proved: false,
  },
  {
    name: "running-loss-of-numbers",
    source: "forum, backward of the running loss",
    rule: "graph-cut",
    bad: `
const w = torch.tensor([0.3, 0.7], { requires_grad: true });
let running = 0;
for (const x of [[1, 2], [3, 4]]) {
  const loss = w.mul(torch.tensor(x)).sum().sub(1).pow(2);
  running += loss.item() as number; // culprit
}
const total = torch.tensor(running / 2, { requires_grad: true });
total.backward();
console.log(w.grad);
`,
    good: `
const w = torch.tensor([0.3, 0.7], { requires_grad: true });
let running = torch.tensor(0);
for (const x of [[1, 2], [3, 4]]) {
  const loss = w.mul(torch.tensor(x)).sum().sub(1).pow(2);
  running = running.add(loss);
}
const total = running.div(2);
total.backward();
console.log(w.grad);
`,
    proved: false,
  },
  {
    name: "buffer-that-requires-grad",
    source: "issue, \"leaf variable has been moved into the graph interior\"",
    rule: "leaf-modified-in-place",
    bad: `
const encOutputs = torch.zeros(3, 2, { requires_grad: true });
const cell = torch.tensor([[0.5, 0.1], [0.2, 0.3]], { requires_grad: true });
let h = torch.ones(2);
for (let t = 0; t < 3; t++) {
  h = cell.mv(h).tanh();
  encOutputs.select(0, t).copy_(h); // culprit
}
encOutputs.sum().backward();
`,
    good: `
const encOutputs = torch.zeros(3, 2);
const cell = torch.tensor([[0.5, 0.1], [0.2, 0.3]], { requires_grad: true });
let h = torch.ones(2);
for (let t = 0; t < 3; t++) {
  h = cell.mv(h).tanh();
  encOutputs.select(0, t).copy_(h);
}
encOutputs.sum().backward();
`,
    proved: true,
  },
  {
    name: "relu-in-place-on-parameter",
    source: "issue, an in-place activation on a weight",
    rule: "leaf-modified-in-place",
    bad: `
class Fuse {
  weight = torch.ones(2, { requires_grad: true });
  forward(xs: torch.Tensor[]): torch.Tensor {
    const weight = this.weight.relu_(); // culprit
    const w = weight.div(weight.sum(0).add(1e-4));
    const [w0, w1] = w.unbind(0);
    return torch.nn.functional.silu(xs[0].mul(w0).add(xs[1].mul(w1)));
  }
}
const fuse = new Fuse();
fuse.forward([torch.ones(3), torch.ones(3).mul(2)]).sum().backward();
console.log(fuse.weight.grad);
`,
    good: `
class Fuse {
  weight = torch.ones(2, { requires_grad: true });
  forward(xs: torch.Tensor[]): torch.Tensor {
    const weight = this.weight.relu();
    const w = weight.div(weight.sum(0).add(1e-4));
    const [w0, w1] = w.unbind(0);
    return torch.nn.functional.silu(xs[0].mul(w0).add(xs[1].mul(w1)));
  }
}
const fuse = new Fuse();
fuse.forward([torch.ones(3), torch.ones(3).mul(2)]).sum().backward();
console.log(fuse.weight.grad);
`,
    proved: true,
  },
  {
    name: "penalty-without-create-graph",
    source: "forum, gradient penalty whose gradient requires no grad",
    rule: "graph-cut",
    bad: `
const x = torch.tensor([1, 2], { requires_grad: true });
const y = x.pow(3).sum();
const [g] = torch.autograd.grad(y, [x]); // culprit
const penalty = g.norm().sub(1).pow(2);
penalty.backward();
`,
    good: `
const x = torch.tensor([1, 2], { requires_grad: true });
const y = x.pow(3).sum();
const [g] = torch.autograd.grad(y, [x], { create_graph: true });
const penalty = g.norm().sub(1).pow(2);
penalty.backward();
`,
    proved: true,
  },
  {
    name: "contrastive-loss-by-hand",
    source: "forum, NaN in SimCLR with a small temperature",
    rule: "exp-overflow",
    bad: `
const F = torch.nn.functional;
const z = torch.tensor([[1, 0.2], [0.9, 0.1], [-1, 0.5], [-0.8, 0.6]], { requires_grad: true });
const reps = F.normalize(z, 2, 1);
const sim = reps.mm(reps.t()).div(0.005);
const e = sim.exp(); // culprit
const mask = torch.eye(4).rsub(1);
const positives = torch.stack([e.index([0, 1]), e.index([1, 0]), e.index([2, 3]), e.index([3, 2])]);
const loss = positives.div(e.mul(mask).sum(1)).log().neg().mean();
loss.backward();
console.log(loss, z.grad);
`,
    good: `
const F = torch.nn.functional;
const z = torch.tensor([[1, 0.2], [0.9, 0.1], [-1, 0.5], [-0.8, 0.6]], { requires_grad: true });
const reps = F.normalize(z, 2, 1);
const sim = reps.mm(reps.t()).div(0.005).masked_fill(torch.eye(4).bool(), -1e9);
const loss = F.cross_entropy(sim, torch.tensor([1, 0, 3, 2], { dtype: torch.int64 }));
loss.backward();
console.log(loss, z.grad);
`,
    proved: true,
  },
  {
    name: "correlation-with-a-constant",
    source: "forum, Pearson correlation as a loss",
    rule: "division-by-zero",
    bad: `
const scale = torch.tensor(0, { requires_grad: true });
const shift = torch.tensor(1, { requires_grad: true });
const x = torch.tensor([1, 2, 3, 4]), y = torch.tensor([2, 1, 4, 3]);
const pred = x.mul(scale).add(shift);
const vx = pred.sub(pred.mean());
const vy = y.sub(y.mean());
const corr = vx.mul(vy).sum().div(vx.pow(2).sum().sqrt().mul(vy.pow(2).sum().sqrt())); // culprit
corr.neg().backward();
console.log(scale.grad);
`,
    good: `
const scale = torch.tensor(0.1, { requires_grad: true });
const shift = torch.tensor(1, { requires_grad: true });
const x = torch.tensor([1, 2, 3, 4]), y = torch.tensor([2, 1, 4, 3]);
const pred = x.mul(scale).add(shift);
const vx = pred.sub(pred.mean());
const vy = y.sub(y.mean());
const corr = vx.mul(vy).sum().div(vx.pow(2).sum().sqrt().mul(vy.pow(2).sum().sqrt()));
corr.neg().backward();
console.log(scale.grad);
`,
    proved: true,
  },
  {
    name: "focal-loss-of-certainty",
    source: "issue, NaN gradients of a focal loss with gamma below 1",
    rule: "nan-from-zero-times-inf",
    bad: `
const eps = 1e-8;
function binaryFocalLoss(logits: torch.Tensor, target: torch.Tensor, { alpha = 0.25, gamma = 2 } = {}): torch.Tensor {
  const probs = torch.sigmoid(logits);
  const positive = probs.rsub(1).pow(gamma).mul(-alpha).mul(target).mul(probs.add(eps).log()); // culprit
  const negative = probs.pow(gamma).mul(1 - alpha).mul(target.rsub(1)).mul(probs.rsub(1).add(eps).log());
  return positive.sub(negative).mean();
}
const prediction = torch.tensor([[0.3, -1.2, 0.4, 120]], { requires_grad: true });
const target = torch.tensor([[0, 1, 0, 1]]).float();
const loss = binaryFocalLoss(prediction, target, { gamma: 0.5 });
loss.backward();
console.log(prediction.grad);
`,
    good: `
const eps = 1e-6;
function binaryFocalLoss(logits: torch.Tensor, target: torch.Tensor, { alpha = 0.25, gamma = 2 } = {}): torch.Tensor {
  const probs = torch.sigmoid(logits);
  const positive = probs.rsub(1).add(eps).pow(gamma).mul(-alpha).mul(target).mul(probs.add(eps).log());
  const negative = probs.add(eps).pow(gamma).mul(1 - alpha).mul(target.rsub(1)).mul(probs.rsub(1).add(eps).log());
  return positive.sub(negative).mean();
}
const prediction = torch.tensor([[0.3, -1.2, 0.4, 120]], { requires_grad: true });
const target = torch.tensor([[0, 1, 0, 1]]).float();
const loss = binaryFocalLoss(prediction, target, { gamma: 0.5 });
loss.backward();
console.log(prediction.grad);
`,
    elements: [[0, 3]],
    proved: true,
  },
  {
    name: "sine-of-a-class-centre",
    source: "issue, sqrt(1 - cosine²) in a margin softmax",
    rule: "nan-from-zero-times-inf",
    bad: `
const F = torch.nn.functional;
const weight = torch.tensor([[1, 0], [0, 1]], { requires_grad: true });
const x = torch.tensor([[1, 0], [0.6, 0.8]]);
const label = torch.tensor([0, 1], { dtype: torch.int64 });
const [cosM, sinM, s] = [Math.cos(0.5), Math.sin(0.5), 30];
const cosine = F.linear(F.normalize(x), F.normalize(weight));
const sine = torch.sqrt(cosine.pow(2).rsub(1)); // culprit
const phi = cosine.mul(cosM).sub(sine.mul(sinM));
const oneHot = F.one_hot(label, 2).float();
const output = oneHot.mul(phi).add(oneHot.rsub(1).mul(cosine)).mul(s);
const loss = F.cross_entropy(output, label);
loss.backward();
console.log(loss, weight.grad);
`,
    good: `
const F = torch.nn.functional;
const weight = torch.tensor([[1, 0], [0, 1]], { requires_grad: true });
const x = torch.tensor([[1, 0], [0.6, 0.8]]);
const label = torch.tensor([0, 1], { dtype: torch.int64 });
const [cosM, sinM, s] = [Math.cos(0.5), Math.sin(0.5), 30];
const cosine = F.linear(F.normalize(x), F.normalize(weight));
const sine = torch.sqrt(cosine.pow(2).rsub(1).clamp({ min: 1e-4, max: 1 }));
const phi = cosine.mul(cosM).sub(sine.mul(sinM));
const oneHot = F.one_hot(label, 2).float();
const output = oneHot.mul(phi).add(oneHot.rsub(1).mul(cosine)).mul(s);
const loss = F.cross_entropy(output, label);
loss.backward();
console.log(loss, weight.grad);
`,
    elements: [[0, 0], [0, 1]],
    proved: true,
  },
  {
    name: "mixture-far-from-all-means",
    source: "issue, log of a sum of densities that underflow",
    rule: "log-of-zero",
    bad: `
const mu = torch.tensor([0, 1, 2], { requires_grad: true });
const logits = torch.zeros(3, { requires_grad: true });
function nll(y: number): torch.Tensor {
  const component = mu.sub(y).pow(2).div(2 * 0.1 ** 2).neg().exp();
  return logits.softmax(0).mul(component).sum().log().neg(); // culprit
}
const losses = [0.1, 1.2, 9].map(nll);
const loss = torch.stack(losses).mean();
loss.backward();
console.log(loss, mu.grad);
`,
    good: `
const mu = torch.tensor([0, 1, 2], { requires_grad: true });
const logits = torch.zeros(3, { requires_grad: true });
function nll(y: number): torch.Tensor {
  const component = mu.sub(y).pow(2).div(2 * 0.1 ** 2).neg();
  return logits.log_softmax(0).add(component).logsumexp(0).neg();
}
const losses = [0.1, 1.2, 9].map(nll);
const loss = torch.stack(losses).mean();
loss.backward();
console.log(loss, mu.grad);
`,
    proved: true,
  },
  {
    name: "tags-that-cannot-be-reached",
    source: "forum, logsumexp in a CRF with forbidden transitions",
    rule: "softmax-of-nothing",
    bad: `
const trans = torch.tensor([[0, 0.3], [0.1, 0.2]], { requires_grad: true });
const allowed = torch.tensor([[true, false], [true, false]]);
const scores = trans.masked_fill(allowed.logical_not(), -Infinity);
let alpha = torch.zeros(2);
const steps = [torch.tensor([0.1, 0.2]), torch.tensor([0.3, 0.4])];
steps.forEach((emit) => {
  alpha = alpha.unsqueeze(1).add(scores).logsumexp(0).add(emit); // culprit
});
const loss = alpha.logsumexp(0);
loss.backward();
console.log(loss, trans.grad);
`,
    good: `
const trans = torch.tensor([[0, 0.3], [0.1, 0.2]], { requires_grad: true });
const allowed = torch.tensor([[true, false], [true, false]]);
const scores = trans.masked_fill(allowed.logical_not(), -1e4);
let alpha = torch.zeros(2);
const steps = [torch.tensor([0.1, 0.2]), torch.tensor([0.3, 0.4])];
steps.forEach((emit) => {
  alpha = alpha.unsqueeze(1).add(scores).logsumexp(0).add(emit);
});
const loss = alpha.logsumexp(0);
loss.backward();
console.log(loss, trans.grad);
`,
    elements: [[0, 0], [1, 0]],
    proved: true,
  },
  {
    name: "outputs-clamped-beyond-bounds",
    source: "forum, gradients are zero after clamp",
    rule: "flat-function",
    bad: `
const w = torch.tensor([5, -4], { requires_grad: true });
const x = torch.tensor([[1, 0], [0, 1]]);
const prob = x.mv(w).clamp(0, 1); // culprit
const loss = prob.sub(torch.tensor([0, 1])).pow(2).mean();
loss.backward();
console.log(loss, w.grad);
`,
    good: `
const w = torch.tensor([5, -4], { requires_grad: true });
const x = torch.tensor([[1, 0], [0, 1]]);
const prob = x.mv(w).sigmoid();
const loss = prob.sub(torch.tensor([0, 1])).pow(2).mean();
loss.backward();
console.log(loss, w.grad);
`,
    proved: false,
  },
  {
    name: "axis-of-no-rotation",
    source: "issue, rotation conversions at the identity",
    rule: "nan-from-zero-times-inf",
    bad: `
function axisAngle(q: torch.Tensor): torch.Tensor {
  const w = q.select(-1, 0);
  const v = q.narrow(-1, 1, 3);
  const angle = torch.acos(w).mul(2); // culprit
  const s = torch.sin(angle.mul(0.5)).unsqueeze(-1);
  return v.div(s.clamp({ min: 1e-8 })).mul(angle.unsqueeze(-1));
}
const q = torch.tensor([[1, 0, 0, 0], [Math.SQRT1_2, Math.SQRT1_2, 0, 0]], { requires_grad: true });
axisAngle(q).pow(2).sum().backward();
console.log(q.grad);
`,
    good: `
function axisAngle(q: torch.Tensor): torch.Tensor {
  const w = q.select(-1, 0);
  const v = q.narrow(-1, 1, 3);
  const angle = torch.atan2(v.pow(2).sum(-1).add(1e-12).sqrt(), w).mul(2);
  const s = torch.sin(angle.mul(0.5)).unsqueeze(-1);
  return v.div(s.clamp({ min: 1e-8 })).mul(angle.unsqueeze(-1));
}
const q = torch.tensor([[1, 0, 0, 0], [Math.SQRT1_2, Math.SQRT1_2, 0, 0]], { requires_grad: true });
axisAngle(q).pow(2).sum().backward();
console.log(q.grad);
`,
    elements: [[0, 0]],
    proved: true,
  },
  {
    name: "returns-of-a-short-episode",
    source: "forum, REINFORCE turns into NaN",
    rule: "spread-of-one-value",
    bad: `
const policy = torch.tensor([0.1, 0.2], { requires_grad: true });
const normalise = (r: torch.Tensor) => r.sub(r.mean()).div(r.std().add(1e-9)); // culprit
function episode(rewards: number[]) {
  const returns = normalise(torch.tensor(rewards));
  const loss = rewards.map((_, i) => policy.log_softmax(0).index(i % 2).mul(returns.index(i)).neg()).reduce((a, b) => a.add(b));
  policy.grad = null;
  loss.backward();
  torch.no_grad(() => policy.sub_(policy.grad!.mul(0.01)));
}
episode([1, 0, 2]);
episode([1]);
console.log(policy);
`,
    good: `
const policy = torch.tensor([0.1, 0.2], { requires_grad: true });
const normalise = (r: torch.Tensor) => (r.numel() < 2 ? r : r.sub(r.mean()).div(r.std().add(1e-9)));
function episode(rewards: number[]) {
  const returns = normalise(torch.tensor(rewards));
  const loss = rewards.map((_, i) => policy.log_softmax(0).index(i % 2).mul(returns.index(i)).neg()).reduce((a, b) => a.add(b));
  policy.grad = null;
  loss.backward();
  torch.no_grad(() => policy.sub_(policy.grad!.mul(0.01)));
}
episode([1, 0, 2]);
episode([1]);
console.log(policy);
`,
    elements: [[0], [1]],
    proved: true,
  },
  {
    name: "penalty-of-a-dead-critic",
    source: "issue, \"gradient of gradient explodes (nan)\" in WGAN-GP",
    rule: "infinite-slope",
    bad: `
const w1 = torch.tensor([[-1, -2], [-0.5, -1]], { requires_grad: true });
const w2 = torch.tensor([[1], [1]], { requires_grad: true });
const critic = (x: torch.Tensor) => x.mm(w1).relu().mm(w2);
function gradientPenalty(real: torch.Tensor, fake: torch.Tensor): torch.Tensor {
  const alpha = torch.full([real.size(0), 1], 0.5);
  const mixed = alpha.mul(real).add(alpha.rsub(1).mul(fake)).requires_grad_();
  const scores = critic(mixed);
  const [gradients] = torch.autograd.grad(scores, [mixed], { grad_outputs: [torch.ones_like(scores)], create_graph: true });
  return gradients.view(real.size(0), -1).pow(2).sum(1).sqrt().sub(1).pow(2).mean(); // culprit
}
const loss = gradientPenalty(torch.tensor([[1, 2], [-3, -4]]), torch.tensor([[2, 1], [-1, -1]]));
loss.backward();
console.log(loss, w1.grad, w2.grad);
`,
    good: `
const w1 = torch.tensor([[-1, -2], [-0.5, -1]], { requires_grad: true });
const w2 = torch.tensor([[1], [1]], { requires_grad: true });
const critic = (x: torch.Tensor) => x.mm(w1).relu().mm(w2);
function gradientPenalty(real: torch.Tensor, fake: torch.Tensor): torch.Tensor {
  const alpha = torch.full([real.size(0), 1], 0.5);
  const mixed = alpha.mul(real).add(alpha.rsub(1).mul(fake)).requires_grad_();
  const scores = critic(mixed);
  const [gradients] = torch.autograd.grad(scores, [mixed], { grad_outputs: [torch.ones_like(scores)], create_graph: true });
  return gradients.view(real.size(0), -1).pow(2).sum(1).add(1e-12).sqrt().sub(1).pow(2).mean();
}
const loss = gradientPenalty(torch.tensor([[1, 2], [-3, -4]]), torch.tensor([[2, 1], [-1, -1]]));
loss.backward();
console.log(loss, w1.grad, w2.grad);
`,
    elements: [[0, 0], [0, 1], [1, 0], [1, 1]],
    proved: true,
  },
  {
    name: "class-without-samples",
    source: "forum, loss averaged by class",
    rule: "nan-from-zero-times-inf",
    bad: `
const F = torch.nn.functional;
const logits = torch.tensor([[1, 2, 0.5], [0.1, 0.2, 0.3]], { requires_grad: true });
const labels = torch.tensor([1, 1], { dtype: torch.int64 });
const perSample = F.cross_entropy(logits, labels, { reduction: "none" });
const perClass = [0, 1, 2].map((c) => {
  const mask = labels.eq(c).float();
  return perSample.mul(mask).sum().div(mask.sum()); // culprit
});
const loss = torch.stack(perClass).nansum();
loss.backward();
console.log(loss, logits.grad);
`,
    good: `
const F = torch.nn.functional;
const logits = torch.tensor([[1, 2, 0.5], [0.1, 0.2, 0.3]], { requires_grad: true });
const labels = torch.tensor([1, 1], { dtype: torch.int64 });
const perSample = F.cross_entropy(logits, labels, { reduction: "none" });
const perClass = [0, 1, 2].map((c) => {
  const mask = labels.eq(c).float();
  return perSample.mul(mask).sum().div(mask.sum().clamp({ min: 1 }));
});
const loss = torch.stack(perClass).nansum();
loss.backward();
console.log(loss, logits.grad);
`,
    elements: [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]],
    proved: true,
  },
  {
    name: "root-of-a-shifted-negative",
    source: "issue, pow with an odd root is NaN",
    rule: "root-of-negative",
    bad: `
const a = torch.tensor([-1.4266, -0.2079, 0.0182, 1.1049], { requires_grad: true });
const curved = a.add(1).pow(1 / 13).sub(1); // culprit
curved.mean().backward();
console.log(curved, a.grad);
`,
    good: `
const a = torch.tensor([-1.4266, -0.2079, 0.0182, 1.1049], { requires_grad: true });
const shifted = a.add(1);
const curved = shifted.sign().mul(shifted.abs().pow(1 / 13)).sub(1);
curved.mean().backward();
console.log(curved, a.grad);
`,
    proved: true,
  },
  {
    name: "halves-rotated-in-place",
    source: "issue, rotary embedding written in place",
    rule: "view-not-writable",
    bad: `
function rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor): torch.Tensor {
  const [a, b] = x.chunk(2, -1);
  const tmp = a.clone();
  a.mul_(cos).sub_(b.mul(sin)); // culprit
  b.mul_(cos).add_(tmp.mul(sin));
  return x;
}
const w = torch.ones(2, 4, { requires_grad: true });
const angle = torch.tensor([0.1, 0.2]);
rotate(w.mul(2), angle.cos(), angle.sin()).pow(2).sum().backward();
`,
    good: `
function rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor): torch.Tensor {
  const [a, b] = x.chunk(2, -1);
  return torch.cat([a.mul(cos).sub(b.mul(sin)), b.mul(cos).add(a.mul(sin))], -1);
}
const w = torch.ones(2, 4, { requires_grad: true });
const angle = torch.tensor([0.1, 0.2]);
rotate(w.mul(2), angle.cos(), angle.sin()).pow(2).sum().backward();
`,
    proved: true,
  },
  {
    name: "parameter-bound-to-its-update",
    source: "forum, \"w.grad is None in the second iteration\"",
    rule: "parameter-replaced",
    bad: `
let w = torch.tensor([0.5, 1], { requires_grad: true });
const x = torch.tensor([[1, 2], [3, 4]]);
const y = torch.tensor([1, 2]);
const lr = 0.01;
for (let i = 0; i < 3; i++) {
  const loss = x.mv(w).sub(y).pow(2).mean();
  loss.backward();
  w = w.sub(w.grad!.mul(lr)); // culprit
}
`,
    good: `
const w = torch.tensor([0.5, 1], { requires_grad: true });
const x = torch.tensor([[1, 2], [3, 4]]);
const y = torch.tensor([1, 2]);
const lr = 0.01;
for (let i = 0; i < 3; i++) {
  const loss = x.mv(w).sub(y).pow(2).mean();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(lr)));
  w.grad = null;
}
`,
    proved: true,
  },
  {
    name: "rmse-of-a-perfect-fit",
    source: "forum, RMSE loss is NaN",
    rule: "infinite-slope",
    bad: `
class RMSELoss {
  forward(yhat: torch.Tensor, y: torch.Tensor): torch.Tensor {
    return torch.sqrt(torch.nn.functional.mse_loss(yhat, y)); // culprit
  }
}
const criterion = new RMSELoss();
const w = torch.tensor(2, { requires_grad: true });
const loss = criterion.forward(w.mul(torch.tensor([1, 2])), torch.tensor([2, 4]));
loss.backward();
console.log(w.grad);
`,
    good: `
class RMSELoss {
  constructor(readonly eps = 1e-6) {}
  forward(yhat: torch.Tensor, y: torch.Tensor): torch.Tensor {
    return torch.sqrt(torch.nn.functional.mse_loss(yhat, y).add(this.eps));
  }
}
const criterion = new RMSELoss();
const w = torch.tensor(2, { requires_grad: true });
const loss = criterion.forward(w.mul(torch.tensor([1, 2])), torch.tensor([2, 4]));
loss.backward();
console.log(w.grad);
`,
    proved: true,
  },
  {
    name: "overlap-of-separate-boxes",
    source: "issue, IoU loss of boxes that do not meet",
    rule: "log-of-zero",
    bad: `
type Boxes = { x1: torch.Tensor; y1: torch.Tensor; x2: torch.Tensor; y2: torch.Tensor };
const boxes = (t: torch.Tensor): Boxes => {
  const [x1, y1, x2, y2] = t.unbind(-1);
  return { x1, y1, x2, y2 };
};
const area = ({ x1, y1, x2, y2 }: Boxes) => x2.sub(x1).mul(y2.sub(y1));
function iouLoss(p: Boxes, t: Boxes) {
  const w = torch.minimum(p.x2, t.x2).sub(torch.maximum(p.x1, t.x1)).clamp({ min: 0 });
  const h = torch.minimum(p.y2, t.y2).sub(torch.maximum(p.y1, t.y1)).clamp({ min: 0 });
  const overlap = w.mul(h);
  const iou = overlap.div(area(p).add(area(t)).sub(overlap));
  return iou.log().neg().mean(); // culprit
}
const pred = torch.tensor([[0, 0, 2, 2], [5, 5, 6, 6]], { requires_grad: true });
const target = torch.tensor([[1, 1, 3, 3], [0, 0, 1, 1]]);
const loss = iouLoss(boxes(pred), boxes(target));
loss.backward();
console.log(loss, pred.grad);
`,
    good: `
type Boxes = { x1: torch.Tensor; y1: torch.Tensor; x2: torch.Tensor; y2: torch.Tensor };
const boxes = (t: torch.Tensor): Boxes => {
  const [x1, y1, x2, y2] = t.unbind(-1);
  return { x1, y1, x2, y2 };
};
const area = ({ x1, y1, x2, y2 }: Boxes) => x2.sub(x1).mul(y2.sub(y1));
function iouLoss(p: Boxes, t: Boxes) {
  const w = torch.minimum(p.x2, t.x2).sub(torch.maximum(p.x1, t.x1)).clamp({ min: 0 });
  const h = torch.minimum(p.y2, t.y2).sub(torch.maximum(p.y1, t.y1)).clamp({ min: 0 });
  const overlap = w.mul(h);
  const iou = overlap.div(area(p).add(area(t)).sub(overlap));
  return iou.add(1e-7).log().neg().mean();
}
const pred = torch.tensor([[0, 0, 2, 2], [5, 5, 6, 6]], { requires_grad: true });
const target = torch.tensor([[1, 1, 3, 3], [0, 0, 1, 1]]);
const loss = iouLoss(boxes(pred), boxes(target));
loss.backward();
console.log(loss, pred.grad);
`,
    proved: true,
  },
  {
    name: "labels-of-floats",
    source: "forum, \"expected scalar type Long but found Float\"",
    rule: "dtype-refused",
    bad: `
const F = torch.nn.functional;
const logits = torch.tensor([[1, 2], [3, 0]], { requires_grad: true });
const labels = torch.tensor([0, 1]);
const loss = F.cross_entropy(logits, labels); // culprit
loss.backward();
`,
    good: `
const F = torch.nn.functional;
const logits = torch.tensor([[1, 2], [3, 0]], { requires_grad: true });
const labels = torch.tensor([0, 1], { dtype: torch.int64 });
const loss = F.cross_entropy(logits, labels);
loss.backward();
`,
    proved: true,
  },
  {
    name: "targets-of-integers",
    source: "forum, \"result type Float can't be cast to the desired output type Long\"",
    rule: "dtype-refused",
    bad: `
const F = torch.nn.functional;
const logits = torch.tensor([0.2, -0.4], { requires_grad: true });
const y = torch.tensor([0, 1], { dtype: torch.int64 });
F.binary_cross_entropy_with_logits(logits, y).backward(); // culprit
`,
    good: `
const F = torch.nn.functional;
const logits = torch.tensor([0.2, -0.4], { requires_grad: true });
const y = torch.tensor([0, 1], { dtype: torch.int64 });
F.binary_cross_entropy_with_logits(logits, y.float()).backward();
`,
    proved: true,
  },
  {
    name: "losses-added-as-numbers",
    source: "forum, losses appended as numbers and summed",
    rule: "graph-cut",
    bad: `
const w = torch.tensor([1, 2], { requires_grad: true });
const b = torch.tensor(0.5, { requires_grad: true });
const losses: number[] = [];
for (const x of [1.5, 2.5]) {
  const l = w.mul(x).sum().sub(3).pow(2);
  losses.push(Number(l)); // culprit
}
const reg = b.pow(2);
const loss = reg.add(losses.reduce((s, l) => s + l, 0));
loss.backward();
console.log(w.grad, b.grad);
`,
    good: `
const w = torch.tensor([1, 2], { requires_grad: true });
const b = torch.tensor(0.5, { requires_grad: true });
const losses: torch.Tensor[] = [];
for (const x of [1.5, 2.5]) {
  const l = w.mul(x).sum().sub(3).pow(2);
  losses.push(l);
}
const reg = b.pow(2);
const loss = losses.reduce((s, l) => s.add(l), reg);
loss.backward();
console.log(w.grad, b.grad);
`,
    proved: false,
  },
  {
    name: "norm-of-nothing-clipped",
    source: "forum, gradient clipping by hand",
    rule: "division-by-zero",
    bad: `
const clip = (params: torch.Tensor[], max: number) => {
  const total = torch.stack(params.map((p) => p.grad!.norm())).norm();
  const coef = total.reciprocal().mul(max); // culprit
  params.forEach((p) => p.grad!.mul_(coef));
};
const w = torch.tensor([1, -1], { requires_grad: true });
w.relu().sub(1).relu().sum().backward();
clip([w], 1);
torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
console.log(w);
`,
    good: `
const clip = (params: torch.Tensor[], max: number) => {
  const total = torch.stack(params.map((p) => p.grad!.norm())).norm();
  const coef = total.add(1e-6).reciprocal().mul(max).clamp({ max: 1 });
  params.forEach((p) => p.grad!.mul_(coef));
};
const w = torch.tensor([1, -1], { requires_grad: true });
w.relu().sub(1).relu().sum().backward();
clip([w], 1);
torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
console.log(w);
`,
    proved: true,
  },
  {
    name: "indices-written-over-probabilities",
    source: "forum, one-hot of an argmax written into the softmax",
    rule: "saved-tensor-overwritten",
    bad: `
const logits = torch.tensor([[1, 2], [0.3, -1]], { requires_grad: true });
const soft = logits.softmax(1);
const index = soft.argmax(1, { keepdim: true });
const hard = soft.zero_().scatter_(1, index, 1); // culprit
hard.mul(torch.tensor([1, 2])).sum().backward();
`,
    good: `
const logits = torch.tensor([[1, 2], [0.3, -1]], { requires_grad: true });
const soft = logits.softmax(1);
const index = soft.argmax(1, { keepdim: true });
const hard = torch.zeros_like(soft).scatter(1, index, 1).sub(soft).detach().add(soft);
hard.mul(torch.tensor([1, 2])).sum().backward();
`,
    proved: true,
  },
];

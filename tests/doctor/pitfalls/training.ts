/** Training loops in which something is never learned, or never let go. */
import type { Pitfall } from "./pitfall.ts";

export const training: readonly Pitfall[] = [
  {
    name: "reset-before-the-optimizer-steps",
    source: "forum, the loss does not change: zero_grad between backward and step",
    rule: "gradient-zeroed-early",
    bad: `
class SGD {
  params: torch.Tensor[];
  lr: number;
  constructor(params: torch.Tensor[], lr: number) { this.params = params; this.lr = lr; }
  zero_grad() { for (const p of this.params) p.grad = null; }
  step() { torch.no_grad(() => { for (const p of this.params) if (p.grad !== null) p.sub_(p.grad.mul(this.lr)); }); }
}
const w = torch.tensor([0.5, -0.5], { requires_grad: true });
const b = torch.tensor([0.1], { requires_grad: true });
const opt = new SGD([w, b], 0.01);
const x = torch.tensor([[1, 2], [3, 4]]);
for (let epoch = 0; epoch < 5; epoch++) {
  const loss = x.matmul(w).add(b).sub(1).pow(2).mean();
  loss.backward();
  opt.zero_grad(); // culprit
  opt.step();
  console.log(loss.item());
}
`,
    good: `
class SGD {
  params: torch.Tensor[];
  lr: number;
  constructor(params: torch.Tensor[], lr: number) { this.params = params; this.lr = lr; }
  zero_grad() { for (const p of this.params) p.grad = null; }
  step() { torch.no_grad(() => { for (const p of this.params) if (p.grad !== null) p.sub_(p.grad.mul(this.lr)); }); }
}
const w = torch.tensor([0.5, -0.5], { requires_grad: true });
const b = torch.tensor([0.1], { requires_grad: true });
const opt = new SGD([w, b], 0.01);
const x = torch.tensor([[1, 2], [3, 4]]);
for (let epoch = 0; epoch < 5; epoch++) {
  const loss = x.matmul(w).add(b).sub(1).pow(2).mean();
  loss.backward();
  opt.step();
  opt.zero_grad();
  console.log(loss.item());
}
`,
    proved: true,
  },
  {
    name: "step-never-called",
    source: "forum, the loss does not change: optimizer.step() is missing",
    rule: "leaf-not-updated",
    bad: `
class SGD {
  params: torch.Tensor[];
  lr: number;
  constructor(params: torch.Tensor[], lr: number) { this.params = params; this.lr = lr; }
  zero_grad() { for (const p of this.params) p.grad = null; }
  step() { torch.no_grad(() => { for (const p of this.params) if (p.grad !== null) p.sub_(p.grad.mul(this.lr)); }); }
}
const w = torch.tensor([0.5, -0.5], { requires_grad: true });
const b = torch.tensor([0.1], { requires_grad: true });
const opt = new SGD([w, b], 0.01);
const x = torch.tensor([[1, 2], [3, 4]]);
for (let epoch = 0; epoch < 5; epoch++) {
  opt.zero_grad();
  const loss = x.matmul(w).add(b).sub(1).pow(2).mean();
  loss.backward(); // culprit
  console.log(loss.item());
}
`,
    good: `
class SGD {
  params: torch.Tensor[];
  lr: number;
  constructor(params: torch.Tensor[], lr: number) { this.params = params; this.lr = lr; }
  zero_grad() { for (const p of this.params) p.grad = null; }
  step() { torch.no_grad(() => { for (const p of this.params) if (p.grad !== null) p.sub_(p.grad.mul(this.lr)); }); }
}
const w = torch.tensor([0.5, -0.5], { requires_grad: true });
const b = torch.tensor([0.1], { requires_grad: true });
const opt = new SGD([w, b], 0.01);
const x = torch.tensor([[1, 2], [3, 4]]);
for (let epoch = 0; epoch < 5; epoch++) {
  opt.zero_grad();
  const loss = x.matmul(w).add(b).sub(1).pow(2).mean();
  loss.backward();
  opt.step();
  console.log(loss.item());
}
`,
    proved: true,
  },
  {
    name: "losses-kept-with-their-graphs",
    source: "forum, memory grows: losses.append(loss)",
    rule: "graph-grows",
    bad: `
const w = torch.tensor([1, -1], { requires_grad: true });
const losses: torch.Tensor[] = [];
for (let step = 0; step < 5; step++) {
  const loss = w.mul(step).sub(1).pow(2).mean();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.01)));
  w.grad = null;
  losses.push(loss); // culprit
}
console.log(torch.stack(losses).mean());
`,
    good: `
const w = torch.tensor([1, -1], { requires_grad: true });
const losses: number[] = [];
for (let step = 0; step < 5; step++) {
  const loss = w.mul(step).sub(1).pow(2).mean();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.01)));
  w.grad = null;
  losses.push(loss.item());
}
console.log(torch.tensor(losses).mean());
`,
    proved: true,
  },
  {
    name: "codebook-behind-a-straight-through-estimator",
    source: "forum, VQ-VAE whose codebook does not learn",
    rule: "graph-cut",
    bad: `
const codebook = torch.tensor([[1, 0], [0, 1], [-1, -1]], { requires_grad: true });
const encoder = torch.tensor([[0.5, -0.2], [0.1, 0.7]], { requires_grad: true });
const x = torch.tensor([[1, 2], [-1, 0.5], [0.3, -2]]);
for (let step = 0; step < 3; step++) {
  const z = x.matmul(encoder);
  const nearest = z.detach().unsqueeze(1).sub(codebook.detach()).pow(2).sum(2).argmin(1);
  const q = codebook.index_select(0, nearest);
  const commitment = z.sub(q.detach()).pow(2).mean(); // culprit
  const decoded = z.add(q.sub(z).detach());
  const loss = decoded.sub(x).pow(2).mean().add(commitment.mul(0.25));
  loss.backward();
  torch.no_grad(() => {
    for (const p of [codebook, encoder]) if (p.grad !== null) p.sub_(p.grad.mul(0.1));
  });
  for (const p of [codebook, encoder]) p.grad = null;
}
`,
    good: `
const codebook = torch.tensor([[1, 0], [0, 1], [-1, -1]], { requires_grad: true });
const encoder = torch.tensor([[0.5, -0.2], [0.1, 0.7]], { requires_grad: true });
const x = torch.tensor([[1, 2], [-1, 0.5], [0.3, -2]]);
for (let step = 0; step < 3; step++) {
  const z = x.matmul(encoder);
  const nearest = z.detach().unsqueeze(1).sub(codebook.detach()).pow(2).sum(2).argmin(1);
  const q = codebook.index_select(0, nearest);
  const commitment = z.sub(q.detach()).pow(2).mean();
  const moved = q.sub(z.detach()).pow(2).mean();
  const decoded = z.add(q.sub(z).detach());
  const loss = decoded.sub(x).pow(2).mean().add(moved).add(commitment.mul(0.25));
  loss.backward();
  torch.no_grad(() => {
    for (const p of [codebook, encoder]) if (p.grad !== null) p.sub_(p.grad.mul(0.1));
  });
  for (const p of [codebook, encoder]) p.grad = null;
}
`,
    proved: false,
  },
  {
    name: "parameter-made-in-forward",
    source: "forum, nn.Parameter created in forward is never updated",
    rule: "leaf-made-anew",
    bad: `
class Net {
  weight = torch.tensor([[0.1, 0.2], [0.3, 0.4]], { requires_grad: true });
  forward(x: torch.Tensor) {
    const scale = torch.ones(2, { requires_grad: true }); // culprit
    return x.matmul(this.weight).mul(scale);
  }
  parameters() { return [this.weight]; }
}
const net = new Net();
const x = torch.tensor([[1, 2], [3, 4]]);
for (let step = 0; step < 4; step++) {
  const loss = net.forward(x).sub(1).pow(2).mean();
  loss.backward();
  torch.no_grad(() => net.parameters().forEach((p) => p.sub_(p.grad!.mul(0.01))));
  net.parameters().forEach((p) => (p.grad = null));
}
`,
    good: `
class Net {
  weight = torch.tensor([[0.1, 0.2], [0.3, 0.4]], { requires_grad: true });
  scale = torch.ones(2, { requires_grad: true });
  forward(x: torch.Tensor) {
    return x.matmul(this.weight).mul(this.scale);
  }
  parameters() { return [this.weight, this.scale]; }
}
const net = new Net();
const x = torch.tensor([[1, 2], [3, 4]]);
for (let step = 0; step < 4; step++) {
  const loss = net.forward(x).sub(1).pow(2).mean();
  loss.backward();
  torch.no_grad(() => net.parameters().forEach((p) => p.sub_(p.grad!.mul(0.01))));
  net.parameters().forEach((p) => (p.grad = null));
}
`,
    proved: false,
  },
  {
    name: "layer-left-out-of-the-optimizer",
    source: "forum, a layer whose parameters were not given to the optimizer",
    rule: "leaf-not-updated",
    bad: `
class Linear {
  weight: torch.Tensor;
  bias = torch.zeros(2, { requires_grad: true });
  constructor(inputs: number) { this.weight = torch.full([inputs, 2], 0.3, { requires_grad: true }); }
  forward(x: torch.Tensor) { return x.matmul(this.weight).add(this.bias); }
  parameters() { return [this.weight, this.bias]; }
}
const encoder = new Linear(3);
const head = new Linear(2); // culprit
const params = encoder.parameters();
for (let step = 0; step < 3; step++) {
  const loss = head.forward(encoder.forward(torch.ones(1, 3)).tanh()).sub(1).pow(2).mean();
  loss.backward();
  torch.no_grad(() => params.forEach((p) => p.sub_(p.grad!.mul(0.01))));
  for (const p of [...encoder.parameters(), ...head.parameters()]) p.grad = null;
}
`,
    good: `
class Linear {
  weight: torch.Tensor;
  bias = torch.zeros(2, { requires_grad: true });
  constructor(inputs: number) { this.weight = torch.full([inputs, 2], 0.3, { requires_grad: true }); }
  forward(x: torch.Tensor) { return x.matmul(this.weight).add(this.bias); }
  parameters() { return [this.weight, this.bias]; }
}
const encoder = new Linear(3);
const head = new Linear(2);
const params = [...encoder.parameters(), ...head.parameters()];
for (let step = 0; step < 3; step++) {
  const loss = head.forward(encoder.forward(torch.ones(1, 3)).tanh()).sub(1).pow(2).mean();
  loss.backward();
  torch.no_grad(() => params.forEach((p) => p.sub_(p.grad!.mul(0.01))));
  for (const p of [...encoder.parameters(), ...head.parameters()]) p.grad = null;
}
`,
    proved: false,
  },
  {
    name: "bias-left-out-of-the-list",
    source: "forum, a parameter that is missing from the list that is updated",
    rule: "leaf-not-updated",
    bad: `
const w = torch.tensor([0.5, -0.5], { requires_grad: true });
const b = torch.tensor([0.1], { requires_grad: true }); // culprit
const params = [w];
const x = torch.tensor([[1, 2], [3, 4]]);
for (let step = 0; step < 4; step++) {
  const loss = x.matmul(w).add(b).sub(1).pow(2).mean();
  loss.backward();
  torch.no_grad(() => {
    for (const p of params) p.sub_(p.grad!.mul(0.01));
  });
  w.grad = b.grad = null;
}
`,
    good: `
const w = torch.tensor([0.5, -0.5], { requires_grad: true });
const b = torch.tensor([0.1], { requires_grad: true });
const params = [w, b];
const x = torch.tensor([[1, 2], [3, 4]]);
for (let step = 0; step < 4; step++) {
  const loss = x.matmul(w).add(b).sub(1).pow(2).mean();
  loss.backward();
  torch.no_grad(() => {
    for (const p of params) p.sub_(p.grad!.mul(0.01));
  });
  w.grad = b.grad = null;
}
`,
    proved: true,
  },
  {
    name: "reset-in-each-of-the-rounds-to-add-up",
    source: "forum, gradient accumulation with zero_grad inside of the loop",
    rule: "gradient-zeroed-early",
    bad: `
class SGD {
  params: torch.Tensor[];
  lr: number;
  constructor(params: torch.Tensor[], lr: number) { this.params = params; this.lr = lr; }
  zero_grad() { for (const p of this.params) p.grad = null; }
  step() { torch.no_grad(() => { for (const p of this.params) if (p.grad !== null) p.sub_(p.grad.mul(this.lr)); }); }
}
const w = torch.tensor([1, -1], { requires_grad: true });
const b = torch.tensor([0.1], { requires_grad: true });
const opt = new SGD([w, b], 0.01);
for (let batch = 0; batch < 12; batch++) {
  opt.zero_grad(); // culprit
  const loss = w.mul(batch).add(b).sub(1).pow(2).mean().div(4);
  loss.backward();
  if (batch % 4 === 3) {
    opt.step();
  }
}
`,
    good: `
class SGD {
  params: torch.Tensor[];
  lr: number;
  constructor(params: torch.Tensor[], lr: number) { this.params = params; this.lr = lr; }
  zero_grad() { for (const p of this.params) p.grad = null; }
  step() { torch.no_grad(() => { for (const p of this.params) if (p.grad !== null) p.sub_(p.grad.mul(this.lr)); }); }
}
const w = torch.tensor([1, -1], { requires_grad: true });
const b = torch.tensor([0.1], { requires_grad: true });
const opt = new SGD([w, b], 0.01);
for (let batch = 0; batch < 12; batch++) {
  const loss = w.mul(batch).add(b).sub(1).pow(2).mean().div(4);
  loss.backward();
  if (batch % 4 === 3) {
    opt.step();
    opt.zero_grad();
  }
}
`,
    proved: true,
  },
  {
    name: "layers-of-zeros",
    source: "forum, the loss does not change: all weights start at zero",
    rule: "flat-function",
    bad: `
class Mlp {
  w1 = torch.zeros(2, 3, { requires_grad: true });
  b1 = torch.zeros(3, { requires_grad: true });
  w2 = torch.zeros(3, 1, { requires_grad: true });
  parameters() { return [this.w1, this.b1, this.w2]; }
  forward(x: torch.Tensor) {
    return x.matmul(this.w1).add(this.b1).tanh().matmul(this.w2); // culprit
  }
}
torch.manual_seed(0);
const mlp = new Mlp();
for (let step = 0; step < 4; step++) {
  const loss = mlp.forward(torch.tensor([[1, 2], [3, 4]])).sub(1).pow(2).mean();
  loss.backward();
  torch.no_grad(() => mlp.parameters().forEach((p) => p.sub_(p.grad!.mul(0.1))));
  mlp.parameters().forEach((p) => (p.grad = null));
}
`,
    good: `
class Mlp {
  w1 = torch.randn(2, 3, { requires_grad: true });
  b1 = torch.zeros(3, { requires_grad: true });
  w2 = torch.zeros(3, 1, { requires_grad: true });
  parameters() { return [this.w1, this.b1, this.w2]; }
  forward(x: torch.Tensor) {
    return x.matmul(this.w1).add(this.b1).tanh().matmul(this.w2);
  }
}
torch.manual_seed(0);
const mlp = new Mlp();
for (let step = 0; step < 4; step++) {
  const loss = mlp.forward(torch.tensor([[1, 2], [3, 4]])).sub(1).pow(2).mean();
  loss.backward();
  torch.no_grad(() => mlp.parameters().forEach((p) => p.sub_(p.grad!.mul(0.1))));
  mlp.parameters().forEach((p) => (p.grad = null));
}
`,
    proved: true,
  },
];

/** Gradients that explode or vanish. */
import type { Pitfall } from "./pitfall.ts";

export const magnitude: readonly Pitfall[] = [
  {
    name: "recurrent-step-explodes",
    source: 'forum, "gradients of my RNN are 1e20 after fifty steps"',
    rule: "exploding-gradient",
    bad: `
const w = torch.tensor([[1.5, 0.5], [0.5, 1.5]], { requires_grad: true });
let h = torch.ones(1, 2);
for (let t = 0; t < 50; t++) {
  h = h.matmul(w); // culprit
}
h.mean().backward();
`,
    good: `
const w = torch.tensor([[1.5, 0.5], [0.5, 1.5]], { requires_grad: true });
let h = torch.ones(1, 2);
for (let t = 0; t < 50; t++) {
  h = torch.nn.functional.normalize(h.matmul(w), { dim: 1 });
}
h.index([0]).pow(3).sum().backward();
`,
    proved: true,
  },
  {
    name: "recurrent-step-vanishes",
    source: 'forum, "the initial state of the RNN gets no gradient"',
    rule: "vanishing-gradient",
    bad: `
const h0 = torch.ones([1, 2], { requires_grad: true });
const w = torch.tensor([[0.3, 0.1], [0.1, 0.3]]);
let h = h0;
for (let t = 0; t < 60; t++) {
  h = h.matmul(w); // culprit
}
h.sum().backward();
`,
    good: `
const h0 = torch.ones([1, 2], { requires_grad: true });
const w = torch.tensor([[0.3, 0.1], [0.1, 0.3]]);
let h = h0;
for (let t = 0; t < 60; t++) {
  h = h.add(h.matmul(w).mul(0.01));
}
h.sum().backward();
`,
    proved: true,
  },
  {
    name: "stack-of-sigmoids",
    source: 'forum, "first layers of a deep sigmoid network do not learn"',
    rule: "vanishing-gradient",
    bad: `
const w = torch.tensor([0.5, -0.5], { requires_grad: true });
let a = w.mul(torch.tensor([1, 2]));
for (let layer = 0; layer < 20; layer++) {
  a = a.sigmoid(); // culprit
}
a.sum().backward();
`,
    good: `
const w = torch.tensor([0.5, 0.5], { requires_grad: true });
let a = w.mul(torch.tensor([1, 2]));
for (let layer = 0; layer < 20; layer++) {
  a = a.relu();
}
a.sum().backward();
`,
    proved: true,
  },
  {
    name: "saturated-tanh",
    source: 'forum, "network outputs only 1 and -1 and the loss stays"',
    rule: "vanishing-gradient",
    bad: `
const w = torch.tensor([[40, -30], [25, -60]], { requires_grad: true });
const x = torch.tensor([[1, 2], [2, 1]]);
const y = x.matmul(w).tanh(); // culprit
y.sub(0.5).pow(2).mean().backward();
`,
    good: `
const w = torch.tensor([[0.4, -0.3], [0.25, 0.6]], { requires_grad: true });
const x = torch.tensor([[1, 2], [2, 1]]);
const y = x.matmul(w).tanh();
y.sub(0.5).pow(2).mean().backward();
`,
    proved: true,
  },
  {
    name: "dead-relu",
    source: 'forum, "all gradients are exactly zero after adding a bias"',
    rule: "vanishing-gradient",
    bad: `
const w = torch.tensor([[0.5], [0.2]], { requires_grad: true });
const x = torch.tensor([[1, 2], [3, 4]]);
const active = x.matmul(w).sub(10).relu(); // culprit
active.sub(1).pow(2).sum().backward();
`,
    good: `
const w = torch.tensor([[0.5], [0.2]], { requires_grad: true });
const x = torch.tensor([[1, 2], [3, 4]]);
const active = x.matmul(w).sub(0.1).relu();
active.sub(1).pow(2).sum().backward();
`,
    proved: true,
  },
  {
    name: "saturated-softmax",
    source: 'forum, "softmax of large logits is one-hot and does not train"',
    rule: "vanishing-gradient",
    bad: `
const logits = torch.tensor([[300, 0, -50]], { requires_grad: true });
const p = logits.softmax(1); // culprit
p.sub(torch.tensor([[0, 1, 0]])).pow(2).sum().backward();
`,
    good: `
const logits = torch.tensor([[3, 0, -0.5]], { requires_grad: true });
const p = logits.softmax(1);
p.sub(torch.tensor([[0, 1, 0]])).pow(2).sum().backward();
`,
    proved: true,
  },
  {
    name: "large-initial-weights",
    source: 'forum, "plain randn weights make the gradients explode"',
    rule: "exploding-gradient",
    bad: `
const x = torch.ones([4, 32], { requires_grad: true });
let h = x;
for (let layer = 0; layer < 16; layer++) {
  h = h.matmul(torch.randn(32, 32)); // culprit
}
h.mean().backward();
`,
    good: `
const x = torch.ones([4, 32], { requires_grad: true });
let h = x;
for (let layer = 0; layer < 16; layer++) {
  h = h.matmul(torch.randn(32, 32).div(Math.sqrt(32)));
}
h.mean().backward();
`,
    proved: true,
  },
  {
    name: "learning-rate-too-large",
    source: 'forum, "loss goes up every step and then becomes NaN"',
    rule: "diverging-updates",
    bad: `
const w = torch.tensor([0.5, -1], { requires_grad: true });
const x = torch.tensor([[1, 2], [3, 4], [5, 6]]);
const y = torch.tensor([1, 2, 3]);
for (let step = 0; step < 30; step++) {
  const loss = x.matmul(w).sub(y).pow(2).mean();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.5))); // culprit
  w.grad = null;
}
`,
    good: `
const w = torch.tensor([0.5, -1], { requires_grad: true });
const x = torch.tensor([[1, 2], [3, 4], [5, 6]]);
const y = torch.tensor([1, 2, 3]);
for (let step = 0; step < 30; step++) {
  const loss = x.matmul(w).sub(y).pow(2).mean();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.01)));
  w.grad = null;
}
`,
    proved: true,
  },
  {
    name: "units-die-while-training",
    source: "forum, dying ReLU: the loss falls for a few steps and then stays",
    rule: "relu-dies",
    bad: `
const x = torch.tensor([[1, 2, 0.5], [2, 1, 1], [0.5, 1, 2], [1.5, 0.5, 1]]);
const y = torch.tensor([[1], [2], [0.5], [1.5]]);
const w = torch.ones([3, 4], { requires_grad: true });
const b = torch.zeros([4], { requires_grad: true });
for (let step = 0; step < 10; step++) {
  const hidden = x.matmul(w).add(b).relu(); // culprit
  const loss = hidden.mean(1, true).sub(y).pow(2).mean();
  loss.backward();
  torch.no_grad(() => {
    for (const p of [w, b]) p.sub_(p.grad!.mul(step === 1 ? 1 : 0.05));
  });
  for (const p of [w, b]) p.grad = null;
}
`,
    good: `
const x = torch.tensor([[1, 2, 0.5], [2, 1, 1], [0.5, 1, 2], [1.5, 0.5, 1]]);
const y = torch.tensor([[1], [2], [0.5], [1.5]]);
const w = torch.ones([3, 4], { requires_grad: true });
const b = torch.zeros([4], { requires_grad: true });
for (let step = 0; step < 10; step++) {
  const hidden = x.matmul(w).add(b).relu();
  const loss = hidden.mean(1, true).sub(y).pow(2).mean();
  loss.backward();
  torch.no_grad(() => {
    for (const p of [w, b]) p.sub_(p.grad!.mul(0.05));
  });
  for (const p of [w, b]) p.grad = null;
}
`,
    proved: true,
  },
];

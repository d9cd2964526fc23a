/** Lifetime and accumulation. */
import type { Pitfall } from "./pitfall.ts";

export const lifetime: readonly Pitfall[] = [
  {
    name: "backward-called-twice",
    source: "forum, \"Trying to backward through the graph a second time\"",
    rule: "backward-twice",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const loss = w.exp().sum();
loss.backward();
loss.backward(); // culprit
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const loss = w.exp().sum();
loss.backward({ retain_graph: true });
loss.backward();
`,
    proved: true,
  },
  {
    name: "shared-features-two-losses",
    source: "forum, two losses that share an encoder",
    rule: "backward-twice",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const features = w.exp();
const first = features.mul(2).sum();
const second = features.pow(2).sum();
first.backward();
second.backward(); // culprit
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const features = w.exp();
const first = features.mul(2).sum();
const second = features.pow(2).sum();
first.add(second).backward();
`,
    proved: true,
  },
  {
    name: "grad-then-backward",
    source: "issue, autograd.grad for a penalty and then backward",
    rule: "backward-twice",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const loss = w.pow(3).sum();
const [g] = torch.autograd.grad(loss, [w]);
loss.backward(); // culprit
console.log(g);
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const loss = w.pow(3).sum();
const [g] = torch.autograd.grad(loss, [w], { retain_graph: true });
loss.backward();
console.log(g);
`,
    proved: true,
  },
  {
    name: "hidden-state-carried",
    source: "forum, the hidden state of an RNN from batch to batch",
    rule: "state-carried",
    bad: `
const w = torch.tensor([0.5, -0.5], { requires_grad: true });
let h = torch.ones(2);
for (let step = 0; step < 3; step++) {
  h = h.mul(w).tanh(); // culprit
  h.sum().backward();
}
`,
    good: `
const w = torch.tensor([0.5, -0.5], { requires_grad: true });
let h = torch.ones(2);
for (let step = 0; step < 3; step++) {
  h = h.detach().mul(w).tanh();
  h.sum().backward();
}
`,
    proved: true,
  },
  {
    name: "hidden-state-kept-by-module",
    source: "forum, a module that keeps its hidden state as an attribute",
    rule: "state-carried",
    bad: `
class Memory {
  w = torch.tensor([[0.5, -0.5], [0.25, 1]], { requires_grad: true });
  hidden: torch.Tensor | null = null;
  forward(x: torch.Tensor): torch.Tensor {
    const h = this.hidden ?? torch.zeros(1, 2);
    this.hidden = torch.nn.functional.linear(h.add(x), this.w); // culprit
    return this.hidden;
  }
}
const memory = new Memory();
for (let step = 0; step < 3; step++) {
  memory.forward(torch.ones(1, 2)).pow(2).sum().backward();
}
`,
    good: `
class Memory {
  w = torch.tensor([[0.5, -0.5], [0.25, 1]], { requires_grad: true });
  hidden: torch.Tensor | null = null;
  forward(x: torch.Tensor): torch.Tensor {
    const h = this.hidden?.detach() ?? torch.zeros(1, 2);
    this.hidden = torch.nn.functional.linear(h.add(x), this.w);
    return this.hidden;
  }
}
const memory = new Memory();
for (let step = 0; step < 3; step++) {
  memory.forward(torch.ones(1, 2)).pow(2).sum().backward();
}
`,
    proved: true,
  },
  {
    name: "state-handed-through-layers",
    source: "forum, a recurrent cell that is built of layers",
    rule: "state-carried",
    bad: `
class Layer {
  w = torch.tensor([[0.5, -0.5], [0.25, 1]], { requires_grad: true });
  forward(x: torch.Tensor): torch.Tensor {
    return torch.nn.functional.linear(x, this.w);
  }
}
class Cell {
  input = new Layer();
  state = new Layer();
  forward(x: torch.Tensor, h: torch.Tensor): torch.Tensor {
    return this.input.forward(x).add(this.state.forward(h)).tanh();
  }
}
const cell = new Cell();
let h = torch.zeros(1, 2);
for (let step = 0; step < 3; step++) {
  h = cell.forward(torch.ones(1, 2), h); // culprit
  h.pow(2).sum().backward();
}
`,
    good: `
class Layer {
  w = torch.tensor([[0.5, -0.5], [0.25, 1]], { requires_grad: true });
  forward(x: torch.Tensor): torch.Tensor {
    return torch.nn.functional.linear(x, this.w);
  }
}
class Cell {
  input = new Layer();
  state = new Layer();
  forward(x: torch.Tensor, h: torch.Tensor): torch.Tensor {
    return this.input.forward(x).add(this.state.forward(h)).tanh();
  }
}
const cell = new Cell();
let h = torch.zeros(1, 2);
for (let step = 0; step < 3; step++) {
  h = cell.forward(torch.ones(1, 2), h.detach());
  h.pow(2).sum().backward();
}
`,
    proved: true,
  },
  {
    name: "total-added-in-place",
    source: "forum, a running loss that is added up in place",
    rule: "graph-grows",
    bad: `
const w = torch.tensor([1, 2], { requires_grad: true });
const total = torch.zeros(1);
for (let step = 0; step < 4; step++) {
  const loss = w.mul(step).pow(2).sum();
  loss.backward();
  total.add_(loss); // culprit
}
`,
    good: `
const w = torch.tensor([1, 2], { requires_grad: true });
const total = torch.zeros(1);
for (let step = 0; step < 4; step++) {
  const loss = w.mul(step).pow(2).sum();
  loss.backward();
  total.add_(loss.detach());
}
`,
    proved: true,
  },
  {
    name: "zeroed-by-a-method",
    source: "forum, zero_grad between backward and step",
    rule: "gradient-zeroed-early",
    bad: `
class Trainer {
  w = torch.tensor([1, 2], { requires_grad: true });
  zeroGrad(): void {
    this.w.grad?.zero_();
  }
  update(): void {
    torch.no_grad(() => this.w.sub_(this.w.grad!.mul(0.1)));
  }
  step(): void {
    this.w.pow(2).sum().backward();
    this.zeroGrad(); // culprit
    this.update();
  }
}
const trainer = new Trainer();
for (let i = 0; i < 3; i++) trainer.step();
`,
    good: `
class Trainer {
  w = torch.tensor([1, 2], { requires_grad: true });
  zeroGrad(): void {
    this.w.grad?.zero_();
  }
  update(): void {
    torch.no_grad(() => this.w.sub_(this.w.grad!.mul(0.1)));
  }
  step(): void {
    this.w.pow(2).sum().backward();
    this.update();
    this.zeroGrad();
  }
}
const trainer = new Trainer();
for (let i = 0; i < 3; i++) trainer.step();
`,
    proved: true,
  },
  {
    name: "running-mean-carried",
    source: "forum, an average of outputs kept in the graph",
    rule: "state-carried",
    bad: `
const w = torch.tensor([0.5, -0.5], { requires_grad: true });
let mean = torch.zeros(2);
for (let step = 0; step < 3; step++) {
  const out = w.exp();
  mean = mean.mul(0.9).add(out.mul(0.1)); // culprit
  out.sub(mean).pow(2).sum().backward();
}
`,
    good: `
const w = torch.tensor([0.5, -0.5], { requires_grad: true });
let mean = torch.zeros(2);
for (let step = 0; step < 3; step++) {
  const out = w.exp();
  mean = mean.mul(0.9).add(out.detach().mul(0.1));
  out.sub(mean).pow(2).sum().backward();
}
`,
    proved: true,
  },
  {
    name: "graph-made-once",
    source: "forum, the forward before the loop and backward in it",
    rule: "backward-twice",
    bad: `
const w = torch.tensor([0.5, -0.5], { requires_grad: true });
const out = w.exp(); // culprit
for (let step = 0; step < 2; step++) {
  out.sum().backward();
}
`,
    good: `
const w = torch.tensor([0.5, -0.5], { requires_grad: true });
for (let step = 0; step < 2; step++) {
  w.exp().sum().backward();
}
`,
    proved: true,
  },
  {
    name: "no-zero-grad",
    source: "forum, the loss swings because zero_grad is missing",
    rule: "gradients-never-zeroed",
    bad: `
const w = torch.tensor([1, 2], { requires_grad: true });
for (let step = 0; step < 3; step++) {
  const loss = w.pow(2).sum();
  loss.backward(); // culprit
  torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
}
`,
    good: `
const w = torch.tensor([1, 2], { requires_grad: true });
for (let step = 0; step < 3; step++) {
  const loss = w.pow(2).sum();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
  w.grad!.zero_();
}
`,
    proved: true,
  },
  {
    name: "zeroed-one-of-two",
    source: "forum, one parameter group that the optimizer does not know",
    rule: "gradients-never-zeroed",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const b = torch.tensor([0.5, 0.25], { requires_grad: true });
for (let step = 0; step < 3; step++) {
  const loss = w.mul(b).pow(2).sum();
  loss.backward(); // culprit
  torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
  torch.no_grad(() => b.sub_(b.grad!.mul(0.1)));
  w.grad = null;
}
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const b = torch.tensor([0.5, 0.25], { requires_grad: true });
for (let step = 0; step < 4; step++) {
  const loss = w.mul(b).pow(2).sum();
  loss.backward();
  if (step % 2 === 0) continue;
  torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
  torch.no_grad(() => b.sub_(b.grad!.mul(0.1)));
  w.grad = null;
  b.grad = null;
}
`,
    proved: true,
  },
  {
    name: "backward-of-vector",
    source: "forum, \"grad can be implicitly created only for scalar outputs\"",
    rule: "backward-of-non-scalar",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const losses = w.sub(1).pow(2);
losses.backward(); // culprit
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const losses = w.sub(1).pow(2);
losses.mean().backward();
`,
    proved: true,
  },
  {
    name: "column-meets-row",
    source: "forum, a regression that learns the mean: (N, 1) with (N)",
    rule: "loss-broadcast",
    bad: `
const x = torch.tensor([[1], [2], [3]]);
const y = torch.tensor([2, 4, 6]);
const w = torch.tensor([[0.5]], { requires_grad: true });
const out = x.matmul(w);
out.sub(y).abs().mean().backward(); // culprit
`,
    good: `
const x = torch.tensor([[1], [2], [3]]);
const y = torch.tensor([2, 4, 6]);
const w = torch.tensor([[0.5]], { requires_grad: true });
const out = x.matmul(w).squeeze(1);
out.sub(y).abs().mean().backward();
`,
    proved: true,
  },
  {
    name: "total-of-losses",
    source: "forum, memory grows with each iteration: a running loss",
    rule: "graph-grows",
    bad: `
const w = torch.tensor([1, 2], { requires_grad: true });
let running = torch.zeros([]);
for (let step = 0; step < 6; step++) {
  const loss = w.mul(step).sub(1).pow(2).mean();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.01)));
  w.grad = null;
  running = running.add(loss); // culprit
}
`,
    good: `
const w = torch.tensor([1, 2], { requires_grad: true });
let running = 0;
for (let step = 0; step < 6; step++) {
  const loss = w.mul(step).sub(1).pow(2).mean();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.01)));
  w.grad = null;
  running += loss.item() as number;
}
`,
    proved: true,
  },
  {
    name: "history-of-losses",
    source: "forum, out of memory after some epochs: losses are concatenated",
    rule: "graph-grows",
    bad: `
const w = torch.tensor([1, 2], { requires_grad: true });
let history = torch.zeros([1]);
for (let step = 0; step < 6; step++) {
  const loss = w.mul(step).sub(1).pow(2).mean();
  loss.backward();
  history = torch.cat([history, loss.view([1])]); // culprit
}
console.log(history);
`,
    good: `
const w = torch.tensor([1, 2], { requires_grad: true });
let history = torch.zeros([1]);
for (let step = 0; step < 6; step++) {
  const loss = w.mul(step).sub(1).pow(2).mean();
  loss.backward();
  history = torch.cat([history, loss.detach().view([1])]);
}
console.log(history);
`,
    proved: false,
  },
  {
    name: "state-carried-and-retained",
    source: "forum, each epoch is slower than the one before: retain_graph",
    rule: "graph-grows",
    bad: `
const w = torch.tensor([0.5, -0.5], { requires_grad: true });
let h = torch.ones(2);
for (let step = 0; step < 5; step++) {
  h = h.mul(w).tanh(); // culprit
  h.sum().backward({ retain_graph: true });
}
`,
    good: `
const w = torch.tensor([0.5, -0.5], { requires_grad: true });
let h = torch.ones(2);
for (let step = 0; step < 5; step++) {
  h = h.mul(w).tanh();
}
h.sum().backward();
`,
    proved: true,
  },
  {
    name: "zeroed-before-update",
    source: "forum, the loss does not change: zero_grad after backward",
    rule: "gradient-zeroed-early",
    bad: `
const x = torch.tensor([1, 2, 3]);
const w = torch.tensor([0.5], { requires_grad: true });
const b = torch.tensor([0.5], { requires_grad: true });
for (let step = 0; step < 4; step++) {
  const loss = x.mul(w).add(b).sub(2).pow(2).mean();
  loss.backward();
  for (const p of [w, b]) p.grad!.zero_(); // culprit
  torch.no_grad(() => {
    for (const p of [w, b]) p.sub_(p.grad!.mul(0.1));
  });
}
`,
    good: `
const x = torch.tensor([1, 2, 3]);
const w = torch.tensor([0.5], { requires_grad: true });
const b = torch.tensor([0.5], { requires_grad: true });
for (let step = 0; step < 4; step++) {
  const loss = x.mul(w).add(b).sub(2).pow(2).mean();
  for (const p of [w, b]) p.grad?.zero_();
  loss.backward();
  torch.no_grad(() => {
    for (const p of [w, b]) p.sub_(p.grad!.mul(0.1));
  });
}
`,
    proved: false,
  },
  {
    name: "reset-before-update",
    source: "forum, \"unsupported operand type(s) for *: 'NoneType'\" in a training loop by hand",
    rule: "gradient-not-there",
    bad: `
const w = torch.tensor([1, 2], { requires_grad: true });
for (let step = 0; step < 3; step++) {
  const loss = w.sub(3).pow(2).sum();
  loss.backward();
  w.grad = null; // culprit
  torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
}
`,
    good: `
const w = torch.tensor([1, 2], { requires_grad: true });
for (let step = 0; step < 3; step++) {
  const loss = w.sub(3).pow(2).sum();
  w.grad = null;
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
}
`,
    proved: true,
  },
  {
    name: "update-before-backward",
    source: "forum, step() before backward()",
    rule: "gradient-not-there",
    bad: `
const w = torch.tensor([1, 2], { requires_grad: true });
for (let step = 0; step < 3; step++) {
  const loss = w.sub(3).pow(2).sum();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.1))); // culprit
  loss.backward();
  w.grad = null;
}
`,
    good: `
const w = torch.tensor([1, 2], { requires_grad: true });
for (let step = 0; step < 3; step++) {
  const loss = w.sub(3).pow(2).sum();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
  w.grad = null;
}
`,
    proved: true,
  },
  {
    name: "bias-left-out",
    source: "forum, a parameter that was not handed to the optimizer",
    rule: "leaf-not-updated",
    bad: `
const x = torch.tensor([[1, 2], [3, 4], [5, 6]]);
const y = torch.tensor([1, 2, 3]);
const w = torch.tensor([0.1, -0.1], { requires_grad: true });
const b = torch.tensor([0.3], { requires_grad: true }); // culprit
for (let step = 0; step < 5; step++) {
  const loss = x.matmul(w).add(b).sub(y).pow(2).mean();
  loss.backward();
  torch.no_grad(() => {
    w.sub_(w.grad!.mul(0.01));
  });
  w.grad!.zero_();
}
`,
    good: `
const x = torch.tensor([[1, 2], [3, 4], [5, 6]]);
const y = torch.tensor([1, 2, 3]);
const w = torch.tensor([0.1, -0.1], { requires_grad: true });
const b = torch.tensor([0.3], { requires_grad: true });
for (let step = 0; step < 5; step++) {
  const loss = x.matmul(w).add(b).sub(y).pow(2).mean();
  loss.backward();
  torch.no_grad(() => {
    for (const p of [w, b]) p.sub_(p.grad!.mul(0.01));
  });
  for (const p of [w, b]) p.grad!.zero_();
}
`,
    proved: true,
  },
  {
    name: "weight-made-in-loop",
    source: "forum, the loss is the same in every epoch: the parameter is created in the loop",
    rule: "leaf-made-anew",
    bad: `
const x = torch.tensor([1, 2, 3]);
for (let step = 0; step < 5; step++) {
  const w = torch.tensor([0.1, 0.2, 0.3], { requires_grad: true }); // culprit
  const loss = x.mul(w).sub(1).pow(2).mean();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
  console.log(loss.item());
}
`,
    good: `
const x = torch.tensor([1, 2, 3]);
for (const lr of [0.1, 0.2, 0.3]) {
  const w = torch.tensor([0.1, 0.2, 0.3], { requires_grad: true });
  for (let step = 0; step < 5; step++) {
    const loss = x.mul(w).sub(1).pow(2).mean();
    loss.backward();
    torch.no_grad(() => w.sub_(w.grad!.mul(lr)));
    w.grad = null;
  }
}
`,
    proved: true,
  },
  {
    name: "gradients-do-not-add-up",
    source: "forum, the gradient after the loop is that of the last sample alone",
    rule: "leaf-made-anew",
    bad: `
let seen = torch.zeros([]);
for (let sample = 1; sample < 5; sample++) {
  const x = torch.tensor([1, 2], { requires_grad: true }); // culprit
  x.mul(sample).sum().backward();
  seen = x;
}
console.log(seen.grad);
`,
    good: `
for (let sample = 1; sample < 5; sample++) {
  const x = torch.tensor([1, 2], { requires_grad: true });
  x.mul(sample).sum().backward();
  console.log(x.grad);
}
`,
    proved: true,
  },
  {
    name: "weight-replaced",
    source: "forum, \"element 0 of tensors does not require grad\" in the second epoch: w = w - lr * w.grad",
    rule: "parameter-replaced",
    bad: `
const x = torch.tensor([[1, 2], [3, 4]]);
let w = torch.tensor([0.1, -0.1], { requires_grad: true });
for (let step = 0; step < 4; step++) {
  const loss = x.matmul(w).sub(1).pow(2).mean();
  loss.backward();
  torch.no_grad(() => {
    const change = w.grad!.mul(0.01);
    w = w.sub(change); // culprit
  });
}
`,
    good: `
const x = torch.tensor([[1, 2], [3, 4]]);
let w = torch.tensor([0.1, -0.1], { requires_grad: true });
for (let step = 0; step < 4; step++) {
  const loss = x.matmul(w).sub(1).pow(2).mean();
  loss.backward();
  w = w.detach().sub(w.grad!.mul(0.01)).requires_grad_();
}
`,
    proved: true,
  },
];

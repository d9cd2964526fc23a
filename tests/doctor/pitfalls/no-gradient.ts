/** Gradients that do not come. */
import type { Pitfall } from "./pitfall.ts";

export const noGradient: readonly Pitfall[] = [
  {
    name: "activation-grad-read",
    source: "forum, \".grad of a non-leaf is None\"",
    rule: "grad-of-non-leaf",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const h = w.mul(2).tanh();
h.sum().backward();
console.log(h.grad); // culprit
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const h = w.mul(2).tanh();
h.retain_grad();
h.sum().backward();
console.log(h.grad);
`,
    proved: true,
  },
  {
    name: "weight-scaled-when-made",
    source: "forum, torch.randn(requires_grad=True) * 0.01",
    rule: "grad-of-non-leaf",
    bad: `
const w = torch.ones([2], { requires_grad: true }).mul(0.1);
w.pow(2).sum().backward();
console.log(w.grad); // culprit
`,
    good: `
const w = torch.ones([2]).mul(0.1).requires_grad_();
w.pow(2).sum().backward();
console.log(w.grad);
`,
    proved: true,
  },
  {
    name: "weight-cast-to-double",
    source: "issue, .to(device) or .to(dtype) on a parameter makes a non-leaf",
    rule: "grad-of-non-leaf",
    bad: `
const w = torch.ones([2], { requires_grad: true }).to(torch.float64);
w.pow(2).sum().backward();
console.log(w.grad); // culprit
`,
    good: `
const w = torch.ones([2], { dtype: torch.float64, requires_grad: true });
w.pow(2).sum().backward();
console.log(w.grad);
`,
    proved: true,
  },
  {
    name: "weight-cast-by-float",
    source: "forum, .float() on a double parameter",
    rule: "grad-of-non-leaf",
    bad: `
const w = torch.ones([2], { dtype: torch.float64, requires_grad: true }).float();
w.pow(2).sum().backward();
console.log(w.grad); // culprit
`,
    good: `
const w = torch.ones([2], { requires_grad: true }).float();
w.pow(2).sum().backward();
console.log(w.grad);
`,
    proved: true,
  },
  {
    name: "clone-taken-for-leaf",
    source: "forum, the gradient of a clone",
    rule: "grad-of-non-leaf",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const copy = w.clone();
copy.pow(2).sum().backward();
console.log(copy.grad); // culprit
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const copy = w.clone();
copy.pow(2).sum().backward();
console.log(w.grad);
`,
    proved: true,
  },
  {
    name: "view-taken-for-leaf",
    source: "forum, the gradient of a slice",
    rule: "grad-of-non-leaf",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const first = w.select(0, 0);
w.pow(2).sum().backward();
console.log(first.grad); // culprit
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
w.pow(2).sum().backward();
console.log(w.grad!.select(0, 0));
`,
    proved: false,
  },
  {
    name: "detached-in-the-middle",
    source: "forum, detach() between two layers",
    rule: "graph-cut",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const b = torch.tensor([0.5, 0.25], { requires_grad: true });
const hidden = w.mul(3).tanh().detach(); // culprit
hidden.mul(b).sum().backward();
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const b = torch.tensor([0.5, 0.25], { requires_grad: true });
const hidden = w.mul(3).tanh();
hidden.mul(b).sum().backward();
`,
    proved: true,
  },
  {
    name: "data-in-the-middle",
    source: "forum, .data in a forward",
    rule: "graph-cut",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const b = torch.tensor([0.5, 0.25], { requires_grad: true });
const hidden = w.mul(3);
const out = hidden.data.mul(b); // culprit
out.sum().backward();
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const b = torch.tensor([0.5, 0.25], { requires_grad: true });
const hidden = w.mul(3);
const out = hidden.mul(b);
out.sum().backward();
`,
    proved: true,
  },
  {
    name: "item-as-factor",
    source: "forum, loss.item() used in a second loss",
    rule: "graph-cut",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const b = torch.tensor([0.5, 0.25], { requires_grad: true });
const scale = w.pow(2).sum().item(); // culprit
b.mul(scale as number).sum().backward();
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const b = torch.tensor([0.5, 0.25], { requires_grad: true });
const scale = w.pow(2).sum();
b.mul(scale).sum().backward();
`,
    proved: true,
  },
  {
    name: "tolist-and-back",
    source: "forum, a tensor rebuilt from a list",
    rule: "graph-cut",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const b = torch.tensor([0.5, 0.25], { requires_grad: true });
const numbers = w.mul(3).tolist(); // culprit
torch.tensor(numbers as number[]).mul(b).sum().backward();
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const b = torch.tensor([0.5, 0.25], { requires_grad: true });
w.mul(3).mul(b).sum().backward();
`,
    proved: false,
  },
  {
    name: "losses-rewrapped",
    source: "forum, torch.tensor([loss1, loss2]).sum()",
    rule: "graph-cut",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const first = w.pow(2).sum();
const total = torch.tensor([first.item() as number], { requires_grad: true }).sum(); // culprit
total.backward();
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const first = w.pow(2).sum();
const total = torch.stack([first]).sum();
total.backward();
`,
    proved: true,
  },
  {
    name: "accuracy-as-loss",
    source: "forum, a comparison as the loss",
    rule: "graph-cut",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const loss = w.gt(2).float().mean(); // culprit
loss.backward();
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const loss = w.sub(2).sigmoid().mean();
loss.backward();
`,
    proved: false,
  },
  {
    name: "argmax-in-loss",
    source: "forum, \"argmax is not differentiable\"",
    rule: "graph-cut",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const choice = w.argmax(0); // culprit
choice.float().sub(1).pow(2).sum().backward();
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const choice = w.softmax(0).mul(torch.tensor([0, 1])).sum();
choice.sub(1).pow(2).sum().backward();
`,
    proved: false,
  },
  {
    name: "cast-to-integers",
    source: "forum, .long() in the forward",
    rule: "graph-cut",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const b = torch.tensor([0.5, 0.25], { requires_grad: true });
const whole = w.long(); // culprit
whole.mul(b).sum().backward();
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const b = torch.tensor([0.5, 0.25], { requires_grad: true });
w.mul(b).sum().backward();
`,
    proved: false,
  },
  {
    name: "forward-in-no-grad",
    source: "forum, \"element 0 of tensors does not require grad\", the forward under no_grad",
    rule: "graph-cut",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const loss = torch.no_grad(() => w.pow(2).sum()); // culprit
loss.backward();
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const loss = w.pow(2).sum();
loss.backward();
`,
    proved: true,
  },
  {
    name: "features-in-no-grad",
    source: "forum, a part of the forward under no_grad",
    rule: "graph-cut",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const b = torch.tensor([0.5, 0.25], { requires_grad: true });
const features = torch.no_grad(() => w.mul(2)); // culprit
features.mul(b).sum().backward();
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const b = torch.tensor([0.5, 0.25], { requires_grad: true });
const features = w.mul(2);
features.mul(b).sum().backward();
`,
    proved: true,
  },
  {
    name: "grad-mode-left-off",
    source: "forum, set_grad_enabled(False) and never on again",
    rule: "graph-cut",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
torch.set_grad_enabled(false); // culprit
const loss = w.pow(2).sum();
torch.set_grad_enabled(true);
loss.backward();
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const loss = w.pow(2).sum();
loss.backward();
`,
    proved: true,
  },
  {
    name: "recording-off-since-an-evaluation",
    source: "forum, an evaluation that switches recording off and not on again",
    rule: "graph-cut",
    bad: `
class Linear {
  w = torch.tensor([1.5, 2.5], { requires_grad: true });
  forward(x: torch.Tensor): torch.Tensor {
    return x.matmul(this.w);
  }
}
const model = new Linear();
const x = torch.tensor([[1, 2], [3, 4]]);
function evaluate(): number {
  torch.set_grad_enabled(false); // culprit
  return Number(model.forward(x).mean());
}
evaluate();
try {
  const loss = model.forward(x).pow(2).mean();
  loss.backward();
} finally {
  torch.set_grad_enabled(true);
}
`,
    good: `
class Linear {
  w = torch.tensor([1.5, 2.5], { requires_grad: true });
  forward(x: torch.Tensor): torch.Tensor {
    return x.matmul(this.w);
  }
}
const model = new Linear();
const x = torch.tensor([[1, 2], [3, 4]]);
function evaluate(): number {
  return torch.no_grad(() => Number(model.forward(x).mean()));
}
evaluate();
try {
  const loss = model.forward(x).pow(2).mean();
  loss.backward();
} finally {
  torch.set_grad_enabled(true);
}
`,
    proved: true,
  },
  {
    name: "parameter-unused",
    source: "forum, a layer that forward() never calls",
    rule: "unused-input",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const bias = torch.zeros([2], { requires_grad: true }); // culprit
w.pow(2).sum().backward();
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const bias = torch.zeros([2], { requires_grad: true });
w.pow(2).add(bias).sum().backward();
`,
    proved: false,
  },
  {
    name: "grad-of-unused-input",
    source: "issue, \"One of the differentiated Tensors appears to not have been used in the graph\"",
    rule: "unused-input",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const b = torch.tensor([0.5, 0.25], { requires_grad: true });
torch.autograd.grad(w.pow(2).sum(), [b]); // culprit
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const b = torch.tensor([0.5, 0.25], { requires_grad: true });
torch.autograd.grad(w.pow(2).mul(b).sum(), [b]);
`,
    proved: false,
  },
  {
    name: "nothing-requires-grad",
    source: "forum, backward on a model without requires_grad",
    rule: "nothing-requires-grad",
    bad: `
const w = torch.tensor([1, 2]);
const loss = w.pow(2).sum();
loss.backward(); // culprit
`,
    good: `
const w = torch.tensor([1, 2], { requires_grad: true });
const loss = w.pow(2).sum();
loss.backward();
`,
    proved: true,
  },
  {
    name: "all-layers-frozen",
    source: "forum, every parameter frozen for fine-tuning",
    rule: "nothing-requires-grad",
    bad: `
const body = torch.tensor([1, 2], { requires_grad: true });
const head = torch.tensor([3, 4], { requires_grad: true });
body.requires_grad_(false);
head.requires_grad_(false);
const loss = body.mul(head).sum();
loss.backward(); // culprit
`,
    good: `
const body = torch.tensor([1, 2], { requires_grad: true });
const head = torch.tensor([3, 4], { requires_grad: true });
body.requires_grad_(false);
const loss = body.mul(head).sum();
loss.backward();
`,
    proved: false,
  },
  {
    name: "round-in-loss",
    source: "forum, \"all gradients are zero\", round() in the loss",
    rule: "flat-function",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const loss = w.round().sub(3).pow(2).sum(); // culprit
loss.backward();
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const loss = w.tanh().sub(3).pow(2).sum();
loss.backward();
`,
    proved: false,
  },
  {
    name: "sign-in-loss",
    source: "forum, \"all gradients are zero\", sign() in the loss",
    rule: "flat-function",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const loss = w.sign().sub(3).pow(2).sum(); // culprit
loss.backward();
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const loss = w.tanh().sub(3).pow(2).sum();
loss.backward();
`,
    proved: false,
  },
  {
    name: "floor-in-loss",
    source: "forum, \"all gradients are zero\", floor() in the loss",
    rule: "flat-function",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const loss = w.floor().sub(3).pow(2).sum(); // culprit
loss.backward();
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const loss = w.tanh().sub(3).pow(2).sum();
loss.backward();
`,
    proved: false,
  },
  {
    name: "mask-hides-everything",
    source: "forum, a mask that leaves nothing",
    rule: "flat-function",
    bad: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const mask = torch.tensor([0, 0]);
const loss = w.pow(2).mul(mask).sum(); // culprit
loss.backward();
`,
    good: `
const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const mask = torch.tensor([0, 1]);
const loss = w.pow(2).mul(mask).sum();
loss.backward();
`,
    proved: false,
  },
  {
    name: "integer-parameter",
    source: "forum, \"Only Tensors of floating point and complex dtype can require gradients\"",
    rule: "integer-requires-grad",
    bad: `
const w = torch.tensor([1, 2], { dtype: torch.int64, requires_grad: true }); // culprit
w.pow(2).sum().backward();
`,
    good: `
const w = torch.tensor([1, 2], { dtype: torch.float32, requires_grad: true });
w.pow(2).sum().backward();
`,
    proved: true,
  },
];

/** Writes in place. */
import type { Pitfall } from "./pitfall.ts";

export const inPlace: readonly Pitfall[] = [
  {
    name: "relu-in-place-after-sigmoid",
    source: "forum, \"one of the variables needed for gradient computation has been modified\", an inplace activation",
    rule: "saved-tensor-overwritten",
    bad: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const y = x.sigmoid();
y.relu_(); // culprit
y.sum().backward();
`,
    good: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const y = x.sigmoid();
y.relu().sum().backward();
`,
    proved: true,
  },
  {
    name: "residual-added-in-place",
    source: "forum, x += residual in a block of a network",
    rule: "saved-tensor-overwritten",
    bad: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const hidden = x.mul(2).tanh();
hidden.add_(x); // culprit
hidden.pow(2).sum().backward();
`,
    good: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const hidden = x.mul(2).tanh();
hidden.add(x).pow(2).sum().backward();
`,
    proved: true,
  },
  {
    name: "scaled-in-place-after-product",
    source: "forum, mul_ on a factor that the product had kept",
    rule: "saved-tensor-overwritten",
    bad: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const a = x.add(1);
const b = a.mul(a);
a.mul_(3); // culprit
b.sum().backward();
`,
    good: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const a = x.add(1);
const b = a.mul(a);
const c = a.mul(3);
b.sum().backward();
`,
    proved: true,
  },
  {
    name: "sigmoid-twice-in-place",
    source: "issue, sigmoid_ on the result of exp",
    rule: "saved-tensor-overwritten",
    bad: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const y = x.exp();
y.sigmoid_(); // culprit
y.sum().backward();
`,
    good: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const y = x.exp().sigmoid();
y.sum().backward();
`,
    proved: true,
  },
  {
    name: "slice-of-saved-zeroed",
    source: "forum, out[0] = 0 after a nonlinearity",
    rule: "saved-tensor-overwritten",
    bad: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const y = x.tanh();
y.narrow(0, 0, 2).zero_(); // culprit
y.sum().backward();
`,
    good: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const y = x.tanh().clone();
y.narrow(0, 0, 2).zero_();
y.sum().backward();
`,
    proved: true,
  },
  {
    name: "view-of-saved-written",
    source: "forum, a write through view() or reshape()",
    rule: "saved-tensor-overwritten",
    bad: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const y = x.exp();
const flat = y.view(1, 3);
flat.add_(1); // culprit
y.sum().backward();
`,
    good: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const y = x.exp().clone();
const flat = y.view(1, 3);
flat.add_(1);
y.sum().backward();
`,
    proved: true,
  },
  {
    name: "transposed-view-written",
    source: "forum, writing through t()",
    rule: "saved-tensor-overwritten",
    bad: `
const x = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const y = x.sqrt();
y.t().select(0, 1).mul_(2); // culprit
y.sum().backward();
`,
    good: `
const x = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const y = x.sqrt().clone();
y.t().select(0, 1).mul_(2);
y.sum().backward();
`,
    proved: true,
  },
  {
    name: "chunk-written",
    source: "issue, \"output 0 of SplitBackward0 is a view and is being modified inplace\"",
    rule: "view-not-writable",
    bad: `
const x = torch.tensor([1, 2, 3, 4], { requires_grad: true });
const [a, b] = x.mul(2).chunk(2);
a.mul_(3); // culprit
a.add(b).sum().backward();
`,
    good: `
const x = torch.tensor([1, 2, 3, 4], { requires_grad: true });
const [a, b] = x.mul(2).chunk(2);
a.mul(3).add(b).sum().backward();
`,
    proved: true,
  },
  {
    name: "split-written",
    source: "forum, gates of an LSTM split and activated in place",
    rule: "view-not-writable",
    bad: `
const x = torch.tensor([1, 2, 3, 4], { requires_grad: true });
const gates = x.mul(0.5);
const [forget, input] = gates.split(2);
forget.sigmoid_(); // culprit
forget.mul(input).sum().backward();
`,
    good: `
const x = torch.tensor([1, 2, 3, 4], { requires_grad: true });
const gates = x.mul(0.5);
const [forget, input] = gates.split(2);
forget.sigmoid().mul(input).sum().backward();
`,
    proved: true,
  },
  {
    name: "unbound-row-written",
    source: "issue, in-place on what iterating over a tensor gives",
    rule: "view-not-writable",
    bad: `
const x = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const rows = x.exp().unbind(0);
rows[0].add_(1); // culprit
rows[0].sum().backward();
`,
    good: `
const x = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const rows = x.exp().unbind(0);
rows[0].add(1).sum().backward();
`,
    proved: true,
  },
  {
    name: "data-written-before-backward",
    source: "forum, x.data changed to clip it",
    rule: "uncounted-write",
    bad: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const y = x.pow(2);
x.data.clamp_({ min: 0 }); // culprit
y.sum().backward();
`,
    good: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const y = x.pow(2);
y.sum().backward();
x.data.clamp_({ min: 0 });
`,
    proved: true,
  },
  {
    name: "result-changed-through-data",
    source: "forum, \"why is there no error with .data\"",
    rule: "uncounted-write",
    bad: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const y = x.exp();
const loss = y.sum();
y.data.zero_(); // culprit
loss.backward();
`,
    good: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const y = x.exp();
const loss = y.sum();
loss.backward();
y.data.zero_();
`,
    proved: true,
  },
  {
    name: "alias-of-data-kept",
    source: "forum, an alias of .data that is written much later",
    rule: "uncounted-write",
    bad: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const values = x.data;
const y = x.mul(x);
values.select(0, 1).fill_(7); // culprit
y.sum().backward();
`,
    good: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const values = x.data.clone();
const y = x.mul(x);
values.select(0, 1).fill_(7);
y.sum().backward();
`,
    proved: true,
  },
  {
    name: "detached-written",
    source: "docs of detach(): a write to what it gives is counted",
    rule: "saved-tensor-overwritten",
    bad: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const y = x.sigmoid();
const loss = y.sum();
y.detach().zero_(); // culprit
loss.backward();
`,
    good: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const y = x.sigmoid();
const loss = y.sum();
y.detach().clone().zero_();
loss.backward();
`,
    proved: true,
  },
  {
    name: "weights-updated-before-backward",
    source: "forum, an update under no_grad between forward and backward",
    rule: "saved-tensor-overwritten",
    bad: `
const x = torch.tensor([1, 2], { requires_grad: true });
const w = torch.tensor([0.5, -0.5], { requires_grad: true });
const loss = x.mul(w).sum();
torch.no_grad(() => w.sub_(0.1)); // culprit
loss.backward();
`,
    good: `
const x = torch.tensor([1, 2], { requires_grad: true });
const w = torch.tensor([0.5, -0.5], { requires_grad: true });
const loss = x.mul(w).sum();
loss.backward();
torch.no_grad(() => w.sub_(0.1));
`,
    proved: true,
  },
  {
    name: "gan-step-between-backwards",
    source: "forum, a GAN whose discriminator steps before the generator's backward",
    rule: "saved-tensor-overwritten",
    bad: `
const g = torch.tensor([0.5], { requires_grad: true });
const d = torch.tensor([2], { requires_grad: true });
const score = g.mul(3).mul(d);
const lossD = score.detach().sub(1).pow(2).mul(d).sum();
const lossG = score.pow(2).sum();
lossD.backward();
torch.no_grad(() => d.sub_(d.grad!.mul(0.1))); // culprit
lossG.backward();
`,
    good: `
const g = torch.tensor([0.5], { requires_grad: true });
const d = torch.tensor([2], { requires_grad: true });
const score = g.mul(3).mul(d);
const lossD = score.detach().sub(1).pow(2).mul(d).sum();
const lossG = score.pow(2).sum();
lossD.add(lossG).backward();
torch.no_grad(() => d.sub_(d.grad!.mul(0.1)));
`,
    proved: true,
  },
  {
    name: "step-then-retained-backward",
    source: "forum, retain_graph=True, a step, and backward again",
    rule: "saved-tensor-overwritten",
    bad: `
const w = torch.tensor([1, 2], { requires_grad: true });
const loss = w.pow(2).sum();
loss.backward({ retain_graph: true });
torch.no_grad(() => w.sub_(w.grad!.mul(0.1))); // culprit
w.grad = null;
loss.backward();
`,
    good: `
const w = torch.tensor([1, 2], { requires_grad: true });
w.pow(2).sum().backward();
torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
w.grad = null;
w.pow(2).sum().backward();
`,
    proved: true,
  },
  {
    name: "leaf-element-assigned",
    source: "issue, \"a view of a leaf Variable that requires grad is being used in an in-place operation\"",
    rule: "leaf-modified-in-place",
    bad: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
x.select(0, 0).fill_(1); // culprit
x.pow(2).sum().backward();
`,
    good: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
torch.no_grad(() => x.select(0, 0).fill_(1));
x.pow(2).sum().backward();
`,
    proved: true,
  },
  {
    name: "leaf-index-put",
    source: "forum, index_put_ on a parameter",
    rule: "leaf-modified-in-place",
    bad: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
x.index_put_([torch.tensor([0, 2], { dtype: torch.int64 })], torch.tensor([5, 6])); // culprit
x.pow(2).sum().backward();
`,
    good: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const y = x.index_put([torch.tensor([0, 2], { dtype: torch.int64 })], torch.tensor([5, 6]));
y.pow(2).sum().backward();
`,
    proved: true,
  },
  {
    name: "weight-updated-in-graph",
    source: "tutorials, w -= lr * w.grad without no_grad",
    rule: "leaf-modified-in-place",
    bad: `
const w = torch.tensor([1, 2], { requires_grad: true });
w.pow(2).sum().backward();
w.sub_(w.grad!.mul(0.1)); // culprit
`,
    good: `
const w = torch.tensor([1, 2], { requires_grad: true });
w.pow(2).sum().backward();
torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
`,
    proved: true,
  },
  {
    name: "expanded-written",
    source: "issue, \"more than one element of the written-to tensor refers to a single memory location\"",
    rule: "expanded-write",
    bad: `
const b = torch.tensor([1, 2], { requires_grad: true });
const rows = b.mul(2).expand(3, 2);
rows.add_(1); // culprit
rows.sum().backward();
`,
    good: `
const b = torch.tensor([1, 2], { requires_grad: true });
const rows = b.mul(2).expand(3, 2).clone();
rows.add_(1);
rows.sum().backward();
`,
    proved: true,
  },
  {
    name: "buffer-reused",
    source: "forum, one buffer that every step copies into",
    rule: "saved-tensor-overwritten",
    bad: `
const w = torch.tensor([1, 2], { requires_grad: true });
const buffer = torch.zeros(2);
buffer.copy_(torch.tensor([3, 4]));
const first = w.mul(buffer).sum();
buffer.copy_(torch.tensor([5, 6])); // culprit
const second = w.mul(buffer).sum();
first.add(second).backward();
`,
    good: `
const w = torch.tensor([1, 2], { requires_grad: true });
const first = w.mul(torch.tensor([3, 4])).sum();
const second = w.mul(torch.tensor([5, 6])).sum();
first.add(second).backward();
`,
    proved: true,
  },
  {
    name: "hidden-state-overwritten",
    source: "forum, an RNN that writes its state into one tensor",
    rule: "saved-tensor-overwritten",
    bad: `
const w = torch.tensor([0.5, -0.5], { requires_grad: true });
const h = torch.ones(2);
for (let t = 0; t < 3; t++) {
  const next = h.mul(w).tanh();
  h.copy_(next); // culprit
}
h.sum().backward();
`,
    good: `
const w = torch.tensor([0.5, -0.5], { requires_grad: true });
let h = torch.ones(2);
for (let t = 0; t < 3; t++) h = h.mul(w).tanh();
h.sum().backward();
`,
    proved: true,
  },
  {
    name: "attention-masked-after-softmax",
    source: "forum, masked_fill_ on attention weights",
    rule: "saved-tensor-overwritten",
    bad: `
const scores = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const mask = torch.tensor([[false, true], [false, false]]);
const weights = scores.softmax(1);
weights.masked_fill_(mask, 0); // culprit
weights.pow(2).sum().backward();
`,
    good: `
const scores = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const mask = torch.tensor([[false, true], [false, false]]);
const weights = scores.softmax(1).masked_fill(mask, 0);
weights.pow(2).sum().backward();
`,
    proved: true,
  },
  {
    name: "view-made-in-no-grad",
    source: "issue, \"a view was created in no_grad mode and is being modified inplace\"",
    rule: "view-not-writable",
    bad: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const y = x.mul(1);
const v = torch.no_grad(() => y.view(3, 1));
v.add_(x.view(3, 1)); // culprit
y.sum().backward();
`,
    good: `
const x = torch.tensor([0.5, -1, 2], { requires_grad: true });
const y = x.mul(1);
const v = y.view(3, 1);
v.add_(x.view(3, 1));
y.sum().backward();
`,
    proved: true,
  },
];

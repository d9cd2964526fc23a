/** NaN and Inf in second derivatives. */
import type { Pitfall } from "./pitfall.ts";

export const secondDerivatives: readonly Pitfall[] = [
  {
    name: "gradient-penalty-at-zero",
    source: 'forum, "WGAN-GP gives NaN when the gradient is exactly zero"',
    rule: "infinite-slope",
    bad: `
const w = torch.tensor([0, 0], { requires_grad: true });
const x = torch.tensor([1, 2], { requires_grad: true });
const [g] = torch.autograd.grad(w.mul(x).sum(), [x], { create_graph: true });
const length = g.pow(2).sum().sqrt(); // culprit
length.sub(1).pow(2).backward({ inputs: [w] });
`,
    good: `
const w = torch.tensor([0, 0], { requires_grad: true });
const x = torch.tensor([1, 2], { requires_grad: true });
const [g] = torch.autograd.grad(w.mul(x).sum(), [x], { create_graph: true });
const length = g.pow(2).sum().add(1e-12).sqrt();
length.sub(1).pow(2).backward({ inputs: [w] });
`,
    elements: [[0], [1]],
    proved: true,
  },
  {
    name: "curvature-of-a-power",
    source: 'issue, "double backward of pow(1.5) at zero is inf"',
    rule: "infinite-slope",
    bad: `
const x = torch.tensor([0, 4], { requires_grad: true });
const y = x.pow(1.5); // culprit
const [slope] = torch.autograd.grad(y.sum(), [x], { create_graph: true });
slope.sum().backward();
`,
    good: `
const x = torch.tensor([0, 4], { requires_grad: true });
const y = x.pow(2);
const [slope] = torch.autograd.grad(y.sum(), [x], { create_graph: true });
slope.sum().backward();
`,
    elements: [[0]],
    proved: true,
  },
  {
    name: "masked-curvature",
    source: 'forum, "second derivative is NaN although the region is masked"',
    rule: "nan-from-zero-times-inf",
    bad: `
const x = torch.tensor([0, 4], { requires_grad: true });
const y = torch.where(x.gt(0), x.pow(1.5), 0); // culprit
const [slope] = torch.autograd.grad(y.sum(), [x], { create_graph: true });
slope.pow(2).sum().backward();
`,
    good: `
const x = torch.tensor([0, 4], { requires_grad: true });
const y = torch.where(x.gt(0), x.masked_fill(x.le(0), 1).pow(1.5), 0);
const [slope] = torch.autograd.grad(y.sum(), [x], { create_graph: true });
slope.pow(2).sum().backward();
`,
    elements: [[0]],
    proved: true,
  },
  {
    name: "curvature-of-a-norm",
    source: 'issue, "the second derivative of norm at zero is NaN"',
    rule: "nan-from-zero-times-inf",
    bad: `
const x = torch.tensor([0, 0], { requires_grad: true });
const r = x.norm(); // culprit
const [direction] = torch.autograd.grad(r, [x], { create_graph: true });
direction.sum().backward();
`,
    good: `
const x = torch.tensor([0, 0], { requires_grad: true });
const r = x.square().sum().add(1e-6).sqrt();
const [direction] = torch.autograd.grad(r, [x], { create_graph: true });
direction.sum().backward();
`,
    elements: [[0], [1]],
    proved: true,
  },
  {
    name: "force-of-a-distance",
    source: 'forum, "energy is fine, training on forces gives NaN"',
    rule: "infinite-slope",
    bad: `
const a = torch.tensor([1, 1], { requires_grad: true });
const k = torch.tensor(2, { requires_grad: true });
const r = a.sub(torch.tensor([1, 1])).pow(2).sum();
const energy = k.mul(r.sqrt()); // culprit
const [force] = torch.autograd.grad(energy, [a], { create_graph: true });
force.pow(2).sum().backward({ inputs: [k] });
`,
    good: `
const a = torch.tensor([1, 1], { requires_grad: true });
const k = torch.tensor(2, { requires_grad: true });
const r = a.sub(torch.tensor([1, 1])).pow(2).sum();
const energy = k.mul(r.add(1e-6).sqrt());
const [force] = torch.autograd.grad(energy, [a], { create_graph: true });
force.pow(2).sum().backward({ inputs: [k] });
`,
    elements: [[0], [1]],
    proved: true,
  },
  {
    name: "hessian-of-huber-root",
    source: 'forum, "Hessian of sqrt(|x|) penalties"',
    rule: "float-overflow",
    bad: `
const w = torch.tensor([1e-30, 1], { requires_grad: true });
const y = w.sqrt(); // culprit
const [g] = torch.autograd.grad(y.sum(), [w], { create_graph: true });
g.sum().backward();
`,
    good: `
const w = torch.tensor([1e-30, 1], { requires_grad: true });
const y = w.add(1e-4).sqrt();
const [g] = torch.autograd.grad(y.sum(), [w], { create_graph: true });
g.sum().backward();
`,
    elements: [[0]],
    proved: false,
  },
];

/** leafgrad's cases: answers the requests of runner.ts. Usage: leafgrad run bench/leafgrad.ts THREADS */
import { readFileSync } from "node:fs";
import * as torch from "leafgrad";
import { serve } from "./serve.mjs";

type Tensor = torch.Tensor;
type Call = () => unknown;
const F = torch.nn.functional;

torch.set_num_threads(Number(process.argv[2] ?? 1));
torch.manual_seed(0);

const { randn } = torch;
const leaf = (...sizes: number[]): Tensor => randn(...sizes).mul(0.05).requires_grad_();

function notesLoss(x: Tensor): Tensor {
  const mask = x.lt(0.003).float();
  const gamma_x = mask.mul(12.9).mul(x).add(mask.rsub(1).mul(x.pow(0.5)));
  return torch.mean(x.sub(gamma_x).pow(2));
}

function improvedLoss(x: Tensor): Tensor {
  let mask = x.lt(0.003);
  const gamma_x = torch.ones_like(x);
  gamma_x.index_put_([mask], x.index(mask).mul(12.9));
  mask = x.ge(0.003);
  gamma_x.index_put_([mask], x.index(mask).pow(0.5));
  return torch.mean(x.sub(gamma_x).pow(2));
}

function small(): Record<string, Call> {
  const [a, b] = [torch.tensor([1, 2]), torch.tensor([3, 4])];
  const w = torch.tensor([1, 2], { requires_grad: true });
  const x = torch.tensor([0, 0.0025, 0.5, 0.8, 1], { requires_grad: true });
  const backwardOf = (loss: (x: Tensor) => Tensor): void => {
    x.grad = null;
    loss(x).backward();
  };
  return {
    "add": () => a.add(b),
    "add, with grad": () => w.add(b),
    "mul": () => a.mul(b),
    "mul, with grad": () => w.mul(b),
    "exp": () => a.exp(),
    "sum": () => a.sum(),
    "sum, with grad": () => w.sum(),
    "notes' loss, forward": () => torch.no_grad(() => notesLoss(x)),
    "notes' loss, forward + backward": () => backwardOf(notesLoss),
    "improved loss, forward + backward": () => backwardOf(improvedLoss),
  };
}

function elements(op: string, power: number): Call {
  const [x, y] = [randn(2 ** power), randn(2 ** power)];
  const positive = x.abs();
  const calls: Record<string, Call> = {
    add: () => x.add(y),
    mul: () => x.mul(y),
    exp: () => x.exp(),
    tanh: () => x.tanh(),
    gelu: () => F.gelu(x),
    pow: () => positive.pow(1.7),
    sum: () => x.sum(),
    mean: () => x.mean(),
  };
  return calls[op]!;
}

function layouts(name: string): Call {
  const [x, y, row, column] = [randn(1024, 1024), randn(1024, 1024), randn(1024), randn(1024, 1)];
  const calls: Record<string, Call> = {
    "add row": () => x.add(row),
    "add column": () => x.add(column),
    "add transposed": () => x.t().add(y),
    "sum of rows": () => x.sum(1),
    "sum of columns": () => x.sum(0),
    "softmax": () => x.softmax(1),
    "layer_norm": () => F.layer_norm(x, [1024]),
  };
  return calls[name]!;
}

function product(...sizes: number[]): Call {
  const [a, b] = [randn(...sizes), randn(...sizes)];
  return () => a.matmul(b);
}

function linears(shapes: readonly (readonly number[])[]): Call {
  const layers = shapes.map(([rows, inputs, outputs]) => ({ x: randn(rows!, inputs!), w: randn(outputs!, inputs!), g: randn(rows!, outputs!) }));
  return () => layers.forEach(({ x, w, g }, i) => {
    x.matmul(w.t());
    g.t().matmul(x);
    if (i > 0) g.matmul(w);
  });
}

function conv(backward: boolean): Call {
  const [x, w, b] = [randn(32, 16, 28, 28), randn(32, 16, 3, 3), randn(32)];
  if (!backward) return () => F.conv2d(x, w, b, { padding: 1 });
  const inputs = [x, w, b].map((t) => t.requires_grad_());
  const grad = randn(32, 32, 28, 28);
  return () => torch.autograd.grad(F.conv2d(x, w, b, { padding: 1 }), inputs, grad);
}

function ordering(name: string): Call {
  const x = randn(2 ** 20);
  return name === "sort" ? () => x.sort() : () => x.topk(100);
}

/** One step: forward, backward, update. */
function training(parameters: readonly Tensor[], loss: () => Tensor, update: (p: Tensor, grad: Tensor, i: number) => void): Call {
  return () => {
    for (const p of parameters) p.grad = null;
    loss().backward();
    torch.no_grad(() => parameters.forEach((p, i) => update(p, p.grad!, i)));
  };
}

/** The update of Adam, or of AdamW with `decay`, in plain ops. */
function adam(parameters: readonly Tensor[], decay = 0): (p: Tensor, grad: Tensor, i: number) => void {
  const [lr, beta1, beta2, eps] = [0.001, 0.9, 0.999, 1e-8];
  const moments = parameters.map((p) => [torch.zeros_like(p), torch.zeros_like(p)] as const);
  const steps = parameters.map(() => 0);
  return (p, grad, i) => {
    const [m, v] = moments[i]!;
    const step = ++steps[i]!;
    if (decay !== 0) p.mul_(1 - lr * decay);
    m.lerp_(grad, 1 - beta1);
    v.mul_(beta2).addcmul_(grad, grad, { value: 1 - beta2 });
    const denominator = v.sqrt().div_(Math.sqrt(1 - beta2 ** step)).add_(eps);
    p.addcdiv_(m, denominator, { value: -lr / (1 - beta1 ** step) });
  };
}

function mlp(): Call {
  const [x, target] = [randn(64, 784), torch.randint(0, 10, [64])];
  const [w1, b1, w2, b2] = [leaf(128, 784), leaf(128), leaf(10, 128), leaf(10)];
  const loss = (): Tensor => F.cross_entropy(F.linear(F.relu(F.linear(x, w1, b1)), w2, b2), target);
  return training([w1, b1, w2, b2], loss, (p, grad) => void p.add_(grad, { alpha: -0.01 }));
}

function cnn(): Call {
  const [x, target] = [randn(32, 1, 28, 28), torch.randint(0, 10, [32])];
  const [c1, d1, c2, d2] = [leaf(16, 1, 3, 3), leaf(16), leaf(32, 16, 3, 3), leaf(32)];
  const [w, b] = [leaf(10, 32 * 7 * 7), leaf(10)];
  const parameters = [c1, d1, c2, d2, w, b];
  const loss = (): Tensor => {
    let h = F.max_pool2d(F.relu(F.conv2d(x, c1, d1, { padding: 1 })), 2);
    h = F.max_pool2d(F.relu(F.conv2d(h, c2, d2, { padding: 1 })), 2);
    return F.cross_entropy(F.linear(h.flatten(1), w, b), target);
  };
  return training(parameters, loss, adam(parameters));
}

function transformer(): Call {
  const [x, target] = [randn(8, 64, 128), randn(8, 64, 128)];
  const [wq, bq, wo, bo] = [leaf(384, 128), leaf(384), leaf(128, 128), leaf(128)];
  const [g1, h1, g2, h2] = [leaf(128), leaf(128), leaf(128), leaf(128)];
  const [w1, b1, w2, b2] = [leaf(512, 128), leaf(512), leaf(128, 512), leaf(128)];
  const parameters = [wq, bq, wo, bo, g1, h1, g2, h2, w1, b1, w2, b2];
  const loss = (): Tensor => {
    const qkv = F.linear(x, wq, bq).view(8, 64, 3, 4, 32).permute(2, 0, 3, 1, 4);
    const attended = F.scaled_dot_product_attention(qkv.index(0), qkv.index(1), qkv.index(2)).transpose(1, 2).reshape(8, 64, 128);
    const h = F.layer_norm(x.add(F.linear(attended, wo, bo)), [128], g1, h1);
    const out = F.layer_norm(h.add(F.linear(F.gelu(F.linear(h, w1, b1)), w2, b2)), [128], g2, h2);
    return F.mse_loss(out, target);
  };
  return training(parameters, loss, adam(parameters, 0.01));
}

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
await serve(`leafgrad ${version}`, { small, elements, layouts, product, linears, conv, ordering, mlp, cnn, transformer });

/** jax-js's cases on its WASM backend: answers the requests of runner.ts. Steps of training are jitted, as its users write them. */
import { readFileSync } from "node:fs";
import { blockUntilReady, defaultDevice, init, jit, lax, nn, numpy as np, random, tree, valueAndGrad } from "@jax-js/jax";
import { serve } from "./serve.mjs";

await init("wasm");
defaultDevice("wasm");

/** A call whose result is waited for and let go of. An array is consumed by its use unless `.ref` is used. */
const timed = (compute) => async () => tree.dispose(await blockUntilReady(compute()));
let seed = 0;
const randn = (...sizes) => random.normal(random.key(seed++), sizes);
const leaf = (...sizes) => randn(...sizes).mul(0.05);

const gelu = (x) => nn.gelu(x, { approximate: false });
function layerNorm(x, gain, bias) {
  const y = nn.standardize(x, -1, { epsilon: 1e-5 });
  return gain === undefined ? y : y.mul(gain).add(bias);
}

function small() {
  const [a, b] = [np.array([1, 2]), np.array([3, 4])];
  return { "add": timed(() => a.ref.add(b.ref)), "mul": timed(() => a.ref.mul(b.ref)), "exp": timed(() => np.exp(a.ref)), "sum": timed(() => np.sum(a.ref)) };
}

function elements(op, power) {
  const [x, y] = [randn(2 ** power), randn(2 ** power)];
  const positive = np.abs(x.ref);
  return {
    add: timed(() => x.ref.add(y.ref)),
    mul: timed(() => x.ref.mul(y.ref)),
    exp: timed(() => np.exp(x.ref)),
    tanh: timed(() => np.tanh(x.ref)),
    gelu: timed(() => gelu(x.ref)),
    pow: timed(() => np.power(positive.ref, 1.7)),
    sum: timed(() => np.sum(x.ref)),
    mean: timed(() => np.mean(x.ref)),
  }[op];
}

function layouts(name) {
  const [x, y, row, column] = [randn(1024, 1024), randn(1024, 1024), randn(1024), randn(1024, 1)];
  return {
    "add row": timed(() => x.ref.add(row.ref)),
    "add column": timed(() => x.ref.add(column.ref)),
    "add transposed": timed(() => np.transpose(x.ref).add(y.ref)),
    "sum of rows": timed(() => np.sum(x.ref, 1)),
    "sum of columns": timed(() => np.sum(x.ref, 0)),
    "softmax": timed(() => nn.softmax(x.ref)),
    "layer_norm": timed(() => layerNorm(x.ref)),
  }[name];
}

function product(...sizes) {
  const [a, b] = [randn(...sizes), randn(...sizes)];
  return timed(() => np.matmul(a.ref, b.ref));
}

function linears(shapes) {
  const layers = shapes.map(([rows, inputs, outputs]) => ({ x: randn(rows, inputs), w: randn(inputs, outputs), g: randn(rows, outputs) }));
  const products = jit((layers) => layers.map(({ x, w, g }, i) => {
    const results = [np.matmul(x.ref, w.ref), np.matmul(np.transpose(x), g.ref)];
    if (i > 0) return [...results, np.matmul(g, np.transpose(w))];
    tree.dispose([g, w]);
    return results;
  }));
  return timed(() => products(tree.ref(layers)));
}

const conv3 = (x, w, b) => lax.conv(x, w, [1, 1], "SAME").add(np.reshape(b, [-1, 1, 1]));

function conv(backward) {
  const [x, w, b] = [randn(32, 16, 28, 28), randn(32, 16, 3, 3), randn(32)];
  if (!backward) return timed(() => conv3(x.ref, w.ref, b.ref));
  const dy = randn(32, 32, 28, 28);
  const gradients = jit(valueAndGrad((x, w, b, dy) => np.sum(conv3(x, w, b).mul(dy)), { argnums: [0, 1, 2] }));
  return timed(() => gradients(x.ref, w.ref, b.ref, dy.ref));
}

function ordering(name) {
  const x = randn(2 ** 20);
  return timed(() => (name === "sort" ? np.sort(x.ref) : lax.topK(x.ref, 100)));
}

/** Keeps `state` and moves it on by the jitted `step(state, x, target)`. */
function training(state, x, target, step) {
  const jitted = jit(step);
  let current = state;
  return async () => {
    current = await blockUntilReady(jitted(current, x.ref, target.ref));
  };
}

function sgd(loss) {
  const gradient = valueAndGrad(loss);
  return (parameters, x, target) => {
    const [value, grads] = gradient(tree.ref(parameters), x, target);
    value.dispose();
    return tree.map((p, g) => p.sub(g.mul(0.01)), parameters, grads);
  };
}

/** The state of Adam, or of AdamW with `decay`: parameters, moments, and the powers of the betas. */
const adamState = (parameters) => ({ parameters, m: tree.map(np.zerosLike, tree.ref(parameters)), v: tree.map(np.zerosLike, tree.ref(parameters)), powers: [np.array(1), np.array(1)] });

function adam(loss, decay = 0) {
  const gradient = valueAndGrad(loss);
  const [lr, beta1, beta2, eps] = [0.001, 0.9, 0.999, 1e-8];
  return ({ parameters, m, v, powers }, x, target) => {
    const [value, grads] = gradient(tree.ref(parameters), x, target);
    value.dispose();
    const [p1, p2] = [powers[0].mul(beta1), powers[1].mul(beta2)];
    const m2 = tree.map((m, g) => m.mul(beta1).add(g.mul(1 - beta1)), m, tree.ref(grads));
    const v2 = tree.map((v, g) => v.mul(beta2).add(g.ref.mul(g).mul(1 - beta2)), v, grads);
    const moved = tree.map((p, m, v) => {
      const step = m.div(np.array(1).sub(p1.ref)).div(np.sqrt(v.div(np.array(1).sub(p2.ref))).add(eps));
      return p.mul(1 - lr * decay).sub(step.mul(lr));
    }, parameters, tree.ref(m2), tree.ref(v2));
    return { parameters: moved, m: m2, v: v2, powers: [p1, p2] };
  };
}

/** `target` holds the classes one-hot. */
const crossEntropy = (logits, target) => np.mean(np.sum(nn.logSoftmax(logits).mul(target), -1)).mul(-1);
const classes = (n) => nn.oneHot(np.array(Array.from({ length: n }, (_, i) => i % 10), { dtype: np.int32 }), 10);

function mlp() {
  const parameters = { w1: leaf(784, 128), b1: leaf(128), w2: leaf(128, 10), b2: leaf(10) };
  const loss = ({ w1, b1, w2, b2 }, x, target) => crossEntropy(np.matmul(nn.relu(np.matmul(x, w1).add(b1)), w2).add(b2), target);
  return training(parameters, randn(64, 784), classes(64), sgd(loss));
}

function cnn() {
  const parameters = { c1: leaf(16, 1, 3, 3), d1: leaf(16), c2: leaf(32, 16, 3, 3), d2: leaf(32), w: leaf(32 * 7 * 7, 10), b: leaf(10) };
  // A 2×2 pool as a maximum over reshaped pairs, which jax-js can differentiate.
  const pool = (x) => {
    const [n, c, h, w] = x.shape;
    return np.max(np.reshape(x, [n, c, h / 2, 2, w / 2, 2]), [3, 5]);
  };
  const loss = ({ c1, d1, c2, d2, w, b }, x, target) => {
    const h = pool(nn.relu(conv3(pool(nn.relu(conv3(x, c1, d1))), c2, d2)));
    return crossEntropy(np.matmul(np.reshape(h, [32, -1]), w).add(b), target);
  };
  return training(adamState(parameters), randn(32, 1, 28, 28), classes(32), adam(loss));
}

function transformer() {
  const parameters = {
    wq: leaf(128, 384), bq: leaf(384), wo: leaf(128, 128), bo: leaf(128), g1: leaf(128), h1: leaf(128), g2: leaf(128), h2: leaf(128),
    w1: leaf(128, 512), b1: leaf(512), w2: leaf(512, 128), b2: leaf(128),
  };
  const loss = ({ wq, bq, wo, bo, g1, h1, g2, h2, w1, b1, w2, b2 }, x, target) => {
    const qkv = np.reshape(np.matmul(x.ref, wq).add(bq), [8, 64, 3, 4, 32]);
    const [q, k, v] = np.split(qkv, 3, 2).map((part) => np.reshape(part, [8, 64, 4, 32]));
    const attended = np.reshape(nn.dotProductAttention(q, k, v), [8, 64, 128]);
    const h = layerNorm(x.add(np.matmul(attended, wo).add(bo)), g1, h1);
    const out = layerNorm(h.ref.add(np.matmul(gelu(np.matmul(h, w1).add(b1)), w2).add(b2)), g2, h2);
    return np.mean(np.square(out.sub(target)));
  };
  return training(adamState(parameters), randn(8, 64, 128), randn(8, 64, 128), adam(loss, 0.01));
}

const { version } = JSON.parse(readFileSync(new URL("node_modules/@jax-js/jax/package.json", import.meta.url), "utf8"));
await serve(`jax-js ${version}`, { small, elements, layouts, product, linears, conv, ordering, mlp, cnn, transformer });

/** TensorFlow.js's cases on its WASM backend: answers the requests of runner.ts. */
import { createRequire } from "node:module";
import { serve } from "./serve.mjs";

// The CommonJS build: the ES modules of TensorFlow.js do not load in Node.
const require = createRequire(import.meta.url);
const tf = require("@tensorflow/tfjs");
const { version_wasm: version } = require("@tensorflow/tfjs-backend-wasm");
await tf.setBackend("wasm");
await tf.ready();

/** A call whose result is let go of. The WASM backend computes before it returns. */
const timed = (compute) => () => tf.dispose(tf.tidy(compute));
const randn = (...sizes) => tf.randomNormal(sizes, 0, 1, "float32", 1);
const leaf = (...sizes) => tf.variable(randn(...sizes).mul(0.05));

const gelu = (x) => x.mul(0.5).mul(x.mul(Math.SQRT1_2).erf().add(1));
function layerNorm(x, gain, bias) {
  const { mean, variance } = tf.moments(x, -1, true);
  const y = x.sub(mean).div(variance.add(1e-5).sqrt());
  return gain === undefined ? y : y.mul(gain).add(bias);
}

function small() {
  const [a, b] = [tf.tensor1d([1, 2]), tf.tensor1d([3, 4])];
  return { "add": timed(() => a.add(b)), "mul": timed(() => a.mul(b)), "exp": timed(() => a.exp()), "sum": timed(() => a.sum()) };
}

function elements(op, power) {
  const [x, y] = [randn(2 ** power), randn(2 ** power)];
  const positive = x.abs();
  return {
    add: timed(() => x.add(y)),
    mul: timed(() => x.mul(y)),
    exp: timed(() => x.exp()),
    tanh: timed(() => x.tanh()),
    gelu: timed(() => gelu(x)),
    pow: timed(() => positive.pow(1.7)),
    sum: timed(() => x.sum()),
    mean: timed(() => x.mean()),
  }[op];
}

function layouts(name) {
  const [x, y, row, column] = [randn(1024, 1024), randn(1024, 1024), randn(1024), randn(1024, 1)];
  return {
    "add row": timed(() => x.add(row)),
    "add column": timed(() => x.add(column)),
    "add transposed": timed(() => x.transpose().add(y)),
    "sum of rows": timed(() => x.sum(1)),
    "sum of columns": timed(() => x.sum(0)),
    "softmax": timed(() => x.softmax()),
    "layer_norm": timed(() => layerNorm(x)),
  }[name];
}

function product(...sizes) {
  const [a, b] = [randn(...sizes), randn(...sizes)];
  return timed(() => a.matMul(b));
}

function linears(shapes) {
  const layers = shapes.map(([rows, inputs, outputs]) => ({ x: randn(rows, inputs), w: randn(inputs, outputs), g: randn(rows, outputs) }));
  return timed(() => layers.map(({ x, w, g }, i) => [x.matMul(w), tf.matMul(x, g, true, false), ...(i > 0 ? [tf.matMul(g, w, false, true)] : [])]));
}

function conv(backward) {
  const [x, w, b] = [randn(32, 28, 28, 16), randn(3, 3, 16, 32), randn(32)];
  const forward = (x, w, b) => tf.conv2d(x, w, 1, "same").add(b);
  if (!backward) return timed(() => forward(x, w, b));
  const dy = randn(32, 28, 28, 32);
  return timed(() => tf.grads(forward)([x, w, b], dy));
}

function ordering(name) {
  if (name === "sort") return null;
  const x = randn(2 ** 20);
  return timed(() => tf.topk(x, 100));
}

const training = (optimizer, loss) => () => optimizer.minimize(loss);
const classes = (n) => tf.oneHot(tf.randomUniform([n], 0, 10, "int32"), 10);

function mlp() {
  const [x, target] = [randn(64, 784), classes(64)];
  const [w1, b1, w2, b2] = [leaf(784, 128), leaf(128), leaf(128, 10), leaf(10)];
  return training(tf.train.sgd(0.01), () => tf.losses.softmaxCrossEntropy(target, x.matMul(w1).add(b1).relu().matMul(w2).add(b2)));
}

function cnn() {
  const [x, target] = [randn(32, 28, 28, 1), classes(32)];
  const [c1, d1, c2, d2] = [leaf(3, 3, 1, 16), leaf(16), leaf(3, 3, 16, 32), leaf(32)];
  const [w, b] = [leaf(32 * 7 * 7, 10), leaf(10)];
  return training(tf.train.adam(0.001), () => {
    let h = tf.maxPool(tf.conv2d(x, c1, 1, "same").add(d1).relu(), 2, 2, "valid");
    h = tf.maxPool(tf.conv2d(h, c2, 1, "same").add(d2).relu(), 2, 2, "valid");
    return tf.losses.softmaxCrossEntropy(target, h.reshape([32, -1]).matMul(w).add(b));
  });
}

function transformer() {
  const [x, target] = [randn(8, 64, 128), randn(8, 64, 128)];
  const [wq, bq, wo, bo] = [leaf(128, 384), leaf(384), leaf(128, 128), leaf(128)];
  const [g1, h1, g2, h2] = [leaf(128), leaf(128), leaf(128), leaf(128)];
  const [w1, b1, w2, b2] = [leaf(128, 512), leaf(512), leaf(512, 128), leaf(128)];
  const linear = (x, w, b) => x.reshape([-1, w.shape[0]]).matMul(w).add(b).reshape([...x.shape.slice(0, -1), w.shape[1]]);
  // TensorFlow.js has no AdamW: Adam does the same work but for the decay.
  return training(tf.train.adam(0.001), () => {
    const [q, k, v] = tf.unstack(linear(x, wq, bq).reshape([8, 64, 3, 4, 32]).transpose([2, 0, 3, 1, 4]));
    const weights = tf.matMul(q, k, false, true).mul(1 / Math.sqrt(32)).softmax();
    const attended = weights.matMul(v).transpose([0, 2, 1, 3]).reshape([8, 64, 128]);
    const h = layerNorm(x.add(linear(attended, wo, bo)), g1, h1);
    const out = layerNorm(h.add(linear(gelu(linear(h, w1, b1)), w2, b2)), g2, h2);
    return out.sub(target).square().mean();
  });
}

await serve(`TensorFlow.js ${version}`, { small, elements, layouts, product, linears, conv, ordering, mlp, cnn, transformer });

/** Singular values of bidiagonal matrices by implicit QR steps, as LAPACK's dbdsqr takes them. */
import type { Columns } from "./householder.ts";
import { rotation, turn } from "./rotation.ts";

/** Where a step of the iteration is taken: from one end of an unreduced block to the other. */
interface Block {
  readonly from: number;
  readonly to: number;
  readonly step: 1 | -1;
}

/** Makes the diagonal `d` of an upper bidiagonal matrix its singular values, in descending order, and turns the columns of `u` and `v` with it. `e` lies beside the diagonal. */
export function bidiagonalSvd(d: Float64Array, e: Float64Array, u: Columns, v: Columns, epsilon: number): void {
  const n = d.length;
  const tolerance = Math.max(10, Math.min(100, epsilon ** -0.125)) * epsilon;
  const threshold = (tolerance * smallest(d, e, { from: 0, to: n - 1, step: 1 })) / Math.sqrt(n);
  let end = n - 1;
  let [lastStart, lastEnd]: [number, number] = [-1, -1];
  let step: 1 | -1 = 1;
  for (let sweeps = 0; end > 0 && sweeps < 6 * n * n; ) {
    let start = end;
    while (start > 0 && Math.abs(e[start - 1]) > threshold) start--;
    if (start > 0) e[start - 1] = 0;
    if (start === end) end--;
    else if (start === end - 1) {
      solvePair(d, e, u, v, start, epsilon);
      end -= 2;
    } else {
      if (start > lastEnd || end < lastStart) step = Math.abs(d[start]) >= Math.abs(d[end]) ? 1 : -1;
      const block: Block = step > 0 ? { from: start, to: end, step } : { from: end, to: start, step };
      if (deflate(d, e, block, tolerance)) continue;
      [lastStart, lastEnd] = [start, end];
      sweep(d, e, step > 0 ? [v, u] : [u, v], block, shiftFor(d, e, block, tolerance, epsilon));
      const edge = beside(block, block.to - step);
      if (Math.abs(e[edge]) <= threshold) e[edge] = 0;
      sweeps++;
    }
  }
  d.forEach((value, i) => {
    const turned = (n === 1 ? u : v)[i];
    if (value < 0) turned.forEach((x, r) => (turned[r] = -x));
    d[i] = Math.abs(value);
  });
  const order = Array.from(d, (_, i) => i).sort((i, j) => d[j] - d[i]);
  for (const columns of [u, v]) columns.splice(0, n, ...order.map((i) => columns[i]));
  d.sort().reverse();
}

/** Where in `e` the element between i and the next one lies. */
const beside = ({ step }: Block, i: number): number => (step > 0 ? i : i - 1);

/** A lower bound of the singular values of a block. */
function smallest(d: Float64Array, e: Float64Array, block: Block): number {
  let mu = Math.abs(d[block.from]);
  let least = mu;
  for (let i = block.from; i !== block.to; i += block.step) {
    mu = Math.abs(d[i + block.step]) * (mu / (mu + Math.abs(e[beside(block, i)])));
    if (!(mu >= least)) least = mu || 0;
  }
  return least;
}

/** Drops an element beside the diagonal that does not matter, if there is one. */
function deflate(d: Float64Array, e: Float64Array, block: Block, tolerance: number): boolean {
  const { from, to, step } = block;
  const last = beside(block, to - step);
  let dropped = Math.abs(e[last]) <= tolerance * Math.abs(d[to]) ? last : -1;
  let mu = Math.abs(d[from]);
  for (let i = from; dropped < 0 && i !== to; i += step) {
    const edge = beside(block, i);
    if (Math.abs(e[edge]) <= tolerance * mu) dropped = edge;
    mu = Math.abs(d[i + step]) * (mu / (mu + Math.abs(e[edge])));
  }
  if (dropped >= 0) e[dropped] = 0;
  return dropped >= 0;
}

/** The shift of a step; 0 where it would spoil small singular values. */
function shiftFor(d: Float64Array, e: Float64Array, block: Block, tolerance: number, epsilon: number): number {
  const { from, to, step } = block;
  let largest = 0;
  for (let i = from; ; i += step) {
    largest = Math.max(largest, Math.abs(d[i]), i === to ? 0 : Math.abs(e[beside(block, i)]));
    if (i === to) break;
  }
  if (d.length * tolerance * (smallest(d, e, block) / largest) <= Math.max(epsilon, 0.01 * tolerance)) return 0;
  const low = Math.min(to, to - step);
  const shift = smallerOfPair(Math.abs(d[low]), Math.abs(e[low]), Math.abs(d[low + 1]));
  return (shift / Math.abs(d[from])) ** 2 < epsilon ? 0 : shift;
}

/** One step along a block; the columns of `first` turn by the first rotation of each pair, those of `second` by the second. */
function sweep(d: Float64Array, e: Float64Array, [first, second]: [Columns, Columns], block: Block, shift: number): void {
  const { from, to, step } = block;
  const turnPair = (columns: Columns, i: number, cos: number, sin: number): void => {
    const low = Math.min(i, i + step);
    turn(columns[low], columns[low + 1], cos, step * sin);
  };
  const last = beside(block, to - step);
  if (shift === 0) {
    let [cos, r, oldCos, oldSin] = [1, 0, 1, 0];
    for (let i = from; i !== to; i += step) {
      let sin: number;
      [cos, sin, r] = rotation(d[i] * cos, e[beside(block, i)]);
      if (i !== from) e[beside(block, i - step)] = oldSin * r;
      [oldCos, oldSin, d[i]] = rotation(oldCos * r, d[i + step] * sin);
      turnPair(first, i, cos, sin);
      turnPair(second, i, oldCos, oldSin);
    }
    const h = d[to] * cos;
    [d[to], e[last]] = [h * oldCos, h * oldSin];
    return;
  }
  let f = (Math.abs(d[from]) - shift) * ((d[from] < 0 ? -1 : 1) + shift / d[from]);
  let g = e[beside(block, from)];
  for (let i = from; i !== to; i += step) {
    const edge = beside(block, i);
    const [cos, sin, r] = rotation(f, g);
    if (i !== from) e[beside(block, i - step)] = r;
    f = cos * d[i] + sin * e[edge];
    e[edge] = cos * e[edge] - sin * d[i];
    g = sin * d[i + step];
    d[i + step] *= cos;
    const [cosLeft, sinLeft, diagonal] = rotation(f, g);
    d[i] = diagonal;
    f = cosLeft * e[edge] + sinLeft * d[i + step];
    d[i + step] = cosLeft * d[i + step] - sinLeft * e[edge];
    if (i + step !== to) {
      const next = beside(block, i + step);
      g = sinLeft * e[next];
      e[next] *= cosLeft;
    }
    turnPair(first, i, cos, sin);
    turnPair(second, i, cosLeft, sinLeft);
  }
  e[last] = f;
}

/** The smaller singular value of a triangle of two rows (dlas2). */
function smallerOfPair(f: number, g: number, h: number): number {
  const [low, high] = f < h ? [f, h] : [h, f];
  if (low === 0) return 0;
  const [sum, difference] = [1 + low / high, (high - low) / high];
  if (g < high) {
    const square = (g / high) ** 2;
    return (low * 2) / (Math.sqrt(sum * sum + square) + Math.sqrt(difference * difference + square));
  }
  const ratio = high / g;
  return ratio === 0 ? (low * high) / g : (2 * low * ratio) / (Math.hypot(1, sum * ratio) + Math.hypot(1, difference * ratio));
}

/** The singular values of the triangle of two rows at i, and its rotations (dlasv2). */
function solvePair(d: Float64Array, e: Float64Array, u: Columns, v: Columns, i: number, epsilon: number): void {
  const swapped = Math.abs(d[i + 1]) > Math.abs(d[i]);
  const [f, g, h] = swapped ? [d[i + 1], e[i], d[i]] : [d[i], e[i], d[i + 1]];
  const [fa, ga, ha] = [f, g, h].map(Math.abs);
  const sign = (x: number): number => (x < 0 || Object.is(x, -0) ? -1 : 1);
  let [small, large, cosLeft, sinLeft, cosRight, sinRight] = [ha, fa, 1, 0, 1, 0];
  if (ga !== 0 && ga > fa && fa / ga < epsilon) {
    [small, large] = [ha > 1 ? fa / (ga / ha) : (fa / ga) * ha, ga];
    [cosLeft, sinLeft, cosRight, sinRight] = [1, h / g, f / g, 1];
  } else if (ga !== 0) {
    const difference = fa - ha;
    const l = difference === fa ? 1 : difference / fa;
    const slope = g / f;
    const t = 2 - l;
    const s = Math.sqrt(t * t + slope * slope);
    const r = l === 0 ? Math.abs(slope) : Math.sqrt(l * l + slope * slope);
    const a = (s + r) / 2;
    [small, large] = [ha / a, fa * a];
    let tangent = (slope / (s + t) + slope / (r + l)) * (1 + a);
    if (slope * slope === 0) tangent = l === 0 ? 2 * sign(f) * sign(g) : g / (sign(f) * Math.abs(difference)) + slope / t;
    const length = Math.sqrt(tangent * tangent + 4);
    [cosRight, sinRight] = [2 / length, tangent / length];
    [cosLeft, sinLeft] = [(cosRight + sinRight * slope) / a, ((h / f) * sinRight) / a];
  }
  const [cl, sl, cr, sr] = swapped ? [sinRight, cosRight, sinLeft, cosLeft] : [cosLeft, sinLeft, cosRight, sinRight];
  const largeSign = ga > fa ? sign(sr) * sign(cl) * sign(g) : swapped ? sign(sr) * sign(sl) * sign(d[i + 1]) : sign(cr) * sign(cl) * sign(d[i]);
  turn(v[i], v[i + 1], cr, sr);
  turn(u[i], u[i + 1], cl, sl);
  const smallSign = largeSign * sign(d[i]) * sign(d[i + 1]);
  [d[i], e[i], d[i + 1]] = [large * largeSign, 0, small * smallSign];
}

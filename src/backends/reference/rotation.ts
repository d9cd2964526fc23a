/** Plane rotations, with the signs of LAPACK. */

/** The rotation that takes (f, g) to (r, 0): its cosine and sine, and r (dlartg), with the sign of f; in older LAPACKs only where f is the larger. */
export function rotation(f: number, g: number, older = false): [cos: number, sin: number, r: number] {
  if (g === 0) return [1, 0, f];
  if (f === 0) return older ? [0, 1, g] : [0, Math.sign(g), Math.abs(g)];
  const r = (f < 0 && !(older && -f <= Math.abs(g)) ? -1 : 1) * Math.hypot(f, g);
  return [f / r, g / r, r];
}

/** Rotates two columns where they lie, as dlasr does. */
export function turn(a: Float64Array, b: Float64Array, cos: number, sin: number): void {
  for (let i = 0; i < a.length; i++) [a[i], b[i]] = [sin * b[i] + cos * a[i], cos * b[i] - sin * a[i]];
}

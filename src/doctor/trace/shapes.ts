/** Does each of two shapes stretch the other, as (N, 1) and (N) do? */
export function crossBroadcast(a: readonly number[], b: readonly number[]): boolean {
  let [left, right] = [false, false];
  const ndim = Math.max(a.length, b.length);
  for (let i = 1; i <= ndim; i++) {
    const [x, y] = [a[a.length - i] ?? 1, b[b.length - i] ?? 1];
    if (x === 1 && y > 1) left = true;
    if (y === 1 && x > 1) right = true;
  }
  return left && right;
}

/** Tables that tell the kernel of a product where the elements along an axis lie; those of axes met before are kept. */
import { lengthOf, writeOffsets, type Axis } from "../product.ts";

/** At most so many words are kept. */
const KEPT = 1 << 20;
let kept = 0;
const caches: Map<string | number, Int32Array>[] = [];

/**
 * Makes the function that gives the distances in bytes from the first element of an axis. The last one is repeated until there is
 * a multiple of `width`: lanes that fill up a panel may be any, for nobody reads their sums.
 */
export function offsetsWith(itemsize: number, width: number): (axis: Axis) => Int32Array {
  const cache = new Map<string | number, Int32Array>();
  caches.push(cache);
  return (axis) => {
    const { sizes, steps } = axis;
    const key = sizes.length === 1 && steps[0] < 2 ** 26 ? sizes[0] + steps[0] * 2 ** 26 : `${sizes.join()};${steps.join()}`;
    let table = cache.get(key);
    if (table !== undefined) return table;
    const length = lengthOf(axis);
    table = new Int32Array(roundUp(length, width));
    writeOffsets(axis, itemsize, table, 0);
    table.fill(table[length - 1], length);
    if ((kept += table.length) > KEPT) {
      for (const full of caches) full.clear();
      kept = table.length;
    }
    cache.set(key, table);
    return table;
  };
}

export const roundUp = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;

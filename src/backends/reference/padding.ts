/** Planes with zeros around them. */
import type { ElementArray } from "../../tensor/read.ts";

/** What part of planes goes where: `rows` × `columns` elements of each to the place (top, left) of a plane of zeros. Steps are in elements. */
export interface Padding {
  /** Planes lie in two dimensions, `steps` apart. */
  readonly planes: readonly [number, number];
  readonly steps: readonly [number, number];
  readonly rows: number;
  readonly columns: number;
  readonly rowStep: number;
  readonly height: number;
  readonly width: number;
  readonly top: number;
  readonly left: number;
}

/** Copies planes, whose rows lie in one piece each, into planes of zeros that lie one after another. */
export function padPlanes({ planes, steps, rows, columns, rowStep, height, width, top, left }: Padding, source: ElementArray, target: Float32Array | Float64Array): void {
  target.fill(0);
  for (let p = 0; p < planes[0] * planes[1]; p++) {
    const [from, to] = [Math.floor(p / planes[1]) * steps[0] + (p % planes[1]) * steps[1], p * height * width + top * width + left];
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) target[to + row * width + column] = source[from + row * rowStep + column] as number;
    }
  }
}

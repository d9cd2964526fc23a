/** Planes of floats with zeros around them: chooses who copies. Operands lie at byte addresses of the heap. */
import type { DType } from "../tensor/dtype.ts";
import { elementsAt } from "../tensor/read.ts";
import type { FloatArray } from "./reference/lanes.ts";
import { padPlanes as padByDefinition, type Padding } from "./reference/padding.ts";
import { features } from "./wasm/engine.ts";
import { padPlanes as pad } from "./wasm/padding.ts";

/** Copies planes, whose rows lie in one piece each, into planes of zeros that lie one after another. None has size 0. */
export function padPlanes(dtype: DType, padding: Padding, source: number, target: number): void {
  if (features.simd) return pad(dtype.itemsize, padding, source, target);
  const { planes: [outer, inner], steps, rows, columns, rowStep, height, width } = padding;
  const reach = (outer - 1) * steps[0] + (inner - 1) * steps[1] + (rows - 1) * rowStep + columns;
  padByDefinition(padding, elementsAt(dtype, source, reach), elementsAt(dtype, target, outer * inner * height * width) as FloatArray);
}

/** Planes with zeros around them, against their definition. */
import * as torch from "leafgrad";
import { afterEach, expect, it } from "vitest";
import { padPlanes } from "../../src/backends/padding.ts";
import { padPlanes as exact } from "../../src/backends/reference/padding.ts";
import { float32, float64 } from "../../src/tensor/dtype.ts";
import { elementsAt } from "../../src/tensor/read.ts";
import { Elements } from "./elements.ts";

const threadsAtFirst = torch.get_num_threads();
afterEach(() => torch.set_num_threads(threadsAtFirst));

let state = 9;
const random = (below: number): number => Math.floor((((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) / 2 ** 24) * below);

it.each([float32, float64])("copies rows of any length of %s to their places", (dtype) => {
  for (let round = 0; round < 100; round++) {
    torch.set_num_threads(1 + (round % 2));
    const planes = [1 + random(round % 10 === 0 ? 60 : 3), 1 + random(4)] as const;
    const [rows, columns, top, left] = [1 + random(9), 1 + random(round % 10 === 0 ? 200 : 21), random(3), random(3)];
    const [height, width, rowStep] = [rows + top + random(3), columns + left + random(3), columns + random(2)];
    const steps = [planes[1] * rows * rowStep + random(2), rows * rowStep] as const;
    const padding = { planes, steps, rows, columns, rowStep, height, width, top, left };
    const count = planes[0] * planes[1] * height * width;
    const source = Elements.of(dtype, Array.from({ length: planes[0] * steps[0] }, (_, i) => i + 1));
    const [found, wanted] = [Elements.of(dtype, new Array<number>(count).fill(7)), new Elements(dtype, count)];
    padPlanes(dtype, padding, source.address, found.address);
    exact(padding, elementsAt(dtype, source.address, planes[0] * steps[0]), elementsAt(dtype, wanted.address, count) as Float32Array);
    expect(found.read()).toEqual(wanted.read());
  }
});

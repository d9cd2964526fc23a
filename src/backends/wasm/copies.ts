/** A program for several vectors at once: they share the cost of a loop and the reading of constants, and none waits for another. */
import type { Vector } from "./vector.ts";

/** Values made of inputs of their own. */
export interface Copy {
  readonly values: readonly Vector[];
  readonly inputs: readonly Vector[];
}

/** Programs of more instructions than these would become too long. */
const LONG = 128;

/** Copies of values for `count` vectors of their inputs, the first being the values themselves; none where that would not pay. */
export function copiesOf(values: readonly Vector[], inputs: readonly Vector[], count: number): Copy[] {
  if (inputs.length === 0 || !areStraight(values)) return [];
  return Array.from({ length: count }, (_, k) => {
    if (k === 0) return { values, inputs };
    const others = inputs.map((input, i) => input.graph.node(input.type, { tag: "input", index: (k + 10) * 1000 + i }));
    const by = new Map(inputs.map((input, i) => [input, others[i]]));
    return { values: values.map((value) => value.withInputs(by)), inputs: others };
  });
}

/** Are they made by instructions for whole vectors alone, of which there are not many? */
function areStraight(values: readonly Vector[]): boolean {
  const nodes = new Set(values.flatMap((value) => [...value.nodes()]));
  return nodes.size <= LONG && [...nodes].every(({ code: { tag } }) => tag !== "lanes" && tag !== "patch");
}

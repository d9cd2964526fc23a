import { Tensor } from "../tensor/tensor.ts";
import { scoped } from "./scope.ts";

/**
 * Runs `body`, which may write to `tensors` without being counted: their versions are afterwards what they were.
 * A backward that saved one of them then computes with the written values.
 */
export function _unsafe_preserve_version_counter<T>(tensors: Tensor | readonly Tensor[], body: () => T): T {
  const list = tensors instanceof Tensor ? [tensors] : tensors;
  return scoped(body, () => {
    const versions = list.map((tensor) => tensor._version);
    return () => list.forEach((tensor, i) => (tensor._counter!.value = versions[i]));
  });
}

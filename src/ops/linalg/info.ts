/** How decompositions report matrices for which there is none. */
import { LinAlgError } from "../../errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { viewTyped } from "../../tensor/read.ts";

/** Throws for the first matrix whose `info` is not 0; `text` says why from it. */
export function checkInfo(info: Tensor, name: string, text: (info: number) => string): void {
  const codes = viewTyped(info) as Int32Array;
  const failed = codes.findIndex((code) => code !== 0);
  if (failed < 0) return;
  const where = info._sizes.length > 0 ? `(Batch element ${failed}): ` : "";
  throw new LinAlgError(`${name}: ${where}${text(codes[failed])}`);
}

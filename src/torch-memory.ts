/** The torch.memory namespace: what tensors take. Nothing here is needed for memory to be freed. */
import { ValueError } from "./errors.ts";
import { maxBytes } from "./tensor/memory.ts";
import { memoryStats, setMemoryLimit, type MemoryStats } from "./tensor/blocks.ts";

export type { MemoryStats };

/**
 * What tensors take at this moment, in bytes.
 *
 * @example torch.memory.stats().resident;
 */
export function stats(): MemoryStats {
  return memoryStats();
}

/**
 * Sets how many bytes of tensors may lie in the heap, 4 GB at first. What does not fit is kept outside of it and
 * brought back when it is used, which costs about a millisecond for every 5 MB.
 *
 * A program starts with a lower limit, which grows to this one as it proves useful. A single operation may exceed it.
 *
 * @throws ValueError if `bytes` is no positive number.
 * @example torch.memory.setLimit(2 ** 30);
 */
export function setLimit(bytes: number = maxBytes): void {
  if (typeof bytes !== "number" || !(bytes > 0)) throw new ValueError(`setLimit expects a positive number of bytes, but got ${String(bytes)}`);
  setMemoryLimit(bytes);
}

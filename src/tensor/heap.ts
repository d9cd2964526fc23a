/**
 * Storages: the bytes behind tensors, all in one WASM memory. Small ones share slabs and are cut from them one after
 * another; a large one has a block of its own. Nobody frees them: `blocks.ts` tells how their memory comes back.
 */
import { Block, newBlock, Owner, stress } from "./blocks.ts";
import { heap } from "./memory.ts";

export { heap } from "./memory.ts";
export { fixedBytes } from "./blocks.ts";

const SLAB = 1 << 16;
/** Storages up to this many bytes are cut from slabs. */
const SMALL = 1 << 12;
const ALIGN = 16;

let slab: Owner | null = null;
let slabTop = SLAB;
/** Cells of the slab that were released, by size in units of ALIGN. */
const cells: number[][] = Array.from({ length: SMALL / ALIGN + 1 }, () => []);
let freeCells = 0;

function beginSlab(wanted: number): void {
  if (slab !== null) slab.block.stays = false;
  slab = newBlock(SLAB, wanted);
  slab.block.isSlab = true;
  slab.block.stays = true;
  slabTop = 0;
  if (freeCells > 0) for (const list of cells) list.length = 0;
  freeCells = 0;
}

/** A released cell of this size, -1 where there is none. */
function takeCell(size: number): number {
  const list = cells[size / ALIGN];
  if (list.length === 0) return -1;
  freeCells--;
  return list.pop()!;
}

function releaseCell(start: number, size: number): void {
  cells[size / ALIGN].push(start);
  freeCells++;
}

/** A released storage has this owner, which knows no address. */
const nobody = new Owner(new Block(0));

/** The large storages made since the innermost `releasingTemporaries` began; null outside. */
let made: Storage[] | null = null;

/** The bytes behind one or more tensors. */
export class Storage {
  nbytes: number;
  private owner: Owner;
  private start: number;

  constructor(nbytes: number, beside = false) {
    this.nbytes = nbytes;
    if (nbytes > SMALL || beside || stress.on) {
      this.owner = newBlock(nbytes, nbytes, beside);
      this.start = 0;
      if (!beside) made?.push(this);
      return;
    }
    const size = (nbytes + ALIGN - 1) & -ALIGN;
    const cell = freeCells === 0 ? -1 : takeCell(size);
    if (cell >= 0) {
      this.start = cell;
    } else {
      if (slabTop + size > SLAB) beginSlab(nbytes);
      this.start = slabTop;
      slabTop += size;
    }
    this.owner = slab!;
  }

  /** Memory for a kernel whose operands' addresses were asked for already: unlike any other allocation it leaves them good. */
  static beside(nbytes: number): Storage {
    return new Storage(nbytes, true);
  }

  /**
   * Address in the heap, in bytes, for use until the next allocation. Whoever launches a kernel allocates first, then
   * asks for all addresses, then reads views of the heap: each of these may move what came before it.
   */
  get address(): number {
    return this.owner.ask() + this.start;
  }

  /** Enlarges the storage in place, keeping its bytes: what `resize_` and `set_` need. */
  grow(nbytes: number): void {
    const larger = new Storage(nbytes);
    const [to, from] = [larger.address, this.address];
    heap.u8.copyWithin(to, from, from + this.nbytes);
    this.owner = larger.owner;
    this.start = larger.start;
    this.nbytes = nbytes;
    larger.owner = nobody;
  }

  /** Gives the bytes back at once: for temporaries, by whoever knows that nothing else refers to this storage. */
  release(): void {
    const { owner, nbytes } = this;
    if (nbytes > SMALL || !owner.block.isSlab) owner.block.free();
    else if (owner === slab) releaseCell(this.start, (nbytes + ALIGN - 1) & -ALIGN);
    this.owner = nobody;
  }
}

/**
 * Runs a computation of the library's own that keeps nothing but its result, and releases the large storages that it made
 * and `isKept` does not name.
 */
export function releasingTemporaries<T>(body: () => T, isKept: (result: T, storage: Storage) => boolean): T {
  const outer = made;
  const inner: Storage[] = (made = []);
  let result: T;
  try {
    result = body();
  } finally {
    made = outer;
  }
  for (const storage of inner) {
    if (!isKept(result, storage)) storage.release();
    else outer?.push(storage);
  }
  return result;
}

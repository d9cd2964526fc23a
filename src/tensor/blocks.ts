/**
 * Blocks of the heap: stretches that are given back when nothing refers to them any more, and evicted into an
 * ArrayBuffer of their own, the least recently used first, when many are resident.
 *
 * Finalizers run only between jobs, so a loop that never awaits would fill the heap with the dead. Node lets the dead be
 * found in the middle of a job (`collector.ts`). Elsewhere eviction bounds the memory of such loops: the garbage collector
 * frees the ArrayBuffer of a dead block at any time.
 */
import { RuntimeError } from "../errors.ts";
import { collectGarbage, letGo, mayCollect } from "./collector.ts";
import { claimMemory, committedBytes, growMemory, heap, maxBytes } from "./memory.ts";
import { GRANULE, Spans, type Span } from "./spans.ts";

/** What may be resident at first: enough for most programs, and little beside what a process takes anyhow. */
const MODERATE = 256 * 2 ** 20;
/** Bytes that are placed between two looks at what has died young: few, which stay in the caches, while results come fast and die at once. */
const [SMALL_NURSERY, LARGE_NURSERY] = [8 * 2 ** 20, 32 * 2 ** 20];
/** Who places so many bytes in a millisecond waits for memory; who places fewer computes meanwhile, and wins less by a small nursery. */
const FAST = 7e6;
/** So many are watched until V8 is told to let go of them; old age is reached in some hundreds, and telling takes some microseconds. */
const LET_GO = 64;
/** After so many looks in vain there are no more: the engine does not tell of the young. */
const MOST_BARREN = 16;
/** The share of a program's time that the collector may take before more is let gather. */
const MOST_COLLECTING = 0.08;
/** Blocks asked for so lately are in use by a kernel that is about to run. */
const IN_FLIGHT = 32;

const spans = new Spans();
/** Address 0 stays unused. */
spans.extend(committedBytes() - GRANULE, GRANULE);

/** Counts how often an address was asked for; it wraps around, which differences outlive. */
let clock = 0;
/** The clock at the last allocation: addresses that were asked for before are no longer in use. */
let allocatedAt = 0;

let ceiling = maxBytes;
/** Beyond this many resident bytes blocks are evicted. It grows, up to the ceiling, when they are wanted back soon. */
let limit = MODERATE;
let resident = 0;
let peak = 0;
let evicted = 0;
/** Bytes ever placed in the heap: how time passes for what is evicted. */
let placed = 0;

/** For tests: every allocation evicts all it may, and bytes that are given back are overwritten. */
export const stress = { on: false };
/** For tests: off, the heap does without the collector, as it does in browsers. */
export const collecting = { on: mayCollect() };

/** The death of an owner gives its block back. Only storages refer to it: the table of resident blocks must not keep it alive. */
export class Owner {
  readonly block: Block;
  constructor(block: Block) {
    this.block = block;
  }

  /** The block's address, for use until the next allocation; brings it back if it was evicted. */
  ask(): number {
    const { block } = this;
    clock = (clock + 1) | 0;
    block.used = clock;
    return block.address >= 0 ? block.address : block.pageIn(this);
  }
}

/** A new block with its owner; `wanted` is what the error names where there is no room. `whileAsking`: addresses in flight stay good. */
export function newBlock(bytes: number, wanted: number, whileAsking = false): Owner {
  const owner = new Owner(new Block(bytes));
  owner.block.place(wanted, whileAsking);
  owner.block.watch(owner);
  return owner;
}

/** The blocks of one round of eviction; it lives as long as one of them does. */
class Round {
  /** Bytes of those that are still evicted. */
  readonly count = { bytes: 0 };
}
const roundFinalizer = new FinalizationRegistry<{ bytes: number }>((count) => {
  evicted -= count.bytes;
});

/** Where an evicted block is. */
interface Evicted {
  readonly bytes: Uint8Array;
  readonly round: Round;
  /** `placed` at the time. */
  readonly at: number;
}

let nextId = 0;
const residents = new Map<number, Block>();

export class Block {
  readonly id = nextId++;
  readonly bytes: number;
  /** -1 while it is not resident. */
  address = -1;
  private span: Span | null = null;
  private evicted: Evicted | null = null;
  /** The clock when its address was last asked for. */
  used = 0;
  /** Is never evicted: the slab that is being filled. */
  stays = false;
  /** Many storages share it. */
  isSlab = false;
  /** A collection has found it alive. */
  survived = false;
  /** Tells whether the owner lives, where the collector is asked. */
  private owner: WeakRef<Owner> | null = null;

  constructor(bytes: number) {
    this.bytes = Math.max(Math.ceil(bytes / GRANULE), 1) * GRANULE;
  }

  place(wanted: number, whileAsking: boolean): void {
    this.settle(place(this.bytes, wanted, whileAsking));
    if (!whileAsking) allocatedAt = clock;
  }

  /** The owner's death gives the memory back. */
  watch(owner: Owner): void {
    finalizer.register(owner, this.id, this);
    if (!collecting.on) {
      this.owner = null;
      return;
    }
    this.owner = new WeakRef(owner);
    if (youngBytes < 0) return;
    young.push(this);
    youngBytes += this.bytes;
    if (young.length % LET_GO === 0) letGo();
  }

  get isDead(): boolean {
    return this.owner !== null && this.owner.deref() === undefined;
  }

  private settle(span: Span): void {
    this.span = span;
    this.address = span.address;
    this.used = clock;
    residents.set(this.id, this);
  }

  pageIn(owner: Owner): number {
    if (this.evicted === null) throw new Error("the memory of a tensor was used after its release");
    const { bytes, round, at } = this.evicted;
    // A limit twice as high would have kept it.
    if (placed - at < limit) limit = Math.min(limit + this.bytes, ceiling);
    this.settle(place(this.bytes, this.bytes, true));
    heap.u8.set(bytes, this.address);
    round.count.bytes -= this.bytes;
    evicted -= this.bytes;
    this.evicted = null;
    this.watch(owner);
    return this.address;
  }

  /** Moves the bytes out of the heap. Nothing but this block's owner may keep the block alive from now on, and nothing the owner. */
  evict(round: Round): void {
    const bytes = heap.u8.slice(this.address, this.address + this.bytes);
    this.vacate();
    this.evicted = { bytes, round, at: placed };
    round.count.bytes += this.bytes;
    evicted += this.bytes;
  }

  /** Gives the memory back, which nobody may use any more. */
  free(): void {
    if (this.span !== null) this.vacate();
    this.evicted = null;
  }

  private vacate(): void {
    finalizer.unregister(this);
    giveBack(this.span!);
    this.span = null;
    this.address = -1;
    residents.delete(this.id);
  }

  /** How many addresses were asked for since this one's. */
  get age(): number {
    return (clock - this.used) >>> 0;
  }
}

// The held value is a number: a held block would be kept alive, and with it what it was evicted to.
const finalizer = new FinalizationRegistry<number>((id) => residents.get(id)?.free());

function giveBack(span: Span): void {
  if (stress.on) heap.u8.fill(0xff, span.address, span.address + span.bytes);
  resident -= span.bytes;
  spans.give(span);
}

/** The blocks that may be evicted, the least recently used first. */
function evictable(whileAsking: boolean): Block[] {
  const idle = whileAsking ? Math.min(IN_FLIGHT, (clock - allocatedAt) >>> 0) : 0;
  return [...residents.values()].filter((block) => block.age >= idle && !block.stays).sort((p, q) => q.age - p.age);
}

/**
 * Finds room. An allocation may evict any block; while addresses are asked for, those in flight stay. Order: free
 * room below the limit, room that was evicted, new memory.
 */
function place(bytes: number, wanted: number, whileAsking: boolean): Span {
  if (bytes > maxBytes) throw exhausted(wanted);
  if (collecting.on && !whileAsking) collectWhereDue(bytes);
  if (resident + bytes > limit || stress.on) evictTo(stress.on ? 0 : Math.max(limit * 0.75 - bytes, 0), whileAsking);
  let span = spans.take(bytes);
  if (span === null && committedBytes() < 2 * limit) span = takeNew(bytes);
  if (span === null) span = takeEvicting(bytes, whileAsking) ?? takeNew(bytes);
  if (span === null) throw exhausted(wanted);
  resident += bytes;
  placed += bytes;
  if (resident > peak) peak = resident;
  return span;
}

/** Bytes that are placed from one collection to the next: twice as many where it takes long. */
let allowance = MODERATE;
/** No collection while less is resident. */
let collectAt = MODERATE;
/** `placed` and the time after the last one. */
const collected = { placed: -Infinity, time: 0 };

/** What has been placed since the last look, and what was found alive in only one. */
let young: Block[] = [];
let youngBytes = 0;
/** So many bytes are placed until the next. */
let nursery = LARGE_NURSERY;
/** The time after the last. */
let lookedAt = 0;
/** Looks in a row that found nothing dead. */
let barren = 0;

function collectWhereDue(bytes: number): void {
  if (youngBytes >= nursery) collectYoung();
  if (resident + bytes > Math.min(collectAt, limit) && placed - collected.placed >= allowance) collect();
}

/** Gives back what died young: often, so that the same memory, still in the caches, serves again. */
function collectYoung(): void {
  collectGarbage("minor");
  const survivors: Block[] = [];
  let freed = 0;
  for (const block of young) {
    if (block.address < 0) continue;
    if (block.isDead) {
      block.free();
      freed += block.bytes;
    } else if (!block.survived) survivors.push(block);
    block.survived = true;
  }
  const now = performance.now();
  const wanted = freed >= youngBytes / 2 ? SMALL_NURSERY * FAST * ((now - lookedAt) / youngBytes) : 2 * nursery;
  nursery = Math.min(Math.max(wanted, SMALL_NURSERY), LARGE_NURSERY);
  lookedAt = now;
  barren = freed > 0 ? 0 : barren + 1;
  const goesOn = barren < MOST_BARREN;
  young = goesOn ? survivors : [];
  youngBytes = goesOn ? 0 : -Infinity;
}

/**
 * Gives back what is dead. (Not while addresses are asked for: whoever has the address of a tensor may have let go of the tensor.)
 * What lives is proof that the limit is too low.
 */
function collect(): void {
  const began = performance.now();
  if (!collectGarbage("major")) {
    collecting.on = false;
    return;
  }
  for (const block of [...residents.values()]) if (block.isDead) block.free();
  const took = performance.now() - began;
  const share = took / (began - collected.time);
  collected.time = began + took;
  collected.placed = placed;
  allowance = share > MOST_COLLECTING ? 2 * MODERATE : MODERATE;
  collectAt = resident + Math.max(allowance, resident / 2);
  limit = Math.min(collectAt, ceiling);
}

/** Evicts until no more than so many bytes are resident. */
function evictTo(bytes: number, whileAsking: boolean): void {
  evictWhile(() => resident > bytes, whileAsking);
}

/** Evicts until so many bytes fit. */
function takeEvicting(bytes: number, whileAsking: boolean): Span | null {
  let span: Span | null = null;
  evictWhile(() => (span = spans.take(bytes)) === null, whileAsking);
  return span;
}

function evictWhile(wanting: () => boolean, whileAsking: boolean): void {
  extendBy(claimMemory);
  const round = new Round();
  for (const block of evictable(whileAsking)) {
    if (!wanting()) break;
    try {
      block.evict(round);
    } catch {
      break; // the process has no memory for it
    }
  }
  if (round.count.bytes > 0) roundFinalizer.register(round, round.count);
}

function takeNew(bytes: number): Span | null {
  extendBy(() => growMemory(bytes));
  return spans.take(bytes);
}

function extendBy(grow: () => void): void {
  const before = committedBytes();
  grow();
  const added = committedBytes() - before;
  if (added > 0) spans.extend(added, GRANULE);
}

function exhausted(wanted: number): RuntimeError {
  return new RuntimeError(
    `[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate ${wanted} bytes. ` +
      `Error code 12 (Cannot allocate memory) (in use: ${resident} bytes of at most ${maxBytes}, and ${evicted} bytes evicted from them)`,
  );
}

const FIXED = 1 << 16;
let fixedTop = 0;
let fixedEnd = 0;

/** The address of so many bytes (zeros) that stay where they are for good: for what kernels and threads are told. */
export function fixedBytes(bytes: number): number {
  const size = Math.ceil(bytes / 64) * 64;
  if (fixedTop + size > fixedEnd) {
    // Nothing is evicted for it if that can be helped: a kernel may be about to run.
    const whole = Math.ceil(Math.max(size, FIXED) / GRANULE) * GRANULE;
    const span = spans.take(whole) ?? takeNew(whole) ?? takeEvicting(whole, true);
    if (span === null) throw exhausted(bytes);
    resident += whole;
    fixedTop = span.address;
    fixedEnd = span.address + span.bytes;
  }
  const address = fixedTop;
  fixedTop += size;
  heap.u8.fill(0, address, fixedTop);
  return address;
}

export interface MemoryStats {
  /** Bytes of the heap that tensors take, the dead among them that the collector has not found yet. */
  readonly resident: number;
  /** Bytes that were moved out of the heap, an upper bound: those of dead tensors count until the collector has told. */
  readonly evicted: number;
  /** The most bytes that were ever resident. */
  readonly peak: number;
  /** Bytes of the heap, in use or not. */
  readonly committed: number;
  /** Beyond so many resident bytes, the tensors that were used least recently are moved out. */
  readonly limit: number;
}

export function memoryStats(): MemoryStats {
  return { resident, evicted, peak, committed: committedBytes(), limit };
}

/** Sets what the limit may grow to; evicts what is beyond it now. */
export function setMemoryLimit(bytes: number): void {
  ceiling = Math.min(bytes, maxBytes);
  limit = Math.min(Math.max(limit, MODERATE), ceiling);
  if (resident > limit) evictTo(limit, false);
}

/**
 * Hands out stretches of a range of addresses. A free stretch is found by its size (four classes to each power of two)
 * and merges with free neighbours, so that what one size gives back serves any other.
 */

/** Sizes and addresses of spans are multiples of this. */
export const GRANULE = 1024;

export class Span {
  address: number;
  bytes: number;
  free = false;
  /** The neighbours by address. */
  lower: Span | null;
  upper: Span | null = null;
  /** The neighbours in the list of free spans of this class. */
  previous: Span | null = null;
  next: Span | null = null;

  constructor(address: number, bytes: number, lower: Span | null) {
    this.address = address;
    this.bytes = bytes;
    this.lower = lower;
  }
}

const CLASSES = 96;

/** The class of a size: exact up to three granules, then the leading bit and the two after it. */
function classOf(bytes: number): number {
  const granules = bytes / GRANULE;
  if (granules < 4) return granules;
  const exponent = 31 - Math.clz32(granules);
  return 4 * (exponent - 1) + ((granules >> (exponent - 2)) & 3);
}

export class Spans {
  private readonly free = new Array<Span | null>(CLASSES).fill(null);
  private last: Span | null = null;

  /** A span of exactly so many bytes; null where no free one is large enough. */
  take(bytes: number): Span | null {
    const own = classOf(bytes);
    // Any span of a higher class fits; of the same class only some do.
    let found = this.firstFit(own, bytes);
    for (let c = own + 1; found === null && c < CLASSES; c++) found = this.free[c];
    if (found === null) return null;
    this.unlist(found);
    found.free = false;
    if (found.bytes > bytes) this.list(this.split(found, bytes));
    return found;
  }

  give(span: Span): void {
    let merged = span;
    const { lower, upper } = span;
    if (upper?.free) {
      this.unlist(upper);
      this.absorb(merged, upper);
    }
    if (lower?.free) {
      this.unlist(lower);
      this.absorb(lower, merged);
      merged = lower;
    }
    this.list(merged);
  }

  /** Adds free bytes at the end of the range, which begins at `start` if it was empty. */
  extend(bytes: number, start: number): void {
    const { last } = this;
    const span = new Span(last === null ? start : last.address + last.bytes, bytes, last);
    if (last !== null) last.upper = span;
    this.last = span;
    this.give(span);
  }

  private firstFit(c: number, bytes: number): Span | null {
    let span = this.free[c];
    while (span !== null && span.bytes < bytes) span = span.next;
    return span;
  }

  /** Shortens a span to `bytes` and returns the rest. */
  private split(span: Span, bytes: number): Span {
    const rest = new Span(span.address + bytes, span.bytes - bytes, span);
    rest.upper = span.upper;
    if (span.upper !== null) span.upper.lower = rest;
    else this.last = rest;
    span.upper = rest;
    span.bytes = bytes;
    return rest;
  }

  private absorb(span: Span, upper: Span): void {
    span.bytes += upper.bytes;
    span.upper = upper.upper;
    if (upper.upper !== null) upper.upper.lower = span;
    else this.last = span;
  }

  private list(span: Span): void {
    const c = classOf(span.bytes);
    const head = this.free[c];
    span.free = true;
    span.previous = null;
    span.next = head;
    if (head !== null) head.previous = span;
    this.free[c] = span;
  }

  private unlist(span: Span): void {
    if (span.next !== null) span.next.previous = span.previous;
    if (span.previous !== null) span.previous.next = span.next;
    else this.free[classOf(span.bytes)] = span.next;
    span.next = null;
    span.previous = null;
  }
}

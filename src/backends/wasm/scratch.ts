/** Memory that kernels need while they run. */
import { Storage } from "../../tensor/heap.ts";

/** Larger buffers are not kept after use. */
const KEPT = 1 << 24;

/** A buffer that is kept for the next kernel. What it holds at first is left over. */
export class Scratch {
  private kept: Storage | null = null;

  /** Storage of at least `bytes`; it is this caller's until the next call. */
  take(bytes: number): Storage {
    if (this.kept !== null && this.kept.nbytes >= bytes) return this.kept;
    const storage = Storage.beside(bytes);
    if (bytes <= KEPT) this.kept = storage;
    return storage;
  }
}

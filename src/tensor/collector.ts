/**
 * Runs the garbage collector at once, in the middle of a job, where the platform lets a program do so: in Node. V8 keeps what a
 * WeakRef points to until the job ends, or until somebody else's microtasks have run: those of a context of its own.
 */
import { nodeModule } from "./platform.ts";

/** As much of Node's modules as is used here. */
interface V8 {
  setFlagsFromString(flags: string): void;
}
interface VM {
  Script: new (code: string) => { runInContext(context: object): unknown };
  createContext(sandbox: object, options: { microtaskMode: "afterEvaluate" }): object;
  runInNewContext(code: string): unknown;
}

/** What collecting can be asked for: all that is dead, or only what has died young, which takes a hundredth of the time. */
export type Thoroughness = "major" | "minor";
interface Collector {
  collect(how: Thoroughness): void;
  letGo(): void;
}
const minor = { type: "minor" } as const;

function findCollector(): Collector | null {
  try {
    const [v8, vm] = [nodeModule<V8>("node:v8"), nodeModule<VM>("node:vm")];
    if (v8 === undefined || vm === undefined) return null;
    // A context that is made while the flag is set has the function; the program's own is left as it is.
    v8.setFlagsFromString("--expose-gc");
    const gc = vm.runInNewContext("gc") as (options?: { type: Thoroughness }) => void;
    v8.setFlagsFromString("--no-expose-gc");
    const context = vm.createContext({}, { microtaskMode: "afterEvaluate" });
    const nothing = new vm.Script("0");
    const letGo = (): void => void nothing.runInContext(context);
    const collect = (how: Thoroughness): void => {
      letGo();
      if (how === "major") return gc();
      // Waking threads takes longer than the few young objects.
      v8.setFlagsFromString("--no-parallel-scavenge");
      gc(minor);
      v8.setFlagsFromString("--parallel-scavenge");
    };
    return tellsAtOnce(collect) ? { collect, letGo } : null;
  } catch {
    return null;
  }
}

/** Does a WeakRef made in this job tell of a death in it? */
function tellsAtOnce(collect: Collector["collect"]): boolean {
  const makeGarbage = (): WeakRef<object> => new WeakRef({});
  const ref = makeGarbage();
  collect("major");
  return ref.deref() === undefined;
}

let collector: Collector | null | undefined;

/** May owners be watched by WeakRefs? Only where somebody makes them tell: elsewhere a WeakRef keeps alive what it watches until the job ends. */
export const mayCollect = (): boolean => nodeModule("node:vm") !== undefined;

/** Collects garbage now, so that WeakRefs tell what has died; false where that cannot be. Older engines find none of the young dead. */
export function collectGarbage(how: Thoroughness): boolean {
  if (collector === undefined) collector = findCollector();
  collector?.collect(how);
  return collector !== null;
}

/** Once there was a collection: lets go of what V8 keeps for WeakRefs, so that its own collections need not take it for alive and let it age. */
export function letGo(): void {
  collector?.letGo();
}

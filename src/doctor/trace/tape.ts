/**
 * The user's own calls of ops, kept so that they can be made again in float64 with one element changed: central
 * differences of a whole program, whatever lies between a leaf and a loss.
 */
import type { AnyOp } from "../../dispatch/op.ts";
import { invokeInplace } from "../../dispatch/op.ts";
import { requiresGrad } from "../../autograd/variable.ts";
import { withGradMode } from "../../autograd/grad-mode.ts";
import { contiguousCopy } from "../../ops/creation/copy.ts";
import { DType, FLOAT, float32, float64, get_default_dtype, set_default_dtype } from "../../tensor/dtype.ts";
import { viewTyped } from "../../tensor/read.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { tensorsIn } from "./arguments.ts";
import { num, type DifferenceEvent } from "./events.ts";
import { elementsOf, snapshot } from "./values.ts";

interface Step {
  readonly op: AnyOp;
  readonly args: readonly unknown[];
  readonly inplace: boolean;
  readonly result: unknown;
  /** No gradient goes back through the call, though an argument requires one. */
  readonly cuts: boolean;
}

/** What a replay gave: the losses of the backwards, what calls that cut the graph gave, and the element after each write to the leaf. */
interface Replayed {
  readonly losses: Map<number, number>;
  readonly constants: Map<Step, Tensor[]>;
  readonly written: Map<Step, number>;
}

/** A gradient that arrived at a leaf in a backward. */
interface Arrival {
  readonly backward: number;
  readonly leaf: Tensor;
  readonly grad: Float64Array;
}

type Entry = { readonly step: Step } | { readonly filled: Tensor; readonly value: Tensor } | { readonly alias: Tensor; readonly of: Tensor } | { readonly backward: number; readonly root: Tensor; readonly loss: number };

/** Longer programs, larger tensors and more elements are not replayed. */
const limits = { entries: 4000, elements: 1 << 22, perLeaf: 16, calls: 40_000 };

export class Tape {
  private readonly entries: Entry[] = [];
  private readonly arrivals: Arrival[] = [];
  /** Tensors that no taped op made, as they were when they were first met. */
  private readonly given = new Map<Tensor, Tensor>();
  private readonly made = new WeakSet<Tensor>();
  private held = 0;
  /** Why the program cannot be replayed. */
  private unfit = false;

  enter(_op: AnyOp, args: readonly unknown[], _inplace: boolean): void {
    for (const tensor of tensorsIn(args)) this.meet(tensor);
  }

  leave(op: AnyOp, args: readonly unknown[], inplace: boolean, result: unknown): void {
    if (this.unfit) return;
    if (this.entries.length >= limits.entries) return this.giveUp();
    // A factory's tensors are data: random ones would be drawn anew.
    if (tensorsIn(args).length === 0) return tensorsIn([result]).forEach((t) => this.meet(t));
    for (const tensor of tensorsIn([result])) {
      this.made.add(tensor);
      this.held += tensor._numel;
    }
    if (this.held > limits.elements) return this.giveUp();
    const results = tensorsIn([result]);
    this.entries.push({ step: { op, args, inplace, result, cuts: !inplace && tensorsIn(args).some(requiresGrad) && !results.some(requiresGrad) } });
  }

  alias(of: Tensor, alias: Tensor): void {
    if (this.unfit) return;
    this.meet(of);
    this.made.add(alias);
    this.entries.push({ alias, of });
  }

  backward(backward: number, roots: readonly Tensor[]): void {
    if (roots.length === 1 && roots[0]._numel === 1) this.entries.push({ backward, root: roots[0], loss: elementsOf(roots[0])[0] });
  }

  /** A gradient of a gradient is made by calls that are not on the tape. */
  giveUp(): void {
    this.unfit = true;
    this.entries.length = 0;
    this.given.clear();
  }

  /** A gradient has arrived at a leaf, and backward has written the leaf's `.grad`. */
  arrived(backward: number, leaf: Tensor, grad: Tensor): void {
    if (this.unfit || leaf._numel !== grad._numel) return;
    const filled = leaf._meta?.grad ?? null;
    this.held += 2 * leaf._numel;
    if (this.held > limits.elements) return this.giveUp();
    this.arrivals.push({ backward, leaf, grad: snapshot(grad) });
    if (filled === null) return;
    this.made.add(filled);
    this.entries.push({ filled, value: contiguousCopy(filled, float64) });
  }

  private meet(tensor: Tensor): void {
    if (this.unfit || this.given.has(tensor) || this.made.has(tensor)) return;
    this.held += tensor._numel;
    if (this.held > limits.elements) return this.giveUp();
    this.given.set(tensor, contiguousCopy(tensor, tensor.dtype.kind === FLOAT ? float64 : tensor.dtype));
  }

  /** Central differences for the gradients of the first elements of each leaf. */
  differences(idOf: (tensor: Tensor) => number): DifferenceEvent[] {
    const wanted = this.arrivals.flatMap(({ backward, leaf, grad }) =>
      Array.from({ length: Math.min(grad.length, limits.perLeaf) }, (_, element) => ({ backward, leaf, element, analytic: grad[element] })),
    );
    if (this.unfit || wanted.length * this.entries.length * 6 > limits.calls) return [];
    return wanted.flatMap(({ backward, leaf, element, analytic }) => {
      const x = Number(elementsOf(this.given.get(leaf) ?? leaf)[element]);
      const numeric = this.slope({ backward, leaf, element }, 1e-6 * Math.max(1, Math.abs(x)));
      if (numeric === undefined) return [];
      return [{ event: "difference" as const, backward, tensor: idOf(leaf), element, analytic: num(analytic), numeric: numeric === null ? null : num(numeric) }];
    });
  }

  /** The central difference; null where there is no derivative: at a kink the slopes to both sides differ, at a jump they depend on the step. */
  private slope(place: Pick<Arrival, "backward" | "leaf"> & { element: number }, step: number): number | null | undefined {
    const [wide, narrow] = [this.difference(place, step), this.difference(place, step / 4)];
    return typeof wide === "number" && typeof narrow === "number" && differ(wide, narrow, 1e-4) ? null : wide;
  }

  private difference({ backward, leaf, element }: Pick<Arrival, "backward" | "leaf"> & { element: number }, step: number): number | null | undefined {
    const base = this.replay(leaf, element, 0, null);
    const [up, here, down] = [this.replay(leaf, element, step, base), base, this.replay(leaf, element, -step, base)].map((replayed) => replayed?.losses.get(backward));
    if (up === undefined || here === undefined || down === undefined || this.isAnother(backward, here)) return undefined;
    // Of a loss this large, the last digits are no measure of a slope.
    if (Math.abs(here) * 1e-15 > step * 1e-2) return null;
    const [right, left] = [(up - here) / step, (here - down) / step];
    if (!Number.isFinite(left)) return right;
    if (!Number.isFinite(right)) return left;
    return differ(right, left) ? null : (up - down) / (2 * step);
  }

  /** What is 0 in float32 may be above 0 in float64, and the program go another way there. */
  private isAnother(backward: number, here: number): boolean {
    const entry = this.entries.find((e) => "backward" in e && e.backward === backward) as { loss: number } | undefined;
    return entry !== undefined && Number.isFinite(entry.loss) && differ(entry.loss, here);
  }

  /** The losses of all backwards with one element of a leaf changed; null where a call refuses float64. */
  private replay(leaf: Tensor, element: number, delta: number, base: Replayed | null): Replayed | null {
    if (!this.given.has(leaf)) return null;
    const dtype = get_default_dtype();
    set_default_dtype(float64);
    try {
      return withGradMode(false, () => new Replay(this.given, leaf, element, delta, base).run(this.entries));
    } catch {
      return null;
    } finally {
      set_default_dtype(dtype);
    }
  }
}

const differ = (a: number, b: number, tolerance = 1e-3): boolean => Math.abs(a - b) > 0.05 * (Math.abs(a) + Math.abs(b)) + tolerance;

class Replay {
  private readonly now = new Map<Tensor, Tensor>();
  private readonly given: ReadonlyMap<Tensor, Tensor>;
  private readonly leaf: Tensor;
  private readonly element: number;
  private readonly delta: number;
  /** The replay without a change: for backward, what lies behind a cut is constant, and a leaf is what was last written to it. */
  private readonly base: Replayed | null;
  private readonly replayed: Replayed = { losses: new Map(), constants: new Map(), written: new Map() };

  constructor(given: ReadonlyMap<Tensor, Tensor>, leaf: Tensor, element: number, delta: number, base: Replayed | null) {
    this.given = given;
    this.leaf = leaf;
    this.element = element;
    this.delta = delta;
    this.base = base;
  }

  run(entries: readonly Entry[]): Replayed {
    // A cut that is written through later stands for the memory that it shares.
    const aliases = new Set(entries.flatMap((entry) => ("step" in entry && (entry.step.inplace || entry.step.op.opName.endsWith("_")) ? [entry.step.args[0]] : [])));
    for (const entry of entries) {
      if ("step" in entry) this.call(entry.step, entry.step.cuts && !aliases.has(entry.step.result));
      else if ("filled" in entry) this.now.set(entry.filled, contiguousCopy(entry.value));
      else if ("alias" in entry) this.now.set(entry.alias, this.of(entry.of).detach());
      else this.replayed.losses.set(entry.backward, Number(elementsOf(this.of(entry.root))[0]));
    }
    return this.replayed;
  }

  private call(step: Step, isConstant: boolean): void {
    const { op, args, inplace, result } = step;
    const values = args.map((a) => this.argument(a));
    // float() names no dtype that could be replaced, and everything is float64 here.
    const again = op.opName === "float" ? this.of(args[0] as Tensor).to(float64) : inplace ? invokeInplace(op, values) : (op as unknown as (...a: unknown[]) => unknown)(...values);
    const given = tensorsIn([again]);
    const constants = isConstant ? (this.base?.constants.get(step) ?? given.map((tensor) => contiguousCopy(tensor))) : given;
    if (isConstant) this.replayed.constants.set(step, constants);
    tensorsIn([result]).forEach((tensor, i) => this.now.set(tensor, constants[i]));
    if (inplace) this.wrote(step, given[0]);
  }

  /** A write to the leaf sets it anew: the change is made to what was written. */
  private wrote(step: Step, target: Tensor): void {
    const leaf = this.now.get(this.leaf);
    if (leaf === undefined || target._storage !== leaf._storage) return;
    const elements = viewTyped(leaf) as Float64Array;
    const written = this.base?.written.get(step);
    if (written === undefined) this.replayed.written.set(step, elements[this.element]);
    else elements[this.element] = written + this.delta;
  }

  private of(tensor: Tensor): Tensor {
    let now = this.now.get(tensor);
    if (now === undefined) {
      const given = this.given.get(tensor);
      if (given === undefined) throw new Error("a tensor that is not on the tape");
      now = contiguousCopy(given);
      if (tensor === this.leaf) (viewTyped(now) as Float64Array)[this.element] += this.delta;
      this.now.set(tensor, now);
    }
    return now;
  }

  private argument(value: unknown): unknown {
    if (value instanceof Tensor) return this.of(value);
    if (value === float32) return float64;
    if (Array.isArray(value)) return value.map((v) => this.argument(v));
    if (typeof value !== "object" || value === null || value instanceof DType || Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).filter(([key]) => key !== "requires_grad").map(([key, v]) => [key, this.argument(v)]));
  }
}

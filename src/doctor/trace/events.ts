/**
 * The events of a trace: plain JSON objects, one a line in a file. `docs/guide/trace-format.md` describes them for
 * front ends in other languages; nothing here depends on leafgrad.
 */

/** A number; JSON has no words for the three others. */
export type Num = number | "nan" | "inf" | "-inf";

/** A place in the user's program; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Statistics of a tensor's elements, and the first of them. */
export interface Values {
  readonly numel: number;
  readonly nan: number;
  readonly inf: number;
  readonly zero: number;
  /** Euclidean norm of the finite elements, and the extremes among them. */
  readonly norm: number;
  readonly min: number;
  readonly max: number;
  /** The first elements in row-major order: all of a small tensor. */
  readonly head: readonly Num[];
  /** Row-major positions of the first elements that are not finite. */
  readonly nonfinite: readonly number[];
}

/** The first line: what wrote the trace, and of which program. */
export interface TraceEvent {
  readonly event: "trace";
  readonly format: 1;
  readonly producer: string;
}

/** A file of the program, so that a trace can be read where the file is not. */
export interface SourceEvent {
  readonly event: "source";
  readonly file: string;
  readonly text: string;
}

/** A tensor that is met for the first time, as it is then. */
export interface TensorEvent {
  readonly event: "tensor";
  readonly tensor: number;
  readonly shape: readonly number[];
  readonly dtype: string;
  /** Tensors of one storage share memory. */
  readonly storage: number;
  readonly requires_grad: boolean;
  readonly leaf: boolean;
  /** The tensor that this one views. */
  readonly base: number | null;
  readonly values: Values;
}

/** An argument of an op: a tensor, a number, a list of these, or the text of anything else. */
export type Argument = { readonly tensor: number } | { readonly number: Num } | { readonly list: readonly Argument[] } | { readonly text: string };

/** A call of an op that has ended. Calls that it made itself come before it. */
export interface OpEvent {
  readonly event: "op";
  readonly op: number;
  readonly name: string;
  readonly inplace: boolean;
  /** The op, or else the run of a node, in which this call was made; both null for the user's own. */
  readonly within: number | null;
  readonly run: number | null;
  readonly place: Place | null;
  /** Where the functions that made the user's own call were called, innermost first. */
  readonly callers: readonly Place[];
  readonly arguments: readonly Argument[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Was grad mode on? */
  readonly grad_mode: boolean;
  /** An input requires grad, and no output does. */
  readonly severs: boolean;
  /** The node that was recorded. */
  readonly node: number | null;
  /** Of the outputs of an in-place op; those of any other op came with their tensors. */
  readonly values: readonly Values[];
  /** Places along the last dimension of the first result at which every element is zero, and along the second of an image or a series of them. */
  readonly idle: readonly number[];
  readonly idle_channels: readonly number[];
  readonly error: ErrorText | null;
}

/** A node of the backward graph, told after the op that recorded it. */
export interface NodeEvent {
  readonly event: "node";
  readonly node: number;
  readonly name: string;
  readonly op: number | null;
  /** Where the gradients of its inputs go. */
  readonly next: readonly (number | null)[];
  readonly saved: readonly { readonly tensor: number; readonly storage: number; readonly version: number }[];
  /** The leaf whose `.grad` it adds to. */
  readonly accumulates: number | null;
}

/** A write to a tensor's memory. */
export interface WriteEvent {
  readonly event: "write";
  readonly op: number;
  readonly tensor: number;
  readonly storage: number;
  /** The version after the write, and which counter counts it: aliases made by `.data` have one of their own. */
  readonly version: number;
  readonly counter: number;
}

export interface BackwardEvent {
  readonly event: "backward";
  readonly backward: number;
  readonly call: "backward" | "grad";
  readonly roots: readonly number[];
  readonly nodes: readonly (number | null)[];
  readonly inputs: readonly number[] | null;
  readonly retain_graph: boolean;
  readonly create_graph: boolean;
  readonly place: Place | null;
}

/** A node ran: the gradients that arrived and those that it gave. */
export interface RunEvent {
  readonly event: "run";
  readonly run: number;
  readonly backward: number;
  readonly node: number;
  readonly grads: readonly (Values | null)[];
  readonly results: readonly (Values | null)[];
  /** Of a pointwise op: the first position at which a gradient arrives and to no input any of it goes on. */
  readonly dropped: { readonly position: number; readonly grad: Num } | null;
  /** Saved tensors whose memory was written through an alias that has another counter: op ids of the writes. */
  readonly overwritten: readonly { readonly tensor: number; readonly op: number }[];
}

/** A gradient was added to a leaf's `.grad`. */
export interface AccumulateEvent {
  readonly event: "accumulate";
  readonly backward: number;
  readonly tensor: number;
  /** Was there a gradient before that is not all zero? */
  readonly before: boolean;
  readonly values: Values;
}

export interface BackwardEndEvent {
  readonly event: "backward-end";
  readonly backward: number;
  /** The node that was at work when an error came. */
  readonly node: number | null;
  readonly error: ErrorText | null;
}

/** A tensor was read outside the graph. */
export interface ReadEvent {
  readonly event: "read";
  readonly tensor: number;
  readonly how: string;
  readonly place: Place | null;
  readonly callers: readonly Place[];
  readonly requires_grad: boolean;
  /** What was read: numbers (the first ones), or the tensor of `.data` and `.grad`. */
  readonly numbers: readonly Num[];
  readonly result: number | null;
}

/** The program switched recording on or off, for good. */
export interface SwitchEvent {
  readonly event: "switch";
  readonly enabled: boolean;
  readonly place: Place | null;
}

/** An element became NaN or infinite although all that it was computed from was finite, or NaN out of an infinity that the user gave. */
export interface BirthEvent {
  readonly event: "birth";
  readonly birth: number;
  readonly kind: "nan" | "inf";
  readonly phase: "forward" | "backward";
  /** The op that made it, or, in backward, the op whose gradient it is. */
  readonly op: number | null;
  /** In backward: the run, and which input's gradient. */
  readonly run: number | null;
  readonly edge: number | null;
  /** Its tensor in forward; in backward the input whose gradient it is. */
  readonly tensor: number | null;
  readonly shape: readonly number[];
  /** How many elements, and the position of the one that is explained. */
  readonly count: number;
  readonly element: readonly number[];
  readonly equation: Equation | null;
  /** Why the gradient that arrived was zero. */
  readonly zero: Zero | null;
}

/** The arithmetic of one element: `0.5·x^-0.5 = 0.5·0^-0.5 = inf`. */
export interface Equation {
  /** With names; `self` and the like stand for the tensors listed in `names`. */
  readonly symbolic: string;
  readonly numeric: string;
  readonly value: Num;
  /** The gradient that arrives, in backward. */
  readonly grad: Num | null;
  /** The value of the gradient formula without the gradient: a slope. */
  readonly slope: Num | null;
  /** The innermost step at which it went wrong, `0^-0.5`; its function, `pow`, and what that was given. */
  readonly step: string;
  readonly function: string;
  readonly operands: readonly Num[];
  /** The names of the formula, the tensor that each stands for and its element. */
  readonly names: readonly { readonly name: string; readonly tensor: number | null; readonly value: Num }[];
  /** An operand and a number that, in its place, would keep value and slope finite; `side` says what else is outside of the domain. */
  readonly safe: Safe | null;
}

export interface Safe {
  readonly name: string;
  readonly bad: Num;
  readonly good: number;
  readonly side: "eq" | "le" | "ge";
  /** Where the domain ends; null where it does not. */
  readonly min: number | null;
  readonly max: number | null;
}

export interface Zero {
  /** The op whose gradient formula multiplied by zero. */
  readonly op: number | null;
  /** The factor that is zero; null where the op passes no gradient to this element. */
  readonly tensor: number | null;
  readonly element: readonly number[] | null;
  readonly number: Num | null;
}

/** Births that came to a place where they matter: a leaf's gradient, a loss, a value that was read. */
export interface PoisonEvent {
  readonly event: "poison";
  readonly births: readonly number[];
  readonly tensor: number;
  readonly what: "grad" | "loss" | "read" | "output";
  readonly values: Values;
  readonly backward: number | null;
}

/** The numerical derivative of a loss with respect to one element of a leaf, beside what backward gave. */
export interface DifferenceEvent {
  readonly event: "difference";
  readonly backward: number;
  readonly tensor: number;
  readonly element: number;
  readonly analytic: Num;
  /** Null at a kink, where the slopes to both sides differ. */
  readonly numeric: Num | null;
}

/** An error that ended the program. */
export interface ErrorEvent {
  readonly event: "error";
  readonly error: ErrorText;
  readonly place: Place | null;
}

export interface ErrorText {
  readonly type: string;
  readonly message: string;
}

export type Event =
  | TraceEvent | SourceEvent | TensorEvent | OpEvent | NodeEvent | WriteEvent | BackwardEvent | RunEvent | AccumulateEvent
  | BackwardEndEvent | ReadEvent | SwitchEvent | BirthEvent | PoisonEvent | DifferenceEvent | ErrorEvent;

export function num(value: number): Num {
  return Number.isNaN(value) ? "nan" : value === Infinity ? "inf" : value === -Infinity ? "-inf" : value;
}

export function errorText(error: unknown): ErrorText {
  return error instanceof Error ? { type: error.name, message: error.message } : { type: "Error", message: String(error) };
}

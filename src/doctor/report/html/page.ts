/** What the page is filled with: plain data that the browser draws, made from a trace and its findings. */
import type { Equation, Num, Values } from "../../trace/events.ts";
import type { Finding } from "../../rules/rule.ts";

export interface Page {
  readonly program: string;
  /** What ended the program; null where nothing did. */
  readonly error: string | null;
  readonly sources: readonly SourceFile[];
  readonly findings: readonly PageFinding[];
  readonly graphs: readonly Graph[];
  /** How many graphs the program had; those that are left out have no finding. */
  readonly graphCount: number;
  readonly leaves: LeafNorms;
  readonly storages: readonly StorageTimeline[];
}

export interface SourceFile {
  readonly file: string;
  readonly text: string;
}

/** A stretch of one line of a source; columns count from 1, and a length of 0 means the line. */
export interface Spot {
  /** Index into the sources. */
  readonly source: number;
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

export interface Mark extends Spot {
  readonly role: "culprit" | "victim";
  readonly text: string;
}

export interface PageFinding extends Omit<Finding, "culprit" | "proof" | "fix"> {
  readonly place: string | null;
  readonly call: string | null;
  readonly fix: string;
  readonly diff: readonly DiffHunk[];
  readonly proof: Finding["proof"];
  readonly marks: readonly Mark[];
  /** Index into the graphs, the node of the culprit, and the nodes of the path. */
  readonly graph: number | null;
  readonly node: number | null;
  readonly pathNodes: readonly number[];
  readonly arithmetic: Arithmetic | null;
  /** The victim's elements. */
  readonly victimValues: ElementStrip | null;
  readonly storage: number | null;
}

export interface DiffHunk {
  readonly file: string;
  readonly lines: readonly { readonly sign: " " | "-" | "+"; readonly line: number; readonly text: string }[];
}

/** The numbers of an equation at one element. */
export interface Arithmetic extends Pick<Equation, "numeric" | "value" | "grad" | "step"> {
  /** What is computed, `d(x.pow(0.5))/dx`, and its formula. */
  readonly quantity: string;
  readonly symbolic: string;
  readonly element: readonly number[];
  readonly factors: readonly Factor[];
  /** What comes out of gradient and slope together; null in forward. */
  readonly outcome: Num | null;
}

export interface Factor {
  readonly name: string;
  readonly value: Num;
  readonly note: string;
  readonly spot: Spot | null;
}

export interface ElementStrip {
  readonly name: string;
  readonly shape: readonly number[];
  readonly head: readonly Num[];
  readonly numel: number;
  readonly bad: readonly number[];
}

export type Stats = Omit<Values, "nonfinite">;

/** The backward graph of one call of backward, or of all that was recorded where there was none. */
export interface Graph {
  readonly label: string;
  readonly roots: readonly number[];
  /** Leaves first: a node comes after all that its gradients go to. */
  readonly nodes: readonly GraphNode[];
}

export interface GraphNode {
  readonly id: number;
  /** `pow`, or the name of a leaf. */
  readonly label: string;
  readonly type: string;
  readonly call: string;
  readonly spot: Spot | null;
  readonly isLeaf: boolean;
  /** An op over which no gradient goes, and what lies behind one. */
  readonly isCut: boolean;
  readonly isCutOff: boolean;
  /** What its gradients go to, and the edges on which one that is not finite went. */
  readonly next: readonly (number | null)[];
  readonly sick: readonly boolean[];
  readonly tensor: string;
  readonly shape: readonly number[] | null;
  readonly dtype: string;
  readonly version: number;
  /** The forward values, and the gradient that arrived. */
  readonly value: Stats | null;
  readonly grad: Stats | null;
  /** When it ran in backward; null where it did not. */
  readonly order: number | null;
  readonly saves: readonly { readonly tensor: string; readonly version: number; readonly overwritten: boolean }[];
  /** Its tensor is saved by a node, was overwritten before it was used, or is not finite in value or gradient. */
  readonly isSaved: boolean;
  readonly isOverwritten: boolean;
  readonly isPoisoned: boolean;
}

/** The norm of each leaf's gradient, backward by backward. */
export interface LeafNorms {
  readonly backwards: readonly number[];
  readonly series: readonly { readonly name: string; readonly norms: readonly (number | null)[] }[];
}

export interface StorageTimeline {
  readonly storage: number;
  readonly name: string;
  readonly conflict: boolean;
  readonly moments: readonly Moment[];
  readonly left: number;
}

export interface Moment {
  readonly kind: "made" | "saved" | "written" | "used" | "refused";
  readonly text: string;
  readonly version: number;
  readonly spot: Spot | null;
  /** A write after which a saved version is gone, or the use of one. */
  readonly harm: string | null;
}

type Call = () => unknown;

/** What the file of a library has: each sets a case up, and returns one call of it; null where the library does not have it. */
export interface Cases {
  /** The calls on a few elements, by the names of their rows. */
  small(): Record<string, Call>;
  elements(op: string, power: number): Call | null;
  layouts(name: string): Call | null;
  product(...sizes: number[]): Call | null;
  /** The products of linear layers of so many rows, inputs and outputs, forward and backward; the first layer's input needs no gradient. */
  linears(shapes: readonly (readonly number[])[]): Call | null;
  conv(backward: boolean): Call | null;
  ordering(name: "sort" | "topk"): Call | null;
  mlp(): Call | null;
  cnn(): Call | null;
  transformer(): Call | null;
}

/** Answers requests for the times of rows of rows.ts. */
export function serve(version: string, cases: Cases): Promise<void>;

import * as torch from "leafgrad";

/** `torch.ones(…, requires_grad=True)`. */
export const leaf = (...sizes: number[]): torch.Tensor => torch.ones(sizes, { requires_grad: true });

/** A value past the type checker, for calls that the types forbid. */
export const loose = (value: unknown): any => value;

export const list = (x: torch.Tensor | null): unknown => x?.tolist() ?? null;

/** The message of what `run` throws; null where it throws nothing. */
export function refusal(run: () => unknown): string | null {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  return null;
}

export const backwardTwice =
  "Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors after calling backward.";

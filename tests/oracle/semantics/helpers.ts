import * as torch from "leafgrad";

/** `torch.ones(…, requires_grad=True)`, as in the probes. */
export const leaf = (...sizes: number[]): torch.Tensor => torch.ones(sizes, { requires_grad: true });

/** A value past the type checker, for the probes that pass what the types forbid. */
export const loose = (value: unknown): any => value;

/** `n.name() if n else None`. */
export const nameOf = (node: { name(): string } | null): string | null => node?.name() ?? null;

/** An index tensor: `torch.tensor([0, 1])` of Python ints. */
export const ints = (values: number[] | number[][]): torch.Tensor => torch.tensor(values, { dtype: torch.int64 });

/** Samples for ops that the OpInfo fixture does not have, and entries of it that central differences cannot judge. */
import * as torch from "leafgrad";

type Tensor = torch.Tensor;
interface Sample {
  fn: (...inputs: Tensor[]) => unknown;
  inputs: () => Tensor[];
}

const values = (...numbers: number[]): Tensor => torch.tensor(numbers, { dtype: torch.float64, requires_grad: true });

export const extraSamples: Record<string, Sample> = {
  copy: { fn: (x, y) => x!.mul(1).copy_(y!), inputs: () => [values(1, 2), values(3, 4)] },
};

/** Entry → why a central difference says nothing about it. */
export const notSmooth = new Map<string, string>();

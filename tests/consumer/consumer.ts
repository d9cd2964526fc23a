// What a strict TypeScript project sees of the published types.
import * as torch from "leafgrad";
import type { Tensor } from "leafgrad";

const x: Tensor = torch.tensor([0, 0.5, 1], { requires_grad: true });
const mask: Tensor = x.lt(0.5);
const loss: torch.Tensor = torch.mean(x.sub(mask.float()).pow(2));
loss.backward();
const gradient: Tensor | null = x.grad;
const shape: readonly number[] = x.shape;
const value: number | boolean = loss.item() as number | boolean;
const total: Tensor = x.sum(0, { keepdim: true });
const bare: Tensor = torch.no_grad(() => torch.zeros([2, 3], { dtype: torch.float64 }));
const [slope]: readonly (Tensor | null)[] = torch.autograd.grad(torch.exp(x).sum(), [x]);

export const report: string = [gradient, shape, value, total, bare, slope].map(String).join("\n");

// @ts-expect-error a misspelt method is no method
x.requiresGrad_();
// @ts-expect-error a tensor's dtype is not a string
torch.zeros([2], { dtype: "float32" });

/** Power-average pooling: functions of torch.nn.functional. */
import { composite } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import type { Sizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { avg_pool1d, avg_pool2d, avg_pool3d, max_pool1d, max_pool2d, max_pool3d } from "./pooling.ts";

type Extent = number | readonly number[];
type Pool = (input: Tensor, kernel: Sizes, stride: Sizes | null, padding: number, ceil: boolean) => Tensor;
type LpPool = FunctionOp<[input: Tensor, norm_type: number, kernel_size: Extent, stride?: Extent | null, ceil_mode?: boolean], { stride?: Extent | null; ceil_mode?: boolean }>;

function lpPooling(dims: number, average: Pool, largest: (input: Tensor, kernel: Sizes, options: { stride: Sizes | null; ceil_mode: boolean }) => Tensor): LpPool {
  return composite(
    `lp_pool${dims}d(Tensor input, float norm_type, int[${dims}] kernel_size, int[${dims}]? stride=None, bool ceil_mode=False) -> Tensor`,
    (input: Tensor, p: number, kernel: Sizes, stride: Sizes | null, ceil: boolean) => {
      if (p === Infinity) return largest(input.abs(), kernel, { stride, ceil_mode: ceil });
      if (p === -Infinity) return largest(input.abs().neg(), kernel, { stride, ceil_mode: ceil }).neg();
      const mean = average(input.pow(p), kernel, stride, 0, ceil);
      const count = kernel.length === 1 ? kernel[0] ** dims : kernel.reduce((n, k) => n * k, 1);
      return mean.sign().mul(mean.abs().relu()).mul(count).pow(1 / p);
    },
    { method: false, takesOut: false },
  );
}

/** (Σ x^p)^(1/p) over each window along the last dimension; the largest |x| where p is infinite. */
export const lp_pool1d: LpPool = lpPooling(1, avg_pool1d, max_pool1d);
/**
 * (Σ x^p)^(1/p) over each window over the last two dimensions; the largest |x| where p is infinite.
 *
 * @example
 * torch.nn.functional.lp_pool2d(torch.tensor([[[3, 4], [0, 0]]]), 2, 2).tolist(); // [[[5]]]
 */
export const lp_pool2d: LpPool = lpPooling(2, avg_pool2d, max_pool2d);
/** (Σ x^p)^(1/p) over each window over the last three dimensions; the largest |x| where p is infinite. */
export const lp_pool3d: LpPool = lpPooling(3, avg_pool3d, max_pool3d);

/** Local response normalisation: a function of torch.nn.functional. */
import { composite } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { ValueError } from "../../errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { pad } from "./padding.ts";
import { avg_pool2d, avg_pool3d } from "./pooling.ts";

/** The means of squares over `size` neighbouring channels, zeros beyond the edges. */
function neighbourMeans(squares: Tensor, size: number): Tensor {
  const sizes = squares._sizes;
  const [before, after] = [Math.floor(size / 2), Math.floor((size - 1) / 2)];
  if (sizes.length === 3) return avg_pool2d(pad(squares.unsqueeze(1), [0, 0, before, after]), [size, 1], 1).squeeze(1);
  const volumes = squares.view([sizes[0], 1, sizes[1], sizes[2], -1]);
  return avg_pool3d(pad(volumes, [0, 0, 0, 0, before, after]), [size, 1, 1], 1).squeeze(1).view(sizes);
}

interface Options {
  alpha?: number;
  beta?: number;
  k?: number;
}

/**
 * x / (k + alpha · mean of x² over `size` neighbouring channels)^beta, for (n, c, …).
 *
 * @throws ValueError for less than three dimensions.
 */
export const local_response_norm: FunctionOp<[input: Tensor, size: number, alpha?: number, beta?: number, k?: number], Options> = composite(
  "local_response_norm(Tensor input, int size, float alpha=0.0001, float beta=0.75, float k=1.0) -> Tensor",
  (input: Tensor, size: number, alpha: number, beta: number, k: number) => {
    if (input._sizes.length < 3) throw new ValueError(`Expected 3D or higher dimensionality                          input (got ${input._sizes.length} dimensions)`);
    if (input._numel === 0) return input;
    return input.div(neighbourMeans(input.mul(input), size).mul(alpha).add(k).pow(beta));
  },
  { takesOut: false },
);

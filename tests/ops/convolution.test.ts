/** The gradient of a convolution's input, however the windows move: PyTorch's own samples have few strides. */
import * as torch from "leafgrad";
import { expect, test } from "vitest";

const double = { dtype: torch.float64 };
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test.each(range(1, 4))("the adjoint of windows %i apart", (stride) => {
  torch.manual_seed(stride);
  for (const kernel of range(1, 5)) {
    for (const [size, padding] of range(kernel, kernel + 5).flatMap((s) => [[s, 0], [s, 1], [s, 2]])) {
      const x = torch.randn([2, 4, size, 7], { ...double, requires_grad: true });
      const [weight, bias] = [torch.randn([6, 2, kernel, 3], double), torch.randn([4, 1, 1], double)];
      const move = { stride: [stride, 2], padding: [padding, 1], groups: 2 };
      const y = torch.conv2d(x, weight, move);
      const grad = torch.randn([...y.shape], double);
      y.backward(grad);
      const scalar = (a: torch.Tensor, b: torch.Tensor): number => a.detach().mul(b).sum().item() as number;
      expect(scalar(y, grad)).toBeCloseTo(scalar(x, x.grad!), 10);

      const output_padding = [(size + 2 * padding - kernel) % stride, 0];
      const transposed = torch.conv_transpose2d(grad, weight, { ...move, bias: bias.ravel(), output_padding });
      expect(torch.allclose(transposed, x.grad!.add(bias))).toBe(true);
    }
  }
});

test("an output padding as long as the stride, which a dilation allows", () => {
  torch.manual_seed(0);
  const tensor = (...sizes: number[]): torch.Tensor => torch.randn(sizes, { ...double, requires_grad: true });
  const inputs = [tensor(1, 2, 3, 2), tensor(2, 1, 2, 2), tensor(1)];
  const run = (x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor): torch.Tensor =>
    torch.conv_transpose2d(x, weight, { bias, stride: [1, 2], dilation: [2, 3], output_padding: [1, 2], padding: [0, 1] });
  expect(run(...(inputs as [torch.Tensor, torch.Tensor, torch.Tensor])).shape).toEqual([1, 1, 6, 6]);
  expect(torch.autograd.gradcheck(run, inputs)).toBe(true);
  expect(torch.autograd.gradgradcheck(run, inputs)).toBe(true);
});

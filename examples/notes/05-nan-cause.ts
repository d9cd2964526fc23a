// 4. A loss whose gradient turns into NaN (梯度爆炸、loss在反向传播变为nan): the cause, verified
//
// 0 * x**0.5 is 0 wherever x is, so the loss equals mean(x**2). Backward does not know that: it multiplies the
// gradient 0 by the square root's slope, which at x = 0 is infinite, and 0 times infinity is NaN.
import * as torch from "leafgrad";

function loss_function(x: torch.Tensor): torch.Tensor {
  const gamma_x = x.pow(0.5).mul(0);
  console.log("gamma_x\n", gamma_x);
  const loss = torch.mean(x.sub(gamma_x).pow(2));
  return loss;
}

const x = torch.tensor([0, 0.0025, 0.5, 0.8, 1], { requires_grad: true });
const loss = loss_function(x);
loss.backward();
console.log("x.grad\n", x.grad);

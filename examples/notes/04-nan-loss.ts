// 4. A loss whose gradient turns into NaN (梯度爆炸、loss在反向传播变为nan): the first implementation
//
// A curve in two pieces, 12.9 x below 0.003 and the square root of x above it, put together with a mask of zeros and
// ones. The value is right everywhere; but where x is 0, the branch that the mask hides is differentiated too. Its
// slope there is infinite, and 0 times infinity is NaN.
import * as torch from "leafgrad";

function loss_function(x: torch.Tensor): torch.Tensor {
  const mask = x.lt(0.003).float();
  const gamma_x = mask.mul(12.9).mul(x).add(mask.rsub(1).mul(x.pow(0.5)));
  const loss = torch.mean(x.sub(gamma_x).pow(2));
  return loss;
}

const x = torch.tensor([0, 0.0025, 0.5, 0.8, 1], { requires_grad: true });
const loss = loss_function(x);
console.log("loss:", loss);
loss.backward();
console.log(x.grad);

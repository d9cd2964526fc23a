// 4. A loss whose gradient turns into NaN (梯度爆炸、loss在反向传播变为nan): the improved implementation
//
// The elements of each piece are picked out first, and each piece computes with its own elements only: the square root
// never sees the 0, so nothing infinite arises. The results are written into place with indices, in place.
import * as torch from "leafgrad";

function loss_function(x: torch.Tensor): torch.Tensor {
  let mask = x.lt(0.003);
  const gamma_x = torch.ones_like(x);
  gamma_x.index_put_([mask], x.index(mask).mul(12.9));
  mask = x.ge(0.003);
  gamma_x.index_put_([mask], x.index(mask).pow(0.5));
  const loss = torch.mean(x.sub(gamma_x).pow(2));
  return loss;
}

const x = torch.tensor([0, 0.0025, 0.5, 0.8, 1], { requires_grad: true });
const loss = loss_function(x);
console.log("loss:", loss);
loss.backward();
console.log(x.grad);

import * as torch from "leafgrad";

const w = torch.tensor([1, -2, 3], { requires_grad: true });
const y = w.tanh().sum();
y.backward();
console.log(String(y));
console.log(String(w.grad));
console.log(String(torch.arange(6).reshape(2, 3).index(":, 1:")));
try {
  w.add_(1);
} catch (error) {
  console.log(String(error));
}

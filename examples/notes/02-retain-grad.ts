// 2. The gradient of a non-leaf tensor is kept only on request (非叶子节点的梯度不会保存在内存中)
//
// The backward pass leaves gradients on leaves alone: those of the tensors in between are dropped to save memory, and
// their `.grad` stays null. `retain_grad()`, called before backward, keeps one.
import * as torch from "leafgrad";

const a = torch.tensor([1, 2, 3, 4, 5], { requires_grad: true });
const b = a.index(":2");
b.retain_grad();
const c = b.sum().mul(2);
c.retain_grad();
c.backward();
console.log(b.grad);

// 3. Only floating-point tensors have gradients (求导时，各级tensor需为float类型)
//
// A derivative is a limit of small steps, and integers have none. Asking for one is refused, in one of three wordings
// that depend on how it was asked; and an integer tensor in the middle of a computation cuts the graph.
import * as torch from "leafgrad";

function show(attempt: () => unknown): void {
  try {
    attempt();
  } catch (error) {
    console.log(String(error));
  }
}

const counts = torch.tensor([1, 2, 3], { dtype: torch.int64 });

show(() => torch.tensor([1, 2, 3], { dtype: torch.int64, requires_grad: true }));
show(() => counts.requires_grad_());
show(() => {
  counts.requires_grad = true;
});

// Rounding down to integers on the way severs the path back to x.
const x = torch.tensor([1.5, 2.5], { requires_grad: true });
show(() => x.long().sum().backward());

// With floats all the way, the gradient arrives.
x.mul(counts.index(":2").float()).sum().backward();
console.log(x.grad);

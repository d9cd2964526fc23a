// 1. Leaf and non-leaf tensors (叶子节点和非叶子节点)
//
// A tensor that the user creates is a leaf; so are the weights of a layer. What an operation makes from a leaf that
// requires a gradient is no leaf, and requires a gradient by default.
//
// An in-place operation (`w.add_(1)`) changes a tensor's values where they lie in memory; `w.add(1)` makes a new tensor
// instead. A leaf that requires a gradient may not be written in place: the value with respect to which its gradient
// is asked for would be lost. So the last but one line raises an error, and backward is never reached.
//
// (To update a weight on purpose, write `torch.no_grad(() => w.add_(1))`. A non-leaf may be written in place, unless
// its old value is needed in backward.)
import * as torch from "leafgrad";

const w = torch.tensor([1], { requires_grad: true });
const x = torch.tensor([2], { requires_grad: true });
// y = (x + w) * (w + 1)
const a = torch.add(w, x);
const b = torch.add(w, 1);
const y = torch.mul(a, b);

// Changes the value of w before the backward pass.
w.add_(1);
y.backward();

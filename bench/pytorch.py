"""PyTorch's side of core.ts: reads {"name", "calls"} a line, answers nanoseconds per call."""

import json
import sys
import timeit

import torch

torch.set_num_threads(1)

a = torch.tensor([1.0, 2.0])
b = torch.tensor([3.0, 4.0])
w = torch.tensor([1.0, 2.0], requires_grad=True)
x = torch.tensor([0, 0.0025, 0.5, 0.8, 1], requires_grad=True)


def notes_loss(x):
    mask = (x < 0.003).float()
    gamma_x = mask * 12.9 * x + (1 - mask) * (x**0.5)
    return torch.mean((x - gamma_x) ** 2)


def notes_loss_without_grad():
    with torch.no_grad():
        return notes_loss(x)


def improved_loss(x):
    mask = x < 0.003
    gamma_x = torch.ones_like(x)
    gamma_x[mask] = 12.9 * x[mask]
    mask = x >= 0.003
    gamma_x[mask] = x[mask] ** 0.5
    return torch.mean((x - gamma_x) ** 2)


def backward_of(loss):
    x.grad = None
    loss(x).backward()


CASES = {
    "add": "a.add(b)",
    "add, with grad": "w.add(b)",
    "mul": "a.mul(b)",
    "mul, with grad": "w.mul(b)",
    "exp": "a.exp()",
    "sum": "a.sum()",
    "sum, with grad": "w.sum()",
    "notes' loss, forward": "notes_loss_without_grad()",
    "notes' loss, forward + backward": "backward_of(notes_loss)",
    "improved loss, forward + backward": "backward_of(improved_loss)",
}

print(f"PyTorch {torch.__version__}, 1 thread", flush=True)
for line in sys.stdin:
    request = json.loads(line)
    seconds = timeit.timeit(CASES[request["name"]], globals=globals(), number=request["calls"])
    print(seconds / request["calls"] * 1e9, flush=True)

"""Writes notes.expected.json: what the notes' programs print under PyTorch, and the error that ends one.

Each program is the page's own Python; examples/notes/ holds its port under the same name. Run with a Python that has
PyTorch 2.13: python tests/cli/notes_expected.py
"""

import contextlib
import io
import json
import pathlib

import torch

PROGRAMS = {
    "01-leaf-inplace.ts": """
w = torch.tensor([1.], requires_grad=True)
x = torch.tensor([2.], requires_grad=True)
a = torch.add(w, x)
b = torch.add(w, 1)
y = torch.mul(a, b)
w.add_(1)
y.backward()
""",
    "02-retain-grad.ts": """
a = torch.tensor([1.,2.,3.,4.,5.],requires_grad=True)
b = a[:2]
b.retain_grad()
c =2.* b.sum()
c.retain_grad()
c.backward()
print(b.grad)
""",
    # The page gives no program here, only the sentence that every tensor must be of a float type.
    "03-float-dtypes.ts": """
def show(attempt):
    try:
        attempt()
    except RuntimeError as error:
        print(f"RuntimeError: {error}")

counts = torch.tensor([1, 2, 3])
show(lambda: torch.tensor([1, 2, 3], requires_grad=True))
show(lambda: counts.requires_grad_())
show(lambda: setattr(counts, "requires_grad", True))
x = torch.tensor([1.5, 2.5], requires_grad=True)
show(lambda: x.long().sum().backward())
(x * counts[:2].float()).sum().backward()
print(x.grad)
""",
    "04-nan-loss.ts": """
def loss_function(x):
    mask = (x < 0.003).float()
    gamma_x = mask * 12.9 * x + (1-mask) * (x ** 0.5)
    loss = torch.mean((x - gamma_x) ** 2)
    return loss

x = torch.tensor([0, 0.0025, 0.5, 0.8, 1], requires_grad=True)
loss = loss_function(x)
print('loss:', loss)
loss.backward()
print(x.grad)
""",
    "05-nan-cause.ts": """
def loss_function(x):
  gamma_x = 0*x**0.5
  print("gamma_x\\n",gamma_x)
  loss = torch.mean((x - gamma_x) ** 2)
  return loss

x = torch.tensor(([0, 0.0025, 0.5, 0.8, 1]), requires_grad=True)
loss = loss_function(x)
loss.backward()
print("x.grad\\n",x.grad)
""",
    "06-nan-fixed.ts": """
def loss_function(x):
    mask = x < 0.003
    gamma_x = torch.ones_like(x)
    gamma_x[mask] = 12.9 * x[mask]
    mask = x >= 0.003
    gamma_x[mask] = x[mask] ** 0.5
    loss = torch.mean((x - gamma_x) ** 2)
    return loss

x = torch.tensor(([0, 0.0025, 0.5, 0.8, 1]), requires_grad=True)
loss = loss_function(x)
print('loss:', loss)
loss.backward()
print(x.grad)
""",
}


def run(program):
    out = io.StringIO()
    error = None
    with contextlib.redirect_stdout(out):
        try:
            exec(program, {"torch": torch})
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}"
    return {"stdout": out.getvalue(), "error": error}


target = pathlib.Path(__file__).with_name("notes.expected.json")
programs = {name: run(program) for name, program in PROGRAMS.items()}
target.write_text(json.dumps({"torch": torch.__version__, "programs": programs}, indent=2) + "\n")

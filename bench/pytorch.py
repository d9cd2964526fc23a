"""PyTorch's cases: answers the requests of runner.ts. Usage: pytorch.py THREADS"""

import json
import resource
import sys
import time

import torch
from torch.nn import functional as F

torch.set_num_threads(int(sys.argv[1]))
torch.manual_seed(0)


def randn(*sizes):
    return torch.randn(*sizes)


def leaf(*sizes, scale=0.05):
    return (torch.randn(*sizes) * scale).requires_grad_()


def notes_loss(x):
    mask = (x < 0.003).float()
    gamma_x = mask * 12.9 * x + (1 - mask) * (x**0.5)
    return torch.mean((x - gamma_x) ** 2)


def improved_loss(x):
    mask = x < 0.003
    gamma_x = torch.ones_like(x)
    gamma_x[mask] = 12.9 * x[mask]
    mask = x >= 0.003
    gamma_x[mask] = x[mask] ** 0.5
    return torch.mean((x - gamma_x) ** 2)


def small():
    a, b = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    x = torch.tensor([0, 0.0025, 0.5, 0.8, 1], requires_grad=True)

    def backward_of(loss):
        x.grad = None
        loss(x).backward()

    def without_grad():
        with torch.no_grad():
            return notes_loss(x)

    return {
        "add": lambda: a.add(b),
        "add, with grad": lambda: w.add(b),
        "mul": lambda: a.mul(b),
        "mul, with grad": lambda: w.mul(b),
        "exp": lambda: a.exp(),
        "sum": lambda: a.sum(),
        "sum, with grad": lambda: w.sum(),
        "notes' loss, forward": without_grad,
        "notes' loss, forward + backward": lambda: backward_of(notes_loss),
        "improved loss, forward + backward": lambda: backward_of(improved_loss),
    }


def elements(op, power):
    def make():
        x, y = randn(2**power), randn(2**power)
        positive = x.abs()
        return {
            "add": lambda: x + y,
            "mul": lambda: x * y,
            "exp": lambda: x.exp(),
            "tanh": lambda: x.tanh(),
            "gelu": lambda: F.gelu(x),
            "pow": lambda: positive.pow(1.7),
            "sum": lambda: x.sum(),
            "mean": lambda: x.mean(),
        }[op]

    return make


def layouts(name):
    def make():
        x, y, row, column = randn(1024, 1024), randn(1024, 1024), randn(1024), randn(1024, 1)
        return {
            "add row": lambda: x + row,
            "add column": lambda: x + column,
            "add transposed": lambda: x.t() + y,
            "sum of rows": lambda: x.sum(1),
            "sum of columns": lambda: x.sum(0),
            "softmax": lambda: x.softmax(1),
            "layer_norm": lambda: F.layer_norm(x, [1024]),
        }[name]

    return make


def matmul(n):
    def make():
        a, b = randn(n, n), randn(n, n)
        return lambda: a @ b

    return make


def batched():
    a, b = randn(64, 64, 64), randn(64, 64, 64)
    return lambda: a @ b


def linears(*shapes):
    def make():
        layers = [(randn(rows, inputs), randn(outputs, inputs), randn(rows, outputs)) for rows, inputs, outputs in shapes]

        def products():
            for i, (x, w, g) in enumerate(layers):
                x @ w.t()
                g.t() @ x
                if i > 0:
                    g @ w

        return products

    return make


def conv(backward):
    def make():
        x, w, b = randn(32, 16, 28, 28), randn(32, 16, 3, 3), randn(32)
        if not backward:
            return lambda: F.conv2d(x, w, b, padding=1)
        inputs = [t.requires_grad_() for t in (x, w, b)]
        grad = randn(32, 32, 28, 28)
        return lambda: torch.autograd.grad(F.conv2d(x, w, b, padding=1), inputs, grad)

    return make


def ordering(name):
    def make():
        x = randn(2**20)
        return (lambda: x.sort()) if name == "sort" else (lambda: x.topk(100))

    return make


def training(parameters, optimizer, loss):
    def step():
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return step


def mlp():
    x, target = randn(64, 784), torch.randint(0, 10, (64,))
    w1, b1, w2, b2 = leaf(128, 784), leaf(128), leaf(10, 128), leaf(10)
    loss = lambda: F.cross_entropy(F.linear(F.relu(F.linear(x, w1, b1)), w2, b2), target)
    return training([w1, b1, w2, b2], torch.optim.SGD([w1, b1, w2, b2], lr=0.01), loss)


def cnn():
    x, target = randn(32, 1, 28, 28), torch.randint(0, 10, (32,))
    c1, d1, c2, d2 = leaf(16, 1, 3, 3), leaf(16), leaf(32, 16, 3, 3), leaf(32)
    w, b = leaf(10, 32 * 7 * 7), leaf(10)
    parameters = [c1, d1, c2, d2, w, b]

    def loss():
        h = F.max_pool2d(F.relu(F.conv2d(x, c1, d1, padding=1)), 2)
        h = F.max_pool2d(F.relu(F.conv2d(h, c2, d2, padding=1)), 2)
        return F.cross_entropy(F.linear(h.flatten(1), w, b), target)

    return training(parameters, torch.optim.Adam(parameters, lr=0.001), loss)


def transformer():
    x, target = randn(8, 64, 128), randn(8, 64, 128)
    wq, bq, wo, bo = leaf(384, 128), leaf(384), leaf(128, 128), leaf(128)
    g1, h1, g2, h2 = leaf(128), leaf(128), leaf(128), leaf(128)
    w1, b1, w2, b2 = leaf(512, 128), leaf(512), leaf(128, 512), leaf(128)
    parameters = [wq, bq, wo, bo, g1, h1, g2, h2, w1, b1, w2, b2]

    def loss():
        qkv = F.linear(x, wq, bq).view(8, 64, 3, 4, 32).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2]).transpose(1, 2).reshape(8, 64, 128)
        h = F.layer_norm(x + F.linear(attended, wo, bo), [128], g1, h1)
        out = F.layer_norm(h + F.linear(F.gelu(F.linear(h, w1, b1)), w2, b2), [128], g2, h2)
        return F.mse_loss(out, target)

    return training(parameters, torch.optim.AdamW(parameters, lr=0.001), loss)


CASES = {name: (lambda name=name: small()[name]) for name in small()}
for op in ("add", "mul", "exp", "tanh", "gelu", "pow", "sum", "mean"):
    for power in (10, 16, 20, 24):
        CASES[f"{op} 2^{power}"] = elements(op, power)
for name in ("add row", "add column", "add transposed", "sum of rows", "sum of columns"):
    CASES[f"{name}, 1024×1024"] = layouts(name)
for name in ("softmax", "layer_norm"):
    CASES[f"{name} 1024×1024"] = layouts(name)
for n in (64, 256, 257, 512, 999, 1024):
    CASES[f"matmul {n}"] = matmul(n)
CASES |= {
    "matmul 64 of 64×64": batched,
    "linear layers of the MLP": linears((64, 784, 128), (64, 128, 10)),
    "linear layers of the transformer": linears((512, 128, 384), (512, 128, 128), (512, 128, 512), (512, 512, 128)),
    "conv 3×3, forward": conv(False),
    "conv 3×3, forward + backward": conv(True),
    "sort 2^20": ordering("sort"),
    "topk 2^20": ordering("topk"),
    "MLP step": mlp,
    "CNN step": cnn,
    "transformer step": transformer,
}

print(json.dumps({"version": f"PyTorch {torch.__version__}"}), flush=True)
current, call = None, None
for line in sys.stdin:
    request = json.loads(line)
    if request.get("peak"):
        print(json.dumps({"bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}), flush=True)
        continue
    if request["name"] != current:
        call = None
        current, call = request["name"], CASES[request["name"]]()
    call()
    start = time.perf_counter_ns()
    for _ in range(request["calls"]):
        call()
    print(json.dumps({"ns": (time.perf_counter_ns() - start) / request["calls"]}), flush=True)

"""Gradients that explode or vanish. The bad programs of magnitude.ts."""

import torch


def recurrent_step_explodes():
    w = torch.tensor([[1.5, 0.5], [0.5, 1.5]], requires_grad=True)
    h = torch.ones(1, 2)
    for _ in range(50):
        h = h.matmul(w)  # culprit
    h.mean().backward()


def recurrent_step_vanishes():
    h0 = torch.ones(1, 2, requires_grad=True)
    w = torch.tensor([[0.3, 0.1], [0.1, 0.3]])
    h = h0
    for _ in range(60):
        h = h.matmul(w)  # culprit
    h.sum().backward()


def stack_of_sigmoids():
    w = torch.tensor([0.5, -0.5], requires_grad=True)
    a = w.mul(torch.tensor([1.0, 2.0]))
    for _ in range(20):
        a = a.sigmoid()  # culprit
    a.sum().backward()


def saturated_tanh():
    w = torch.tensor([[40.0, -30.0], [25.0, -60.0]], requires_grad=True)
    x = torch.tensor([[1.0, 2.0], [2.0, 1.0]])
    y = x.matmul(w).tanh()  # culprit
    y.sub(0.5).pow(2).mean().backward()


def dead_relu():
    w = torch.tensor([[0.5], [0.2]], requires_grad=True)
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    active = x.matmul(w).sub(10).relu()  # culprit
    active.sub(1).pow(2).sum().backward()


def saturated_softmax():
    logits = torch.tensor([[300.0, 0.0, -50.0]], requires_grad=True)
    p = logits.softmax(1)  # culprit
    p.sub(torch.tensor([[0.0, 1.0, 0.0]])).pow(2).sum().backward()


def large_initial_weights():
    x = torch.ones(4, 32, requires_grad=True)
    h = x
    for _ in range(16):
        h = h.matmul(torch.randn(32, 32))  # culprit
    h.mean().backward()


def learning_rate_too_large():
    w = torch.tensor([0.5, -1.0], requires_grad=True)
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    y = torch.tensor([1.0, 2.0, 3.0])
    for _ in range(30):
        loss = x.matmul(w).sub(y).pow(2).mean()
        loss.backward()
        with torch.no_grad():
            w.sub_(w.grad.mul(0.5))  # culprit
        w.grad = None


def units_die_while_training():
    x = torch.tensor([[1.0, 2.0, 0.5], [2.0, 1.0, 1.0], [0.5, 1.0, 2.0], [1.5, 0.5, 1.0]])
    y = torch.tensor([[1.0], [2.0], [0.5], [1.5]])
    w = torch.ones([3, 4], requires_grad=True)
    b = torch.zeros([4], requires_grad=True)
    for step in range(10):
        hidden = (x.matmul(w) + b).relu()  # culprit
        loss = (hidden.mean(1, keepdim=True) - y).pow(2).mean()
        loss.backward()
        with torch.no_grad():
            for p in [w, b]:
                p -= p.grad * (1 if step == 1 else 0.05)
        w.grad = b.grad = None

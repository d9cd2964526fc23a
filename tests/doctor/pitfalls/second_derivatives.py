"""NaN and Inf in second derivatives. The bad programs of second-derivatives.ts."""

import torch


def gradient_penalty_at_zero():
    w = torch.tensor([0.0, 0.0], requires_grad=True)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (g,) = torch.autograd.grad(w.mul(x).sum(), [x], create_graph=True)
    length = g.pow(2).sum().sqrt()  # culprit
    length.sub(1).pow(2).backward(inputs=[w])


def curvature_of_a_power():
    x = torch.tensor([0.0, 4.0], requires_grad=True)
    y = x.pow(1.5)  # culprit
    (slope,) = torch.autograd.grad(y.sum(), [x], create_graph=True)
    slope.sum().backward()


def masked_curvature():
    x = torch.tensor([0.0, 4.0], requires_grad=True)
    y = torch.where(x.gt(0), x.pow(1.5), 0)  # culprit
    (slope,) = torch.autograd.grad(y.sum(), [x], create_graph=True)
    slope.pow(2).sum().backward()


def curvature_of_a_norm():
    x = torch.tensor([0.0, 0.0], requires_grad=True)
    r = x.norm()  # culprit
    (direction,) = torch.autograd.grad(r, [x], create_graph=True)
    direction.sum().backward()


def force_of_a_distance():
    a = torch.tensor([1.0, 1.0], requires_grad=True)
    k = torch.tensor(2.0, requires_grad=True)
    r = a.sub(torch.tensor([1.0, 1.0])).pow(2).sum()
    energy = k.mul(r.sqrt())  # culprit
    (force,) = torch.autograd.grad(energy, [a], create_graph=True)
    force.pow(2).sum().backward(inputs=[k])


def hessian_of_huber_root():
    w = torch.tensor([1e-30, 1.0], requires_grad=True)
    y = w.sqrt()  # culprit
    (g,) = torch.autograd.grad(y.sum(), [w], create_graph=True)
    g.sum().backward()

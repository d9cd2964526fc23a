"""NaN and Inf: the bad programs of values.ts."""

import torch


def mask_hides_root():
    x = torch.tensor([0.0, 0.5, 0.8], requires_grad=True)
    mask = x.gt(0.1).float()
    y = x.sqrt()  # culprit
    mask.mul(y).sum().backward()

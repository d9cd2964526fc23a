"""Gradients that do not come: the bad programs of no-gradient.ts."""

import torch


def activation_grad_read():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    h = (w * 2).tanh()
    h.sum().backward()
    h.grad  # culprit


def weight_scaled_when_made():
    w = torch.ones(2, requires_grad=True) * 0.1
    (w ** 2).sum().backward()
    w.grad  # culprit


def weight_cast_to_double():
    w = torch.ones(2, requires_grad=True).to(torch.float64)
    (w ** 2).sum().backward()
    w.grad  # culprit


def weight_cast_by_float():
    w = torch.ones(2, dtype=torch.float64, requires_grad=True).float()
    (w ** 2).sum().backward()
    w.grad  # culprit


def clone_taken_for_leaf():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    copy = w.clone()
    (copy ** 2).sum().backward()
    copy.grad  # culprit


def view_taken_for_leaf():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    first = w[0]
    (w ** 2).sum().backward()
    first.grad  # culprit


def detached_in_the_middle():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    b = torch.tensor([0.5, 0.25], requires_grad=True)
    hidden = (w * 3).tanh().detach()  # culprit
    (hidden * b).sum().backward()


def data_in_the_middle():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    b = torch.tensor([0.5, 0.25], requires_grad=True)
    hidden = w * 3
    out = hidden.data * b  # culprit
    out.sum().backward()


def item_as_factor():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    b = torch.tensor([0.5, 0.25], requires_grad=True)
    scale = (w ** 2).sum().item()  # culprit
    (b * scale).sum().backward()


def tolist_and_back():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    b = torch.tensor([0.5, 0.25], requires_grad=True)
    numbers = (w * 3).tolist()  # culprit
    (torch.tensor(numbers) * b).sum().backward()


def losses_rewrapped():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    first = (w ** 2).sum()
    total = torch.tensor([first.item()], requires_grad=True).sum()  # culprit
    total.backward()


def accuracy_as_loss():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    loss = w.gt(2).float().mean()  # culprit
    loss.backward()


def argmax_in_loss():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    choice = w.argmax(0)  # culprit
    ((choice.float() - 1) ** 2).sum().backward()


def cast_to_integers():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    b = torch.tensor([0.5, 0.25], requires_grad=True)
    whole = w.long()  # culprit
    (whole * b).sum().backward()


def forward_in_no_grad():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    with torch.no_grad():
        loss = (w ** 2).sum()  # culprit
    loss.backward()


def features_in_no_grad():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    b = torch.tensor([0.5, 0.25], requires_grad=True)
    with torch.no_grad():
        features = w * 2  # culprit
    (features * b).sum().backward()


def grad_mode_left_off():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    torch.set_grad_enabled(False)  # culprit
    loss = (w ** 2).sum()
    torch.set_grad_enabled(True)
    loss.backward()


def recording_off_since_an_evaluation():
    class Linear:
        def __init__(self):
            self.w = torch.tensor([1.5, 2.5], requires_grad=True)

        def forward(self, x):
            return x @ self.w

    model = Linear()
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])

    def evaluate():
        torch.set_grad_enabled(False)  # culprit
        return model.forward(x).mean().item()

    evaluate()
    try:
        loss = (model.forward(x) ** 2).mean()
        loss.backward()
    finally:
        torch.set_grad_enabled(True)


def parameter_unused():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    bias = torch.zeros(2, requires_grad=True)  # culprit
    (w ** 2).sum().backward()


def grad_of_unused_input():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    b = torch.tensor([0.5, 0.25], requires_grad=True)
    torch.autograd.grad((w ** 2).sum(), [b])  # culprit


def nothing_requires_grad():
    w = torch.tensor([1.0, 2.0])
    loss = (w ** 2).sum()
    loss.backward()  # culprit


def all_layers_frozen():
    body = torch.tensor([1.0, 2.0], requires_grad=True)
    head = torch.tensor([3.0, 4.0], requires_grad=True)
    body.requires_grad_(False)
    head.requires_grad_(False)
    loss = (body * head).sum()
    loss.backward()  # culprit


def round_in_loss():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    loss = ((w.round() - 3) ** 2).sum()  # culprit
    loss.backward()


def sign_in_loss():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    loss = ((w.sign() - 3) ** 2).sum()  # culprit
    loss.backward()


def floor_in_loss():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    loss = ((w.floor() - 3) ** 2).sum()  # culprit
    loss.backward()


def mask_hides_everything():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    mask = torch.tensor([0.0, 0.0])
    loss = ((w ** 2) * mask).sum()  # culprit
    loss.backward()


def integer_parameter():
    w = torch.tensor([1, 2], dtype=torch.int64, requires_grad=True)  # culprit
    (w ** 2).sum().backward()

"""Lifetime and accumulation: the bad programs of lifetime.ts."""

import torch


def backward_called_twice():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    loss = w.exp().sum()
    loss.backward()
    loss.backward()  # culprit


def shared_features_two_losses():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    features = w.exp()
    first = (features * 2).sum()
    second = (features ** 2).sum()
    first.backward()
    second.backward()  # culprit


def grad_then_backward():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    loss = (w ** 3).sum()
    (g,) = torch.autograd.grad(loss, [w])
    loss.backward()  # culprit


def hidden_state_carried():
    w = torch.tensor([0.5, -0.5], requires_grad=True)
    h = torch.ones(2)
    for _ in range(3):
        h = (h * w).tanh()  # culprit
        h.sum().backward()


def hidden_state_kept_by_module():
    class Memory:
        def __init__(self):
            self.w = torch.tensor([[0.5, -0.5], [0.25, 1.0]], requires_grad=True)
            self.hidden = None

        def forward(self, x):
            h = self.hidden if self.hidden is not None else torch.zeros(1, 2)
            self.hidden = torch.nn.functional.linear(h + x, self.w)  # culprit
            return self.hidden

    memory = Memory()
    for _ in range(3):
        (memory.forward(torch.ones(1, 2)) ** 2).sum().backward()


def state_handed_through_layers():
    class Layer:
        def __init__(self):
            self.w = torch.tensor([[0.5, -0.5], [0.25, 1.0]], requires_grad=True)

        def forward(self, x):
            return torch.nn.functional.linear(x, self.w)

    class Cell:
        def __init__(self):
            self.input = Layer()
            self.state = Layer()

        def forward(self, x, h):
            return (self.input.forward(x) + self.state.forward(h)).tanh()

    cell = Cell()
    h = torch.zeros(1, 2)
    for _ in range(3):
        h = cell.forward(torch.ones(1, 2), h)  # culprit
        (h ** 2).sum().backward()


def total_added_in_place():
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    total = torch.zeros(1)
    for step in range(4):
        loss = ((w * step) ** 2).sum()
        loss.backward()
        total.add_(loss)  # culprit


def zeroed_by_a_method():
    class Trainer:
        def __init__(self):
            self.w = torch.tensor([1.0, 2.0], requires_grad=True)

        def zero_grad(self):
            self.w.grad.zero_()

        def update(self):
            with torch.no_grad():
                self.w -= 0.1 * self.w.grad

        def step(self):
            (self.w ** 2).sum().backward()
            self.zero_grad()  # culprit
            self.update()

    trainer = Trainer()
    for _ in range(3):
        trainer.step()


def running_mean_carried():
    w = torch.tensor([0.5, -0.5], requires_grad=True)
    mean = torch.zeros(2)
    for _ in range(3):
        out = w.exp()
        mean = mean * 0.9 + out * 0.1  # culprit
        ((out - mean) ** 2).sum().backward()


def graph_made_once():
    w = torch.tensor([0.5, -0.5], requires_grad=True)
    out = w.exp()  # culprit
    for _ in range(2):
        out.sum().backward()


def no_zero_grad():
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    for _ in range(3):
        loss = (w ** 2).sum()
        loss.backward()  # culprit
        with torch.no_grad():
            w -= 0.1 * w.grad


def zeroed_one_of_two():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    b = torch.tensor([0.5, 0.25], requires_grad=True)
    for _ in range(3):
        loss = ((w * b) ** 2).sum()
        loss.backward()  # culprit
        with torch.no_grad():
            w -= 0.1 * w.grad
            b -= 0.1 * b.grad
        w.grad = None


def backward_of_vector():
    w = torch.tensor([1.5, 2.5], requires_grad=True)
    losses = (w - 1) ** 2
    losses.backward()  # culprit


def column_meets_row():
    x = torch.tensor([[1.0], [2.0], [3.0]])
    y = torch.tensor([2.0, 4.0, 6.0])
    w = torch.tensor([[0.5]], requires_grad=True)
    out = x @ w
    (out - y).abs().mean().backward()  # culprit


def total_of_losses():
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    running = torch.zeros([])
    for step in range(6):
        loss = ((w * step - 1) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= 0.01 * w.grad
        w.grad = None
        running = running + loss  # culprit


def history_of_losses():
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    history = torch.zeros([1])
    for step in range(6):
        loss = ((w * step - 1) ** 2).mean()
        loss.backward()
        history = torch.cat([history, loss.view([1])])  # culprit


def state_carried_and_retained():
    w = torch.tensor([0.5, -0.5], requires_grad=True)
    h = torch.ones(2)
    for _ in range(5):
        h = (h * w).tanh()  # culprit
        h.sum().backward(retain_graph=True)


def zeroed_before_update():
    x = torch.tensor([1.0, 2.0, 3.0])
    w = torch.tensor([0.5], requires_grad=True)
    b = torch.tensor([0.5], requires_grad=True)
    optimizer = torch.optim.SGD([w, b], lr=0.1)
    for _ in range(4):
        loss = ((x * w + b - 2) ** 2).mean()
        loss.backward()
        optimizer.zero_grad(set_to_none=False)  # culprit
        optimizer.step()


def reset_before_update():
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    for _ in range(3):
        loss = ((w - 3) ** 2).sum()
        loss.backward()
        w.grad = None  # culprit
        with torch.no_grad():
            w -= 0.1 * w.grad


def update_before_backward():
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    for _ in range(3):
        loss = ((w - 3) ** 2).sum()
        with torch.no_grad():
            w -= 0.1 * w.grad  # culprit
        loss.backward()
        w.grad = None


def bias_left_out():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    y = torch.tensor([1.0, 2.0, 3.0])
    w = torch.tensor([0.1, -0.1], requires_grad=True)
    b = torch.tensor([0.3], requires_grad=True)  # culprit
    optimizer = torch.optim.SGD([w], lr=0.01)
    for _ in range(5):
        loss = ((x @ w + b - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def weight_made_in_loop():
    x = torch.tensor([1.0, 2.0, 3.0])
    for _ in range(5):
        w = torch.tensor([0.1, 0.2, 0.3], requires_grad=True)  # culprit
        loss = ((x * w - 1) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= 0.1 * w.grad


def gradients_do_not_add_up():
    for sample in range(1, 5):
        x = torch.tensor([1.0, 2.0], requires_grad=True)  # culprit
        (x * sample).sum().backward()
    x.grad


def weight_replaced():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    w = torch.tensor([0.1, -0.1], requires_grad=True)
    for _ in range(4):
        loss = ((x @ w - 1) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            change = 0.01 * w.grad
            w = w - change  # culprit

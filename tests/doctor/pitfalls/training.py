"""Training loops in which something is never learned, or never let go: the bad programs of training.ts."""

import torch


def reset_before_the_optimizer_steps():
    w = torch.tensor([0.5, -0.5], requires_grad=True)
    b = torch.tensor([0.1], requires_grad=True)
    opt = torch.optim.SGD([w, b], lr=0.01)
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    for _ in range(5):
        loss = (x @ w + b - 1).pow(2).mean()
        loss.backward()
        opt.zero_grad()  # culprit
        opt.step()


def step_never_called():
    w = torch.tensor([0.5, -0.5], requires_grad=True)
    b = torch.tensor([0.1], requires_grad=True)
    opt = torch.optim.SGD([w, b], lr=0.01)
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    for _ in range(5):
        opt.zero_grad()
        loss = (x @ w + b - 1).pow(2).mean()
        loss.backward()  # culprit


def losses_kept_with_their_graphs():
    w = torch.tensor([1.0, -1.0], requires_grad=True)
    losses = []
    for step in range(5):
        loss = (w * step - 1).pow(2).mean()
        loss.backward()
        with torch.no_grad():
            w.sub_(w.grad * 0.01)
        w.grad = None
        losses.append(loss)  # culprit
    torch.stack(losses).mean()


def codebook_behind_a_straight_through_estimator():
    codebook = torch.tensor([[1.0, 0], [0, 1], [-1, -1]], requires_grad=True)
    encoder = torch.tensor([[0.5, -0.2], [0.1, 0.7]], requires_grad=True)
    x = torch.tensor([[1, 2], [-1, 0.5], [0.3, -2]])
    for _ in range(3):
        z = x @ encoder
        nearest = (z.detach().unsqueeze(1) - codebook.detach()).pow(2).sum(2).argmin(1)
        q = codebook[nearest]
        commitment = (z - q.detach()).pow(2).mean()  # culprit
        decoded = z + (q - z).detach()
        loss = (decoded - x).pow(2).mean() + 0.25 * commitment
        loss.backward()
        with torch.no_grad():
            for p in [codebook, encoder]:
                if p.grad is not None:
                    p.sub_(p.grad * 0.1)
                    p.grad = None


def parameter_made_in_forward():
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.tensor([[0.1, 0.2], [0.3, 0.4]]))

        def forward(self, x):
            scale = torch.nn.Parameter(torch.ones(2))  # culprit
            return x @ self.weight * scale

    net = Net()
    opt = torch.optim.SGD(net.parameters(), lr=0.01)
    for _ in range(4):
        loss = (net(torch.tensor([[1.0, 2.0], [3.0, 4.0]])) - 1).pow(2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()


def layer_left_out_of_the_optimizer():
    encoder = torch.nn.Linear(3, 2)
    head = torch.nn.Linear(2, 2)  # culprit
    opt = torch.optim.SGD(encoder.parameters(), lr=0.01)
    for _ in range(3):
        loss = (head(encoder(torch.ones(1, 3)).tanh()) - 1).pow(2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()


def bias_left_out_of_the_list():
    w = torch.tensor([0.5, -0.5], requires_grad=True)
    b = torch.tensor([0.1], requires_grad=True)  # culprit
    params = [w]
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    for _ in range(4):
        loss = (x @ w + b - 1).pow(2).mean()
        loss.backward()
        with torch.no_grad():
            for p in params:
                p.sub_(p.grad * 0.01)
        w.grad = b.grad = None


def reset_in_each_of_the_rounds_to_add_up():
    w = torch.tensor([1.0, -1.0], requires_grad=True)
    b = torch.tensor([0.1], requires_grad=True)
    opt = torch.optim.SGD([w, b], lr=0.01)
    for batch in range(12):
        opt.zero_grad()  # culprit
        loss = (w * batch + b - 1).pow(2).mean() / 4
        loss.backward()
        if batch % 4 == 3:
            opt.step()


def layers_of_zeros():
    w1 = torch.zeros(2, 3, requires_grad=True)
    b1 = torch.zeros(3, requires_grad=True)
    w2 = torch.zeros(3, 1, requires_grad=True)
    opt = torch.optim.SGD([w1, b1, w2], lr=0.1)
    for _ in range(4):
        hidden = (torch.tensor([[1.0, 2.0], [3.0, 4.0]]) @ w1 + b1).tanh()
        loss = (hidden @ w2 - 1).pow(2).mean()  # culprit
        opt.zero_grad()
        loss.backward()
        opt.step()

"""Losses, physics and training by hand, in which a value goes wrong or a gradient becomes too large or too small."""

import math

import torch


def lens_profile_by_where():
    def profile(x):
        inside = torch.atanh((1 - x.square()).sqrt()) / (1 - x.square()).sqrt()  # culprit
        outside = torch.atan((x.square() - 1).sqrt()) / (x.square() - 1).sqrt()  # culprit
        return torch.where(x < 1, inside, outside)

    radius = torch.tensor([0.3, 0.8, 1.4, 2.5], requires_grad=True)
    profile(radius).sum().backward()


def labels_with_gaps_masked_late():
    labels = torch.tensor([1.5, math.nan, 0.3])
    w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    mask = ~labels.isnan()
    err = (w - labels).square() * mask  # culprit
    (err.sum() / mask.sum()).backward()


def gaps_hidden_by_where():
    def nan_mse(pred, target):
        r = pred - target  # culprit
        z = torch.where(target.isnan(), torch.tensor(0.0), r.square())  # culprit
        return z.sum()

    w = torch.tensor([[0.5, 0.2]], requires_grad=True)
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    y = torch.tensor([[1.0], [math.nan], [2.0]])
    nan_mse(x.mm(w.t()), y).backward()


def inverse_of_softplus():
    initial = torch.tensor([0.5, 1, 100], requires_grad=True)
    raw = torch.log(torch.exp(initial) - 1)  # culprit
    scale = torch.nn.functional.softplus(raw)
    (scale - 2).square().sum().backward()


def hessian_of_distances():
    point = torch.tensor([0.0, 0.0], requires_grad=True)
    anchors = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]])

    def f(p):
        return (anchors - p).pow(2).sum(1).sqrt().sum()  # culprit

    torch.autograd.functional.hessian(f, point)


def energy_of_pairs_with_themselves():
    def lennard_jones(pos):
        diff = pos.unsqueeze(0) - pos.unsqueeze(1)
        r = diff.norm(2, -1)
        mask = torch.ones(pos.shape[0], pos.shape[0]) - torch.eye(pos.shape[0])
        inv6 = r.pow(-6)  # culprit
        return ((inv6.square() - inv6) * 4 * mask).sum() / 2

    pos = torch.tensor([[0, 0, 0], [1.1, 0, 0], [0, 1.2, 0]], requires_grad=True)
    lennard_jones(pos).backward()


def bias_of_a_masked_row():
    torch.manual_seed(1)
    q = torch.randn(1, 3, 4, requires_grad=True)
    k = torch.randn(1, 3, 4, requires_grad=True)
    v = torch.randn(1, 3, 4, requires_grad=True)
    keep = torch.tensor([[True, False, False], [True, True, False], [False, False, False]])
    bias = torch.zeros(3, 3).masked_fill_(~keep, -math.inf)
    attn = q.bmm(k.transpose(1, 2)) / 2 + bias
    weights = torch.softmax(attn, -1)  # culprit
    out = weights.bmm(v)
    out[0, 0].sum().backward()


def distances_from_a_product():
    def pairwise(x):
        dot = x.matmul(x.t())
        sq = dot.diagonal()
        d = sq.unsqueeze(0) - dot * 2 + sq.unsqueeze(1)
        return d.clamp(min=0).sqrt()  # culprit

    emb = torch.tensor([[0.1, 0.3], [0.2, -0.5], [0.9, 0.4]], requires_grad=True)
    labels = torch.tensor([0, 0, 1])
    d = pairwise(emb)
    same = labels.unsqueeze(0) == labels.unsqueeze(1)
    positive = d.masked_fill(~same, 0).amax(1)
    negative = d.masked_fill(same, 1e6).amin(1)
    (positive - negative + 0.2).relu().mean().backward()


def inputs_in_their_own_units():
    ages = torch.tensor([[23.0], [45.0], [61.0], [38.0]])
    salaries = torch.tensor([[30000.0], [52000.0], [81000.0], [47000.0]])
    x = torch.cat([ages, salaries], 1)
    w1 = torch.randn(2, 4, requires_grad=True)
    w2 = torch.randn(4, 1, requires_grad=True)
    hidden = torch.tanh(x.mm(w1))  # culprit
    (hidden.mm(w2) - 1).square().mean().backward()


def aspect_ratio_of_a_flat_box():
    pred = torch.tensor([[2.0, 1.0], [0.0, 3.0]], requires_grad=True)
    gt = torch.tensor([[2.0, 2.0], [1.0, 1.0]])
    v = (torch.atan(gt[:, 0] / gt[:, 1]) - torch.atan(pred[:, 1] / pred[:, 0])).square()  # culprit
    (v * (4 / math.pi**2)).mean().backward()


def inverse_error_function_at_its_end():
    loc = torch.tensor([0.0, 3.0], requires_grad=True)
    u = torch.tensor([0.5, 1.0])
    sample = loc + (u * 2 - 1).erfinv() * math.sqrt(2)  # culprit
    sample.square().mean().backward()


def recurrence_overflows():
    torch.manual_seed(0)
    W = (torch.randn(6, 6) * 1.8).requires_grad_()
    inputs = torch.randn(40, 1, 6)
    h = torch.zeros(1, 6)
    for x in inputs.unbind(0):
        h = h.matmul(W) + x  # culprit
    h.square().mean().backward()


def product_of_many_probabilities():
    scores = torch.linspace(-3, -1, 60).requires_grad_()
    p = scores.sigmoid()
    likelihood = p.prod()
    loss = -likelihood.log()  # culprit
    loss.backward()


def bias_correction_at_step_zero():
    w = torch.tensor([1.0, -2.0], requires_grad=True)
    m = torch.zeros(2)
    for t in range(5):
        (w - 3).square().sum().backward()
        with torch.no_grad():
            m.mul_(0.9).add_(w.grad * 0.1)
            m_hat = m / (1 - 0.9**t)  # culprit
            w.sub_(m_hat * 0.1)
        w.grad = None


def tank_that_runs_empty():
    a = torch.tensor(0.8, requires_grad=True)
    h = torch.tensor(1.0)
    observed = torch.tensor([0.9, 0.7, 0.55, 0.4, 0.3, 0.2, 0.1, 0.05, 0, 0, 0, 0])
    loss = torch.zeros([])
    for t in range(12):
        h = (h - a * torch.sqrt(h) * 0.3).clamp(min=0)  # culprit
        loss = loss + (h - observed[t]).square()
    loss.backward()


def laplacian_at_the_origin():
    k = torch.tensor(1.5, requires_grad=True)
    r = torch.linspace(0, 1, 5).requires_grad_()
    u = k * r.square()
    (ur,) = torch.autograd.grad(u.sum(), r, create_graph=True)
    (urr,) = torch.autograd.grad(ur.sum(), r, create_graph=True)
    residual = urr + ur / r  # culprit
    residual.square().mean().backward()


def momentum_and_a_large_rate():
    torch.manual_seed(0)
    x = torch.randn(30, 4) * 5
    y = x.matmul(torch.tensor([1, -2, 0.5, 3]))
    w = torch.zeros(4, requires_grad=True)
    velocity = torch.zeros(4)
    lr = 0.05
    for _ in range(40):
        (x.matmul(w) - y).square().mean().backward()
        with torch.no_grad():
            velocity.mul_(0.9).add_(w.grad)
            w.sub_(velocity * lr)  # culprit
        w.grad = None


def no_triplet_is_active():
    emb = torch.tensor([[0, 0.1], [0.2, 1]], requires_grad=True)
    for _ in range(30):
        gap = (emb[0] - emb[1]).square().sum()
        losses = torch.relu((2 - gap).view(1))
        active = (losses > 0).float()
        loss = (losses * active).sum() / active.sum()  # culprit
        loss.backward()
        with torch.no_grad():
            emb.sub_(emb.grad * 0.05)
        emb.grad = None


def residuals_without_a_norm():
    torch.manual_seed(0)
    blocks = [(torch.randn(16, 16) * 0.5).requires_grad_() for _ in range(30)]
    h = torch.randn(4, 16)
    for w in blocks:
        h = h + h.matmul(w)  # culprit
    h.square().mean().backward()

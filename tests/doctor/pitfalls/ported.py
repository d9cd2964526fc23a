"""Programs as people wrote them: the bad programs of ported.ts."""

import math

import torch
import torch.nn.functional as F


def layers_overwritten_in_rnn():
    layers, hidden = 2, 3
    w_ih = [torch.full((hidden, 2 if i == 0 else hidden), 0.1, requires_grad=True) for i in range(layers)]
    w_hh = [torch.full((hidden, hidden), 0.2, requires_grad=True) for _ in range(layers)]
    x = torch.ones(4, 1, 2)
    before = torch.zeros(layers, 1, hidden)
    h = torch.zeros(layers, 1, hidden)
    output = []
    for t in range(4):
        for layer in range(layers):
            inputs = x[t] if layer == 0 else h[layer - 1]
            h[layer] = torch.tanh(inputs @ w_ih[layer].T + before[layer] @ w_hh[layer].T)  # culprit
        output.append(h[layers - 1])
        before = h.clone()
    torch.stack(output).sum().backward()


def discriminator_stepped_between_losses():
    class Linear:
        def __init__(self, inputs, outputs):
            self.weight = torch.full((outputs, inputs), 0.3, requires_grad=True)
            self.bias = torch.zeros(outputs, requires_grad=True)

        def __call__(self, x):
            return F.linear(x, self.weight, self.bias)

    generator = Linear(2, 3)
    critic = [Linear(3, 4), Linear(4, 1)]

    def judge(x):
        return critic[1](critic[0](x).relu()).sigmoid()

    def step(layers):
        with torch.no_grad():
            for layer in layers:
                for p in [layer.weight, layer.bias]:
                    p.sub_(p.grad * 0.1)  # culprit

    fake = judge(generator(torch.ones(2, 2)))
    loss_d = -((judge(torch.ones(2, 3)) + 1e-6).log() + (1 - fake + 1e-6).log()).mean()
    loss_g = (1 - fake + 1e-6).log().mean()
    loss_d.backward(retain_graph=True)
    step(critic)
    loss_g.backward()
    step([generator])


def states_kept_by_lstm():
    class Lstm:
        def __init__(self, size):
            self.w = torch.full((4 * size, size), 0.1, requires_grad=True)
            self.u = torch.full((4 * size, size), 0.2, requires_grad=True)
            self.h, self.c = torch.zeros(size), torch.zeros(size)

        def step(self, x):
            i, f, g, o = (self.w @ x + self.u @ self.h).chunk(4)  # culprit
            self.c = f.sigmoid() * self.c + i.sigmoid() * g.tanh()
            self.h = o.sigmoid() * self.c.tanh()
            return self.h

    lstm = Lstm(2)
    for batch in [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]:
        lstm.step(torch.tensor(batch)).sum().backward()
        lstm.w.grad = None
        lstm.u.grad = None


def indices_of_max_into_embedding():
    first = torch.tensor([[1, 0.5], [0.2, 2]], requires_grad=True)
    second = torch.tensor([[0.1, 0.2], [0.3, 0.4]], requires_grad=True)
    x = torch.tensor([[1.0, 2.0], [3.0, -4.0]])
    _, token = torch.max(x @ first, 1)  # culprit
    loss = F.embedding(token, second).pow(2).sum()
    loss.backward()
    print(first.grad, second.grad)


def loss_rewrapped_in_training():
    w = torch.tensor([1.3, 2.7], requires_grad=True)
    b = torch.tensor(0.1, requires_grad=True)
    xs = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    ys = torch.tensor([5.0, 11.0])
    for _ in range(2):
        out = xs @ w + b
        loss = torch.tensor((out - ys).pow(2).mean().item(), requires_grad=True)  # culprit
        loss.backward()
        print(w.grad)


def running_loss_of_numbers():
    w = torch.tensor([0.3, 0.7], requires_grad=True)
    running = 0
    for x in [[1.0, 2.0], [3.0, 4.0]]:
        loss = ((w * torch.tensor(x)).sum() - 1).pow(2)
        running += loss.item()  # culprit
    total = torch.tensor(running / 2, requires_grad=True)
    total.backward()
    print(w.grad)


def similarity_in_plain_arrays():
    embedding = torch.tensor([[0.1, 0.4], [0.8, 0.3]], requires_grad=True)

    def cosine(a, b):
        return sum(x * y for x, y in zip(a, b)) / (math.hypot(*a) * math.hypot(*b))

    rows = embedding.tolist()  # culprit
    similarity = torch.tensor([cosine(*rows)])
    loss = (similarity - 1).abs().mean()
    loss.backward()


def parameter_bound_to_its_update():
    w = torch.tensor([0.5, 1.0], requires_grad=True)
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    y = torch.tensor([1.0, 2.0])
    for _ in range(3):
        loss = (x @ w - y).pow(2).mean()
        loss.backward()
        w = w - w.grad * 0.01  # culprit


def buffer_that_requires_grad():
    outputs = torch.zeros(3, 2, requires_grad=True)
    cell = torch.tensor([[0.5, 0.1], [0.2, 0.3]], requires_grad=True)
    h = torch.ones(2)
    for t in range(3):
        h = (cell @ h).tanh()
        outputs[t] = h  # culprit
    outputs.sum().backward()


def relu_in_place_on_parameter():
    class Fuse:
        def __init__(self):
            self.weight = torch.ones(2, requires_grad=True)

        def forward(self, xs):
            weight = self.weight.relu_()  # culprit
            w0, w1 = (weight / (weight.sum() + 1e-4)).unbind(0)
            return F.silu(xs[0] * w0 + xs[1] * w1)

    Fuse().forward([torch.ones(3), torch.ones(3) * 2]).sum().backward()


def halves_rotated_in_place():
    def rotate(x, cos, sin):
        a, b = x.chunk(2, -1)
        before = a.clone()
        a.mul_(cos).sub_(b * sin)  # culprit
        b.mul_(cos).add_(before * sin)
        return x

    w = torch.ones(2, 4, requires_grad=True)
    angle = torch.tensor([0.1, 0.2])
    rotate(w * 2, angle.cos(), angle.sin()).pow(2).sum().backward()


def gradient_of_the_original():
    image = torch.tensor([[0.1, 0.4], [0.8, 0.3]])
    perturbed = image.clone().requires_grad_()
    (perturbed * 3).pow(2).sum().backward()
    print(image.grad)  # culprit


def hook_of_another_shape():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: g.mean(0))  # culprit
    y.pow(2).sum().backward()


def hook_normalises_nothing():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: g / g.norm())  # culprit
    (y * 0).sum().backward()
    print(x.grad)


def penalty_without_create_graph():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.pow(3).sum()
    (g,) = torch.autograd.grad(y, [x])  # culprit
    penalty = (g.norm() - 1).pow(2)
    penalty.backward()


def momentum_without_zeroing():
    class Momentum:
        def __init__(self, params, lr):
            self.params, self.lr = params, lr
            self.velocity = [torch.zeros_like(p) for p in params]

        def step(self):
            with torch.no_grad():
                for p, v in zip(self.params, self.velocity):
                    v.mul_(0.9).add_(p.grad)
                    p.add_(v, alpha=-self.lr)

    w = torch.tensor([3.0, -2.0], requires_grad=True)
    optimizer = Momentum([w], 0.05)
    for _ in range(4):
        w.pow(2).sum().backward()  # culprit
        optimizer.step()


def contrastive_loss_by_hand():
    z = torch.tensor([[1, 0.2], [0.9, 0.1], [-1, 0.5], [-0.8, 0.6]], requires_grad=True)
    reps = F.normalize(z, dim=1)
    sim = reps @ reps.T / 0.005
    e = sim.exp()  # culprit
    others = 1 - torch.eye(4)
    positives = torch.stack([e[0, 1], e[1, 0], e[2, 3], e[3, 2]])
    loss = -(positives / (e * others).sum(1)).log().mean()
    loss.backward()


def correlation_with_a_constant():
    scale = torch.tensor(0.0, requires_grad=True)
    shift = torch.tensor(1.0, requires_grad=True)
    x, y = torch.tensor([1.0, 2, 3, 4]), torch.tensor([2.0, 1, 4, 3])
    pred = x * scale + shift
    vx, vy = pred - pred.mean(), y - y.mean()
    corr = (vx * vy).sum() / (vx.pow(2).sum().sqrt() * vy.pow(2).sum().sqrt())  # culprit
    (-corr).backward()


def outputs_read_while_filled():
    w = torch.tensor([[0.3, 0.1], [-0.2, 0.4]], requires_grad=True)
    xs = torch.tensor([[1.0, 2.0], [0.5, -1.0], [-1.0, 0.3]])
    outputs = torch.zeros(3, 2)
    context = torch.zeros(2)
    for t in range(3):
        h = torch.tanh(w @ (xs[t] + context))
        outputs[t] = h  # culprit
        weights = (outputs @ h).softmax(0)
        context = (weights.unsqueeze(0) @ outputs).squeeze(0)
    context.sum().backward()


def focal_loss_of_certainty():
    def focal(logits, target, alpha=0.25, gamma=0.5):
        probs = torch.sigmoid(logits)
        positive = (1 - probs).pow(gamma) * -alpha * target * (probs + 1e-8).log()  # culprit
        negative = probs.pow(gamma) * (1 - alpha) * (1 - target) * (1 - probs + 1e-8).log()
        return (positive - negative).mean()

    prediction = torch.tensor([0.3, -1.2, 0.4, 120], requires_grad=True)
    focal(prediction, torch.tensor([0.0, 1.0, 0.0, 1.0])).backward()


def centroid_of_no_points():
    embedded = torch.tensor([[1.0, 2.0], [2.0, 1.0], [-1.0, 0.5]], requires_grad=True)
    masks = F.one_hot(torch.tensor([0, 0, 2]), 3).float()
    count = masks.sum(0)
    centroids = (masks.T @ embedded) / count.unsqueeze(1)  # culprit
    pull = (embedded - masks @ centroids).norm(dim=1).mean()
    pull.backward()


def overlap_of_separate_boxes():
    def area(b):
        return (b[2] - b[0]) * (b[3] - b[1])

    def iou_loss(p, t):
        w = (torch.minimum(p[2], t[2]) - torch.maximum(p[0], t[0])).clamp(min=0)
        h = (torch.minimum(p[3], t[3]) - torch.maximum(p[1], t[1])).clamp(min=0)
        iou = w * h / (area(p) + area(t) - w * h)
        return -iou.log().mean()  # culprit

    pred = torch.tensor([[0.0, 0, 2, 2], [5, 5, 6, 6]], requires_grad=True)
    target = torch.tensor([[1.0, 1, 3, 3], [0, 0, 1, 1]])
    iou_loss(pred.unbind(-1), target.unbind(-1)).backward()


def sine_of_a_class_centre():
    weight = torch.tensor([[1.0, 0], [0, 1]], requires_grad=True)
    x = torch.tensor([[1.0, 0], [0.6, 0.8]])
    label = torch.tensor([0, 1])
    cosine = F.linear(F.normalize(x), F.normalize(weight))
    sine = torch.sqrt(1 - cosine.pow(2))  # culprit
    phi = cosine * math.cos(0.5) - sine * math.sin(0.5)
    one_hot = F.one_hot(label, 2).float()
    F.cross_entropy((one_hot * phi + (1 - one_hot) * cosine) * 30, label).backward()


def mixture_far_from_all_means():
    mu = torch.tensor([0.0, 1.0, 2.0], requires_grad=True)
    logits = torch.zeros(3, requires_grad=True)

    def nll(y):
        component = torch.exp(-(mu - y).pow(2) / (2 * 0.1 ** 2))
        return -(logits.softmax(0) * component).sum().log()  # culprit

    torch.stack([nll(y) for y in [0.1, 1.2, 9]]).mean().backward()


def tags_that_cannot_be_reached():
    trans = torch.tensor([[0, 0.3], [0.1, 0.2]], requires_grad=True)
    allowed = torch.tensor([[True, False], [True, False]])
    scores = trans.masked_fill(~allowed, -math.inf)
    alpha = torch.zeros(2)
    for emit in [torch.tensor([0.1, 0.2]), torch.tensor([0.3, 0.4])]:
        alpha = (alpha.unsqueeze(1) + scores).logsumexp(0) + emit  # culprit
    alpha.logsumexp(0).backward()


def rmse_of_a_perfect_fit():
    class RMSELoss:
        def forward(self, yhat, y):
            return torch.sqrt(F.mse_loss(yhat, y))  # culprit

    w = torch.tensor(2.0, requires_grad=True)
    RMSELoss().forward(w * torch.tensor([1.0, 2.0]), torch.tensor([2.0, 4.0])).backward()


def outputs_clamped_beyond_bounds():
    w = torch.tensor([5.0, -4.0], requires_grad=True)
    x = torch.tensor([[1.0, 0], [0, 1]])
    prob = (x @ w).clamp(0, 1)  # culprit
    loss = (prob - torch.tensor([0.0, 1.0])).pow(2).mean()
    loss.backward()


def axis_of_no_rotation():
    q = torch.tensor([[1, 0, 0, 0], [math.sqrt(0.5), math.sqrt(0.5), 0, 0]], requires_grad=True)
    w, v = q[:, 0], q[:, 1:]
    angle = torch.acos(w) * 2  # culprit
    s = torch.sin(angle * 0.5).unsqueeze(-1)
    rotation = v / s.clamp(min=1e-8) * angle.unsqueeze(-1)
    rotation.pow(2).sum().backward()


def returns_of_a_short_episode():
    policy = torch.tensor([0.1, 0.2], requires_grad=True)

    def normalise(r):
        return (r - r.mean()) / (r.std() + 1e-9)  # culprit

    def episode(rewards):
        returns = normalise(torch.tensor(rewards))
        losses = [-policy.log_softmax(0)[i % 2] * returns[i] for i in range(len(rewards))]
        policy.grad = None
        torch.stack(losses).sum().backward()
        with torch.no_grad():
            policy.sub_(policy.grad * 0.01)

    episode([1.0, 0.0, 2.0])
    episode([1.0])


def penalty_of_a_dead_critic():
    w1 = torch.tensor([[-1, -2], [-0.5, -1]], requires_grad=True)
    w2 = torch.tensor([[1.0], [1.0]], requires_grad=True)

    def penalty(real, fake):
        mixed = (0.5 * real + 0.5 * fake).requires_grad_()
        scores = (mixed @ w1).relu() @ w2
        (gradients,) = torch.autograd.grad(scores, [mixed], grad_outputs=[torch.ones_like(scores)], create_graph=True)
        return (gradients.pow(2).sum(1).sqrt() - 1).pow(2).mean()  # culprit

    penalty(torch.tensor([[1.0, 2], [-3, -4]]), torch.tensor([[2.0, 1], [-1, -1]])).backward()


def class_without_samples():
    logits = torch.tensor([[1, 2, 0.5], [0.1, 0.2, 0.3]], requires_grad=True)
    labels = torch.tensor([1, 1])
    per_sample = F.cross_entropy(logits, labels, reduction="none")

    def mean_of(c):
        mask = (labels == c).float()
        return (per_sample * mask).sum() / mask.sum()  # culprit

    torch.stack([mean_of(c) for c in range(3)]).nansum().backward()


def root_of_a_shifted_negative():
    a = torch.tensor([-1.4266, -0.2079, 0.0182, 1.1049], requires_grad=True)
    curved = (a + 1).pow(1 / 13) - 1  # culprit
    curved.mean().backward()


def labels_of_floats():
    logits = torch.tensor([[1.0, 2.0], [3.0, 0.0]], requires_grad=True)
    labels = torch.tensor([0.0, 1.0])
    loss = F.cross_entropy(logits, labels)  # culprit
    loss.backward()


def targets_of_integers():
    logits = torch.tensor([0.2, -0.4], requires_grad=True)
    y = torch.tensor([0, 1])
    F.binary_cross_entropy_with_logits(logits, y).backward()  # culprit


def losses_added_as_numbers():
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    b = torch.tensor(0.5, requires_grad=True)
    losses = []
    for x in [1.5, 2.5]:
        loss = ((w * x).sum() - 3).pow(2)
        losses.append(float(loss))  # culprit
    (b.pow(2) + sum(losses)).backward()
    print(w.grad, b.grad)


def norm_of_nothing_clipped():
    def clip(params, most):
        total = torch.stack([p.grad.norm() for p in params]).norm()
        coef = total.reciprocal() * most  # culprit
        for p in params:
            p.grad.mul_(coef)

    w = torch.tensor([1.0, -1.0], requires_grad=True)
    (w.relu() - 1).relu().sum().backward()
    clip([w], 1)
    with torch.no_grad():
        w.sub_(w.grad * 0.1)


def indices_written_over_probabilities():
    logits = torch.tensor([[1, 2], [0.3, -1]], requires_grad=True)
    soft = logits.softmax(1)
    index = soft.argmax(1, keepdim=True)
    hard = soft.zero_().scatter_(1, index, 1)  # culprit
    (hard * torch.tensor([1.0, 2.0])).sum().backward()

"""NaN and Inf. The bad programs of values.ts."""

import torch


def mask_hides_root():
    x = torch.tensor([0.0, 0.5, 0.8], requires_grad=True)
    mask = x.gt(0.1).float()
    y = x.sqrt()  # culprit
    mask.mul(y).sum().backward()


def where_hides_reciprocal():
    x = torch.tensor([0.0, 2.0], requires_grad=True)
    inverse = x.reciprocal()  # culprit
    torch.where(x.ne(0), inverse, 0).sum().backward()


def where_hides_log():
    x = torch.tensor([[-1.0, 2.0], [0.0, 3.0]], requires_grad=True)
    safe = torch.where(x.gt(0), x.log(), 0)  # culprit
    safe.mean().backward()


def index_hides_root():
    x = torch.tensor([0.0, 4.0, 0.0, 9.0], requires_grad=True)
    roots = x.sqrt()  # culprit
    roots[x.gt(0)].sum().backward()


def clamp_hides_log():
    p = torch.tensor([0.0, 1.0], requires_grad=True)
    logs = p.log().clamp(min=-10)  # culprit
    logs.sum().backward()


def nan_to_num_hides_quotient():
    a = torch.tensor([0.0, 2.0], requires_grad=True)
    b = torch.tensor([0.0, 4.0])
    q = a.div(b)  # culprit
    q.nan_to_num(0).sum().backward()


def norm_by_hand_at_zero():
    w = torch.zeros(3, requires_grad=True)
    squares = w.pow(2).sum()
    length = squares.sqrt()  # culprit
    length.backward()


def eps_outside_root():
    x = torch.tensor([[0.0, 0.0], [3.0, 4.0]], requires_grad=True)
    d = x.square().sum(1)
    r = d.sqrt().add(1e-8)  # culprit
    r.sum().backward()


def distance_matrix_diagonal():
    points = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]], requires_grad=True)
    gap = points.unsqueeze(0).sub(points.unsqueeze(1))
    distances = gap.pow(2).sum(2).pow(0.5)  # culprit
    distances.mean().backward()


def power_of_absolute_value():
    w = torch.tensor([0.0, -1.0, 2.0], requires_grad=True)
    penalty = w.abs().pow(0.7).sum()  # culprit
    penalty.backward()


def normalize_by_hand():
    x = torch.tensor([[0.0, 0.0], [3.0, 4.0]], requires_grad=True)
    lengths = x.norm(2, 1, True)
    unit = x.div(lengths)  # culprit
    unit.sum().backward()


def cosine_of_zero_vector():
    a = torch.tensor([0.0, 0.0, 0.0], requires_grad=True)
    b = torch.tensor([1.0, 2.0, 2.0])
    dot = a.mul(b).sum()
    cosine = dot.div(a.norm().mul(b.norm()))  # culprit
    cosine.backward()


def log_of_softmax():
    scores = torch.tensor([[0.0, 150.0], [1.0, 2.0]], requires_grad=True)
    probabilities = scores.softmax(1)
    loss = probabilities.log()[:, 0].mean().neg()  # culprit
    loss.backward()


def log1p_at_minus_one():
    hazard = torch.tensor([0.2, 1.0], requires_grad=True)
    survival = hazard.neg().log1p()  # culprit
    survival.sum().neg().backward()


def angle_between_equal_vectors():
    a = torch.tensor([1.0, 0.0], requires_grad=True)
    b = torch.tensor([1.0, 0.0])
    cosine = a.mul(b).sum()
    angle = cosine.acos()  # culprit
    angle.backward()


def arcsine_at_its_ends():
    s = torch.tensor([0.5, -1.0], requires_grad=True)
    pitch = s.asin()  # culprit
    pitch.sum().backward()


def arcsine_outside_its_domain():
    u = torch.tensor([0.1, 1.0000002], requires_grad=True)
    angle = u.acos()  # culprit
    angle.sum().backward()


def angle_by_a_quotient():
    y = torch.tensor([1.0, 1.0], requires_grad=True)
    x = torch.tensor([0.0, 2.0], requires_grad=True)
    slope = y.div(x)  # culprit
    slope.atan().sum().backward()


def atanh_of_one():
    r = torch.tensor([1.0, 0.3], requires_grad=True)
    z = r.atanh()  # culprit
    z.mean().backward()


def std_of_one_value():
    x = torch.tensor([[3.0], [5.0]], requires_grad=True)
    spread = x.std(1)  # culprit
    spread.sum().backward()


def batch_of_one():
    batch = torch.tensor([[0.5, 2.0]], requires_grad=True)
    scale = batch.var(0).add(1e-5).sqrt()  # culprit
    batch.sub(batch.mean(0)).div(scale).sum().backward()


def root_of_variance_of_equal_values():
    x = torch.tensor([[2.0, 2.0, 2.0], [1.0, 2.0, 3.0]], requires_grad=True)
    spread = x.var(1)
    std = spread.sqrt()  # culprit
    std.sum().backward()


def standardise_equal_values():
    rewards = torch.tensor([1.0, 1.0, 1.0], requires_grad=True)
    centred = rewards.sub(rewards.mean())
    advantages = centred.div(rewards.std())  # culprit
    advantages.mul(torch.tensor([1.0, 2.0, 4.0])).sum().backward()


def softmax_of_masked_row():
    scores = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    padding = torch.tensor([[False, True], [True, True]])
    hidden = scores.masked_fill(padding, -torch.inf)
    weights = hidden.softmax(-1)  # culprit
    weights.pow(2).sum().backward()


def additive_mask_of_a_row():
    scores = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    mask = torch.tensor([[0.0, -torch.inf], [-torch.inf, -torch.inf]])
    weights = torch.log_softmax(scores.add(mask), 1)  # culprit
    weights[:, 0].sum().backward()


def logsumexp_of_nothing():
    scores = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    mask = torch.tensor([[0.0, 0.0], [-torch.inf, -torch.inf]])
    total = scores.add(mask).logsumexp(1)  # culprit
    total.exp().sum().backward()


def logsumexp_by_hand():
    scores = torch.tensor([-200.0, -210.0], requires_grad=True)
    total = scores.exp().sum()
    result = total.log()  # culprit
    result.backward()


def binary_cross_entropy_by_hand():
    logits = torch.tensor([2.0, 200.0], requires_grad=True)
    target = torch.tensor([0.0, 1.0])
    p = logits.sigmoid()
    yes = target.mul(p.log())
    no = (1 - target).mul((1 - p).log())  # culprit
    yes.add(no).mean().neg().backward()


def entropy_by_hand():
    p = torch.tensor([0.0, 0.25, 0.75], requires_grad=True)
    entropy = p.mul(p.log()).sum().neg()  # culprit
    entropy.backward()


def divergence_by_hand():
    p = torch.tensor([0.0, 1.0])
    q = torch.tensor([0.5, 0.5], requires_grad=True)
    gap = p.log().sub(q.log())  # culprit
    p.mul(gap).sum().backward()


def softmax_by_hand():
    scores = torch.tensor([10.0, 95.0], requires_grad=True)
    e = scores.exp()  # culprit
    e.div(e.sum()).pow(2).sum().backward()


def softplus_by_hand():
    x = torch.tensor([1.0, 100.0], requires_grad=True)
    y = x.exp().add(1).log()  # culprit
    y.sum().backward()


def log_cosh_by_hand():
    x = torch.tensor([0.5, 120.0], requires_grad=True)
    loss = x.cosh().log().mean()  # culprit
    loss.backward()


def log_of_sigmoid():
    margin = torch.tensor([0.5, -120.0], requires_grad=True)
    loss = margin.sigmoid().log().mean().neg()  # culprit
    loss.backward()


def mean_of_empty_selection():
    errors = torch.tensor([0.1, 0.4], requires_grad=True)
    hard = errors[errors.gt(0.5)]
    loss = hard.mean()  # culprit
    loss.backward()


def average_over_no_tokens():
    h = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    mask = torch.tensor([[1.0, 1.0], [0.0, 0.0]])
    counts = mask.sum(1)
    pooled = h.mul(mask).sum(1).div(counts)  # culprit
    pooled.sum().backward()


def cross_entropy_of_ignored_batch():
    logits = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    labels = torch.tensor([-100, -100])
    loss = torch.nn.functional.cross_entropy(logits, labels)  # culprit
    loss.backward()


def sinc_by_hand():
    x = torch.tensor([-1.0, 0.0, 1.0], requires_grad=True)
    y = x.sin().div(x)  # culprit
    y.sum().backward()


def power_overflow():
    x = torch.tensor([2.0, 5000.0], requires_grad=True)
    high = x.pow(11)  # culprit
    high.sub(high.mul(0.5)).sum().backward()


def product_overflow():
    a = torch.tensor([1e20, 2.0], requires_grad=True)
    b = torch.tensor([1e20, 3.0])
    ratio = a.mul(b)  # culprit
    ratio.sum().backward()


def overflow_in_a_sum():
    x = torch.tensor([3e19, 1e19], requires_grad=True)
    energy = x.dot(x)  # culprit
    energy.sqrt().backward()


def nan_in_the_data():
    features = torch.tensor([[1.0, 2.0], [torch.nan, 4.0]])  # culprit
    w = torch.tensor([[0.5], [0.1]], requires_grad=True)
    features.matmul(w).pow(2).mean().backward()


def infinity_in_the_data():
    labels = torch.tensor([1.0, torch.inf])  # culprit
    w = torch.tensor([0.5, 0.1], requires_grad=True)
    w.sub(labels).pow(2).mean().backward()


def variance_as_a_difference():
    x = torch.tensor([1000.1, 1000.1, 1000.1], requires_grad=True)
    variance = x.square().mean().sub(x.mean().square())
    std = variance.sub(0.01).sqrt()  # culprit
    std.backward()


def fractional_power_of_negative():
    x = torch.tensor([-8.0, 27.0], requires_grad=True)
    roots = x.pow(1 / 3)  # culprit
    roots.sum().backward()


def gumbel_noise_of_zero():
    u = torch.tensor([0.0, 0.3, 0.9])
    logits = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    noise = u.log().neg().log().neg()  # culprit
    logits.add(noise).logsumexp(0).sub(noise.min()).backward()


def logit_of_certainty():
    p = torch.tensor([0.5, 1.0], requires_grad=True)
    odds = p.div(1 - p)  # culprit
    odds.log().sum().backward()


def reciprocal_root_of_degree():
    adjacency = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]], requires_grad=True)
    degree = adjacency.sum(1)
    scale = degree.rsqrt()  # culprit
    adjacency.mul(scale.unsqueeze(1)).sum().backward()


def angle_near_the_origin():
    p = torch.tensor([[3.0, 4.0], [1e-21, 2e-21]], requires_grad=True)
    angle = torch.atan2(p[:, 1], p[:, 0])  # culprit
    angle.sum().backward()


def angle_at_the_origin():
    p = torch.zeros([2], requires_grad=True)
    angle = torch.atan2(p[1], p[0])  # culprit
    ((angle - 1) ** 2).backward()

"""Writes in place: the bad programs of in-place.ts."""

import torch


def relu_in_place_after_sigmoid():
    x = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
    y = x.sigmoid()
    y.relu_()  # culprit
    y.sum().backward()


def residual_added_in_place():
    x = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
    hidden = (x * 2).tanh()
    hidden += x  # culprit
    (hidden ** 2).sum().backward()


def scaled_in_place_after_product():
    x = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
    a = x + 1
    b = a * a
    a.mul_(3)  # culprit
    b.sum().backward()


def sigmoid_twice_in_place():
    x = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
    y = x.exp()
    y.sigmoid_()  # culprit
    y.sum().backward()


def slice_of_saved_zeroed():
    x = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
    y = x.tanh()
    y[0:2].zero_()  # culprit
    y.sum().backward()


def view_of_saved_written():
    x = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
    y = x.exp()
    flat = y.view(1, 3)
    flat.add_(1)  # culprit
    y.sum().backward()


def transposed_view_written():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = x.sqrt()
    y.t()[1].mul_(2)  # culprit
    y.sum().backward()


def chunk_written():
    x = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    a, b = (x * 2).chunk(2)
    a.mul_(3)  # culprit
    (a + b).sum().backward()


def split_written():
    x = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    gates = x * 0.5
    forget, entry = gates.split(2)
    forget.sigmoid_()  # culprit
    (forget * entry).sum().backward()


def unbound_row_written():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    rows = x.exp().unbind(0)
    rows[0].add_(1)  # culprit
    rows[0].sum().backward()


def data_written_before_backward():
    x = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
    y = x ** 2
    x.data.clamp_(min=0)  # culprit
    y.sum().backward()


def result_changed_through_data():
    x = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
    y = x.exp()
    loss = y.sum()
    y.data.zero_()  # culprit
    loss.backward()


def alias_of_data_kept():
    x = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
    values = x.data
    y = x * x
    values[1].fill_(7)  # culprit
    y.sum().backward()


def detached_written():
    x = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
    y = x.sigmoid()
    loss = y.sum()
    y.detach().zero_()  # culprit
    loss.backward()


def weights_updated_before_backward():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    w = torch.tensor([0.5, -0.5], requires_grad=True)
    loss = (x * w).sum()
    with torch.no_grad():
        w.sub_(0.1)  # culprit
    loss.backward()


def gan_step_between_backwards():
    g = torch.tensor([0.5], requires_grad=True)
    d = torch.tensor([2.0], requires_grad=True)
    score = g * 3 * d
    loss_d = ((score.detach() - 1) ** 2 * d).sum()
    loss_g = (score ** 2).sum()
    loss_d.backward()
    with torch.no_grad():
        d.sub_(d.grad * 0.1)  # culprit
    loss_g.backward()


def step_then_retained_backward():
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    loss = (w ** 2).sum()
    loss.backward(retain_graph=True)
    with torch.no_grad():
        w.sub_(w.grad * 0.1)  # culprit
    w.grad = None
    loss.backward()


def leaf_element_assigned():
    x = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
    x[0] = 1  # culprit
    (x ** 2).sum().backward()


def leaf_index_put():
    x = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
    x.index_put_((torch.tensor([0, 2]),), torch.tensor([5.0, 6.0]))  # culprit
    (x ** 2).sum().backward()


def weight_updated_in_graph():
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    (w ** 2).sum().backward()
    w -= 0.1 * w.grad  # culprit


def expanded_written():
    b = torch.tensor([1.0, 2.0], requires_grad=True)
    rows = (b * 2).expand(3, 2)
    rows.add_(1)  # culprit
    rows.sum().backward()


def buffer_reused():
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    buffer = torch.zeros(2)
    buffer.copy_(torch.tensor([3.0, 4.0]))
    first = (w * buffer).sum()
    buffer.copy_(torch.tensor([5.0, 6.0]))  # culprit
    second = (w * buffer).sum()
    (first + second).backward()


def hidden_state_overwritten():
    w = torch.tensor([0.5, -0.5], requires_grad=True)
    h = torch.ones(2)
    for _ in range(3):
        following = (h * w).tanh()
        h.copy_(following)  # culprit
    h.sum().backward()


def attention_masked_after_softmax():
    scores = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    mask = torch.tensor([[False, True], [False, False]])
    weights = scores.softmax(1)
    weights.masked_fill_(mask, 0)  # culprit
    (weights ** 2).sum().backward()


def view_made_in_no_grad():
    x = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
    y = x * 1
    with torch.no_grad():
        v = y.view(3, 1)
    v.add_(x.view(3, 1))  # culprit
    y.sum().backward()

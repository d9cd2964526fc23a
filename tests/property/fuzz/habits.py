"""Proposals of what programs do beside the mathematics: print, compute with integers, write into places, work on pieces, ask for several gradients."""

import torch

from hand import Hand
from words import COMBINED, INTEGER_BINARY, INTEGERS


class Habits(Hand):
    def shown(self):
        """The names of the nodes of gradients are PyTorch's private business, and they are printed."""
        return [self.st("repr", on=self.pick(lambda t: not t.requires_grad or self.machine.name_of(t) not in self.machine.made_by_autograd))]

    def integer(self):
        """Division, remainders, powers and shifts of integers; 0 is now and then what is divided by."""
        name = self.pick(lambda t: not t.is_floating_point())
        if self.tensor(name).is_floating_point() or self.chance(0.3):
            shape = list(self.tensor(name).shape)
            made, ref = self.named(self.literal(shape, self.one(*INTEGERS, "bool")))
            return [*made, *self.divided(ref[1:], name)]
        return self.divided(name, name)

    def divided(self, name, alike):
        op = self.rng.choice(INTEGER_BINARY)
        kwargs = {"rounding_mode": self.one("floor", "trunc")} if op == "div" and self.chance(0.7) else {}
        number = self.one(2, 3, -2, -3, 7, 2, 1.5, -2.5, 0 if self.wrong() else 4, True if self.wrong() else 1)
        other = "$" + self.partner(alike) if self.chance(0.5) else number
        if op == "bitwise_not":
            return [self.op(op, name)]
        # Where a divisor is 0, PyTorch may have begun to write.
        in_place = "_" if self.chance(0.2) and (not isinstance(other, str) or bool(self.tensor(other[1:]).all())) else ""
        return [self.op(op + in_place, name, other, **kwargs)]

    def places(self, size, count):
        """(statements, reference): distinct places along a dimension of that size."""
        count = min(count, size)
        entries = self.rng.sample(range(size), count)
        if entries and self.chance(0.15):
            entries[0] -= size
        if self.wrong():
            entries = [*entries[1:], size]
        return self.named(self.st("tensor", entries, dtype="@int64"))

    def placed(self):
        """Writes and reads by place, each with its form that makes a new tensor."""
        form = self.one("", "_")
        name = self.writable(1) if form else self.pick_dims(1)
        tensor = self.tensor(name)
        if not tensor.dim() or not tensor.numel():
            return None
        dtype = str(tensor.dtype).removeprefix("torch.")
        dim = self.dim(tensor)
        at = dim % tensor.dim()
        op = self.one("index_fill", "index_copy", "masked_scatter", "masked_fill", "put", "take", "scatter_reduce", "fill_diagonal", "select_scatter", "slice_scatter", "take_along_dim")
        size, shape = tensor.shape[at], list(tensor.shape)
        match op:
            case "masked_scatter" | "masked_fill":
                mask, ref = self.mask(self.one(shape, shape, shape[-1:], [1, *shape[1:]]))
                if op == "masked_fill":
                    value = self.pick(lambda t: t.dim() == 0 or self.wrong())
                    return [*mask, self.op(op + form, name, ref, "$" + value)]
                source, value = self.operand([tensor.numel() - (1 if self.wrong() else 0)], dtype)
                return [*mask, *source, self.op(op + form, name, ref, value)]
            case "put" | "take":
                where, ref = self.places(tensor.numel(), self.rng.randint(1, 3))
                if op == "take":
                    return [*where, self.op("take", name, ref)]
                source, value = self.operand([self.rng.randint(1, 3)], dtype)
                return [*where, *source, self.op("put" + form, name, ref, value, **self.one({}, {"accumulate": True}))]
            case "scatter_reduce":
                where, ref = self.named(self.literal_of(shape, lambda: self.rng.randrange(size)))
                source, value = self.operand(shape, dtype)
                how = self.one("sum", "prod", "mean", "amax", "amin")
                return [*where, *source, self.op(op + form, name, dim, ref, value, how, **self.one({}, {"include_self": False}))]
            case "fill_diagonal":
                return [self.st("fill_diagonal_", self.scalar(name), on=self.writable(2))]
            case "select_scatter":
                source, value = self.operand(shape[:at] + shape[at + 1 :], dtype)
                return [*source, self.op(op, name, value, dim, self.rng.randrange(size))]
            case "slice_scatter":
                start = self.rng.randrange(size)
                source, value = self.operand(shape[:at] + [size - start] + shape[at + 1 :], dtype)
                return [*source, self.op(op, name, value, dim, start)]
            case "take_along_dim":
                where, ref = self.named(self.literal_of(shape, lambda: self.rng.randrange(size)))
                return [*where, self.op(op, name, ref, dim)]
        where, ref = self.places(size, self.rng.randint(1, 2))
        if op == "index_fill":
            return [*where, self.op(op + form, name, dim, ref, self.one(self.scalar(name), "$" + self.pick(lambda t: t.dim() == 0)))]
        count = len(where[0]["args"][0])
        source, value = self.operand(shape[:at] + [count] + shape[at + 1 :], dtype)
        return [*where, *source, self.op(op + form, name, dim, ref, value)]

    def literal_of(self, shape, cell):
        return self.st("tensor", self.nested(shape, cell), dtype="@int64")

    def combined(self):
        name = self.pick_dims(1)
        peers = ["$" + name] + ["$" + self.pick(lambda t: t.shape == self.tensor(name).shape) for _ in range(self.one(0, 1, 1))]
        dim = self.dim(self.tensor(name))
        return [self.rng.choice([
            self.st(self.rng.choice(COMBINED), peers),
            self.op("tile", name, [self.one(1, 2), self.one(1, 2)]),
            self.op("repeat_interleave", name, self.one(1, 2), *self.one([], [dim])),
            self.op("rot90", name, self.one(1, 2, -1), [0, 1]),
            self.op("broadcast_to", name, [2, *self.tensor(name).shape]),
            self.op(self.one("fliplr", "flipud"), name),
            self.op("isclose", name, "$" + self.partner(name)),
            self.op("nonzero", name),
            self.op("unique", name),
            self.st("atleast_2d", "$" + name),
            self.op("type_as", name, "$" + self.pick()),
        ])]

    def pieces(self):
        """Several views at once, a write to one of them or to the whole, and a look at another."""
        whole = self.pick(lambda t: t.requires_grad and not t.is_leaf and t.dim() > 0)
        if not self.tensor(whole).dim():
            return
        if self.chance(0.5):
            yield self.st("clone", on=whole)
            whole = self.newest()
        before = list(self.machine.env)
        cut = self.several_of(whole)
        if self.chance(0.2):
            cut["under"] = self.one("no_grad", "no_grad", "inference_mode")
        yield cut
        made = [name for name in self.machine.env if name not in before]
        for _ in range(self.one(1, 2)):
            target = self.rng.choice([*made, whole])
            yield self.one(
                self.st("mul_", 2, on=target), self.st("add_", 1, on=target), self.st("zero_", on=target), self.st("requires_grad_", on=target),
                self.st("requires_grad_", False, on=target), self.st("detach_", on=target), self.st("exp_", on=target), self.st("retain_grad", on=target))
            other = self.rng.choice([*made, whole])
            yield self.one(self.st("sum", on=other), self.st("mul", "$" + other, on=other), self.st("repr", on=other), self.st("exp", on=other))
        yield from self.closing_backward() or []

    def several_of(self, name):
        dim = self.rng.randrange(self.tensor(name).dim())
        return self.one(self.op("unbind", name, dim), self.op("chunk", name, 2, dim), self.op("split", name, 1, dim), self.op("tensor_split", name, 2, dim), self.op("split", name, 2, dim))

    def several_grads(self):
        """Gradients of several outputs, asked for with and without the flags about unused inputs."""
        roots = [name for name in self.names(lambda t: t.requires_grad and not t.is_leaf and t.numel() == 1)]
        if len(roots) < 2:
            name = self.pick(lambda t: t.requires_grad and not t.is_leaf)
            total, ref = self.named(self.st("sum", on=name))
            return total
        outputs = ["$" + name for name in self.rng.sample(roots, 2)]
        inputs = list(dict.fromkeys("$" + self.pick(lambda t: t.requires_grad) for _ in range(self.one(1, 2, 3))))
        flags = self.one({}, {"allow_unused": True}, {"materialize_grads": True}, {"materialize_grads": True, "allow_unused": False}, {"allow_unused": False})
        return [self.st("autograd.grad", outputs, inputs, **flags, **self.options(create=0.3))]

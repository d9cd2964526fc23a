"""What every proposal is made with: dice, live tensors, literals."""

import math

import torch

from oracle import guarded
from words import FLOATS, INTEGERS


class Hand:
    def __init__(self, rng, machine):
        self.rng = rng
        self.machine = machine
        self.fresh = 0
        # While a story is told, the tensor that it is about.
        self.focus = None

    def chance(self, p):
        return self.rng.random() < p

    def wrong(self):
        return self.chance(0.05)

    def one(self, *choices):
        return self.rng.choice(choices)

    def st(self, op, *args, on=None, **kwargs):
        stmt = {"op": op}
        if on is not None:
            stmt["self"] = on
        if args:
            stmt["args"] = list(args)
        if kwargs:
            stmt["kwargs"] = kwargs
        return stmt

    def op(self, name, on, *args, **kwargs):
        """A method or, where there is one, as often the function."""
        if not hasattr(torch.Tensor, name) or (hasattr(torch, name) and not name.endswith("_") and self.chance(0.3)):
            return self.st(name, "$" + on, *args, **kwargs)
        return self.st(name, *args, on=on, **kwargs)

    def tensor(self, name):
        return self.machine.env[name]

    def names(self, fit=None):
        return [name for name, tensor in self.machine.env.items() if fit is None or guarded(lambda: fit(tensor)) is True]

    def pick(self, fit=None):
        """A live tensor, one that fits if any does; most often a new one, and one that requires grad."""
        names = self.names(fit) or self.names()
        if self.focus in names and self.chance(0.85):
            return self.focus
        tracked = set(self.names(lambda t: t.requires_grad))
        return self.rng.choices(names, [1.2 ** min(i, 12) * (2 if name in tracked else 1) for i, name in enumerate(names)])[0]

    def newest(self):
        return list(self.machine.env)[-1]

    def pick_float(self):
        return self.pick(lambda t: t.is_floating_point())

    def pick_dims(self, least):
        return self.pick(lambda t: t.dim() >= least)

    def dim(self, tensor):
        rank = max(tensor.dim(), 1)
        if self.wrong():
            return self.one(rank, rank + 1, -rank - 1)
        return self.rng.randrange(-rank, rank)

    def partner(self, name):
        """A tensor that broadcasts with this one, as a rule."""
        shape = self.tensor(name).shape

        def fits(other):
            return all(a == b or 1 in (a, b) for a, b in zip(reversed(shape), reversed(other.shape)))

        return self.pick(None if self.wrong() else fits)

    def scalar(self, name):
        if self.tensor(name).is_floating_point():
            return self.one(2, 3, -1, 0.5, -1.5, 0.25, 1.75, 1, 0)
        return self.one(2, 3, 1, -1, 0, 2, 1.5, 0.5) if self.chance(0.4) else self.one(1, 2, 3)

    def named(self, stmt):
        """([statement], reference): a helper statement gets its name before it runs, so that the next can refer to it."""
        self.fresh += 1
        stmt["out"] = [f"i{self.fresh}"]
        return [stmt], "$" + stmt["out"][0]

    def shape(self, rank=None):
        rank = self.one(0, 1, 1, 2, 2, 2, 3) if rank is None else rank
        sizes = [1, 2, 2, 3, 3, 4] + ([0] if self.chance(0.1) else [])
        shape = [self.rng.choice(sizes) for _ in range(rank)]
        while math.prod(shape) > 24:
            shape[self.rng.randrange(rank)] = 2
        return shape

    def dtype(self):
        return self.rng.choices(FLOATS + INTEGERS + ["bool"], [60, 14, 8, 3, 2, 2, 3, 6])[0]

    def cell(self, dtype):
        if dtype == "bool":
            return self.chance(0.5)
        if dtype in FLOATS:
            return self.rng.choice([0.0, 1.0, -1.0, 0.5]) if self.chance(0.15) else self.rng.randint(-12, 12) / 4 + self.one(0, 0, 0.25)
        return self.rng.randint(0, 6) if dtype == "uint8" else self.rng.randint(-4, 6)

    def nested(self, shape, cell):
        return cell() if not shape else [self.nested(shape[1:], cell) for _ in range(shape[0])]

    def literal(self, shape, dtype, **kwargs):
        if 0 in shape:
            return self.st("zeros", list(shape), dtype="@" + dtype, **kwargs)
        return self.st("tensor", self.nested(list(shape), lambda: self.cell(dtype)), dtype="@" + dtype, **kwargs)

    def operand(self, shape, dtype):
        """(statements, reference): a tensor of that shape and dtype, one at hand if there is any."""
        at_hand = self.names(lambda t: str(t.dtype) == "torch." + dtype and list(t.shape) == list(shape))
        if at_hand and self.chance(0.7):
            return [], "$" + self.rng.choice(at_hand)
        return self.named(self.literal(shape, dtype, **self.wants_grad(dtype)))

    def wants_grad(self, dtype, likely=0.65):
        return {"requires_grad": True} if self.chance(likely if dtype in FLOATS else 0.02) else {}

    def factory(self):
        if not self.machine.env:
            dtype = self.rng.choice(FLOATS[:1] * 4 + FLOATS)
            return [self.literal(self.shape(self.one(1, 2, 2, 3)), dtype, **self.wants_grad(dtype, 0.85))]
        dtype = self.dtype()
        wants_grad = self.wants_grad(dtype)
        shape = self.shape()
        if self.chance(0.4):
            shape = list(self.tensor(self.pick()).shape)
            if len(shape) > 3 or math.prod(shape) > 24:
                shape = []
        if self.chance(0.75):
            return [self.literal(shape, dtype, **wants_grad)]
        like = self.pick()
        return [self.rng.choice([
            self.st("zeros", shape, dtype="@" + dtype, **wants_grad),
            self.st("ones", shape, dtype="@" + dtype, **wants_grad),
            self.st("full", shape, 1.5, **wants_grad) if dtype in FLOATS else self.st("full", shape, 2, dtype="@" + dtype),
            self.st("arange", self.rng.randint(1, 6)),
            self.st("arange", self.rng.randint(-2, 0), self.rng.randint(1, 5), self.one(1, 2)),
            self.st("arange", 0, self.one(1.25, 2.5), 0.5, **wants_grad) if dtype in FLOATS else self.st("arange", 4, dtype="@" + dtype),
            self.st("eye", self.rng.randint(1, 3)),
            self.st("zeros_like", "$" + like),
            self.st("ones_like", "$" + like),
            self.st("full_like", "$" + like, 2),
        ])]

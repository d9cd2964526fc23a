"""Proposals that index, and those that write in place."""

import math

import torch

from hand import Hand
from words import IN_PLACE_BINARY, IN_PLACE_UNARY


class Writes(Hand):
    def index_tensor(self, size, shape, dtype="int64", distinct=False):
        """(statements, reference): an index tensor with entries for a dimension of that size, one at hand if there is any."""
        if self.chance(0.5):
            at_hand = self.names(lambda t: t.dtype == torch.int64 and list(t.shape) == shape and bool(((t >= 0) & (t < size)).all()))
            if at_hand:
                return [], "$" + self.rng.choice(at_hand)
        count = math.prod(shape)
        low, high = (-size, size) if self.chance(0.2) and not distinct else (0, size)
        if self.wrong():
            high = size + 2
        entries = [self.rng.randrange(low, high) if high > low else 0 for _ in range(count)]
        if distinct and count <= size:
            entries = self.rng.sample(range(size), count)
        cells = iter(entries)
        data = list(shape) if 0 in shape else self.nested(list(shape), lambda: next(cells))
        return self.named(self.st("zeros" if 0 in shape else "tensor", data, dtype="@" + dtype))

    def mask(self, shape):
        at_hand = self.names(lambda t: t.dtype == torch.bool and list(t.shape) == shape)
        return ([], "$" + self.rng.choice(at_hand)) if at_hand and self.chance(0.6) else self.named(self.literal(shape, "bool"))

    def slice(self, size):
        start = self.one(None, None, 0, 1, -1, -2, self.rng.randint(0, max(size, 1)))
        stop = self.one(None, None, size, -1, self.rng.randint(0, max(size, 1)), size + 2)
        return {"slice": [start, stop, self.one(None, None, None, 1, 2, 3)]}

    def indices(self, tensor, distinct=False):
        """(helper statements, index): a mixture of ints, slices, None, ellipsis, masks and index tensors."""
        helpers, index = [], []
        shape = list(tensor.shape)
        if self.chance(0.12):
            mask = self.pick(lambda t: t.dtype == torch.bool and t.shape == tensor.shape)
            if self.tensor(mask).dtype == torch.bool:
                return [], ["$" + mask]
        common = self.one([2], [2], [3], [1], [2, 2], [], [2, 1])
        ellipsis = False
        while shape and len(index) < 5 and self.chance(0.85):
            size = shape[-1] if ellipsis else shape[0]
            kind = self.rng.choices(["int", "slice", "none", "ellipsis", "tensor", "mask"], [26, 30, 6, 6, 18, 6])[0]
            if kind == "none":
                index.append(None)
                continue
            if kind == "ellipsis":
                if ellipsis:
                    continue
                ellipsis = True
                index.append("...")
                continue
            shape.pop(-1 if ellipsis else 0)
            if kind == "int":
                index.append(self.rng.randint(-size, size - 1) if size and not self.wrong() else size)
            elif kind == "slice":
                index.append(self.slice(size))
            elif kind == "mask":
                size = size + 1 if self.wrong() else size
                helper, ref = self.mask([size] if self.chance(0.95) else [size, 2])
                helpers += helper
                index.append(ref)
            else:
                at = [3, 2] if self.wrong() else common
                helper, ref = self.index_tensor(size, at, self.one("int64", "int64", "int64", "int32"), distinct)
                helpers += helper
                index.append(ref)
        if not index or (self.wrong() and len(index) < 6):
            index += [0] * (len(shape) + 1 if self.wrong() else 1)
        return helpers, index

    def getitem(self):
        name = self.pick_dims(1) if self.chance(0.95) else self.pick()
        helpers, index = self.indices(self.tensor(name))
        return [*helpers, self.st("getitem", *index, on=name)]

    def setitem(self):
        name = self.writable(self.chance(0.95) and 1)
        tensor = self.tensor(name)
        helpers, index = self.indices(tensor, distinct=True)
        value = self.scalar(name) if self.chance(0.4) else "$" + self.partner(name)
        return [*helpers, self.st("setitem", index, value, on=name)]

    def gather(self):
        name = self.pick()
        tensor = self.tensor(name)
        rank = tensor.dim()
        dim = self.rng.randrange(-rank, rank) if rank else 0
        size = tensor.shape[dim] if rank else 1
        shape = [self.rng.randint(1, n) if n else 0 for n in tensor.shape]
        if rank:
            shape[dim] = self.rng.randint(1, 3)
        op = self.rng.choice(["gather", "gather", "index_select", "index_select", "scatter", "scatter_add", "index_add", "index_put"])
        if op in ("index_select", "index_add"):
            shape = [self.rng.randint(1, 3)]
        helper, ref = self.index_tensor(size, shape, distinct=op == "scatter")
        if op == "gather" or op == "index_select":
            return [*helper, self.op(op, name, self.dim(tensor) if self.wrong() else dim, ref)]
        return [*helper, *self.scattered(op, name, dim, shape, ref)]

    def scattered(self, op, name, dim, shape, ref):
        """scatter, scatter_add, index_add and index_put, and their in-place forms."""
        tensor = self.tensor(name)
        stem = op.rstrip("_")
        if stem == "scatter" and self.chance(0.3):
            return [self.op(op, name, dim, ref, self.one(1, 2, self.scalar(name)))]
        if stem == "index_put":
            flags = {"accumulate": True} if self.chance(0.5) else {}
            helper, at = self.index_tensor(tensor.shape[0] if tensor.dim() else 1, [2], distinct=not flags)
            value = self.pick(lambda t: t.dtype == tensor.dtype and t.dim() <= tensor.dim() and t.numel() in (1, 2))
            return [*helper, self.op(op, name, [at], "$" + value, **flags)]
        if stem == "index_add":
            shape = [shape[0] if d == dim % max(tensor.dim(), 1) else n for d, n in enumerate(tensor.shape)]
        dtype = str(tensor.dtype).removeprefix("torch.")
        dtype = "float64" if self.wrong() else dtype
        helper, source = self.operand(shape, dtype)
        extra = {"alpha": 2} if stem == "index_add" and self.chance(0.3) else {}
        return [*helper, self.op(op, name, dim, ref, source, **extra)]

    def writable(self, least=0):
        """Most often something that may be written: no leaf that requires grad nor a view of one, no expanded tensor."""
        if self.chance(0.15):
            return self.pick_dims(least)

        def is_leaf(t):
            return t.requires_grad and t.is_leaf

        def fits(t):
            return t.dim() >= least and not is_leaf(t) and not (t._is_view() and is_leaf(t._base)) and (0 not in t.stride() or t.numel() < 2)

        return self.pick(fits)

    def in_place(self):
        name = self.writable()
        if self.chance(0.35):
            return [self.st(self.rng.choice(IN_PLACE_UNARY) + "_", on=name)]
        op = self.rng.choice(IN_PLACE_BINARY)
        target = self.tensor(name)
        if op == "clamp":
            return [self.st("clamp_", **{"on": name, **self.one({"min": -1}, {"max": 1}, {"min": -0.5, "max": 1.5})})]
        if op == "masked_fill":
            return [self.st("masked_fill_", "$" + self.pick(lambda t: t.dtype == torch.bool), self.scalar(name), on=name)]
        if op in ("tril", "triu"):
            return [self.st(op + "_", *self.one([], [1]), on=self.writable(2))]
        if op == "cumsum":
            return [self.st("cumsum_", self.dim(target), on=name)]
        kwargs = {"alpha": self.one(2, 3, -1)} if op in ("add", "sub") and self.chance(0.2) else {}
        if op not in ("copy", "atan2", "logical_and") and self.chance(0.5):
            return [self.st(op + "_", self.one(1, 2, 2, self.scalar(name)), on=name, **kwargs)]

        def fits(t):
            return t.dim() <= target.dim() and all(a == b or a == 1 for a, b in zip(reversed(t.shape), reversed(target.shape)))

        return [self.st(op + "_", "$" + self.pick(None if self.wrong() else fits), on=name, **kwargs)]

    def in_place_index(self):
        name = self.writable(1)
        tensor = self.tensor(name)
        if not tensor.dim():
            return None
        dim = self.rng.randrange(-tensor.dim(), tensor.dim())
        shape = [self.rng.randint(1, n) if n else 0 for n in tensor.shape]
        op = self.one("scatter_", "scatter_add_", "index_add_", "index_put_")
        if op == "index_add_":
            shape = [self.rng.randint(1, 3)]
        helper, ref = self.index_tensor(tensor.shape[dim], shape, distinct=op == "scatter_")
        return [*helper, *self.scattered(op, name, dim, shape, ref)]

    def in_place_shape(self):
        name = self.writable()
        tensor = self.tensor(name)
        dim, other = self.dim(tensor), self.dim(tensor)
        return [self.rng.choice([
            self.st("t_", on=self.writable()),
            self.st("unsqueeze_", self.rng.randint(-tensor.dim() - 1, tensor.dim()), on=name),
            self.st("squeeze_", *self.one([], [dim]), on=name),
            self.st(self.one("transpose_", "swapdims_"), dim, other, on=name),
            self.st("detach_", on=name),
        ])]

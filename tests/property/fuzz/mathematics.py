"""Proposals that compute: pointwise operations, comparisons, casts, reductions, matrix products."""

import torch

from hand import Hand
from words import BINARY, COMPARE, DIM_REDUCTIONS, FULL_REDUCTIONS, OUT, OUT_BINARY, UNARY, UNARY_POSITIVE


def reduced(shape, dim):
    """The sizes that are left of a reduction over `dim`."""
    return [size for d, size in enumerate(shape) if d != dim % max(len(shape), 1)]


class Mathematics(Hand):
    def unary(self):
        op = self.rng.choice(UNARY)
        name = self.pick()
        if op in UNARY_POSITIVE:
            name = self.pick(lambda t: t.numel() > 0 and bool((t.detach() > 0).all()))
        return [self.op(op, name)]

    def binary(self):
        op = self.rng.choice(BINARY)
        name = self.pick()
        kwargs = {}
        if op in ("add", "sub", "rsub") and self.chance(0.25):
            kwargs["alpha"] = self.one(2, 3, -1) if self.chance(0.7) else self.one(0.5, 1.5)
        if op == "div" and self.chance(0.25):
            kwargs["rounding_mode"] = self.one("floor", "trunc")
        if op in ("maximum", "minimum", "atan2") or self.chance(0.6):
            return [self.op(op, name, "$" + self.partner(name), **kwargs)]
        if op == "pow":
            if self.chance(0.3):
                return [self.st("pow", self.one(2, 1.5, 0.5), "$" + name)]
            return [self.op("pow", name, self.one(0, 1, 2, 3, 2, 0.5, -1, 1.5, -0.5))]
        return [self.op(op, name, self.scalar(name), **kwargs)]

    def out(self):
        op = self.rng.choice(OUT)
        name = self.pick()
        tensor = self.tensor(name)
        args = []
        if op in OUT_BINARY:
            args = ["$" + self.pick(lambda t: t.shape == tensor.shape)]
        elif op in ("mean", "amax", "prod", "cumsum", "all"):
            args = [self.dim(tensor)]
        shape = {"sum": [], "mean": reduced, "amax": reduced, "prod": reduced, "all": reduced}.get(op, tensor.shape)
        if shape is reduced:
            shape = reduced(tensor.shape, args[0])
        target = self.pick(lambda t: list(t.shape) == list(shape) and not t.requires_grad)
        return [self.st(op, "$" + name, *args, out="$" + target)]

    def choice(self):
        name = self.pick()
        mask = "$" + self.pick(lambda t: t.dtype == torch.bool)
        kind = self.rng.randrange(6)
        if kind == 0:
            low, high = self.one((-1, 1), (0, 2), (-0.5, 1.5), (None, 1), (0, None), (1, 0), (-0.75, None))
            return [self.op("clamp", name, **{k: v for k, v in (("min", low), ("max", high)) if v is not None})]
        if kind == 1:
            return [self.op("clamp", name, "$" + self.partner(name), "$" + self.partner(name))]
        if kind == 2:
            return [self.op(self.one("clamp_min", "clamp_max"), name, self.scalar(name))]
        if kind == 3:
            return [self.op("masked_fill", name, mask, self.one(self.scalar(name), 0, 1))]
        if kind == 4:
            return [self.op("masked_select", name, mask)]
        return [self.st("where", mask, "$" + name, self.one("$" + self.partner(name), "$" + self.partner(name), self.scalar(name)))]

    def compare(self):
        name = self.pick()
        op = self.rng.choice(COMPARE)
        if op in ("logical_not", "isnan", "isinf", "isfinite"):
            return [self.op(op, name)]
        if op.startswith("logical") or self.chance(0.5):
            return [self.op(op, name, "$" + self.partner(name))]
        return [self.op(op, name, self.scalar(name))]

    def cast(self):
        name = self.pick()
        if self.chance(0.6):
            return [self.st("to", "@" + self.dtype(), on=name)]
        return [self.st(self.one("float", "double", "long", "int", "bool", "short"), on=name)]

    def dims(self, tensor):
        if tensor.dim() >= 2 and self.chance(0.3):
            dims = self.rng.sample(range(tensor.dim()), 2)
            return [dims[0], dims[0]] if self.wrong() else [d - self.one(0, tensor.dim()) for d in dims]
        return self.dim(tensor)

    def keepdim(self):
        return self.one({}, {}, {"keepdim": True})

    def reduce(self):
        op = self.rng.choice(FULL_REDUCTIONS)
        name = self.pick_float() if op in ("mean", "var", "std", "norm") and self.chance(0.9) else self.pick()
        tensor = self.tensor(name)
        if op == "norm":
            return [self.norm(name)]
        kwargs = {}
        if op in ("sum", "prod", "mean") and self.chance(0.12):
            kwargs["dtype"] = "@" + self.dtype()
        if op in ("var", "std") and self.chance(0.4):
            kwargs["correction"] = self.one(0, 1, 2)
        if op not in ("logsumexp",) and self.chance(0.4):
            return [self.op(op, name, **kwargs)]
        dim = self.dims(tensor) if op in DIM_REDUCTIONS else self.dim(tensor)
        kwargs |= self.keepdim()
        if self.chance(0.3):
            return [self.op(op, name, dim=dim, **kwargs)]
        return [self.op(op, name, dim, **kwargs)]

    def norm(self, name):
        if self.chance(0.4):
            return self.op("norm", name)
        p = self.one(1, 2, 2, 3, "#inf", 0.5)
        if self.chance(0.4):
            return self.op("norm", name, p)
        return self.op("norm", name, p, self.dims(self.tensor(name)), **self.keepdim())

    def softmax(self):
        name = self.pick_float() if self.chance(0.85) else self.pick()
        dim = self.dim(self.tensor(name))
        if self.chance(0.35):
            return [self.op("cumsum", name, dim)]
        kwargs = {"dtype": self.one("@float64", "@float32")} if self.chance(0.1) else {}
        return [self.op(self.one("softmax", "log_softmax"), name, dim, **kwargs)]

    def loss(self):
        name = self.pick_float()
        kwargs = self.one({}, {"reduction": "sum"}, {"reduction": "none"})
        return [self.st("nn.functional.mse_loss", "$" + name, "$" + self.partner(name), **kwargs)]

    def query(self):
        name = self.pick()
        return [self.st(self.one("item", "item", "numel", "is_contiguous", "dim"), on=name)]

    def matrix(self):
        op = self.one("matmul", "matmul", "mm", "mv", "dot", "bmm")
        ranks = {"mm": (2, 2), "mv": (2, 1), "dot": (1, 1), "bmm": (3, 3)}.get(op)
        name = self.pick_dims(1) if ranks is None else self.pick(lambda t: t.dim() == ranks[0])
        tensor = self.tensor(name)
        inner = tensor.shape[-1] if tensor.dim() else 1

        def fits(t):
            if ranks is not None and t.dim() != ranks[1]:
                return False
            batch = op != "bmm" or t.shape[0] == tensor.shape[0]
            return t.dtype == tensor.dtype and t.dim() > 0 and batch and t.shape[-2 if t.dim() > 1 else -1] == inner

        if self.names(fits) or self.chance(0.15):
            return [self.op(op, name, "$" + self.pick(None if self.wrong() else fits))]
        # Nothing fits: make a partner.
        rank = ranks[1] if ranks else self.one(1, 2)
        shape = list(tensor.shape[: rank - 2] if rank > 2 else []) + [inner] + ([self.one(1, 2, 3)] if rank > 1 else [])
        dtype = str(tensor.dtype).removeprefix("torch.")
        helper, ref = self.operand(shape, dtype)
        return [*helper, self.op(op, name, ref)]

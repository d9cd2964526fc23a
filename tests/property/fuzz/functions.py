"""Proposals beyond the basics: activations, sorting, products of several factors, losses, what layers are made of."""

import torch

from hand import Hand
from words import ACTIVATIONS, ACTIVATIONS_IN_PLACE, LOSSES, TERNARY, TWO_SIDED


def distinct(tensor):
    """Where elements are equal, which of them is found is PyTorch's private business."""
    return tensor.dtype != torch.bool and tensor.detach().unique().numel() == tensor.numel() and not bool(torch.isnan(tensor.detach()).any())


class Functions(Hand):
    def activation(self):
        name = self.pick_float() if self.chance(0.9) else self.pick()
        if self.chance(0.15):
            return [self.st("nn.functional." + self.rng.choice(ACTIVATIONS_IN_PLACE), "$" + name, inplace=True)]
        op = self.rng.choice(ACTIVATIONS)
        kwargs = {
            "gelu": self.one({}, {"approximate": "tanh"}),
            "softplus": self.one({}, {"beta": 2, "threshold": 1}),
            "elu": self.one({}, {"alpha": 0.5}),
            "celu": self.one({}, {"alpha": 2}),
            "leaky_relu": self.one({}, {"negative_slope": 0.2}),
            "hardtanh": self.one({}, {"min_val": -0.5, "max_val": 0.75}),
            "threshold": {"threshold": self.one(0, 0.5), "value": self.one(0, -1)},
            "glu": {"dim": self.dim(self.tensor(name))},
        }.get(op, {})
        return [self.st("nn.functional." + op, "$" + name, **kwargs)]

    def ordered(self):
        """Sorting and searching along a dimension."""
        name = self.pick(distinct)
        tensor = self.tensor(name)
        if not distinct(tensor):
            return None
        dim = self.dim(tensor)
        size = tensor.shape[dim % max(tensor.dim(), 1)] if tensor.dim() and -tensor.dim() <= dim < tensor.dim() else 1
        place = self.rng.randint(1, max(size, 1)) + (size if self.wrong() else 0)
        flag = self.one({}, {"keepdim": True})
        return [self.rng.choice([
            self.op("sort", name, dim, **self.one({}, {"descending": True})),
            self.op("sort", name, **self.one({}, {"stable": True})),
            self.op("argsort", name, dim, **self.one({}, {"descending": True})),
            self.op("msort", name),
            self.op("topk", name, place, dim, **self.one({}, {"largest": False})),
            self.op("kthvalue", name, place, dim, **flag),
            self.op(self.one("median", "nanmedian"), name, *self.one([], [dim])),
            self.op(self.one("max", "min"), name, dim, **flag),
            self.op(self.one("cummax", "cummin"), name, dim),
            self.op("aminmax", name, **self.one({}, {"dim": dim})),
        ])]

    def running(self):
        """Running products, differences, spreads, counts."""
        name = self.pick_float() if self.chance(0.8) else self.pick()
        dim = self.dim(self.tensor(name))
        keep = self.one({}, {"keepdim": True})
        return [self.rng.choice([
            self.op(self.one("cumprod", "cumprod", "logcumsumexp"), name, dim),
            self.op("diff", name, **self.one({}, {"n": 2}, {"dim": dim})),
            self.op(self.one("nansum", "nanmean"), name, *self.one([], [dim])),
            self.op("count_nonzero", name, *self.one([], [dim])),
            self.op("prod", name, dim, **keep),
            self.st(self.one("var_mean", "std_mean"), "$" + name, *self.one([], [dim]), **keep),
            self.st("linalg.vector_norm", "$" + name, **self.one({}, {"ord": 1}, {"ord": 3}, {"ord": "#inf"}), **self.one({}, {"dim": dim})),
            self.op("renorm", name, self.one(1, 2), dim, 1.5),
            self.op("trace", self.pick(lambda t: t.dim() == 2)),
            self.op("nan_to_num", name, *self.one([], [0.5])),
        ])]

    def factors(self):
        """Two or three tensors, point by point or in products."""
        name = self.pick()
        if self.chance(0.35):
            op = self.rng.choice(TERNARY)
            kwargs = {"value": self.one(2, 0.5)} if op.startswith("addc") and self.chance(0.3) else {}
            weight = self.one("$" + self.partner(name), 0.25) if op == "lerp" else "$" + self.partner(name)
            return [self.op(op + self.one("", "", "_"), name, "$" + self.partner(name), weight, **kwargs)]
        if self.chance(0.6):
            op = self.rng.choice(TWO_SIDED)
            return [self.op(op, name, "$" + self.partner(name))]
        return [self.product()]

    def product(self):
        vector = lambda t: t.dim() == 1
        name = self.pick(lambda t: t.dim() == 2)
        tensor = self.tensor(name)
        columns = tensor.shape[-1] if tensor.dim() else 1
        alike = "$" + self.pick(lambda t: t.dtype == tensor.dtype and t.dim() == 2 and t.shape[0] == columns)
        scales = self.one({}, {}, {"beta": 2}, {"alpha": 0.5}, {"beta": 0, "alpha": 2})
        return self.rng.choice([
            self.op("outer", self.pick(vector), "$" + self.pick(vector)),
            self.op("addmm", self.partner(name), "$" + name, alike, **scales),
            self.op("addmv", self.pick(vector), "$" + name, "$" + self.pick(vector), **scales),
            self.op("baddbmm", self.pick_dims(3), "$" + self.pick_dims(3), "$" + self.pick_dims(3), **scales),
            self.op("kron", self.pick(vector), "$" + name),
            self.op("inner", name, "$" + self.partner(name)),
            self.st("einsum", self.one("ij,ij->i", "ij,kj->ik", "ij->ji", "ij->", "ii->i", "ij,j"), *["$" + name, "$" + self.partner(name)][: self.one(1, 2)]),
            self.st("tensordot", "$" + name, alike, self.one(1, 0)),
            self.st("cdist", "$" + name, "$" + self.pick(lambda t: t.dim() == 2 and t.shape[-1] == columns)),
            self.st("nn.functional.linear", "$" + self.pick_dims(1), "$" + name),
        ])

    def classes(self):
        """A target without dimensions is no choice: PyTorch reads a batch size that is not there."""
        name = self.pick(lambda t: t.dim() == 2 and t.is_floating_point())
        target = self.pick(lambda t: t.dim() == 1 and t.dtype == torch.int64)
        return self.st("nn.functional.cross_entropy", "$" + name, "$" + (target if self.tensor(target).dim() else name))

    def layer(self):
        name = self.pick_float()
        tensor = self.tensor(name)
        if self.chance(0.5):
            op = self.rng.choice(LOSSES)
            kwargs = self.one({}, {"reduction": "sum"}, {"reduction": "none"})
            return [self.st("nn.functional." + op, "$" + name, "$" + self.partner(name), **kwargs)]
        tail = list(tensor.shape[-1:]) or [1]
        pads = [self.one(0, 1, 1, -1), self.one(0, 1, 2)]
        return [self.rng.choice([
            self.st("nn.functional.layer_norm", "$" + name, tail),
            self.st("nn.functional.normalize", "$" + name, **self.one({}, {"dim": 0}, {"p": 1})),
            self.st("nn.functional.pad", "$" + name, pads, **self.one({}, {"value": 2})),
            self.st("nn.functional.cosine_similarity", "$" + name, "$" + self.partner(name), **self.one({}, {"dim": -1})),
            self.st("nn.functional.dropout", "$" + name, 0.5, False),
            self.st("nn.functional.softmin", "$" + name, dim=self.dim(tensor)),
            self.classes(),
            self.st("nn.functional.one_hot", "$" + self.pick(lambda t: t.dtype == torch.int64)),
            self.st("nn.functional.embedding", "$" + self.pick(lambda t: t.dtype == torch.int64 and t.numel() > 0), "$" + self.pick(lambda t: t.dim() == 2)),
        ])]

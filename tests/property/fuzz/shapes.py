"""Proposals that view, reshape, split, join and rearrange."""

from hand import Hand


class Shapes(Hand):
    def new_shape(self, tensor):
        """A shape with as many elements, one of them perhaps -1."""
        count = tensor.numel()
        if self.wrong():
            return self.one([count + 1], [-1, -1], [count, 2], [-2], [5, -1])
        shape, rest = [], count
        while rest > 1 and self.chance(0.75):
            size = self.rng.choice([n for n in range(1, rest + 1) if rest % n == 0])
            shape.append(size)
            rest //= size
        shape.append(rest)
        if self.chance(0.3) and count > 0:
            shape[self.rng.randrange(len(shape))] = -1
        return shape

    def expanded(self, tensor):
        sizes = [self.one(2, 3) if size == 1 and self.chance(0.6) else size for size in tensor.shape]
        if self.wrong():
            sizes = [size + 1 for size in sizes] or [2, -1]
        elif self.chance(0.3):
            sizes = [-1 if self.chance(0.5) else size for size in sizes]
        return ([self.one(1, 2)] if self.chance(0.4) or not sizes else []) + sizes

    def reshape(self):
        name = self.pick()
        tensor = self.tensor(name)
        rank = tensor.dim()
        dim, other = self.dim(tensor), self.dim(tensor)
        size = tensor.shape[dim % rank] if rank else 1
        order = self.rng.sample(range(rank), rank)
        start = self.rng.randint(-1, max(size - 1, 0)) if self.chance(0.2) else self.rng.randint(0, max(size - 1, 0))
        length = self.rng.randint(0 if self.chance(0.1) else 1, max(size - max(start, 0), 1))
        op = self.rng.choice(
            "view view reshape permute transpose t select select narrow narrow squeeze unsqueeze expand expand diagonal unfold as_strided "
            "movedim flatten unflatten view_as reshape_as expand_as swapaxes T T mT H mH adjoint contiguous ravel moveaxis swapdims real".split())
        match op:
            case "view" if self.chance(0.15):
                return [self.st("view", "@" + self.dtype(), on=name)]
            case "view" | "reshape":
                return [self.op(op, name, self.new_shape(tensor))]
            case "permute":
                order = order + [0] if self.wrong() else order
                return [self.op(op, name, [d - rank if self.chance(0.2) else d for d in order])]
            case "transpose" | "swapaxes" | "swapdims" | "movedim" | "moveaxis":
                return [self.op(op, name, dim, other)]
            case "t":
                return [self.op("t", name if self.wrong() else self.pick(lambda t: t.dim() <= 2))]
            case "select":
                return [self.op("select", name if self.wrong() else self.pick_dims(1), dim, self.rng.randint(-1, max(size - 1, 0)) + (size if self.wrong() else 0))]
            case "narrow":
                return [self.op("narrow", name, dim, start, length + (size if self.wrong() else 0))]
            case "squeeze":
                ways = [[], [dim], [[dim, other]] if rank >= 2 and dim % rank != other % rank else []]
                return [self.op("squeeze", name, *self.rng.choice(ways))]
            case "unsqueeze":
                return [self.op("unsqueeze", name, self.rng.randint(-rank - 1, rank) + (3 if self.wrong() else 0))]
            case "expand":
                return [self.op("expand", name, self.expanded(tensor))]
            case "diagonal":
                name = self.pick_dims(2)
                tensor = self.tensor(name)
                if tensor.dim() < 2 or self.chance(0.5):
                    return [self.op("diagonal", name, *self.one([], [self.one(-1, 1)]))]
                a, b = self.rng.sample(range(tensor.dim()), 2)
                return [self.op("diagonal", name, self.one(-1, 0, 1), a, a if self.wrong() else b)]
            case "unfold":
                return [self.op("unfold", name, dim, self.rng.randint(1, max(size, 1)) + (size if self.wrong() else 0), self.one(1, 2, 2, 3))]
            case "as_strided":
                return [self.as_strided(name)]
            case "flatten":
                first, last = sorted([dim % rank, other % rank]) if rank else (0, 0)
                return [self.op("flatten", name, *self.one([], [first], [first, last], [last, first] if self.wrong() else []))]
            case "unflatten":
                sizes = self.one([size], [1, size], [-1, 1], [2, -1], [size // 2, 2])
                return [self.op("unflatten", name, dim, sizes)]
            case "view_as" | "reshape_as" | "expand_as":
                fits = (lambda t: t.numel() == tensor.numel()) if op != "expand_as" else (lambda t: t.dim() >= rank)
                return [self.op(op, name, "$" + (self.pick() if self.wrong() else self.pick(fits)))]
            case "T" | "mT" | "H" | "mH":
                fits = (lambda t: t.dim() == 2) if op in "TH" else (lambda t: t.dim() >= 2)
                return [self.st("get:" + op, on=self.pick(None if self.wrong() else fits))]
            case _:
                return [self.op(op, name)]

    def as_strided(self, name):
        """Distinct cells of the storage, as a rule; sometimes beyond its end."""
        tensor = self.tensor(name)
        base = tensor._base if tensor._is_view() else tensor
        cells = base.numel() if not self.wrong() else tensor.untyped_storage().nbytes() // tensor.element_size() + 4
        rows, columns = self.one(1, 2, 3), self.one(1, 2)
        step = self.one(1, 1, 2)
        size, stride = self.one(([rows], [step]), ([rows, columns], [columns * step, step]), ([columns, rows], [step, columns * step]))
        span = sum((n - 1) * s for n, s in zip(size, stride)) + 1
        offsets = [[self.rng.randint(0, max(cells - span, 0))]]
        return self.op("as_strided", name, size, stride, *self.rng.choice([*offsets, *offsets, []]))

    def several(self):
        name = self.pick_dims(1)
        tensor = self.tensor(name)
        dim = self.dim(tensor)
        size = tensor.shape[dim % tensor.dim()] if tensor.dim() else 1
        cut = self.rng.randint(0, size)
        return [self.rng.choice([
            self.op("unbind", name, dim),
            self.op("split", name, self.one(1, 2, max(size - 1, 1)), dim),
            self.op("split", name, [cut, size - cut + (1 if self.wrong() else 0)], dim),
            self.op("chunk", name, self.one(1, 2, 2, 3, 0 if self.wrong() else 2), dim),
            self.op("tensor_split", name, self.one(2, 3, [1], [1, 2]), dim),
            self.op("split_with_sizes", name, [cut, size - cut], dim),
            self.op(self.one("hsplit", "vsplit", "dsplit"), name, self.one(1, 2, [1])),
        ])]

    def rearrange(self):
        name = self.pick()
        tensor = self.tensor(name)
        rank = tensor.dim()
        repeats = [self.one(1, 1, 2) for _ in range(rank + self.one(0, 0, 1) - (1 if self.wrong() and rank else 0))]
        flips = self.rng.sample(range(rank), self.rng.randint(0, rank)) if rank else []
        return [self.rng.choice([
            self.st("repeat", repeats, on=name),
            self.op("flip", name, flips + flips if self.wrong() else flips),
            self.op("roll", name, self.one(1, -1, 2), self.dim(tensor)),
            self.op("roll", name, self.one(1, -2)),
            self.op(self.one("tril", "triu"), self.pick_dims(2), *self.one([], [self.one(-1, 1)])),
        ])]

    def join(self):
        first = self.pick()
        tensor = self.tensor(first)
        count = self.rng.randint(1, 3)
        if self.chance(0.5):
            others = [self.pick(None if self.wrong() else lambda t: t.shape == tensor.shape) for _ in range(count - 1)]
            dim = self.rng.randint(-tensor.dim() - 1, tensor.dim()) + (3 if self.wrong() else 0)
            return [self.st("stack", ["$" + name for name in [first, *others]], dim)]
        dim = self.dim(tensor)

        def fits(t):
            return t.dim() == tensor.dim() > 0 and all(t.shape[d] == tensor.shape[d] for d in range(t.dim()) if d != dim % t.dim())

        others = [self.pick(None if self.wrong() else fits) for _ in range(count - 1)]
        return [self.st("cat", ["$" + name for name in [first, *others]], dim)]

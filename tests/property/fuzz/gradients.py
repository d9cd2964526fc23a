"""Proposals about autograd: severing, flags, backward and grad."""

from hand import Hand


class Gradients(Hand):
    def severed(self):
        name = self.pick()
        return [self.rng.choice([
            self.op("detach", name), self.op("detach", name), self.op("clone", name), self.op("clone", name),
            self.st("get:data", on=name), self.st("contiguous", on=name), self.st("detach_", on=name),
        ])]

    def flags(self):
        name = self.pick()
        floating = self.pick_float()
        dtype = self.tensor(floating).dtype
        peer = self.pick(lambda t: t.shape == self.tensor(floating).shape and (t.dtype == dtype or self.wrong()))
        return [self.rng.choice([
            self.st("requires_grad_", on=self.pick_float() if self.chance(0.9) else name),
            self.st("requires_grad_", False, on=name),
            self.st("retain_grad", on=self.pick(lambda t: t.requires_grad and not t.is_leaf)),
            self.st("retain_grad", on=self.pick(lambda t: t.requires_grad and not t.is_leaf)),
            self.st("retain_grad", on=name),
            self.hook(self.pick(lambda t: t.requires_grad)),
            self.hook(self.pick(lambda t: t.requires_grad)),
            self.st("register_post_accumulate_grad_hook", self.one("%drop", "%halve"), on=self.pick(lambda t: t.requires_grad and t.is_leaf)),
            self.st("set:requires_grad", self.one(True, False), on=floating),
            self.st("set:grad", None, on=self.pick(lambda t: t.grad is not None)),
            self.st("set:grad", "$" + peer, on=floating),
            self.st("get:grad", on=self.pick(lambda t: t.grad is not None)),
            self.st("set:data", "$" + peer, on=floating),
            self.st("set_grad_enabled", False) if self.chance(0.2) else self.st("set_grad_enabled", True),
        ])]

    def hook(self, name):
        return self.st("register_hook", self.one("%double", "%double", "%ones", "%contiguous", "%look"), on=name)

    def root(self):
        """(statements, name): where a backward may start; made if there is no such tensor."""
        if not self.names(lambda t: t.requires_grad) and not self.wrong():
            leaf, ref = self.named(self.literal(self.shape(), "float32", requires_grad=True))
            other = self.pick_float()
            made, product = self.named(self.st("mul", ref, on=other))
            return leaf + made, product[1:]
        return [], self.pick(lambda t: t.requires_grad and t.numel() > 0 and (not t.is_leaf or self.wrong()))

    def seeded(self, name):
        """(statements, gradient): what a backward from this tensor needs, sometimes the wrong thing.

        Always a new tensor: PyTorch may keep a gradient that it was given, or a view of it, as a leaf's .grad, and write to it
        in the next backward. leafgrad keeps copies, so that no backward changes a tensor of the program.
        """
        tensor = self.tensor(name)
        if tensor.numel() == 1 and self.chance(0.8) or self.wrong():
            return [], None
        shape = list(tensor.shape) + ([1] if self.wrong() else [])
        return self.named(self.literal(shape, "float64" if self.wrong() else str(tensor.dtype).removeprefix("torch.")))

    def options(self, create=0.1):
        kwargs = {}
        if self.chance(0.35):
            kwargs["retain_graph"] = self.one(True, True, True, False)
        if self.chance(create):
            kwargs["create_graph"] = True
        return kwargs

    def backward(self):
        made, name = self.root()
        if made or self.tensor(name).numel() != 1 and self.chance(0.5):
            total, ref = self.named(self.st(self.one("sum", "mean"), on=name))
            return [*made, *total, self.st("backward", on=ref[1:], **self.options())]
        before, gradient = self.seeded(name)
        kwargs = self.options()
        if self.chance(0.15):
            inputs = [self.pick(lambda t: t.requires_grad) for _ in range(self.one(1, 1, 2))]
            kwargs["inputs"] = [] if self.wrong() else ["$" + ref for ref in inputs]
        if self.chance(0.15):
            other = self.pick(lambda t: t.requires_grad and t.numel() == 1)
            return [*before, self.st("autograd.backward", ["$" + name, "$" + other], [gradient, None], **kwargs)]
        if gradient is not None and self.chance(0.3):
            kwargs["gradient"] = gradient
        elif gradient is not None:
            return [*before, self.st("backward", gradient, on=name, **kwargs)]
        return [*before, self.st("backward", on=name, **kwargs)]

    def grad(self):
        before, name = self.root()
        if before or self.tensor(name).numel() != 1 and self.chance(0.4):
            total, ref = self.named(self.st("sum", on=name))
            before, name, gradient = before + total, ref[1:], None
        else:
            before, gradient = self.seeded(name)
        inputs = ["$" + self.pick(lambda t: t.requires_grad or self.wrong()) for _ in range(self.one(1, 1, 2, 2, 3))]
        inputs = list(dict.fromkeys(inputs))
        kwargs = self.options(create=0.4)
        if self.chance(0.75):
            kwargs["allow_unused"] = True
        if self.chance(0.1):
            kwargs["materialize_grads"] = True
        if gradient is not None:
            kwargs["grad_outputs"] = [gradient] if self.chance(0.8) else gradient
        output = ["$" + name] if self.chance(0.5) else "$" + name
        return [*before, self.st("autograd.grad", output, inputs, **kwargs)]

    def closing_backward(self):
        if not self.names(lambda t: t.requires_grad and not t.is_leaf):
            return None
        name = self.pick(lambda t: t.requires_grad and not t.is_leaf)
        total, ref = self.named(self.st("sum", on=name))
        return [*total, self.st("backward", on=ref[1:])]

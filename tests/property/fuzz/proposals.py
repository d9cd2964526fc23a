"""What the fuzzer proposes: statements of every kind, most of them valid for the tensors at hand, some wrong on purpose."""

import torch

from functions import Functions
from gradients import Gradients
from habits import Habits
from mathematics import Mathematics
from shapes import Shapes
from writes import Writes

# How often each kind is drawn: as often as here, or as a theme says.
KINDS = {
    "unary": 9, "binary": 13, "choice": 5, "reduce": 9, "reshape": 13, "several": 5, "getitem": 9, "setitem": 8, "in_place": 15,
    "in_place_index": 4, "in_place_shape": 3, "severed": 5, "cast": 4, "join": 4, "gather": 6, "matrix": 5, "compare": 4, "softmax": 4,
    "loss": 2, "backward": 7, "grad": 5, "flags": 5, "factory": 2, "query": 1, "rearrange": 4, "out": 2, "story": 4,
    "shown": 3, "integer": 4, "placed": 4, "combined": 3, "pieces": 3, "several_grads": 2, "activation": 4, "ordered": 4, "running": 4, "factors": 5, "layer": 4,
}
# In inference mode they would make `.grad` an inference tensor, to which the next backward adds before it is refused.
GIVING_GRADIENTS = ("backward", "grad", "several_grads")
THEMES = [
    {}, {}, {},
    {"in_place": 30, "reshape": 22, "several": 10, "setitem": 14, "story": 12},
    {"backward": 16, "grad": 14, "flags": 10},
    {"getitem": 20, "setitem": 18, "gather": 14, "in_place_index": 10},
    {"binary": 26, "cast": 14, "compare": 10},
    {"reduce": 20, "softmax": 10, "join": 8},
    {"integer": 40, "cast": 10, "shown": 8},
    {"placed": 30, "combined": 12, "setitem": 14},
    {"pieces": 24, "several_grads": 10, "shown": 8},
    {"activation": 16, "ordered": 16, "running": 16, "factors": 20, "layer": 16},
]


class Proposals(Mathematics, Functions, Shapes, Writes, Gradients, Habits):
    def __init__(self, rng, machine):
        super().__init__(rng, machine)
        weights = {**KINDS, **rng.choice(THEMES)}
        self.kinds, self.weights = list(weights), list(weights.values())

    def draw(self):
        if not torch.is_grad_enabled() and self.chance(0.25):
            return [self.st("set_grad_enabled", True)]
        kind = self.rng.choices(self.kinds, self.weights)[0]
        proposal = getattr(self, kind)()
        if isinstance(proposal, list) and kind not in ("factory", "flags") and self.chance(0.08):
            proposal[-1]["under"] = self.one("no_grad", "no_grad", "no_grad", "enable_grad", *(["inference_mode"] if kind not in GIVING_GRADIENTS else []))
        return proposal

    def story(self):
        """A tensor, views of it, writes through them, reads and a backward: what version counters and CopySlices are about."""
        try:
            self.focus = self.pick(lambda t: t.is_floating_point() and t.requires_grad)
            if self.chance(0.8):
                yield self.rng.choice([self.st("clone", on=self.focus), self.st("mul", 2, on=self.focus), self.st("exp", on=self.focus)])
                self.focus = self.newest()
            whole = self.focus
            for _ in range(self.one(1, 2, 3)):
                yield from self.sometimes_unrecorded(self.one(self.getitem, self.reshape, self.several)())
                if self.tensor(self.newest())._is_view() and self.chance(0.75):
                    self.focus = self.newest()
                if self.chance(0.3):
                    yield from self.one(self.unary, self.binary)()
                yield from self.one(self.in_place, self.in_place, self.setitem, self.in_place_index)() or []
                if self.chance(0.4):
                    self.focus = whole
                if self.chance(0.2):
                    yield self.st("retain_grad", on=self.focus)
                if self.chance(0.15):
                    yield self.hook(self.focus)
            yield from self.one(self.backward, self.grad, self.closing_backward, self.binary)() or []
        finally:
            self.focus = None

    def sometimes_unrecorded(self, proposal):
        """A view made under no_grad, of what may be such a view itself."""
        if self.chance(0.1):
            proposal[-1]["under"] = "no_grad"
        return proposal

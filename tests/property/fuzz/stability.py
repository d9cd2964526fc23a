"""How exactly a program's values are determined.

Two right implementations differ in the last bit of an exp or a sum, and a program may magnify that (by cancellation) or turn it into
something else altogether (by floor, argmax or a comparison). So the program is run again with noise of a few ulp added to the result
of every inexact operation, forward and backward: what moves gets a wider tolerance, and a program is cut before the first statement
whose outcome changes.
"""

import json
import math
import re

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from oracle import trace

EPSILON = {torch.float32: 4e-7, torch.float64: 8e-16}
# What PyTorch's own tests allow: relative, absolute.
BASE = {"float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}
# Beyond this share of its magnitude a value says nothing.
LIMIT = 0.02

# Operations whose results are copies of their inputs, bit by bit.
EXACT = set(
    """copy_ clone _to_copy fill_ zero_ cat stack index index_select gather scatter scatter_ where masked_fill masked_fill_ relu relu_
    threshold_backward abs abs_ neg neg_ sgn sign sign_ maximum minimum max min amax amin flip roll repeat tril triu tril_ triu_ masked_select
    masked_scatter new_zeros new_empty new_ones new_full zeros ones full empty empty_like zeros_like ones_like full_like new_empty_strided
    empty_strided floor floor_ ceil ceil_ round round_ trunc trunc_ clamp clamp_ clamp_min clamp_max clamp_min_ clamp_max_ select_backward
    slice_backward diagonal_backward unfold_backward lift_fresh detach detach_ alias arange eye scalar_tensor
    value_selecting_reduction_backward set_ resize_ contiguous""".split()
)

# Operations that may cancel on the way to their result, so that their error is relative to what goes in: sums, which are
# exact over exact numbers, and functions whose steps are rounded.
SUMS = set("sum mean cumsum mm bmm mv dot addmm addmv baddbmm index_add index_add_ scatter_add scatter_add_ index_put index_put_ _index_put_impl_".split())
CANCELLING = set("logaddexp logaddexp2 nanmean nansum _log_softmax _log_softmax_backward_data _softmax_backward_data logsumexp var std var_mean std_mean".split())


def magnitude(name, args):
    """What the error of an operation is relative to, beside its result."""
    floats = [arg.detach() for arg in args if isinstance(arg, torch.Tensor) and arg.dtype in EPSILON]
    finite = [arg[torch.isfinite(arg)] for arg in floats if not arg._is_zerotensor()]
    if name not in CANCELLING and not (name in SUMS and any(bool(inexact(arg).any()) for arg in finite)):
        return 0
    largest = [arg.abs().max().item() for arg in finite if arg.numel() > 0]
    return math.prod(largest) if name in ("mm", "bmm", "mv", "dot") else max(largest, default=0)


def inexact(tensor):
    """Small dyadic numbers are taken for exact."""
    return torch.isfinite(tensor) & (tensor * 4096 != (tensor * 4096).round())


class Noise(TorchDispatchMode):
    """Adds noise below autograd. It is a function of the value, so that ties stay ties; what is exact stays so, as do the zeros that PyTorch gives no memory."""

    def __init__(self, sign):
        super().__init__()
        self.sign = sign

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.__name__.split(".")[0]
        scale = magnitude(name, args)
        result = func(*args, **(kwargs or {}))
        if name in EXACT and scale == 0:
            return result
        returns = func._schema.returns
        for item, info in zip(result if isinstance(result, (tuple, list)) else [result], returns):
            is_view = info.alias_info is not None and not info.alias_info.is_write
            if isinstance(item, torch.Tensor) and item.dtype in EPSILON and not is_view and item.numel() > 0 and not item._is_zerotensor():
                self.shake(item, scale)
        return result

    def shake(self, tensor, scale):
        with torch.no_grad():
            moves = torch.isfinite(tensor) if scale > 0 else inexact(tensor)
            side = torch.where(torch.sin(tensor.double().abs() * 1e4) >= 0, 1.0, -1.0)
            noise = self.sign * EPSILON[tensor.dtype] * side * tensor.double().abs().clamp_min(scale)
            tensor.copy_(torch.where(moves, tensor + noise, tensor))


class Unstable(Exception):
    pass


def deviation(plain, noisy):
    """The largest difference of two states' values; raises if anything but a float moved, or a float moved too far.

    Nodes and strides are not asked: under a dispatch mode PyTorch takes another path here and there (reshape does).
    """
    if plain["dtype"] != noisy["dtype"] or plain["shape"] != noisy["shape"]:
        raise Unstable
    if plain["dtype"] not in BASE:
        if plain["values"] != noisy["values"]:
            raise Unstable
        return 0
    worst = 0
    for a, b in zip(plain["values"], noisy["values"]):
        if isinstance(a, str) or isinstance(b, str):
            if a != b:
                raise Unstable
        elif abs(a - b) > LIMIT * (1e-3 + abs(a)):
            raise Unstable
        else:
            worst = max(worst, abs(a - b))
    return worst


def tolerance(plain, noisy):
    """Ten times the deviation, where that is more than PyTorch's own tolerance covers; two digits."""
    worst = 10 * max(deviation(plain, state) for state in noisy)
    if plain["dtype"] not in BASE or worst <= BASE[plain["dtype"]][1] / 2:
        return 0
    return float(f"{worst:.1e}") if math.isfinite(worst) else 0


def examine(program):
    """(n, tolerances): the first n statements are stable, and (statement, tensor) -> (tolerance, tolerance of its gradient)."""
    plain, _ = trace(program, "all")
    noisy = []
    for sign in (1, -1):
        with Noise(sign):
            noisy.append(trace(program, "all")[0])
    tolerances = {}
    given = set()
    for i, step in enumerate(plain):
        stmt = program["stmts"][i]
        if given & set(re.findall(r'"\$?(\w+)"', json.dumps(stmt))):
            return i, tolerances
        if "backward" in stmt["op"]:
            given |= gradients_given(stmt)
        quiet = "error" in step or "backward" in stmt["op"]
        if i and quiet and changed(plain[i - 1]["see"], step["see"]):
            return i, tolerances
        others = [run[i] for run in noisy]
        try:
            for name, found in compare(step, others):
                if found != (0, 0):
                    tolerances[i, name] = found
        except Unstable:
            return i, tolerances
    return len(plain), tolerances


def changed(before, after):
    """Has a statement that should write nothing written?

    PyTorch refuses some writes only after it has begun them or has resized `out`, and it may keep the gradient that a backward was
    given as a leaf's .grad, to which the next backward adds. leafgrad does neither.
    """
    return any(name in after and any(after[name][field] != state[field] for field in ("values", "version", "shape")) for name, state in before.items())


def gradients_given(stmt):
    """Names of the tensors that a backward starts from; a program ends before it uses one again."""
    values = [stmt.get("kwargs", {}).get("gradient"), *stmt.get("args", [])[-1:]] if stmt["op"] == "backward" else stmt.get("args", [])[1:]
    return set(re.findall(r"\$(\w+)", json.dumps(values)))


def compare(step, others):
    for other in others:
        kinds = [run.get("error", [None])[0] for run in (step, other)]
        if kinds[0] != kinds[1] or step.get("out") != other.get("out") or not alike(step.get("value"), other.get("value")):
            raise Unstable
    for name, state in step["see"].items():
        noisy = [other["see"][name] for other in others]
        value = tolerance(state, noisy)
        grads = [run["grad"] for run in noisy]
        if any((grad is None) != (state["grad"] is None) for grad in grads):
            raise Unstable
        yield name, (value, 0 if state["grad"] is None else tolerance(state["grad"], grads))


def alike(a, b):
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= 1e-5 * (1 + abs(a))
    return a == b

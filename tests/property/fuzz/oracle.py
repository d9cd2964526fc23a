"""Runs one of the fuzzer's programs in real PyTorch and records what can be observed after each statement.

A statement is JSON: {"op": "add", "self": "t0", "args": ["$t1"], "kwargs": {"alpha": 2}, "out": ["t2"], "under": "no_grad"}.
Strings are sigilled: "$t1" a tensor, "@int64" a dtype, "#nan" a float that JSON cannot say, "%double" a hook, "..." an ellipsis;
{"slice": [0, 2, null]} is a slice. Without "self" the op is a function of `torch`, dots and all. These forms are not plain calls: "getitem" and "setitem"
(indexing), "get:NAME" / "set:NAME" (attributes), and "repr" (the printed form). "under" is the mode in which it runs.
"""

import contextlib
import functools
import re
import warnings

import numpy as np
import torch

warnings.simplefilter("ignore")
torch.set_num_threads(1)

# What a tensor looks like unless its record says otherwise; the TypeScript side starts from the same.
DEFAULTS = {
    "offset": 0, "leaf": True, "requires_grad": False, "grad_fn": None, "version": 0,
    "view": False, "base": None, "retains_grad": False, "grad": None, "tol": 0,
}


# What a tensor hook does with the gradient, and a hook after its accumulation with the leaf.
HOOKS = {
    "double": lambda grad: grad * 2,
    "ones": torch.ones_like,
    "contiguous": lambda grad: grad.contiguous(),
    "look": lambda grad: None,
    "drop": lambda leaf: setattr(leaf, "grad", None),
    "halve": lambda leaf: setattr(leaf, "grad", leaf.grad * 0.5),
}


class Missing(Exception):
    """A statement refers to a tensor that an earlier one failed to make."""


def resolve(path):
    return functools.reduce(getattr, path.split("."), torch)


def decode(value, env):
    if isinstance(value, str):
        if value.startswith("$"):
            if value[1:] not in env:
                raise Missing(value)
            return env[value[1:]]
        if value.startswith("@"):
            return getattr(torch, value[1:])
        if value.startswith("#"):
            return float(value[1:])
        if value.startswith("%"):
            return HOOKS[value[1:]]
        return Ellipsis if value == "..." else value
    if isinstance(value, list):
        return [decode(item, env) for item in value]
    if isinstance(value, dict):
        return slice(*value["slice"])
    return value


def call(stmt, env):
    args = [decode(arg, env) for arg in stmt.get("args", [])]
    kwargs = {key: decode(arg, env) for key, arg in stmt.get("kwargs", {}).items()}
    op = stmt["op"]
    if "self" not in stmt:
        return resolve(op)(*args, **kwargs)
    tensor = decode("$" + stmt["self"], env)
    if op == "getitem":
        return tensor[args[0] if len(args) == 1 else tuple(args)]
    if op == "setitem":
        tensor[args[0][0] if len(args[0]) == 1 else tuple(args[0])] = args[1]
        return None
    if op == "repr":
        return repr(tensor)
    if op.startswith("get:"):
        return getattr(tensor, op[4:])
    if op.startswith("set:"):
        return setattr(tensor, op[4:], args[0])
    return getattr(tensor, op)(*args, **kwargs)


def first_line(error):
    return re.sub(r"\s*\(Triggered internally.*", "", str(error).split("\n")[0]).rstrip()


def flatten(result):
    if isinstance(result, (tuple, list)):
        return list(result)
    return [result] if isinstance(result, torch.Tensor) else []


def number(value):
    """The shortest decimal that reads back as the same value, so that records stay small."""
    return value if np.isfinite(value) else "#" + str(value)


def values(tensor):
    # Forced, for the gradient of sign is a tensor without memory.
    array = tensor.detach().numpy(force=True).reshape(-1)
    if array.dtype == np.float32:
        return [number(float(str(item))) for item in array]
    if array.dtype == np.float64:
        return [number(item) for item in array.tolist()]
    return array.tolist()


def guarded(read):
    try:
        return read()
    except RuntimeError as error:
        return "!" + first_line(error)


class Machine:
    """The state of a program: named tensors, and which facts about them are PyTorch's private business.

    A gradient's version, the name of its node, whether it is a view and where it begins depend on how PyTorch happens to write its
    backward formulas, so for tensors that autograd made these are recorded as "*": any.
    """

    def __init__(self):
        self.env = {}
        self.made_by_autograd = set()
        self.private_storages = set()
        torch.set_grad_enabled(True)

    def name_of(self, tensor):
        return next((name for name, other in self.env.items() if other is tensor), None)

    def run(self, stmt, out=None):
        """Runs a statement and binds its results to `out`. Returns what to record: out, value, error or missing."""
        try:
            with getattr(torch, stmt["under"])() if "under" in stmt else contextlib.nullcontext():
                result = call(stmt, self.env)
        except Missing:
            return {"missing": True}
        except Exception as error:  # noqa: BLE001 - whatever PyTorch raises is what we record
            return {"error": [type(error).__name__, first_line(error)]}
        if isinstance(result, str):
            return {"value": result}
        if isinstance(result, (bool, int, float)):
            return {"value": number(result)}
        results = flatten(result)
        return {"out": self.bind(stmt, results, list(out if out is not None else stmt.get("out", [])))}

    def bind(self, stmt, results, wanted):
        by_autograd = stmt["op"] == "autograd.grad" or stmt["op"] == "get:grad"
        names = []
        for i, tensor in enumerate(results):
            name = self.name_of(tensor) if tensor is not None else None
            if tensor is not None and name is None:
                name = wanted[i] if i < len(wanted) and wanted[i] not in (None, *self.env) else f"x{len(self.env)}"
                self.env[name] = tensor
                if by_autograd:
                    self.made_by_autograd.add(name)
            if tensor is not None and by_autograd:
                self.private_storages.add(tensor.untyped_storage()._cdata)
            names.append(name)
        return names

    def state(self, tensor, name=None):
        """Everything observable about a tensor, in the order in which the TypeScript side compares it."""
        state = self.own_state(tensor, name)
        if tensor.grad is not None:
            fields = ("dtype", "shape", "values", "requires_grad", "stride", "tol")
            state["grad"] = {key: value for key, value in self.own_state(tensor.grad).items() if key in fields}
        return state

    def own_state(self, tensor, name=None):
        """The same without the gradient, which may have one too, and so on in a circle."""
        private = tensor.untyped_storage()._cdata in self.private_storages
        state = {
            "dtype": str(tensor.dtype).removeprefix("torch."),
            "shape": list(tensor.shape),
            "values": values(tensor),
            "leaf": guarded(lambda: tensor.is_leaf),
            "requires_grad": guarded(lambda: tensor.requires_grad),
            "grad_fn": guarded(lambda: tensor.grad_fn and tensor.grad_fn.name()),
            "version": "*" if private or self.unversioned() else tensor._version,
            "view": tensor._is_view(),
            "base": None,
            "retains_grad": tensor.retains_grad,
            "stride": list(tensor.stride()),
            "offset": "*" if private else tensor.storage_offset(),
            "grad": None,
            "tol": 0,
        }
        if name in self.made_by_autograd and isinstance(state["grad_fn"], str):
            state["grad_fn"] = "*"
        if name in self.made_by_autograd or self.unversioned():
            state["view"] = state["base"] = "*"
        elif state["view"]:
            state["base"] = "*" if private else self.name_of(tensor._base) or "*"
        return state

    def unversioned(self):
        """What comes of inference tensors counts the writes, and is one of the views, by which PyTorch made it."""
        return any(tensor.is_inference() for tensor in self.env.values())

    def observe(self, names):
        return {name: self.state(self.env[name], name) for name in names}


def contiguous(shape):
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return strides[::-1]


def trace(program, observe=None, context=None):
    """Runs a program from scratch; one record a statement, each with "see": full states of the tensors observed after it."""
    machine = Machine()
    observe = observe or program.get("observe", "all")
    steps = []
    try:
        for stmt in program["stmts"]:
            step = machine.run(stmt)
            if observe == "all":
                seen = list(machine.env)
            elif observe == "result":
                seen = [name for name in dict.fromkeys([*step.get("out", []), stmt.get("self")]) if name in machine.env]
            else:
                seen = []
            step["see"] = machine.observe(seen)
            steps.append(step)
        return steps, machine.observe(machine.env)
    finally:
        torch.set_grad_enabled(True)


def record(program, tolerances=None):
    """The program with what PyTorch did: per statement out/value/error and the fields of the states that changed since last seen."""
    steps, end = trace(program)
    tolerances = tolerances or {}
    known = {}

    def changes(see, step):
        result = {}
        for name, state in see.items():
            apply_tolerance(state, tolerances.get((step, name)))
            default = {**DEFAULTS, "stride": contiguous(state["shape"])}
            before = known.get(name, default)
            changed = {key: value for key, value in state.items() if key not in before or before[key] != value}
            known[name] = state
            if changed:
                result[name] = changed
        return result

    stmts = []
    for i, (stmt, step) in enumerate(zip(program["stmts"], steps)):
        want = {key: step[key] for key in ("error", "value", "missing") if key in step}
        see = changes(step["see"], i)
        if see:
            want["see"] = see
        kept = {key: value for key, value in stmt.items() if key not in ("out", "want")}
        if "out" in step:
            kept["out"] = step["out"]
        stmts.append({**kept, "want": want} if want else kept)
    recorded = {"id": program["id"], "observe": program.get("observe", "all"), "stmts": stmts}
    if program.get("observe", "all") != "all":
        recorded["end"] = changes(end, len(steps) - 1)
    return recorded


def apply_tolerance(state, tolerance):
    if tolerance is None:
        return
    state["tol"] = tolerance[0]
    if state["grad"] is not None:
        state["grad"]["tol"] = tolerance[1]

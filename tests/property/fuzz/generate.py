"""Draws random programs. PyTorch runs each statement as it is drawn, so that shapes are known and most statements are valid."""

import itertools
import random

import torch

from oracle import Machine, decode, flatten
from proposals import Proposals

WRITES_BY_PLACE = ("scatter_reduce_", "masked_scatter_", "put_", "index_copy_", "index_fill_")
CHANGING = {"backward", "autograd.grad", "autograd.backward", "retain_grad", "set_grad_enabled"}


def draw(seed, index, without=()):
    """Program `index` of stream `seed`: {"id", "observe", "stmts"}, not yet recorded."""
    rng = random.Random(f"leafgrad/{seed}/{index}")
    drawer = Drawer(rng, without)
    for _ in range(rng.choice([1, 2, 2, 3, 3])):
        drawer.offer(drawer.proposals.factory())
    length = len(drawer.stmts) + rng.choice([6, 9, 12, 14, 16, 18, 24])
    for _ in range(400):
        if len(drawer.stmts) >= length:
            break
        drawer.offer(drawer.proposals.draw())
    if rng.random() < 0.6:
        drawer.offer(drawer.proposals.closing_backward())
    return {"id": f"{seed}/{index}", "observe": rng.choice(["all", "all", "result", "end"]), "stmts": drawer.stmts}


class Drawer:
    def __init__(self, rng, without=()):
        self.rng = rng
        self.without = set(without)
        self.machine = Machine()
        self.stmts = []
        self.errors = self.names = 0
        self.wild = rng.random() < 0.12
        self.proposals = Proposals(rng, self.machine)

    def offer(self, proposal):
        """Runs the proposed statements and keeps each that is fit. A list is one idea: it ends where a statement fails."""
        for stmt in proposal or []:
            if not self.try_statement(stmt) and isinstance(proposal, list):
                return

    def try_statement(self, stmt):
        env = self.machine.env
        if self.without & features(stmt) or not self.casts_are_defined(stmt) or not self.memory_is_written(stmt) or not self.hook_is_safe(stmt):
            return False
        if stmt.get("out") is None:
            stmt["out"] = [f"t{self.names + i}" for i in range(12)]
        target = env.get(stmt.get("kwargs", {}).get("out", "$")[1:])
        shape = None if target is None else target.shape
        leaf = self.leaf_in_graphs(stmt)
        leaf_shape = None if leaf is None else leaf.shape
        step = self.machine.run(stmt)
        # An `out` that is resized is left out: under the mode that makes the noise PyTorch writes beyond its memory.
        fit = "missing" not in step and (target is None or target.shape == shape) and (leaf is None or leaf.shape == leaf_shape) and self.fit(stmt, step)
        if fit:
            stmt["out"] = step.get("out", [])
            self.names += len(stmt["out"])
            self.stmts.append(stmt)
            self.errors += "error" in step
            return "error" not in step
        if written(stmt) is not None or stmt["op"] in CHANGING or stmt["op"].startswith("set:"):
            self.rewind()
        else:
            for name in step.get("out", []):
                if name is not None and not any(name in kept["out"] for kept in self.stmts):
                    env.pop(name, None)
        return False

    def rewind(self):
        """An unfit statement has written: start again and run what was kept."""
        self.machine.__init__()
        for stmt in self.stmts:
            self.machine.run(stmt)

    def fit(self, stmt, step):
        if "error" in step:
            return self.fit_error(stmt, *step["error"])
        touched = [name for name in step.get("out", []) if name is not None]
        if any(not self.tame(self.machine.env[name]) for name in touched) or not self.targets_are_distinct(stmt) or not self.bools_are_defined():
            return False
        if written(stmt) is not None:
            return self.tame(self.machine.env[written(stmt)]) and self.write_is_defined(stmt)
        if "backward" in stmt["op"]:
            return all(self.tame(tensor.grad, 1e5) for tensor in self.machine.env.values() if tensor.grad is not None)
        return True

    def fit_error(self, stmt, kind, text):
        """Errors of the argument parser have no counterpart; the others are kept, most of them, up to a quarter of the program."""
        if kind not in ("RuntimeError", "IndexError", "ValueError", "NotImplementedError", "AttributeError"):
            return False
        if "INTERNAL ASSERT" in text or "invalid combination" in text or "has no attribute" in text:
            return False
        if "not implemented for" in text and self.rng.random() < 0.7:
            return False
        return self.errors * 4 <= len(self.stmts) and self.rng.random() < 0.7

    def tame(self, tensor, limit=1e3):
        if tensor.numel() > 48 or tensor.dim() > 5:
            return False
        plain = tensor.detach()
        if plain.numel() == 0 or plain.dtype == torch.bool:
            return True
        if not plain.is_floating_point():
            return plain.long().abs().max().item() <= 1e6
        finite = plain[torch.isfinite(plain)]
        if finite.numel() < plain.numel() and not self.wild and self.rng.random() < 0.9:
            return False
        return finite.numel() == 0 or finite.abs().max().item() <= limit

    def casts_are_defined(self, stmt):
        """C leaves a float's conversion to an integer that cannot hold it undefined."""
        refs = [ref for ref in references(stmt) if ref in self.machine.env]
        floats = [self.machine.env[ref] for ref in refs if self.machine.env[ref].is_floating_point()]
        to_integer = "int" in str([stmt.get("args"), stmt.get("kwargs")]) or stmt["op"] in ("int", "long", "short", "char", "byte")
        into_integer = any(not self.machine.env[ref].is_floating_point() for ref in refs[:1]) and stmt["op"] in (
            "setitem", "copy_", "index_put_", "fill_", "set:data", "masked_fill_", "masked_fill")
        if not floats or not (to_integer or into_integer):
            return True
        return all(bool(((f >= 0) & (f <= 100)).all()) for f in floats)

    def bools_are_defined(self):
        """C++ leaves a bool undefined whose byte is neither 0 nor 1, as `view(torch.bool)` of other dtypes may show."""
        bools = [t.detach() for t in self.machine.env.values() if t.dtype == torch.bool and t.numel() > 0]
        return all(t.view(torch.uint8).max().item() <= 1 for t in bools)

    def memory_is_written(self, stmt):
        """A view by `as_strided` may not show what PyTorch never wrote: mse_loss returns its sum in a storage that it made for all terms."""
        tensor = self.machine.env.get(references(stmt)[0]) if stmt["op"] == "as_strided" else None
        if tensor is None:
            return True
        seen = [t for t in self.machine.env.values() if share_memory(t, tensor)]
        written = {cell * t.element_size() + byte for t in seen for cell in memory(t) for byte in range(t.element_size())}
        return len(written) >= tensor.untyped_storage().nbytes()

    def hook_is_safe(self, stmt):
        """PyTorch crashes where a hook is registered on a view that no gradient comes to."""
        tensor = self.machine.env.get(stmt.get("self"))
        return stmt["op"] != "register_hook" or tensor is None or not tensor._is_view()

    def leaf_in_graphs(self, stmt):
        """The leaf whose shape the statement may change, if statements have read it: PyTorch's count of references decides whether its accumulator still lives."""
        name = stmt["self"] if stmt["op"] == "set:data" else written(stmt)
        tensor = self.machine.env.get(name)
        read = tensor is not None and any(name in references(kept) for kept in self.stmts)
        return tensor if read and not tensor._is_view() and tensor.is_leaf and tensor.requires_grad else None

    def write_is_defined(self, stmt):
        """No element is written twice, and nothing is read that the statement also writes."""
        target = self.machine.env[written(stmt)]
        cells = memory(target)
        if len(set(cells)) < len(cells):
            return False
        reads_late = stmt["op"] in ("matmul", "sum", "mean", "amax", "prod", "all", "cumsum", *WRITES_BY_PLACE)
        if reads_late and any(share_memory(self.machine.env[ref], target) for ref in references({"args": stmt["args"]})):
            return False
        for ref in references(stmt):
            other = self.machine.env.get(ref)
            if other is None or other is target or not share_memory(other, target):
                continue
            same = memory(other) == cells and stmt["op"] != "setitem"
            if not same and set(memory(other)) & set(cells):
                return False
        return True

    def targets_are_distinct(self, stmt):
        """Whether an indexed write names each place once; an accumulating one may name it often."""
        if stmt["op"].rstrip("_") not in ("setitem", "index_put", "scatter") or stmt.get("kwargs", {}).get("accumulate"):
            return True
        operands = (["$" + stmt["self"]] if "self" in stmt else []) + stmt["args"]
        target, first, *rest = [decode(operand, self.machine.env) for operand in operands]
        places = torch.arange(target.numel()).reshape(target.shape)
        if stmt["op"].rstrip("_") != "scatter":
            places = places[tuple(first)]
        elif target.dim() > 0:
            for d in range(target.dim()):
                if d != first % target.dim():
                    places = places.narrow(d, 0, rest[0].shape[d] if rest[0].dim() else 1)
            places = places.gather(first, rest[0])
        return places.unique().numel() == places.numel()


def features(stmt):
    """What `--without` may name: the op, and forms of it."""
    dtype = stmt["op"] == "view" and str(stmt["args"][0]).startswith("@")
    return {stmt["op"], *(["view(dtype)"] if dtype else []), *(["out="] if "out" in stmt.get("kwargs", {}) else [])}


def written(stmt):
    """The name of the tensor that the statement writes, if any."""
    if stmt["op"].endswith("_") or stmt["op"] == "setitem":
        return stmt["self"]
    return stmt.get("kwargs", {}).get("out", "$")[1:] or None


def references(stmt):
    found = [stmt["self"]] if "self" in stmt else []

    def walk(value):
        if isinstance(value, str) and value.startswith("$"):
            found.append(value[1:])
        elif isinstance(value, list):
            for item in value:
                walk(item)

    walk(stmt.get("args", []))
    walk(list(stmt.get("kwargs", {}).values()))
    return found


def share_memory(a, b):
    return a.untyped_storage()._cdata == b.untyped_storage()._cdata


def memory(tensor):
    """Where each element lies in its storage, in order."""
    ranges = [range(0, size * stride, stride) if stride else [0] * size for size, stride in zip(tensor.shape, tensor.stride())]
    return [tensor.storage_offset() + sum(places) for places in itertools.product(*ranges)]

"""Draws random programs, runs them in real PyTorch and writes what it did.

    python fuzz.py --count 10000 --seed 7 --out programs.jsonl.gz     draw and record
    python fuzz.py --record < programs.jsonl > recorded.jsonl         record given programs again (the minimiser asks this)
    python fuzz.py --stats programs.jsonl.gz                          what the programs are made of
"""

import argparse
import collections
import gzip
import io
import json
import re
import sys

sys.dont_write_bytecode = True  # nothing of Python's is left in the tree

from generate import draw
from oracle import record
from stability import examine


def settle(program, least=4):
    """The program, cut before its first unstable statement, with its record; None if less than `least` is left, or PyTorch asserts when it is looked at."""
    stable, tolerances = examine(program)
    program["stmts"] = program["stmts"][:stable]
    if stable < least:
        return None
    recorded = record(program, tolerances)
    return None if least > 0 and "INTERNAL ASSERT" in json.dumps(recorded) else recorded


def write(seed, count, out, without=()):
    with writer(out) as file:
        index = written = 0
        while written < count:
            recorded = settle(draw(seed, index, without))
            index += 1
            if recorded is None:
                continue
            file.write(json.dumps(recorded, separators=(",", ":")) + "\n")
            written += 1
            if written % 1000 == 0:
                print(f"{written} programs", file=sys.stderr, flush=True)


def writer(path):
    """The same programs make the same file: no time in it."""
    return io.TextIOWrapper(gzip.GzipFile(path, "wb", mtime=0)) if path.endswith(".gz") else open(path, "w")


def read(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def stats(path):
    ops, errors, nodes, tally = (collections.Counter() for _ in range(4))
    versions = collections.Counter()
    for program in read(path):
        tally["programs"] += 1
        for stmt in program["stmts"]:
            want = stmt.get("want", {})
            tally["statements"] += 1
            tally[stmt.get("under", "plain")] += 1
            ops[stmt["op"]] += 1
            if "error" in want:
                tally["errors"] += 1
                errors[re.sub(r"\d+", "N", want["error"][1])[:150]] += 1
            for name, state in want.get("see", {}).items():
                node = state.get("grad_fn")
                if node:
                    nodes[node[:60]] += 1
                tally["tolerances"] += bool(state.get("tol"))
                tally["gradients"] += bool(state.get("grad"))
                if state.get("version") not in (None, 0, "*") and "dtype" in state and name in stmt.get("out", []) and not state.get("view"):
                    versions[stmt["op"]] += 1
    print(dict(tally))
    for title, counter in (("ops", ops), ("errors", errors), ("grad_fn", nodes), ("born with a version", versions)):
        print(f"\n{title}: {len(counter)}")
        for key, number in counter.most_common():
            print(f"{number:7d}  {key}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out")
    parser.add_argument("--without", default="", help="operations to leave out, by name: get:H,view(dtype),out=")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--stats")
    options = parser.parse_args()
    if options.stats:
        stats(options.stats)
    elif options.record:
        for line in sys.stdin:
            print(json.dumps(settle(json.loads(line), least=0), separators=(",", ":")), flush=True)
    elif options.out:
        write(options.seed, options.count, options.out, options.without.split(","))
    else:
        parser.print_help()


if __name__ == "__main__":
    main()

"""Runs the bad programs of the pitfalls in PyTorch and writes what it says to pytorch.json: `python export_pitfalls.py`.

Each family is a module in this folder that `families` names, with a function for each pitfall. The lines to blame end in
`# culprit`. A program is run as it is, and if no error ends it, once more in anomaly mode.
"""

import importlib
import inspect
import json
import pathlib
import re
import sys
import traceback
import warnings

import torch

sys.dont_write_bytecode = True
families = ["magnitude", "values", "second_derivatives", "in_place", "no_gradient", "lifetime", "training", "ported", "losses"]
here = pathlib.Path(__file__).parent


def lines_named(text, file):
    """The lines of a family's file that a traceback names, outermost first; those of the harness are no part of it."""
    return [int(n) for n in re.findall(rf'File "{re.escape(str(file))}", line (\d+)', text)]


def said(program, anomaly):
    """What PyTorch raises or warns of, and the program's line that it names; None where it says nothing."""
    torch.manual_seed(0)
    file = inspect.getsourcefile(program)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with torch.autograd.set_detect_anomaly(anomaly):
                program()
            told = [w for w in caught if w.filename == file]
            return None if anomaly or not told else {"error": str(told[0].message).split("\n")[0], "line": told[0].lineno, "warns": True}
        except Exception as error:
            # Anomaly mode tells of the forward call in a warning.
            forward = [n for w in caught for n in lines_named(str(w.message), file)]
            raised = [n for n in lines_named("".join(traceback.format_tb(error.__traceback__)), file)]
            return {"error": str(error).split("\n")[0], "line": (forward or raised or [None])[-1]}


def answer(program):
    source, first = inspect.getsourcelines(program)
    culprits = [first + i for i, line in enumerate(source) if line.rstrip().endswith("# culprit")]
    assert culprits, program.__name__
    for mode in ["error", "anomaly mode"]:
        found = said(program, anomaly=mode == "anomaly mode")
        if found is not None:
            return {"says": "warning" if "warns" in found else mode, "text": found["error"], "right": found["line"] in culprits}
    return {"says": None}


answers = {}
for family in families:
    module = importlib.import_module(family)
    for name, program in list(vars(module).items()):
        if inspect.isfunction(program) and program.__module__ == family and not name.startswith("_"):
            assert name not in answers, name
            answers[name.replace("_", "-")] = answer(program)
(here / "pytorch.json").write_text(json.dumps({"torch": torch.__version__.split("+")[0], "answers": answers}, indent=1) + "\n")

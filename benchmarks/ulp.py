"""How exact and how long the bodies of the transcendental atoms are: `python -m benchmarks.ulp [--count N]`.

The error is the largest over the samples that the tests of the bodies use (`test_approximations.py`), N of each sort,
in units in the last place of the true result. Nodes are those of the expression; operations are those with operands.
"""

import argparse
import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np

TESTS = Path(__file__).parents[1] / "packages/tensor-core/tests/test_approximations.py"


def measurement() -> ModuleType:
    """The module of tests, whose samples, evaluation and reference this prints rather than asserts."""
    spec = importlib.util.spec_from_file_location("test_approximations", TESTS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(count: int) -> list[tuple[str, ...]]:
    """One row per function and dtype."""
    tests = measurement()
    out = []
    for name in tests.FUNCTIONS:
        for dtype in ("float32", "float64"):
            program = tests.body(name, dtype).program
            operations = sum(bool(node.args) for node, _ in program)
            fused, (where, *_) = tests.worst(name, dtype, count)
            unfused, _ = tests.worst(name, dtype, count, fused=False)
            errors = (f"{error:.2f}" if error < 100 else f"{error:.0e}" for error in (fused, unfused))
            place = np.format_float_scientific(where, precision=6)
            out.append((name, dtype, *errors, place, str(len(program)), str(operations)))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="samples of each sort (default 100000)")
    head = ("function", "dtype", "max ulp", "unfused", "worst at x", "nodes", "operations")
    table = [head, *rows(parser.parse_args().count)]
    widths = [max(map(len, column)) for column in zip(*table)]
    for row in table:
        names, figures = row[:2], row[2:]
        cells = [c.ljust(w) for c, w in zip(names, widths)] + [c.rjust(w) for c, w in zip(figures, widths[2:])]
        print("  ".join(cells))


if __name__ == "__main__":
    main()

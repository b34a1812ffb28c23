"""The page of the guide about promotion, `docs/guide/promotion.md`, written from what the library does.

`python -m scripts.promotion_table` writes it; with `--check` it writes nothing, and fails where the page is not what
it would write.
"""

import argparse
import sys
from itertools import product

import numpy as np

from brickwork.tensor import DTypeError
from brickwork.tensor.dtypes import NAMES, promote, short_name
from scripts.workspace import ROOT

PAGE = ROOT / "docs" / "guide" / "promotion.md"
PYTHON = (bool, int, float, complex)
GROUPS = {
    "Booleans and integers": [n for n in NAMES if NAMES[n].kind in "biu"],
    "Floating point and complex": [n for n in NAMES if NAMES[n].kind not in "biu"],
}
TEXT = """\
# Promotion of dtypes

Where operands differ in dtype, the result has the dtype below: of eager functions, of compiled ones and on every
device, by one rule, which `brickwork.tensor.promote` and `result_type` tell.

- Within a kind the Array API standard decides: `int8 + uint8` is `int16`, `float32 + float64` is `float64`.
- Across kinds the higher kind decides, and the operand of the lower one does not widen it: `int64 + float16` is
  `float16`. Kinds are booleans, integers, floating point, complex. Only `float64` widens: with `complex64` it gives
  `complex128`.
- `float16 + bfloat16` is `float32`, the least that holds both. No integer holds both `uint64` and a signed one: they
  give `float32`.
- Python numbers are weak: they raise the kind, never the width. `float16 + 1.5` is `float16`, `int8 + 1.5` is
  `float32`, the default, and `int8 + 1` is `int8`.
- float8 is for storage. It promotes with what is of a lower kind, and with complex numbers; beside another floating
  type it is a `DTypeError`: cast with `astype`.
- Functions that need floating point, such as `exp` or `divide`, take integers and booleans as `float32`.

Of several operands the order does not matter. Dtypes are written short: `f32` is `float32`, `bf16` is `bfloat16`,
`c64` is `complex64`, `b1` is `bool`, and so on. A dash stands for an error.
"""


def cell(*kinds: object) -> str:
    """The common dtype, short, or a dash."""
    try:
        return f"`{short_name(promote(*kinds))}`"
    except DTypeError:
        return "-"


def table(rows: list[np.dtype], columns: list[np.dtype]) -> str:
    """The common dtypes of all pairs."""
    head = ["", *(f"`{short_name(c)}`" for c in columns)]
    lines = [head, ["---"] * len(head), *([f"**`{short_name(r)}`**", *(cell(r, c) for c in columns)] for r in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def weak_table() -> str:
    """The dtypes that a Python number gives beside each dtype."""
    head = ["", *(f"`{p.__name__}`" for p in PYTHON)]
    rows = [[f"**`{short_name(d)}`**", *(cell(d, p) for p in PYTHON)] for d in NAMES.values()]
    alone = ["*alone*", *(cell(p) for p in PYTHON)]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *rows, alone])


def page() -> str:
    """The whole page."""
    parts = [TEXT, "<!-- Written by `python -m scripts.promotion_table`; edit that. -->"]
    for (one, rows), (other, columns) in product(GROUPS.items(), repeat=2):
        if list(GROUPS).index(one) > list(GROUPS).index(other):
            continue
        title = one if one == other else f"{one}, beside {other[0].lower()}{other[1:]}"
        parts.append(f"## {title}\n\n{table([NAMES[n] for n in rows], [NAMES[n] for n in columns])}")
    parts.append(f"## Beside Python numbers\n\n{weak_table()}")
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail where the page is not up to date")
    wanted = page()
    if parser.parse_args().check:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == wanted:
            return 0
        print(f"{PAGE.relative_to(ROOT)} is not what the library does. Run `python -m scripts.promotion_table`")
        return 1
    PAGE.write_text(wanted, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Golden files: states as they were written, with a table and what came of it, which every later release must read.

`python -m packages.prep.tests.golden_states` writes those that are not there yet: of classes, options and versions of
states that are new. What is there is never written again: a release that can not read it has broken a promise.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brickwork.prep import (
    ImageNormalizer,
    ImageResizer,
    LabelBinarizer,
    LabelEncoder,
    MultiLabelBinarizer,
    TargetPrep,
    TargetScaler,
    program,
    to_state,
)
from brickwork.prep.bundles import IMAGES, TARGETS
from brickwork.prep.state import VERSION

from .catalogue import CASES
from .test_compositions import COMPOSITIONS
from .test_compositions import X as NUMBERS
from .test_program import COMPOSITIONS as PROGRAMS
from .test_program import X as MIXED

FOLDER = Path(__file__).parent / "golden"
ROWS = 12

TARGET_CASES = [
    (TargetPrep(), ["b", "a", "b", "c"]),
    (TargetPrep(), [0.5, 1.25, -3.0]),
    (LabelEncoder(), ["b", "a", "b"]),
    (LabelBinarizer(), [3, 1, 2]),
    (MultiLabelBinarizer(), [["x", "y"], [], ["y"]]),
    (TargetScaler(), [1.0, 2.0, 4.0]),
]
IMAGE = np.arange(2 * 4 * 6 * 3, dtype=np.float64).reshape(2, 4, 6, 3)
IMAGE_CASES = [(ImageNormalizer(), IMAGE), (ImageResizer((2, 3)), IMAGE)]


def cases() -> Iterator[tuple[str, Any, Any]]:
    """The name of a file, what was fitted, and what is given to its `transform`."""
    numbers: dict[str, int] = {}
    for case in CASES:
        yield _name(case.make(), numbers), case.make().fit(case.X, case.y), case.X.head(ROWS)
    for made, y in [*TARGET_CASES, *IMAGE_CASES]:
        yield _name(made, numbers), made.fit(y), y
    for name, compose in COMPOSITIONS.items():
        yield f"composition-{_plain_name(name)}", compose().fit(NUMBERS), NUMBERS.head(ROWS)
    for name, compose in PROGRAMS.items():
        yield f"program-{_plain_name(name)}", program(compose().fit(MIXED)), MIXED.head(ROWS)


def write_new() -> list[Path]:
    """Writes what is missing, and says what."""
    FOLDER.mkdir(exist_ok=True)
    new = []
    for name, fitted, given in cases():
        path = FOLDER / f"{name}-v{VERSION}.json"
        if not path.exists():
            state = fitted.to_state() if type(fitted).__name__ in {*TARGETS, *IMAGES, "Program"} else to_state(fitted)
            record = {"state": state, "given": written(given), "gives": written(dense(fitted.transform(given)))}
            path.write_text(json.dumps(record, separators=(",", ":"), ensure_ascii=False) + "\n", encoding="utf-8")
            new.append(path)
    return new


def written(table: Any) -> Any:
    """A frame, an array or a list as plain data that knows its dtypes."""
    if isinstance(table, pd.DataFrame):
        return {"frame": {name: written(_values(table[name])) for name in table.columns}}
    if isinstance(table, dict):
        return {"dict": {name: written(array) for name, array in table.items()}}
    if not isinstance(table, np.ndarray):
        return {"list": table}
    if table.dtype.kind in "mM":
        return {"dtype": table.dtype.str, "values": table.view(np.int64).tolist()}
    values = [_cell(value) for value in table.ravel().tolist()]
    return {"dtype": table.dtype.str, "shape": list(table.shape), "values": values}


def read(plain: Any) -> Any:
    """What `written` wrote."""
    if "frame" in plain:
        return pd.DataFrame({name: read(column) for name, column in plain["frame"].items()})
    if "dict" in plain:
        return {name: read(array) for name, array in plain["dict"].items()}
    if "list" in plain:
        return plain["list"]
    dtype = np.dtype(plain["dtype"])
    if dtype.kind in "mM":
        return np.array(plain["values"], dtype=np.int64).view(dtype)
    values = [float(value["number"]) if isinstance(value, dict) else value for value in plain["values"]]
    return np.array(values, dtype=dtype).reshape(plain["shape"])


def dense(found: Any) -> Any:
    """What transform gave, as arrays or a frame."""
    if hasattr(found, "toarray"):
        return found.toarray()
    if type(found).__module__.partition(".")[0] == "polars":
        return found.to_pandas()
    return found


def _values(series: pd.Series) -> np.ndarray:
    """A column as NumPy has it; of other types objects, None where missing."""
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "biufmM":
        return series.to_numpy()
    values = np.empty(len(series), dtype=object)
    for place, value in enumerate(series.tolist()):
        values[place] = None if value is pd.NA or value is pd.NaT or value != value else value
    return values


def _cell(value: Any) -> Any:
    if isinstance(value, float) and not np.isfinite(value):
        return {"number": repr(value)}
    return str(value) if isinstance(value, (date, np.datetime64)) else value


def _name(made: Any, numbers: dict[str, int]) -> str:
    own = type(made).__name__
    numbers[own] = numbers.get(own, 0) + 1
    return f"{own}-{numbers[own]}"


def _plain_name(name: str) -> str:
    return name.replace(" ", "-").replace("'", "").split("(")[0]


if __name__ == "__main__":
    for path in write_new():
        print(path.name)

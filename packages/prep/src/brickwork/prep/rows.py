"""One row, from plain Python values to numbers, without arrays on the way: what a person's single case costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .encoder import Encoder
from .scalar import scalars

__all__ = ["OneRow"]


class OneRow:
    """What encoders make of one row, the same bits as `encoder.write` gives; made ready at the first call.

    Parameters
    ----------
    names, encoders : one per column
    width : how many numbers come out
    """

    __slots__ = ("_numbers", "_steps", "encoders", "names", "width")

    def __init__(self, names: Sequence[str], encoders: Sequence[Encoder], width: int):
        self.names, self.encoders, self.width = tuple(names), tuple(encoders), width
        self._steps: list[Any] | None = None

    def __reduce__(self) -> Any:
        return OneRow, (self.names, self.encoders, self.width)  # the functions of formulas are made again

    def __call__(self, values: Mapping[str, Any], dtype: np.dtype, who: str) -> np.ndarray:
        """(1, width) of values by column name, None where missing. KeyError where a column that is needed is not there.

        What can not be read is the SchemaError that a table of this row would give.
        """
        if self._steps is None:
            self._prepare()
        numbers: list[float] = []
        ones: list[int] = []
        for name, read, give, hot, rest in self._steps or ():
            found = give((read(name, values[name], who),))
            for place, first, width in hot:
                code = found[place]
                if 0 <= code < width:
                    ones.append(first + int(code))
            numbers += [found[place] for place in rest] if hot else found
        out = np.zeros((1, self.width), dtype=dtype)
        with np.errstate(all="ignore"):
            out[0, self._numbers] = numbers
        for place in ones:
            out[0, place] = 1
        return out

    def _prepare(self) -> None:
        steps, numbers, first = [], [], 0
        for name, encoder in zip(self.names, self.encoders, strict=True):
            hot, rest, formulas = [], [], []
            for place, formula in enumerate(encoder.formulas):
                if formula.op == "one_hot":
                    hot.append((place, first, formula.width))
                    formulas.append(formula.inputs[0])
                else:
                    rest.append(place)
                    numbers.append(first)
                    formulas.append(formula)
                first += formula.width
            if formulas:
                steps.append((name, encoder.reading.one, scalars(formulas), hot, rest))
        self._numbers, self._steps = np.array(numbers, dtype=np.intp), steps

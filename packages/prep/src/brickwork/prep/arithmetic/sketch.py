"""What a fitted transformer computes, as formulas of columns: compositions put those of their parts together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer

from ..cleaning.choice import ColumnChoice
from ..column_wise import ColumnWise
from ..compositions import picks
from ..encoder import Encoder, Replacer
from ..errors import PrepError
from ..formula import Formula, constant, is_missing, number
from ..imputing.filling import replaced
from ..readings import Booleans, Gaps, Numbers, Reading
from .filled import Filled

__all__ = ["Sketch", "sketch"]

FIX = "Use transform, or ask for the program of what comes after it."


@dataclass(frozen=True, slots=True)
class Sketch:
    """`formulas` of inputs, each a column (its position in the table) as it is read. `dtype` of what comes out.

    Beside formulas stand columns that nobody has read yet (`_column`): what comes after decides how.
    """

    inputs: tuple[tuple[int, Reading], ...]
    formulas: tuple[Formula, ...]
    dtype: np.dtype


def sketch(estimator: Any, n: int, where: str) -> Sketch:
    """What a fitted estimator makes of n columns; PrepError where it is no arithmetic."""
    found = _sketch(estimator, n, np.dtype(np.float64), where)
    inputs = list(found.inputs)
    formulas = [_as_number(one, inputs, where) for one in found.formulas]
    used = sorted({one.value for one in _leaves(formulas)})
    read = {place: number(i) for i, place in enumerate(used)}
    return Sketch(tuple(inputs[i] for i in used), tuple(_put_in(formulas, read)), found.dtype)


def _sketch(part: Any, n: int, dtype: np.dtype, where: str) -> Sketch:
    if part == "drop" or not n:
        return Sketch((), (), dtype)
    if part is None or part == "passthrough" or (isinstance(part, FunctionTransformer) and part.func is None):
        return Sketch((), tuple(map(_column, range(n))), dtype)
    if isinstance(part, Pipeline):
        return _of_steps(part, n, dtype, where)
    if isinstance(part, FeatureUnion):
        parts = [(name, one, range(n)) for name, one in part.transformer_list]
        return _side_by_side(parts, part.transformer_weights, dtype, where)
    if isinstance(part, ColumnTransformer):
        return _side_by_side(_with_positions(part, where), part.transformer_weights, dtype, where)
    if isinstance(part, ColumnChoice):
        numeric = [part.schema_[i].form in ("number", "boolean") for i in part.kept_]
        return Sketch((), tuple(_column(i, None, one) for i, one in zip(part.kept_, numeric, strict=True)), dtype)
    if isinstance(part, ColumnWise) and part._computes():
        return _of_columns(part, dtype, where)
    raise PrepError.of(where, "what a program computes is numbers of single columns", type(part).__name__, FIX)


def _column(place: int, fill: str | None = None, numeric: bool = True) -> Formula:
    """A column as it is, with a text where one is missing; not `numeric` where it is known to hold no numbers."""
    return Formula("column", value=(place, fill, numeric))


def _as_number(one: Formula, inputs: list[tuple[int, Reading]], where: str) -> Formula:
    """A column that nobody has read, as a number."""
    if one.op == "column" and not one.value[2]:
        got = f"column {one.value[0]} as it is, which holds no numbers"
        raise PrepError.of(where, "what a program computes is numbers", got, FIX)
    return _through(Numbers(), one, inputs, where) if one.op == "column" else one


def _flat(formulas: Sequence[Formula]) -> list[Formula]:
    """One formula for each number that comes out: those of a one-hot are comparisons."""
    return [
        one.inputs[0].equals(constant(place)) if one.op == "one_hot" else one
        for one in formulas
        for place in range(one.width)
    ]


def _of_columns(part: ColumnWise, dtype: np.dtype, where: str) -> Sketch:
    inputs: list[tuple[int, Reading]] = []
    formulas: list[Formula] = []
    for place, encoder in enumerate(part.encoders_):
        if not encoder.suffixes:
            continue
        if isinstance(encoder, Encoder):
            formulas += _put_in(encoder.formulas, {0: number(len(inputs))})
            inputs.append((place, encoder.reading))
        else:
            fill, flagged = _fill_of(encoder, type(part).__name__, where)
            formulas.append(_column(place, fill, numeric=False))
            if flagged:
                formulas.append(number(len(inputs)))
                inputs.append((place, Gaps()))
    order = part._order()
    if order is not None:
        single = _flat(formulas)
        formulas = [single[i] for i in order]
    return Sketch(tuple(inputs), tuple(formulas), part._dtype(np.empty(0, dtype)))


def _fill_of(encoder: Replacer, own: str, where: str) -> tuple[str, bool]:
    """What an imputer puts where a text is missing, and whether it marks such rows."""
    give = encoder.give
    if isinstance(give, partial) and give.func is replaced and give.keywords["form"] == "text":
        return str(give.keywords["fill"]), bool(give.keywords["flagged"])
    got = f"{own} of column {encoder.name!r}, which gives values that are no numbers"
    raise PrepError.of(where, "what a program computes is numbers", got, FIX, column=encoder.name)


def _of_steps(pipeline: Pipeline, n: int, dtype: np.dtype, where: str) -> Sketch:
    """Each step's formulas are put into those of the next."""
    found = _sketch("passthrough", n, dtype, where)
    for name, step in pipeline.steps:
        inside = f"{where}[{name!r}]"
        given, inputs = _flat(found.formulas), list(found.inputs)
        following = _sketch(step, len(given), found.dtype, inside)
        read = {
            i: _through(reading, given[place], inputs, inside) for i, (place, reading) in enumerate(following.inputs)
        }
        formulas = [
            _further(one, given, inside) if one.op == "column" else one for one in _put_in(following.formulas, read)
        ]
        found = Sketch(tuple(inputs), tuple(formulas), following.dtype)
    return found


def _side_by_side(parts: Sequence[tuple[str, Any, Sequence[int]]], weights: Any, dtype: np.dtype, where: str) -> Sketch:
    inputs: list[tuple[int, Reading]] = []
    formulas: list[Formula] = []
    dtypes = []
    for name, part, positions in parts:
        inside = f"{where}[{name!r}]"
        own = _sketch(part, len(positions), dtype, inside)
        columns = [_column(place) for place in positions]
        read = {i: _through(reading, columns[place], inputs, inside) for i, (place, reading) in enumerate(own.inputs)}
        found = [_further(one, columns, inside) if one.op == "column" else one for one in _put_in(own.formulas, read)]
        weight = (weights or {}).get(name)
        if weight is not None:
            found = [_as_number(one, inputs, inside) * float(weight) for one in _flat(found)]
        formulas += found
        dtypes += [own.dtype] if own.formulas else []
    return Sketch(tuple(inputs), tuple(formulas), np.result_type(*dtypes) if dtypes else np.dtype(np.float64))


def _with_positions(given: ColumnTransformer, where: str) -> list[tuple[str, Any, list[int]]]:
    """The fitted parts and the positions of the columns they take."""
    n, names = given.n_features_in_, getattr(given, "feature_names_in_", None)
    names = None if names is None else list(names)
    return [
        (name, part, picks.positions(picks.read(picks.write(columns, where), where), n, names, where))
        for name, part, columns in given.transformers_
    ]


def _through(reading: Reading, given: Formula, inputs: list[tuple[int, Reading]], where: str) -> Formula:
    """What a reading makes of what comes: of a column an input, of numbers that a step computed themselves."""
    if given.op == "column":
        place, fill, _ = given.value
        one = (place, reading if fill is None else Filled(reading, fill))
        if one not in inputs:
            inputs.append(one)
        return number(inputs.index(one))
    if isinstance(reading, (Numbers, Booleans)):
        return given
    if isinstance(reading, Gaps):
        return is_missing(given)
    rule = "a step that follows another takes numbers in a program"
    raise PrepError.of(where, rule, f"a step that reads a {reading.kind}", "Put that step first.")


def _further(one: Formula, given: Sequence[Formula], where: str) -> Formula:
    """A column that a step leaves as it is, in terms of what came to that step."""
    place, fill, numeric = one.value
    came = given[place]
    if came.op != "column":
        if fill is not None:
            raise PrepError.of(where, "what a program computes is numbers", "texts in place of numbers", FIX)
        return came
    first, had, was = came.value
    return _column(first, fill if had is None else had, numeric and was)


def _leaves(formulas: Sequence[Formula]) -> list[Formula]:
    """The inputs that formulas read."""
    known: dict[int, Formula] = {}

    def walk(one: Formula) -> None:
        if id(one) not in known:
            known[id(one)] = one
            for part in one.inputs:
                walk(part)

    for formula in formulas:
        walk(formula)
    return [one for one in known.values() if one.op == "input"]


def _put_in(formulas: Sequence[Formula], read: Mapping[int, Formula]) -> list[Formula]:
    """The formulas, with others in place of their inputs; what two of them share stays shared."""
    known: dict[int, Formula] = {}

    def put(one: Formula) -> Formula:
        if one.op == "input":
            return read[one.value]
        found = known.get(id(one))
        if found is None:
            found = known[id(one)] = Formula(one.op, tuple(map(put, one.inputs)), one.value, one.width)
        return found

    return [put(formula) for formula in formulas]

"""What a fitted transformer computes, as formulas of columns: compositions put those of their parts together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer

from ..cleaning.choice import ColumnChoice
from ..encoder import Encoder
from ..errors import PrepError
from ..formula import Formula, constant, is_missing, number
from ..readings import Booleans, Gaps, Numbers, Reading
from ..transformer import ColumnWise

__all__ = ["Sketch", "flat", "sketch"]

FIX = "Use transform, or ask for the program of what comes after it."


@dataclass(frozen=True, slots=True)
class Sketch:
    """`formulas` of inputs, each a column (its position in the table) as it is read. `dtype` of what comes out."""

    inputs: tuple[tuple[int, Reading], ...]
    formulas: tuple[Formula, ...]
    dtype: np.dtype


def sketch(part: Any, n: int, dtype: np.dtype, where: str) -> Sketch:
    """What a fitted part makes of n columns of a dtype; PrepError where it is no arithmetic."""
    if part == "drop" or not n:
        return Sketch((), (), dtype)
    if part == "passthrough" or (isinstance(part, FunctionTransformer) and part.func is None):
        return Sketch(tuple((i, Numbers()) for i in range(n)), tuple(number(i) for i in range(n)), dtype)
    if isinstance(part, Pipeline):
        return _of_steps(part, n, dtype, where)
    if isinstance(part, FeatureUnion):
        parts = [(name, one, range(n)) for name, one in part.transformer_list]
        return _side_by_side(parts, part.transformer_weights, dtype, where)
    if isinstance(part, ColumnTransformer):
        return _side_by_side(_with_positions(part), part.transformer_weights, dtype, where)
    if isinstance(part, ColumnChoice):
        forms = {part.schema_[i].form for i in part.kept_}
        if forms <= {"number", "boolean"}:
            return Sketch(tuple((i, Numbers()) for i in part.kept_), tuple(map(number, range(len(part.kept_)))), dtype)
    if isinstance(part, ColumnWise) and part._computes():
        return _of_columns(part, dtype, where)
    raise PrepError.of(where, "what a program computes is numbers of single columns", type(part).__name__, FIX)


def flat(formulas: Sequence[Formula]) -> list[Formula]:
    """One formula for each number that comes out: those of a one-hot are comparisons."""
    return [
        one.inputs[0].equals(constant(place)) if one.op == "one_hot" else one
        for one in formulas
        for place in range(one.width)
    ]


def _of_columns(part: ColumnWise, dtype: np.dtype, where: str) -> Sketch:
    inputs, formulas = [], []
    for place, encoder in enumerate(part.encoders_):
        if not encoder.suffixes:
            continue
        if not isinstance(encoder, Encoder):
            got = f"{type(part).__name__} of column {encoder.name!r}, which gives values that are no numbers"
            raise PrepError.of(where, "what a program computes is numbers", got, FIX, column=encoder.name)
        formulas += _put_in(encoder.formulas, [number(len(inputs))])
        inputs.append((place, encoder.reading))
    order = part._order()
    if order is not None:
        single = flat(formulas)
        formulas = [single[i] for i in order]
    return Sketch(tuple(inputs), tuple(formulas), part._dtype(np.empty(0, dtype)))


def _of_steps(pipeline: Pipeline, n: int, dtype: np.dtype, where: str) -> Sketch:
    """Each step's formulas are put into those of the next."""
    found = sketch("passthrough", n, dtype, where)
    for place, (name, step) in enumerate(pipeline.steps):
        inside = f"{where}[{name!r}]"
        if step is None or step == "passthrough":
            continue
        if place == 0 or not found.inputs:
            found = sketch(step, n, dtype, inside)
            continue
        given = flat(found.formulas)
        following = sketch(step, len(given), found.dtype, inside)
        read = [_through(reading, given[i], inside) for i, reading in following.inputs]
        found = Sketch(found.inputs, tuple(_put_in(following.formulas, read)), following.dtype)
    return found


def _side_by_side(parts: Sequence[tuple[str, Any, Sequence[int]]], weights: Any, dtype: np.dtype, where: str) -> Sketch:
    inputs: list[tuple[int, Reading]] = []
    formulas: list[Formula] = []
    dtypes = []
    for name, part, positions in parts:
        own = sketch(part, len(positions), dtype, f"{where}[{name!r}]")
        places = []
        for place, reading in own.inputs:
            one = (positions[place], reading)
            if one not in inputs:
                inputs.append(one)
            places.append(number(inputs.index(one)))
        found = _put_in(own.formulas, places)
        weight = (weights or {}).get(name)
        formulas += found if weight is None else [one * float(weight) for one in flat(found)]
        dtypes += [own.dtype] if own.formulas else []
    return Sketch(tuple(inputs), tuple(formulas), np.result_type(*dtypes) if dtypes else np.dtype(np.float64))


def _with_positions(given: ColumnTransformer) -> list[tuple[str, Any, list[int]]]:
    """The fitted parts and the positions of the columns they take."""
    # The one way that is the same for names, masks and slices in every version.
    places = given._transformer_to_input_indices
    return [(name, part, list(places[name])) for name, part, _ in given.transformers_]


def _through(reading: Reading, given: Formula, where: str) -> Formula:
    """What a reading makes of numbers that an earlier step computed."""
    if isinstance(reading, (Numbers, Booleans)):
        return given
    if isinstance(reading, Gaps):
        return is_missing(given)
    rule = "a step that follows another takes numbers in a program"
    raise PrepError.of(where, rule, f"a step that reads a {reading.kind}", "Put that step first.")


def _put_in(formulas: Sequence[Formula], read: Sequence[Formula]) -> list[Formula]:
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

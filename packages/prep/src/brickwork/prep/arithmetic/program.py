"""`program`: a fitted transformer or composition as two halves, columns to arrays and arrays to a matrix."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ..compositions.shapes import n_in
from ..errors import PrepError
from ..evaluation import evaluate
from ..formula import Formula
from ..frame import open_table
from ..matching import find_columns
from ..readings import Reading
from ..state import VERSION, demand, read_fields, read_version
from .sketch import sketch
from .written import read_formulas, read_reading, write_formulas, write_reading

__all__ = ["Input", "Program", "program"]

DTYPES = ("bool", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FIELDS = {"type": "str", "version": "int", "columns": "tuple[str, ...]", "named": "bool", "inputs": "tuple[any, ...]",
          "nodes": "tuple[any, ...]", "outputs": "tuple[count, ...]", "names": "tuple[str, ...]",
          "dtype": "str"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Input:
    """What a formula reads: the column at a `place` of the table, made float64 by `reading`.

    `reading.kind` says what the numbers are: number, boolean, datetime (microseconds since 1970, UTC), category.
    """

    place: int
    reading: Reading


@dataclass(frozen=True, slots=True)
class Program:
    """What a fitted transformer computes, as data. Made by `program`.

    `bind` is the half for the host: it matches columns by name, reads text, dates and categories, and tells what is
    wrong with them. Calling it is the half for any machine: arithmetic alone, in the namespace it is given.

    Attributes
    ----------
    columns : tuple of str, the table's at fit; `named`: whether they are matched by name
    inputs : tuple of `Input`, one per array that `bind` gives
    formulas : tuple of `Formula` of these
    names : tuple of str, of what comes out, (k,)
    dtype : str, of what comes out ("float32", "float64", an integer's); all that is between is float64

    Examples
    --------
    >>> from brickwork.prep import MinMaxScaler, program
    >>> found = program(MinMaxScaler().fit({"a": [0.0, 4.0]}))
    >>> found.names, found.inputs[0].reading.kind
    (('a',), 'number')
    >>> found(found.bind({"a": [1, 2]})).tolist()
    [[0.25], [0.5]]
    """

    columns: tuple[str, ...]
    named: bool
    inputs: tuple[Input, ...]
    formulas: tuple[Formula, ...]
    names: tuple[str, ...]
    dtype: str

    def bind(self, X: Any) -> list[np.ndarray]:
        """The columns of a table (n rows) as float64 arrays (n,), one per input: numbers (NaN if missing) and codes."""
        who = "Program.bind"
        table = open_table(X, who)
        needed = {one.place for one in self.inputs}
        places = find_columns(
            table, self.columns, [i in needed for i in range(len(self.columns))], self.named, "Program", who
        )
        columns = {place: table.column(places[place]) for place in needed}
        return [one.reading.read(columns[one.place], who) for one in self.inputs]

    def __call__(self, inputs: Sequence[Any], xp: Any = np) -> Any:
        """(n, k) in `dtype`, of what `bind` gives; `xp` is a namespace of the Array API standard, `inputs` its arrays.

        With `xp=brickwork.tensor` inside a function that brickwork.graph compiles, it becomes part of that function.
        """
        if len(inputs) != len(self.inputs):
            rule = f"one array for each input ({len(self.inputs)})"
            raise PrepError.of("Program", rule, str(len(inputs)), "Give what bind gives.")
        with np.errstate(all="ignore"), warnings.catch_warnings():
            found = [_column(value, inputs[0], xp) for value in evaluate(self.formulas, inputs, xp)]
            whole = found[0] if len(found) == 1 else xp.concat(found, axis=1)
            return xp.astype(whole, getattr(xp, self.dtype))

    def transform(self, X: Any) -> np.ndarray:
        """(n, k): both halves, with NumPy."""
        found: np.ndarray = self(self.bind(X))
        return found

    def to_state(self) -> dict[str, Any]:
        """The program as plain data: `nodes` of an expression graph, each an op of earlier ones."""
        nodes, outputs = write_formulas(self.formulas)
        return {
            "type": "Program",
            "version": VERSION,
            "columns": list(self.columns),
            "named": self.named,
            "inputs": [[one.place, write_reading(one.reading)] for one in self.inputs],
            "nodes": nodes,
            "outputs": outputs,
            "names": list(self.names),
            "dtype": self.dtype,
        }

    @classmethod
    def from_state(cls, state: Any) -> Self:
        """The program of a state; StateError where it is damaged. Nothing in it can execute but arithmetic."""
        where = "Program.from_state"
        read_version(state, "Program", where)
        values = read_fields(state, FIELDS, where)
        columns, names = values["columns"], values["names"]
        demand(len(set(columns)) == len(columns) > 0, where, "columns must be there and differ in name", columns)
        inputs = []
        for pair in values["inputs"]:
            fits = isinstance(pair, (list, tuple)) and len(pair) == 2 and type(pair[0]) is int
            demand(fits and 0 <= pair[0] < len(columns), where, "an input is a place and a reading", pair)
            inputs.append(Input(pair[0], read_reading(pair[1], where)))
        demand(len(inputs) > 0, where, "a program has inputs", len(inputs))
        formulas = read_formulas(values["nodes"], values["outputs"], len(inputs), where)
        width = sum(formula.width for formula in formulas)
        demand(width == len(names) > 0, where, "names must be as many as come out", len(names))
        demand(values["dtype"] in DTYPES, where, "dtype must be a known one", values["dtype"])
        return cls(columns, values["named"], tuple(inputs), tuple(formulas), names, values["dtype"])


def program(estimator: Any) -> Program:
    """The arithmetic of a fitted transformer, or of scikit-learn's Pipeline, ColumnTransformer or FeatureUnion of such.

    A Pipeline becomes its steps' formulas put into one another, a ColumnTransformer and a FeatureUnion theirs side by
    side. `program(e).transform(X)` is `e.transform(X)`, to rounding of what a pipeline would have stored in between.

    Raises
    ------
    PrepError : a part does not compute numbers from single columns (it gives text, looks at other rows or columns, ...)

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from brickwork.prep import LogTransformer, StandardScaler, program
    >>> X = {"a": [0.0, 1.0, 3.0]}
    >>> found = program(make_pipeline(LogTransformer(), StandardScaler()).fit(X))
    >>> found.bind({"a": [7]})
    [array([7.])]
    >>> found([[7.0]]).shape
    (1, 1)
    """
    who = f"program({type(estimator).__name__})"
    n = n_in(estimator)
    if n is None:
        rule = "an estimator that has a program is fitted and knows its columns"
        raise PrepError.of(who, rule, type(estimator).__name__)
    found = sketch(estimator, n, who)
    if not found.inputs:
        raise PrepError.of(who, "what a program computes is numbers of columns", "nothing")
    names = getattr(estimator, "feature_names_in_", None)
    columns = [f"x{i}" for i in range(n)] if names is None else [str(name) for name in names]
    schema = getattr(estimator, "schema_", None)
    if names is None and schema is not None:
        columns = [one.name for one in schema]
    named = names is not None or getattr(estimator, "named_", False)
    out = estimator.get_feature_names_out(None if names is not None or schema is not None else columns)
    inputs = tuple(Input(place, reading) for place, reading in found.inputs)
    return Program(tuple(columns), named, inputs, found.formulas, tuple(map(str, out)), found.dtype.name)


def _column(value: Any, like: Any, xp: Any) -> Any:
    """A formula's value as float64 (n, width)."""
    if isinstance(value, float):
        value = xp.full(like.shape, value, dtype=xp.float64)
    if value.dtype == xp.bool:
        value = xp.astype(value, xp.float64)
    return value if value.ndim == 2 else xp.expand_dims(value, axis=1)

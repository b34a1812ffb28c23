"""`from_onnx`: a model of the standard as a function of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from brickwork.tensor import Tensor, Variable
from brickwork.tensor.eager import EagerTrace
from brickwork.tensor.errors import DTypeError, ShapeError
from brickwork.tensor.random import SeedGenerator
from brickwork.tensor.trace import use

from .errors import ModelError
from .folding import folded, shaping, sizes_of, weights_of
from .foreign import value_of
from .reader import read_model
from .records import Graph, Value
from .runner import Scope, run_graph

__all__ = ["Model", "from_onnx"]


class Model:
    """A model as a function: ``model(*inputs)``, in the order of `inputs`, or by their names.

    It gives a tensor, or a tuple of them in the order of `outputs`; a list stands for a sequence, None for an empty
    optional, a NumPy array for strings. It is written in ops: a gradient tape, `vmap`, `function` and the others go
    through it. Raises `ShapeError` and `DTypeError` for inputs that are not as declared.
    """

    def __init__(self, graph: Graph, trainable: bool = False, seed: int = 0):
        self.seeds = SeedGenerator(seed)
        names = weights_of(graph) if trainable else ()
        self.variables: tuple[Variable, ...] = tuple(Variable(graph.constants[name], name=name) for name in names)
        self._values: dict[str, Any] = dict(zip(names, self.variables))
        self.graph = folded(graph, names)
        self.sizes = sizes_of(self.graph)
        self._last = {name: k for k, node in enumerate(self.graph.nodes) for name in node.reads}
        for v in self.graph.outputs:
            self._last.pop(v.name, None)
        here = {n: value_of(a) for n, a in self.graph.constants.items() if n not in self._values}
        self._placed: dict[str, dict[str, Any]] = {"cpu": here}
        self.__name__ = self.graph.name or "onnx"

    @property
    def inputs(self) -> tuple[Value, ...]:
        """What it takes: name, dtype and shape of each, as the model declares them."""
        return self.graph.inputs

    @property
    def outputs(self) -> tuple[Value, ...]:
        """What it gives."""
        return self.graph.outputs

    def __call__(self, *args: Any, **named: Any) -> Any:
        results = self._run(args, named)
        return results[0] if len(results) == 1 else tuple(results)

    def run(self, *args: Any) -> list[Any]:
        """The outputs as a list, whatever their number."""
        return self._run(args, {})

    def _run(self, args: Sequence[Any], named: dict[str, Any]) -> list[Any]:
        given = {v.name: _input(v, value) for v, value in self._given(args, named)}
        device = next((d for n, x in given.items() if n not in self.sizes and (d := _device(x))), "cpu")
        scope = Scope(seeds=self.seeds, device=device)
        for name, value in self._constants_on(device).items():
            scope.put(name, value, True)
        for name, variable in self._values.items():
            scope.put(name, variable, False)
        for name, value in given.items():
            known = name in self.sizes and (isinstance(value, np.ndarray) or _device(value) is not None)
            scope.put(name, value.to("cpu") if known and isinstance(value, Tensor) else value, known)
        return run_graph(self.graph, scope, self._last)

    def _constants_on(self, device: str) -> dict[str, Any]:
        """The constants, with those that are computed with on a device, moved there once."""
        if device not in self._placed:
            here, shaping_ones = self._placed["cpu"], shaping(self.graph)
            self._placed[device] = {
                n: c.to(device) if isinstance(c, Tensor) and n not in shaping_ones else c for n, c in here.items()
            }
        return self._placed[device]

    def _given(self, args: Sequence[Any], named: dict[str, Any]) -> list[tuple[Value, Any]]:
        names = [v.name for v in self.inputs]
        if len(args) > len(names):
            raise ModelError(f"{self.__name__}: takes {len(names)} inputs; got {len(args)}. They are {names}")
        found = dict(zip(names, args, strict=False))
        if wrong := [n for n in named if n not in names or n in found]:
            raise ModelError(f"{self.__name__}: takes each of its inputs {names} once; got {wrong}")
        found |= named
        if missing := [v.name for v in self.inputs if v.name not in found and not v.optional]:
            raise ModelError(f"{self.__name__}: takes the inputs {names}; got none for {missing}")
        return [(v, found.get(v.name)) for v in self.inputs]


def from_onnx(model: Any, *, trainable: bool = False, seed: int = 0) -> Model:
    """A function of tensors of a model: a path, the bytes of a file, or an `onnx.ModelProto`.

    ``trainable``: its floating weights become `Variable`s, listed in ``variables``, which gradients reach and training
    changes; else they are constants. ``seed``: of the random numbers of nodes that have none of their own. Shape
    arithmetic is done here, once. Nothing in a model is executed as code; data in other files are read from the model's
    own folder only, and not at all for bytes. Raises `ModelError` for what is no valid model, `UnsupportedError` naming
    op, domain and node for what is not known here, `MissingPackageError` where the `onnx` package is not installed.
    """
    with use(EagerTrace()):  # a model may be read while a function is traced; it is no part of that
        return Model(read_model(model), trainable, seed)


def _input(declared: Value, value: Any) -> Any:
    """An input as a value of a scope, checked against what the model declares."""
    if value is None:
        return None
    if isinstance(value, (list, tuple)) and declared.dtype is None:
        return [_input(replace(declared, optional=True), v) for v in value]
    out = value_of(value if isinstance(value, Tensor) else np.asarray(value))
    if declared.dtype is None:
        return out
    if out.dtype != declared.dtype and not (declared.dtype == object and out.dtype.kind in "OUST"):
        raise DTypeError(f"onnx: {declared.name} must be {declared.dtype}; got {out.dtype}. Cast it with astype")
    if declared.shape is not None and not _fits(declared.shape, out.shape):
        sizes = ["?" if n is None else n for n in declared.shape]
        raise ShapeError(f"onnx: {declared.name} must have the shape {sizes}; got {list(out.shape)}. Reshape it")
    return out


def _device(value: Any) -> str | None:
    """Where a tensor is; None for symbols, and for what is no tensor."""
    return value.device if isinstance(value, Tensor) and not value.symbolic else None


def _fits(declared: Sequence[Any], shape: Sequence[Any]) -> bool:
    return len(declared) == len(shape) and all(
        not isinstance(d, int) or not isinstance(n, int) or d == n for d, n in zip(declared, shape, strict=True)
    )

"""`to_onnx`: a function of tensors as a model of the standard."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from brickwork.tensor import Tensor, TensorSpec, Variable, asarray, tree
from brickwork.tensor.dim import symbol
from brickwork.tensor.dtypes import as_dtype
from brickwork.tensor.trace import use

from ..passes.cse import cse
from ..passes.dce import dce
from ..tracing import Traced
from .errors import ModelError, UnsupportedError
from .proto import onnx
from .writing.composites import WholeTrace
from .writing.regions import declared, graph_of, read_by
from .writing.writer import Refusal, Writer

__all__ = ["to_onnx"]

OLDEST = 17
DEFAULT = 20
WHOLE = 2**31 - 2**20
"""Bytes of initializers that a file of the format holds, with room for the rest."""


def to_onnx(
    fn: Callable[..., Any],
    *args: Any,
    path: str | os.PathLike[str] | None = None,
    opset: int = DEFAULT,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
) -> Any:
    """A function of tensors (or a model of `brickwork.layers` that is built) as an `onnx.ModelProto`.

    ``args``: for each argument a `TensorSpec`, a pair (shape, dtype), or an example array; dicts and lists of these
    too. A size that is a string, or None for "N", stays open in the model: ``(("batch", 784), "float32")``. ``path``:
    where the model is written as well; initializers of more than 2 GB stand in a file beside it. ``opset``: the op set
    to use, 17 or later. ``input_names``, ``output_names``: in the order of the leaves; by default those of the
    parameters, and "output".

    Arrays and variables that the function reads become initializers, under the variables' names; what follows from them
    alone is computed here. Products become Gemm, MatMul, Conv, ConvTranspose or Einsum, windows MaxPool and
    AveragePool, loops and branches Scan, Loop and If. Images are turned to channels first, and stay so between
    convolutions.

    Raises `UnsupportedError`, naming the op and the line that asked for it, for what the standard can not express
    (random numbers, complex numbers, most of linear algebra); `ModelError` where the function assigns variables.
    """
    if not callable(fn):
        raise ModelError(f"to_onnx: takes a function of tensors, or a model; got {type(fn).__name__}")
    newest = onnx.defs.onnx_opset_version()
    if not OLDEST <= opset <= newest:
        raise ModelError(f"to_onnx: the op set must be from {OLDEST} to {newest}; got {opset}")
    traced, names, out = _traced(fn, args, input_names)
    if traced.assigned:
        variables = ", ".join(v.name for v in traced.assigned)
        raise ModelError(
            f"to_onnx: the function must assign no variable; got new values for {variables}. Export it for inference "
            "(training=False)"
        )
    graph = dce(cse(traced.graph))
    writer = Writer(opset)
    inputs = [writer.fresh(n) for n in names]
    for name, value in zip(inputs, graph.inputs, strict=False):
        writer.bind_symbols(name, value.spec.shape)
    wanted = [writer.fresh(n) for n in _output_names(output_names, out)]
    results = [*inputs, *_held(writer, traced)]
    made = writer.run(graph, results)
    model = _model(writer, fn, traced, inputs, made, wanted)
    if path is not None:
        _save(model, Path(path))
    return model


def _save(model: Any, path: Path) -> None:
    """As one file; large initializers stand in a second one where one file can not hold them."""
    if sum(len(t.raw_data) for t in model.graph.initializer) < WHOLE:
        path.write_bytes(model.SerializeToString())
        return
    beside = onnx.ModelProto()
    beside.CopyFrom(model)
    place = path.parent / f"{path.name}.data"
    place.unlink(missing_ok=True)  # what is there would be added to
    onnx.save_model(beside, path, save_as_external_data=True, location=place.name)


def _traced(
    fn: Callable[..., Any], args: tuple[Any, ...], names: Sequence[str] | None
) -> tuple[Traced, list[str], Any]:
    """The graph, the names of its inputs, and the tree that the function gave."""
    trace = WholeTrace()
    found: list[str] = []

    def symbolic(value: Any, name: str) -> Any:
        if isinstance(value, dict):
            return {k: symbolic(v, f"{name}_{k}") for k, v in value.items()}
        if isinstance(value, (list, tuple)) and not _is_pair(value):
            return type(value)([symbolic(v, f"{name}_{k}") for k, v in enumerate(value)])
        found.append(name)
        return trace.argument(_spec(value))

    given = [symbolic(value, name) for value, name in zip(args, _parameters(fn, len(args)), strict=True)]
    with use(trace):
        out = fn(*given)
        results = [asarray(x) for x in tree.leaves(out)]
    if names is not None and len(set(names)) != len(found):
        raise ModelError(f"to_onnx: input_names must name each of {len(found)} inputs; got {list(names)}")
    return trace.finish(results), list(found if names is None else names), out


def _parameters(fn: Callable[..., Any], count: int) -> list[str]:
    """Names of the positional parameters; "input" where there are none to be had."""
    try:
        parameters = list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = ["input"] if count == 1 else [f"input_{k}" for k in range(count)]
    return [*names[:count], *rest[len(names) :]]


def _is_pair(value: Sequence[Any]) -> bool:
    """Whether it is (shape, dtype)."""
    if len(value) != 2 or not isinstance(value[0], (list, tuple)) or isinstance(value[1], (list, tuple)):
        return False
    return not hasattr(value[1], "shape") and all(n is None or isinstance(n, (int, str)) for n in value[0])


def _spec(value: Any) -> TensorSpec:
    if isinstance(value, TensorSpec):
        return value
    if isinstance(value, tuple):
        if None in value[0][1:]:
            raise ModelError(f"to_onnx: None is the open size N of axis 0; got {value[0]!r}. Name the others")
        shape = tuple(n if isinstance(n, int) else symbol("N" if n is None else n) for n in value[0])
        return TensorSpec(shape, as_dtype(value[1]))
    if isinstance(value, (Tensor, np.ndarray, np.generic, int, float, bool)):
        return asarray(value).spec
    raise ModelError(
        f"to_onnx: an argument must be a TensorSpec, a pair (shape, dtype) or an array; got {value!r}. "
        'For example ((None, 784), "float32")'
    )


def _held(writer: Writer, traced: Traced) -> Iterator[str]:
    """The names of what the function reads from outside."""
    for array in traced.captured:
        yield writer.constant(_on_host(array))
    for variable in traced.variables:
        name = getattr(variable, "path", "") or variable.name  # weights of layers know where they stand
        yield writer.initializer(name or "variable", _on_host(variable))


def _on_host(value: Any) -> np.ndarray:
    return value.numpy() if isinstance(value, (Tensor, Variable)) else Tensor(value).numpy()


def _output_names(names: Sequence[str] | None, out: Any) -> list[str]:
    paths = [path for path, _ in tree.flatten(out)]
    if names is not None:
        if len(set(names)) != len(paths):
            raise ModelError(f"to_onnx: output_names must name each of {len(paths)} outputs; got {list(names)}")
        return list(names)
    return ["_".join(map(str, ("output", *path))) for path in paths]


def _model(
    w: Writer, fn: Any, traced: Traced, inputs: Sequence[str], made: Sequence[str], wanted: Sequence[str]
) -> Any:
    try:
        taken = [declared(n, v.spec.dtype, v.spec.shape) for n, v in zip(inputs, traced.graph.inputs)]
        outputs = list(zip(made, traced.graph.outputs, strict=True))
        graph = graph_of(w, getattr(fn, "__name__", "") or type(fn).__name__, taken, outputs, wanted)
    except Refusal as refusal:
        raise UnsupportedError(f"to_onnx: inputs and outputs must be what a model can hold; {refusal}") from None
    read = set().union(*(read_by(n) for n in graph.node)) if graph.node else set()
    kept = [
        onnx.numpy_helper.from_array(np.ascontiguousarray(a).reshape(a.shape), n)
        for n, a in w.arrays.items()
        if n in read
    ]
    graph.initializer.extend(kept)
    imports = [onnx.helper.make_opsetid("", w.opset)]
    version = onnx.helper.find_min_ir_version_for(imports)
    return onnx.helper.make_model(graph, opset_imports=imports, ir_version=version, producer_name="brickwork")

"""Ahead of time: a compiled function in a file, to be run where only tensor-core and graph-exec are.

The file is a bundle (`brickwork.tensor.bundle`): data alone. It holds the graph as text, as it was traced, the captured
arrays and the variables; `load` reads it, checks all of it, and compiles it for the CPU at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np

from brickwork.tensor import bundle, tree
from brickwork.tensor.dim import Dim
from brickwork.tensor.errors import BrickworkError, TraceError
from brickwork.tensor.spec import TensorSpec
from brickwork.tensor.variable import Variable

from .addresses import in_host
from .arguments import Arguments
from .check import GraphError
from .compiled import Function
from .ir import Graph
from .lowered import Lowered, lower
from .program import Program
from .safety import GraphLimits, check_untrusted
from .structure import checked, template
from .text import parse_graph
from .tracing import Traced

__all__ = ["VERSION", "export", "load", "program_state"]

KIND = "brickwork.graph.program"
VERSION = 1
_LIMITS = GraphLimits()
_FIELDS = {
    "arguments",
    "assigned",
    "captured",
    "graph",
    "kind",
    "name",
    "results",
    "takes",
    "gives",
    "variables",
    "version",
}


def export(
    fn: Callable[..., Any],
    specs: Sequence[Any],
    path: str | PathLike[str],
    *,
    kwargs: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Write a function of tensors to a file, with the arrays and variables that it reads.

    ``specs``: its positional arguments, ``kwargs`` the others: arrays, or `TensorSpec`s as `spec` makes them (axis 0
    may be open), and trees of those. Of a `Function`, static arguments are compiled in. ``metadata``: a JSON tree,
    shown by `brickwork.tensor.bundle.inspect`. The file holds data alone; named tuples become tuples and dataclasses
    dicts, keys sorted. Raises `TraceError` where the function can not be traced, `BundleError` where the file can not
    be written.

        export(model, [spec((None, 13))], "model.brick")
    """
    if isinstance(specs, (TensorSpec, str, dict)) or not isinstance(specs, (list, tuple)):
        raise TraceError(
            f"export: specs must be a list with one for each argument; got {type(specs).__name__}. Write [spec]"
        )
    if isinstance(fn, Lowered):
        raise TraceError("export: takes the function itself; got one that is lowered. Pass fn and specs")
    arguments = fn.arguments if isinstance(fn, Function) else Arguments(fn, _name_of(fn), (), (), (), ())
    raw = fn.fn if isinstance(fn, Function) else fn
    lowered = lower(raw, arguments, tuple(specs), dict(kwargs or {}))
    bundle.save(path, {"program": program_state(lowered)}, metadata=dict(metadata or {}))


def _name_of(fn: Any) -> str:
    return str(getattr(fn, "__name__", None) or getattr(fn, "name", None) or type(fn).__name__)


def program_state(lowered: Lowered) -> dict[str, Any]:
    """A lowered function as a tree of plain values and arrays."""
    traced = lowered.traced
    return {
        "kind": KIND,
        "version": VERSION,
        "name": lowered.name,
        "graph": str(_without_sources(traced.graph)).split("\n"),
        "arguments": traced.arguments,
        "results": traced.results,
        "takes": lowered.takes,
        "gives": lowered.gives,
        "captured": [np.array(in_host(a)) for a in traced.captured],
        "variables": [
            {"name": v.name, "trainable": v.trainable, "value": np.array(in_host(v.data))} for v in traced.variables
        ],
        "assigned": [next(k for k, v in enumerate(traced.variables) if v is a) for a in traced.assigned],
    }


def _without_sources(graph: Graph) -> Graph:
    """The graph without the lines that asked for its ops, which name folders of whoever exported it."""

    def bare(node: Any) -> Any:
        params = tuple((k, _without_sources(v) if isinstance(v, Graph) else v) for k, v in node.params)
        return replace(node, source="", params=params)

    return replace(graph, nodes=tuple(map(bare, graph.nodes)))


# ---- reading ---------------------------------------------------------------------------------------------------------


def load(
    path: str | PathLike[str], *, limits: GraphLimits = _LIMITS, bundle_limits: bundle.Limits | None = None
) -> Program:
    """The function that `export` wrote, compiled: a `Program`, with variables of its own.

    A file can do nothing but compute: all of it is checked before anything is made of it, and nothing in it is code. It
    may compute for long, as any program may. Raises `BundleError` for a damaged file, `GraphError` (or another
    `BrickworkError`) for a graph that is none, exceeds ``limits``, or needs a newer version.
    """
    objects = bundle.load(path, limits=bundle_limits or bundle.Limits())
    if set(objects) != {"program"}:
        raise GraphError(f"load: {path}: must hold a program; got {', '.join(objects) or 'nothing'}. Was it exported?")
    try:
        return Program(lowered_from_state(objects["program"], limits))
    except BrickworkError:
        raise
    except Exception as error:  # what slips past every rule above is the file's fault, not the caller's
        raise GraphError(f"load: {path}: the graph can not be compiled; got {type(error).__name__}: {error}") from error


def lowered_from_state(state: Any, limits: GraphLimits) -> Lowered:
    """What `program_state` told, checked. Raises `GraphError` or another `BrickworkError`."""
    _check_fields(state)
    try:
        graph = parse_graph("\n".join(state["graph"]))
    except RecursionError:
        raise GraphError("load: the graph must not nest deeper than Python can follow. Take the file again") from None
    count, results = state["arguments"], state["results"]
    captured = tuple(state["captured"])
    variables = tuple(_variable(v) for v in state["variables"])
    inputs = graph.inputs
    _require(len(inputs) == count + len(captured) + len(variables), "a graph must have an input for each array")
    _require(len(graph.outputs) == results + len(state["assigned"]), "a graph must have an output for each result")
    for v, a in zip(inputs[count:], (*captured, *(x.data for x in variables)), strict=True):
        _require(v.spec == TensorSpec(a.shape, a.dtype), f"input {v} must be {v.spec}, as is its array")
    symbols = frozenset(_open_size(v.spec) for v in inputs[:count]) - {""}
    first = count + len(captured)
    wanted = tuple((results + k, first + n) for k, n in enumerate(state["assigned"]))
    _require(graph.aliases == wanted, "the aliases of a graph must be its assigned variables")
    checked(state["takes"], count, "the arguments")
    checked(state["gives"], results, "the results")
    takes = state["takes"].get("dict", {})
    _require(set(takes) == {"args", "kwargs"} and "list" in takes["args"] and "dict" in takes["kwargs"],
             "arguments must be positional and named ones")  # fmt: skip
    check_untrusted(graph, limits, symbols)
    traced = Traced(graph, count, captured, variables, results, tuple(variables[n] for n in state["assigned"]))
    out = template(state["gives"])
    _require(len(tree.leaves(out)) == results, "the results must have no plain values among them")
    return Lowered(state["name"], traced, state["takes"], state["gives"], out)


def _check_fields(state: Any) -> None:
    kind = state.get("kind") if isinstance(state, dict) else None
    _require(kind == KIND, f"a file must hold a {KIND}, which export writes")
    version = state.get("version")
    _require(type(version) is int and version >= 1, "the version must be a number")
    if version > VERSION:
        raise GraphError(f"load: format {VERSION} is known here; got {version}. Upgrade brickwork-graph-exec")
    _require(set(state) == _FIELDS, "a program must have the fields of its version")
    _require(type(state["name"]) is str, "the name must be text")
    _require(
        all(type(state[k]) is int and 0 <= state[k] < 1 << 20 for k in ("arguments", "results")),
        "counts must be counts",
    )
    _require(all(type(state[k]) is list for k in ("graph", "captured", "variables", "assigned")), "lists must be lists")
    _require(all(type(x) is str for x in state["graph"]), "the graph must be lines of text")
    _require(all(type(a) is np.ndarray for a in state["captured"]), "captured values must be arrays")
    count = len(state["variables"])
    _require(all(type(n) is int and 0 <= n < count for n in state["assigned"]), "assigned variables must be there")
    _require(len(set(state["assigned"])) == len(state["assigned"]), "variables are assigned once")


def _variable(state: Any) -> Variable:
    fits = isinstance(state, dict) and set(state) == {"name", "trainable", "value"} and type(state["name"]) is str
    _require(fits and type(state["trainable"]) is bool and type(state["value"]) is np.ndarray, "a variable has a value")
    return Variable(state["value"], name=state["name"], trainable=state["trainable"])


def _open_size(spec: TensorSpec) -> str:
    """The name of the open size of an argument, "" where it has none. Only axis 0 may be open."""
    fits = not any(isinstance(n, Dim) for n in spec.shape[1:])
    head = spec.shape[0] if spec.shape else 0
    if isinstance(head, Dim):
        fits = fits and len(head.terms) == 1 and len(head.terms[0][0]) == 1 and head.terms[0][1] == 1
    _require(fits, f"only axis 0 of an argument may be open, and by a name; it is {spec}")
    return head.terms[0][0][0] if isinstance(head, Dim) else ""


def _require(ok: bool, rule: str) -> None:
    if not ok:
        raise GraphError(f"load: {rule}; got others. The file was not made by export, or is damaged: take it again")

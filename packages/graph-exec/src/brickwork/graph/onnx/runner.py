"""A graph, run: each node becomes calls of tensor functions, under whatever trace is current.

What follows from constants and shapes alone is *known*: it is computed at once, even while a function is traced, so
that shapes made by arithmetic are numbers when a `Reshape` asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np

from brickwork.tensor import Tensor
from brickwork.tensor.eager import EagerTrace
from brickwork.tensor.errors import BrickworkError, MemoryLimitError, TraceError
from brickwork.tensor.op import Op
from brickwork.tensor.random import SeedGenerator, key
from brickwork.tensor.trace import Trace, current, use

from .errors import ModelError
from .foreign import Sizes, by_places, is_foreign, settled, sized, value_of
from .records import Graph, Node
from .registry import Translator, find_translator

__all__ = ["Scope", "rule_of", "run_graph", "run_node"]

_AT_ONCE = EagerTrace()


class OnDevice(Trace):
    """Hands ops on to its parent with what is on the CPU moved to a device: constants, and what translators make."""

    def __init__(self, parent: Trace, device: str):
        self.parent, self.device = parent, device

    def process(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        assert self.parent is not None
        moved = (a.to(self.device) if type(a) is Tensor and type(a.data) is np.ndarray else a for a in args)
        return self.parent.process(op, tuple(moved), params)


class Scope:
    """The values of names, those of the graphs around included, and which of them are known.

    A value is a tensor, a list of values (a sequence), None (left out, or an empty optional), or what no tensor holds:
    a NumPy array of strings or of numbers of other widths, and `Sizes`. What is known is on the CPU, all else on
    ``device``.
    """

    def __init__(self, around: Scope | None = None, seeds: SeedGenerator | None = None, device: str = "cpu"):
        self.around = around
        self.seeds = around.seeds if around is not None else seeds
        self.device = around.device if around is not None else device
        self.values: dict[str, Any] = {}
        self.known: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        scope = self._of(name)
        return scope.values[name]

    def _of(self, name: str) -> Scope:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.values:
                return scope
            scope = scope.around
        raise ModelError(f"onnx: a name must have a value before it is read; got {name!r}")

    def put(self, name: str, value: Any, known: bool) -> None:
        self.values[name] = value
        if known:
            self.known.add(name)
        else:
            self.known.discard(name)

    def knows(self, names: Iterable[str]) -> bool:
        """Whether all are known."""
        return all(name in self._of(name).known for name in names)


def run_graph(graph: Graph, scope: Scope, keep: Mapping[str, int] | None = None) -> list[Any]:
    """The outputs of a graph whose inputs are in ``scope``. ``keep``: the last node that reads each name, after which
    its value is dropped."""
    for name, array in graph.constants.items():
        if name not in scope.values:
            scope.put(name, value_of(array), True)
    for position, node in enumerate(graph.nodes):
        run_node(node, scope)
        if keep is not None:
            for name in node.reads:
                if keep.get(name) == position:
                    scope.values.pop(name, None)
    return [scope[v.name] for v in graph.outputs]


def rule_of(node: Node) -> Translator | None:
    """The translator of a node; None for one that stands for a graph."""
    return None if node.body is not None else find_translator(node.domain, node.op, node.version)


def run_node(node: Node, scope: Scope) -> None:
    """Give the outputs of a node their values."""
    rule = rule_of(node)
    known = (scope.knows(node.reads) and not node.fresh) or (rule is not None and rule.of_shape)
    args = [scope[name] if name else None for name in node.inputs]
    if rule is not None and any(isinstance(a, Sizes) and k in rule.static for k, a in enumerate(args)):
        known = False  # a tensor of an open shape has no numbers yet
    if known and scope.device != "cpu" and not (rule is not None and rule.of_shape):
        args = [a.to("cpu") if isinstance(a, Tensor) else a for a in args]
    elsewhere = scope.device != "cpu" and not isinstance(current(), OnDevice)
    try:
        with use(_AT_ONCE) if known else use(OnDevice(current(), scope.device)) if elsewhere else nullcontext():
            found = _function(node, args, scope) if rule is None else _translated(rule, node, args, scope)
    except BrickworkError as error:
        error.add_note(f"in {node}")
        raise
    except MemoryError as error:
        raise MemoryLimitError(
            f"onnx: a result must fit in memory; got {error} in {node}. Use smaller inputs"
        ) from error
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
        raise ModelError(f"onnx: a node must fit what it is given; got {error} in {node}") from error
    results = found if isinstance(found, tuple) else (found,)
    if len([o for o in node.outputs if o]) > len(results):
        raise ModelError(f"onnx: a node names the results that there are; got {len(node.outputs)} names in {node}")
    for name, value in zip(node.outputs, results, strict=False):
        if name:
            scope.put(name, value, known)


def _function(node: Node, args: list[Any], scope: Scope) -> tuple[Any, ...]:
    """The results of a node that stands for a graph."""
    assert node.body is not None
    inside = Scope(seeds=scope.seeds, device=scope.device)
    known = [not name or scope.knows((name,)) for name in node.inputs]
    missing = len(node.body.inputs) - len(args)
    for value, arg, is_known in zip(node.body.inputs, [*args, *[None] * missing], [*known, *[True] * missing]):
        inside.put(value.name, arg, is_known)
    return tuple(run_graph(node.body, inside))


def _translated(rule: Translator, node: Node, args: list[Any], scope: Scope) -> Any:
    given = {"outputs": len(node.outputs), "version": node.version, "key": partial(_key, node, scope)}
    keywords = {k: given[k] for k in rule.given}
    for name, value in node.attributes.items():
        keywords[name] = _bound(value, scope) if isinstance(value, Graph) else value
    values = [_static(node, k, a) if k in rule.static else a for k, a in enumerate(args)]
    while len(values) > rule.least and values[-1] is None:
        values.pop()  # so that the function's own default counts
    free = [k not in rule.static for k in range(len(values))]
    if any(f and isinstance(v, Sizes) for f, v in zip(free, values, strict=True)):
        if not rule.moves:
            return sized(rule.op, values, keywords)
        some = [f and (isinstance(v, Sizes) or rule.most is None) for f, v in zip(free, values, strict=True)]
        arrays = [_objects(v) if f else v for f, v in zip(some, values, strict=True)]
        return tuple(settled(a) for a in by_places(rule.function, arrays, keywords, some))
    foreign = [f and is_foreign(v) for f, v in zip(free, values, strict=True)]
    if rule.moves and any(foreign):
        return tuple(by_places(rule.function, values, keywords, foreign))
    return rule.function(*values, **keywords)


def _objects(value: Any) -> np.ndarray:
    return value.array if isinstance(value, Sizes) else value.numpy().astype(object)


def _key(node: Node, scope: Scope) -> Tensor:
    """The random key of a node: that of its seed, else the next of the model."""
    seed = node.attributes.get("seed")
    if seed is not None:
        return key(int(np.float32(seed).view(np.int32)))
    if scope.seeds is None:
        raise ModelError(f"onnx: random numbers take a seed; got none in {node}. Give it the attribute seed")
    return scope.seeds.next()


def _bound(graph: Graph, scope: Scope) -> Callable[..., list[Any]]:
    """A graph inside a node as a function of its inputs, the first ``known`` of which are; it sees what is around."""

    def body(*args: Any, known: int = 0) -> list[Any]:
        inside = Scope(scope)
        if len(args) != len(graph.inputs):
            raise ModelError(f"onnx: {graph.name!r} takes {len(graph.inputs)} inputs; got {len(args)}")
        for k, (value, arg) in enumerate(zip(graph.inputs, args, strict=True)):
            inside.put(value.name, arg, k < known)
        return run_graph(graph, inside)

    body.graph = graph  # type: ignore[attr-defined]
    return body


def _static(node: Node, position: int, value: Any) -> Any:
    """The numbers of an input that shapes follow from."""
    if not isinstance(value, Tensor):
        return value.array if isinstance(value, Sizes) else value
    try:
        return value.numpy()
    except TraceError:
        raise TraceError(
            f"onnx: shapes must be known while tracing; got a computed value for input {node.inputs[position]!r} of "
            f"{node}. Run the model eagerly, or make that input a constant"
        ) from None

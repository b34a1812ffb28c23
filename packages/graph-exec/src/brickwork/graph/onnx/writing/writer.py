"""The graph of a model while it is written: nodes, initializers, names, and sizes that are known when it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from math import prod
from typing import Any

import numpy as np

from brickwork.tensor.dim import Dim, Size
from brickwork.tensor.dtypes import class_of
from brickwork.tensor.op import OPS

from ...ir import CONSTANT, Graph, Node
from ..errors import UnsupportedError
from ..proto import onnx

__all__ = ["Refusal", "RULES", "Writer", "element_type", "rule"]

FOLDED = 1024
"""Elements up to which what follows from initializers alone is computed, though it is larger than they are."""
INT64 = np.dtype("int64")
FARTHEST = np.iinfo(np.int64).min

Rule = Callable[["Writer", Node, list[str]], Any]
RULES: dict[str, Rule] = {}
"""How a node of each op is written: ``rule(writer, node, names of its operands)`` gives the names of its results."""


class Refusal(Exception):
    """Why a node has no equivalent; `Writer.run` says which and where."""


def rule(*ops: str) -> Callable[[Rule], Rule]:
    """Register how these ops are written."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(ops, function))
        return function

    return register


def element_type(dtype: np.dtype) -> int:
    """The standard's number of an element type."""
    if class_of(dtype) == "c":
        raise Refusal(f"{dtype.name} has no equivalent: the ops of the standard take no complex numbers")
    return int(onnx.helper.np_dtype_to_tensor_dtype(dtype))


class _Shared:
    """What a graph and the bodies inside it have in common."""

    def __init__(self, opset: int) -> None:
        self.opset = opset
        self.names: set[str] = set()
        self.arrays: dict[str, np.ndarray] = {}
        self.constants: dict[Any, str] = {}
        self.symbols: dict[str, str] = {}
        self.origins: dict[str, str] = {}


class Writer:
    """One graph; bodies have writers of their own (`inside`) and see its names.

    Methods take and give names of values. What is made of initializers alone is computed at once. ``made``, ``place``:
    of the graph that is run, the node that makes each value, and its name; ``uses``: how often it is read; ``turned``:
    what a name is a turn of, and how; ``shapes``: of names, where they are known.
    """

    def __init__(self, opset: int, shared: _Shared | None = None):
        self.shared = _Shared(opset) if shared is None else shared
        self.nodes: list[Any] = []
        self.made: dict[int, Node] = {}
        self.place: dict[int, str] = {}
        self.uses: Counter[int] = Counter()
        self.shapes: dict[str, tuple[Size, ...]] = {}
        self._reshaped: dict[str, str] = {}
        self.turned: dict[str, tuple[str, tuple[int, ...]]] = {}

    @property
    def opset(self) -> int:
        return self.shared.opset

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The initializers."""
        return self.shared.arrays

    def inside(self) -> Writer:
        """The writer of a body."""
        return Writer(self.opset, self.shared)

    def fresh(self, wanted: str) -> str:
        """A name that no value has."""
        name, count = wanted, 0
        while name in self.shared.names:
            count += 1
            name = f"{wanted}_{count}"
        self.shared.names.add(name)
        return name

    # nodes
    def several(self, op: str, inputs: Sequence[str], outputs: int, **attributes: Any) -> tuple[str, ...]:
        """A node of several results."""
        names = tuple(self.fresh(op.lower()) for _ in range(outputs))
        self.node(op, inputs, names, **attributes)
        return names

    def emit(self, op: str, *inputs: str, **attributes: Any) -> str:
        """A node of one result."""
        return self.several(op, inputs, 1, **attributes)[0]

    def node(self, op: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> None:
        given = {k: v for k, v in attributes.items() if v is not None}
        self.nodes.append(onnx.helper.make_node(op, list(inputs), list(outputs), **given))

    # constants
    def initializer(self, wanted: str, array: np.ndarray) -> str:
        """An array under a name of its own."""
        name = self.fresh(wanted)
        self.arrays[name] = array
        return name

    def constant(self, value: Any, dtype: Any = None, wanted: str = "constant") -> str:
        """An array; equal ones are one initializer."""
        array = np.ascontiguousarray(np.asarray(value, dtype)).reshape(np.shape(value))
        key = array.dtype, array.shape, blake2b(memoryview(array.reshape(-1).view(np.uint8)), digest_size=32).digest()
        if key not in self.shared.constants:
            self.shared.constants[key] = self.initializer(wanted, array)
        return self.shared.constants[key]

    def _derived(self, name: str, array: np.ndarray) -> str:
        """An initializer that is another in a new arrangement."""
        source = self.shared.origins.get(name, name)
        out = self.constant(array, wanted=source)
        self.shared.origins.setdefault(out, source)
        return out

    def flat(self, name: str) -> str:
        """An initializer as a vector: the one that it was made of, where that is one already."""
        source = self.shared.origins.get(name, name)
        return source if self.arrays[source].ndim == 1 else self.constant(self.arrays[name].reshape(-1))

    def ints(self, values: Sequence[int]) -> str:
        """A vector of int64."""
        return self.constant(np.array(values, INT64))

    # sizes
    def bind_symbols(self, name: str, shape: Sequence[Size]) -> None:
        """An input, from whose axes symbols take their values."""
        for axis, size in enumerate(shape):
            if not isinstance(size, Dim) or len(size.terms) != 1:
                continue
            (monomial, factor), *_ = size.terms
            if factor == 1 and len(monomial) == 1 and monomial[0] not in self.shared.symbols:
                self.shared.symbols[monomial[0]] = self.emit("Shape", name, start=axis, end=axis + 1)

    def size(self, size: Size) -> str:
        """A size as a vector of one int64."""
        if not isinstance(size, Dim):
            return self.ints([size])
        total = ""
        for monomial, factor in size.terms:
            term = "" if monomial and factor == 1 else self.ints([factor])
            for symbol in monomial:
                if symbol not in self.shared.symbols:
                    raise Refusal(f"the size {size} must be that of an axis of an input")
                value = self.shared.symbols[symbol]
                term = self.emit("Mul", term, value) if term else value
            total = self.emit("Add", total, term) if total else term
        return total

    def sizes(self, shape: Sequence[Size]) -> str:
        """Several sizes as a vector of int64."""
        if not any(isinstance(n, Dim) for n in shape):
            return self.ints([int(n) for n in shape])
        return self.emit("Concat", *(self.size(n) for n in shape), axis=0)

    # what many rules do
    def cast(self, name: str, dtype: np.dtype) -> str:
        if name in self.arrays:
            return self.constant(self.arrays[name].astype(dtype))
        return self.emit("Cast", name, to=element_type(dtype))

    def reshape(self, name: str, shape: Sequence[Size]) -> str:
        """In another shape of as many elements."""
        if name in self.arrays and not any(isinstance(n, Dim) for n in shape):
            if self.arrays[name].shape == tuple(shape):
                return name
            return self._derived(name, self.arrays[name].reshape([int(n) for n in shape]))
        name = self._reshaped.get(name, name)  # of two in a row the first is nothing
        if self.shapes.get(name) == tuple(shape):
            return name
        unknown = [k for k, n in enumerate(shape) if isinstance(n, Dim)]
        if len(unknown) == 1 and 0 not in shape:
            numbers = self.ints([-1 if k in unknown else int(n) for k, n in enumerate(shape)])
            out = self.emit("Reshape", name, numbers)
        else:
            out = self.emit("Reshape", name, self.sizes(shape), allowzero=1)
        self._reshaped[out] = name
        return out

    def expand(self, name: str, given: Sequence[Size], shape: Sequence[Size]) -> str:
        """Stretched from one shape to another."""
        if tuple(given) == tuple(shape):
            return name
        aligned = (*(1,) * (len(shape) - len(given)), *given)
        return self.emit("Expand", name, self.sizes([1 if a == n else n for a, n in zip(aligned, shape, strict=True)]))

    def transpose(self, name: str, axes: Sequence[int]) -> str:
        """The axes in another order; two turns in a row are one."""
        axes = tuple(axes)
        if name in self.turned:
            before, first = self.turned[name]
            return self.transpose(before, [first[a] for a in axes])
        if axes == tuple(range(len(axes))):
            return name
        if name in self.arrays:
            return self._derived(name, self.arrays[name].transpose(axes))
        out = self.emit("Transpose", name, perm=list(axes))
        self.turned[out] = name, axes
        return out

    def slice(self, name: str, start: Sequence[Size], size: Sequence[Size], step: Sequence[int], of: Any) -> str:
        """Per axis so many elements from a start; ``of``: the shape."""
        axes = [a for a in range(len(of)) if (start[a], size[a], step[a]) != (0, of[a], 1)]
        if not axes:
            return name
        ends = [start[a] + size[a] * step[a] for a in axes]
        ends = [FARTHEST if step[a] < 0 and isinstance(e, int) and e < 0 else e for a, e in zip(axes, ends)]
        starts, steps = self.sizes([start[a] for a in axes]), self.ints([step[a] for a in axes])
        return self.emit("Slice", name, starts, self.sizes(ends), self.ints(axes), steps)

    def pad(self, name: str, widths: Sequence[Sequence[int]], value: float, dtype: np.dtype) -> str:
        """Elements of one value around."""
        if all(tuple(w) == (0, 0) for w in widths):
            return name
        sides = self.ints([w[side] for side in (0, 1) for w in widths])
        with np.errstate(over="ignore"):
            fill = self.constant(np.asarray(value).astype(dtype))
        return self.emit("Pad", name, sides, fill)

    def filled(self, value: Any, dtype: np.dtype, shape: Sequence[Size]) -> str:
        """One value everywhere."""
        if not any(isinstance(n, Dim) for n in shape) and prod(shape) <= FOLDED:
            return self.constant(np.full([int(n) for n in shape], value, dtype))
        tensor = onnx.numpy_helper.from_array(np.full(1, value, dtype))
        return self.emit("ConstantOfShape", self.sizes(shape), value=tensor)

    def positions(self, count: Size) -> str:
        """0, 1, ... as a vector of int64."""
        if not isinstance(count, Dim) and count <= FOLDED:
            return self.ints(range(int(count)))
        one = self.emit("Squeeze", self.size(count), self.ints([0]))
        return self.emit("Range", self.constant(0, INT64), one, self.constant(1, INT64))

    # graphs
    def run(self, graph: Graph, inputs: Sequence[str]) -> list[str]:
        """The names of the outputs of a graph whose inputs have these names."""
        around = self.made, self.place, self.uses
        self.made = graph.producers()
        self.uses = Counter(v.id for values in (*(n.inputs for n in graph.nodes), graph.outputs) for v in values)
        self.place = place = {v.id: name for v, name in zip(graph.inputs, inputs, strict=True)}
        self.shapes.update((place[v.id], v.spec.shape) for v in graph.inputs)
        for node in graph.nodes:
            results = self._written(node, [place[v.id] for v in node.inputs])
            place.update((v.id, name) for v, name in zip(node.outputs, results, strict=True))
            self.shapes.update((place[v.id], v.spec.shape) for v in node.outputs)
        self.made, self.place, self.uses = around
        return [place[v.id] for v in graph.outputs]

    def _written(self, node: Node, names: list[str]) -> Sequence[str]:
        if node.op == CONSTANT:
            return (self.constant(node.settings["value"]),)
        if self._follows(node, names):
            array = _value(node, [self.arrays[n] for n in names])
            arranged = node.op in ("reshape", "transpose")
            return (self._derived(names[0], array) if arranged else self.constant(array),)
        try:
            for value in (*node.inputs, *node.outputs):
                element_type(value.spec.dtype)
            found = RULES.get(node.op) or RULES.get(node.definition.kind if node.op in OPS else node.kind)
            if found is None:
                raise Refusal("it has no equivalent")
            results = found(self, node, names)
        except Refusal as refusal:
            where = node.source or "a line that is not known"
            raise UnsupportedError(
                f"to_onnx: an op must be one that op set {self.opset} can express; got {node.op!r} at {where}: "
                f"{refusal}. Leave it out of the function, and do it before or after the model"
            ) from None
        return (results,) if isinstance(results, str) else results

    def _follows(self, node: Node, names: list[str]) -> bool:
        """Whether a node is better computed now."""
        if not names or not all(n in self.arrays for n in names) or node.kind in ("region", "composite"):
            return False
        if any(isinstance(n, Dim) for n in node.out.spec.shape) or len(node.outputs) != 1 or _has_symbols(node):
            return False
        given = sum(self.arrays[n].size for n in names)
        return int(node.out.spec.size) <= max(FOLDED, given)


def _has_symbols(node: Node) -> bool:
    body = node.settings.get("body")
    return body is not None and any(n.head == "size" for n, _ in body.program)


def _value(node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    settings: Mapping[str, Any] = node.settings
    with np.errstate(all="ignore"):
        out = node.definition.eval(np, *arrays, **settings)
    shape = tuple(int(n) for n in node.out.spec.shape)
    return np.ascontiguousarray(np.broadcast_to(out, shape)).reshape(shape)

"""The plan: kernels, calls and regions in order, and where each value lives. `planning` makes one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from brickwork.tensor.dim import Dim, Size
from brickwork.tensor.kernel import Kernel
from brickwork.tensor.spec import TensorSpec

from .ir import Graph, Node, Value

__all__ = ["Call", "Nest", "Place", "Plan", "Step"]


@dataclass(frozen=True, slots=True)
class Place:
    """``where``: "input", "result" or "arena"; ``at``: its position, or its byte offset in the arena."""

    where: str
    at: Size


@dataclass(frozen=True, slots=True)
class Call:
    """An op that runs by its own `Op.eval`, called back from the plan. ``constants``: operands that are in no place."""

    node: Node
    constants: dict[int, Any]


@dataclass(frozen=True, slots=True)
class Nest:
    """A region: the plans of its bodies by the names of the parameters, and its room in the arena.

    ``at``: where that starts; in it, ``buffers``: (position of a carry, offset, bytes) of the two places which a carry
    that can not be written in place goes between, and ``inner``: the arena of each body.
    """

    node: Node
    plans: dict[str, Plan]
    buffers: tuple[tuple[int, Size, Size], ...]
    inner: dict[str, Size]
    room: Size
    at: Size = 0


Step = Kernel | Call | Nest


@dataclass(frozen=True, slots=True)
class Plan:
    """``steps`` in order; ``places`` of all stored values; ``arena``: bytes; ``results``: the outputs of the graph that
    are not written over an input. ``parts``: of values that hold sums in parts, a value that these become."""

    graph: Graph
    steps: tuple[Step, ...]
    places: dict[int, Place]
    specs: dict[int, TensorSpec]
    arena: Size
    results: tuple[Value, ...]
    parts: dict[int, int] = field(default_factory=dict)

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        """Those of bodies too."""
        return tuple(s for s in self.every() if isinstance(s, Kernel))

    @property
    def calls(self) -> tuple[Call, ...]:
        """Those of bodies too: their order is how a call back names one."""
        return tuple(s for s in self.every() if isinstance(s, Call))

    def every(self) -> Iterator[Step]:
        """The steps, those of bodies after the region they are of."""
        for step in self.steps:
            yield step
            if isinstance(step, Nest):
                for plan in step.plans.values():
                    yield from plan.every()

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbolic sizes of its inputs, sorted: their order among the arguments of the native entry."""
        sizes = [n for v in self.graph.inputs for n in v.spec.shape if isinstance(n, Dim)]
        return tuple(sorted({s for n in sizes for mono, _ in n.terms for s in mono}))

    def to_dot(self) -> str:
        """The kernels and the values between them, in the language of Graphviz."""
        from .drawing.dot import dot_of  # noqa: PLC0415 - pictures are made of this room
        from .drawing.picture import picture_of_plan  # noqa: PLC0415

        return dot_of(picture_of_plan(self))

    def to_svg(self) -> str:
        """The kernels and the values between them, drawn."""
        from .drawing.picture import picture_of_plan  # noqa: PLC0415 - as above
        from .drawing.svg import svg_of  # noqa: PLC0415

        return svg_of(picture_of_plan(self))

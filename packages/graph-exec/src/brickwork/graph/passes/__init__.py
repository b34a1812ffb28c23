"""The passes: what a graph goes through before kernels are made of it, in order, each with its reason.

A pass is a pure function from graph to graph. It keeps the inputs (they are the signature), the number, order and specs
of the outputs, and the aliases. To add one, write it in a room of its own and name it in `PIPELINE`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..check import check_graph
from ..ir import Graph, Node
from .cse import cse
from .dce import dce
from .fold import fold
from .hoist import hoist
from .layout import layout
from .loops import loops
from .simplify import simplify

__all__ = ["PIPELINE", "Pass", "cse", "dce", "fold", "hoist", "layout", "loops", "run_pipeline", "simplify"]


@dataclass(frozen=True, slots=True)
class Pass:
    """A step of the pipeline: its name, what runs, and why it stands where it stands."""

    name: str
    run: Callable[[Graph], Graph]
    reason: str


PIPELINE: tuple[Pass, ...] = (
    Pass("fold", fold, "first, so that the algebra of simplify sees constants inside bodies"),
    Pass("simplify", simplify, "before cse, since what differs only in form becomes equal"),
    Pass("cse", cse, "once equal things look equal; before dce, which clears what it leaves"),
    Pass("dce", dce, "the passes above leave behind what they went around"),
    Pass("loops", loops, "after dce, when all that is left is read; before layout, which turns what it takes out"),
    Pass("layout", layout, "late: it is about memory, and knows which contractions are left"),
    Pass("hoist", hoist, "after layout, whose turned weights are the same in every round"),
)


def everywhere(run: Callable[[Graph], Graph], graph: Graph) -> Graph:
    """The graph after a pass, which goes through the bodies of regions first."""

    def inside(node: Node) -> Node:
        if not node.bodies:
            return node
        params = tuple((k, everywhere(run, v) if isinstance(v, Graph) else v) for k, v in node.params)
        return replace(node, params=params)

    return run(replace(graph, nodes=tuple(map(inside, graph.nodes))))


def run_pipeline(
    graph: Graph, check: bool = False, on_step: Callable[[Pass, Graph, Graph], None] | None = None
) -> Graph:
    """The graph after every pass of `PIPELINE`.

    ``check``: run the checker before the first pass and after each, naming the pass that broke a rule (`GraphError`).
    ``on_step(pass, before, after)``: called after each pass, to print or measure.
    """
    if check:
        check_graph(graph)
    for step in PIPELINE:
        after = everywhere(step.run, graph)
        if check:
            check_graph(after, f"after {step.name}")
        if on_step is not None:
            on_step(step, graph, after)
        graph = after
    return graph

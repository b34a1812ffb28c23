"""What becomes of a traced graph, made once and kept on disk: how it is called at once, graph and plan when asked for.

The key is the text of the graph without the lines that its ops come from, so that an edit elsewhere in a file, or
another name of a layer, finds what is there. The lines are not in the file either: they are those of this trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from .cache import cached_value
from .donation import pairs
from .entry import Entry, entry_of
from .ir import Graph
from .text import print_graph
from .tracing import Traced

if TYPE_CHECKING:
    from .plan import Plan

__all__ = ["Planned", "optimized", "plan_of"]


def optimized(graph: Graph) -> Graph:
    """The graph after all passes."""
    from .passes import run_pipeline  # noqa: PLC0415 - the compiler loads where nothing is cached, which spares 50 ms

    return run_pipeline(graph)


def plan_of(graph: Graph, traced: Traced, donated: Sequence[bool]) -> Plan:
    """The plan of an optimized graph."""
    from .planning import make_plan  # noqa: PLC0415 - as above

    return make_plan(graph, pairs(graph, traced.results, donated))


@dataclass(frozen=True)
class Planned:
    """``donated``: of each argument, whether its memory may be used."""

    traced: Traced
    donated: Sequence[bool] = ()

    @cached_property
    def key(self) -> str:
        """Of all that follows from the graph, its code among it."""
        text = print_graph(self.traced.graph, sources=False)
        return f"{text}\n{self.traced.results} {[int(d) for d in self.donated]}"

    @cached_property
    def entry(self) -> Entry:
        """How the plan is called."""
        lines = list(_lines(self.traced.graph))
        return cached_value("entry", self.key, lambda: entry_of(self.plan, self.traced.results), lines)

    @property
    def graph(self) -> Graph:
        """After all passes."""
        return self._both[0]

    @property
    def plan(self) -> Plan:
        return self._both[1]

    @cached_property
    def _both(self) -> tuple[Graph, Plan]:
        def made() -> tuple[Graph, Plan]:
            graph = optimized(self.traced.graph)
            return graph, plan_of(graph, self.traced, self.donated)

        return cached_value("planned", self.key, made, list(_lines(self.traced.graph)))


def _lines(graph: Graph) -> Iterator[str]:
    """Where the ops of a graph come from, those of bodies after the region they are of."""
    for node in graph.nodes:
        yield node.source
        for body in node.bodies:
            yield from _lines(body)

"""A model as plain records: what is left of a file once it has been read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Graph", "Node", "Value"]


@dataclass(frozen=True, slots=True)
class Value:
    """A declared input or output: ``dtype`` where it is a tensor of a known one; ``shape`` where that is known, with
    None or a name for each size that is open."""

    name: str
    dtype: np.dtype | None = None
    shape: tuple[int | str | None, ...] | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """One application of an op. ``""`` among inputs and outputs stands for one left out.

    ``version``: of the op set that the model imports for ``domain``. ``attributes``: numbers, strings, lists of these,
    arrays and graphs. ``body``: the graph that stands for a function of the model. ``reads``: the inputs and what the
    graphs inside take from around them. ``fresh``: it, or a node of the graphs inside, gives other numbers each time.
    """

    op: str
    domain: str
    version: int
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    body: Graph | None
    reads: frozenset[str]
    fresh: bool

    def __str__(self) -> str:
        domain = f"{self.domain}." if self.domain else ""
        return f"{domain}{self.op} (op set {self.version}, node {self.name or '->'.join(('', *self.outputs))!r})"


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in an order in which each comes after those it reads. ``constants``: the initializers."""

    name: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    constants: Mapping[str, np.ndarray]
    nodes: tuple[Node, ...]

    @property
    def fresh(self) -> bool:
        """Whether it gives other numbers each time."""
        return any(node.fresh for node in self.nodes)

    @property
    def free(self) -> frozenset[str]:
        """The names that it reads from around itself."""
        known = {v.name for v in self.inputs} | set(self.constants)
        free: set[str] = set()
        for node in self.nodes:
            free |= node.reads - known
            known.update(node.outputs)
        return frozenset(free | ({v.name for v in self.outputs} - known))

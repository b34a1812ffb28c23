"""Rewriting: rules that replace one node, run over a whole graph in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from brickwork.tensor.expr import Expr
from brickwork.tensor.op import Elementwise
from brickwork.tensor.spec import Shape, TensorSpec, broadcast_shapes

from ..ir import CONSTANT, Graph, Node, Value, parameters, rebuild

__all__ = ["Result", "Rewriter", "Rule", "body_of", "rewrite", "stretched_shape"]

Result = Node | tuple[Node, ...] | Value | None


@dataclass(frozen=True, slots=True)
class Rule:
    """``rewrite(node, rewriter)`` gives what takes a node's place, or None. ``on``: the ops or kinds it looks at."""

    name: str
    on: tuple[str, ...]
    rewrite: Callable[[Node, Rewriter], Result]
    reason: str


class Rewriter:
    """One walk over a graph: applies rules, and answers what they ask. Mutable: it grows with the graph it follows."""

    def __init__(self, graph: Graph, rules: Mapping[str, Sequence[Rule]]):
        self._rules = rules
        self._producers: dict[int, Node] = {}
        self._fresh = graph.fresh()
        self.hits = 0

    def producer(self, value: Value, *ops: str) -> Node | None:
        """The node that makes a value, if it applies one of these ops (any, where none is named)."""
        node = self._producers.get(value.id)
        return node if node is not None and (not ops or node.op in ops) else None

    def constant(self, value: Any, like: Node) -> Node:
        """A new constant node."""
        return self.node(CONSTANT, (), TensorSpec((), value.dtype), like, value=value)

    def node(self, op: str, inputs: tuple[Value, ...], spec: TensorSpec, like: Node, **params: Any) -> Node:
        """A new node with a value of its own, at the user's line of ``like``."""
        value = Value(self._fresh, spec)
        self._fresh += 1
        return Node(op, inputs, (value,), parameters(params), like.source)

    def visit(self, node: Node, inputs: tuple[Value, ...]) -> Node | tuple[Node, ...] | Value:
        """What takes the place of a node, by the first rule that fits; as `rebuild` asks."""
        node = node if inputs == node.inputs else replace(node, inputs=inputs)
        result: Node | tuple[Node, ...] | Value = node
        for rule in (*self._rules.get(node.op, ()), *self._rules.get(node.kind, ())):
            found = rule.rewrite(node, self)
            if found is not None:
                self.hits += 1
                result = found
                break
        if not isinstance(result, Value):
            for made in result if isinstance(result, tuple) else (result,):
                self._producers.update((v.id, made) for v in made.outputs)
        return result


def rewrite(graph: Graph, rules: Sequence[Rule], rounds: int = 1) -> Graph:
    """The graph with the first rule that fits applied to each node in order, while one does, up to ``rounds`` times."""
    by_target: dict[str, list[Rule]] = {}
    for rule in rules:
        for target in rule.on:
            by_target.setdefault(target, []).append(rule)
    for _ in range(rounds):
        rewriter = Rewriter(graph, by_target)
        graph = rebuild(graph, rewriter.visit)
        if not rewriter.hits:
            break
    return graph


def body_of(node: Node) -> Expr | None:
    """The scalar body of an elementwise node; None for other nodes, and for `iota`, which reads no operand."""
    if node.op == "map":
        return node.settings["body"]  # type: ignore[no-any-return]
    if node.kind != "elementwise" or node.op == "iota":
        return None
    definition = node.definition
    assert isinstance(definition, Elementwise)
    return definition.expr(*(v.spec.dtype for v in node.inputs))


def stretched_shape(values: Iterable[Value]) -> Shape:
    """The shape that operands broadcast to."""
    shapes = [v.spec.shape for v in values]
    return broadcast_shapes("rewrite", *shapes) if shapes else ()

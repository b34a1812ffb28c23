"""The checker: what a graph must be, as a table of rules. Tests run it after every pass.

A rule is given a graph and yields a sentence for each fault it finds; `RULES` is all there is to being well formed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from brickwork.tensor.errors import BrickworkError
from brickwork.tensor.op import Composite
from brickwork.tensor.registry import find_op
from brickwork.tensor.spec import TensorSpec

from .ir import CONSTANT, Graph, Node, Value

__all__ = ["RULES", "GraphError", "check_graph"]

Faults = Iterator[str]


class GraphError(BrickworkError):
    """A graph that breaks a rule of the IR: a bug in whatever built it."""


def check_graph(graph: Graph, name: str = "graph") -> None:
    """Raises `GraphError` naming the first rule that is broken, and where. ``name``: who made the graph."""
    for rule, find in RULES:
        for fault in find(graph):
            raise GraphError(
                f"{name}: {rule}; got {fault}. This is a bug in what built the graph; report it with its text"
            )
    for node in graph.nodes:
        for key, value in node.params:
            if isinstance(value, Graph):
                check_graph(value, f"{name}: {node.out} = {node.op}, {key}")


def _where(node: Node) -> str:
    return f"{', '.join(map(str, node.outputs)) or 'a node without outputs'} = {node.op}"


def _made_once(graph: Graph) -> Faults:
    made: set[int] = set()
    for value in graph.values():
        if value.id in made:
            yield f"{value} twice"
        made.add(value.id)


def _made_before_use(graph: Graph) -> Faults:
    made: dict[int, Value] = {v.id: v for v in graph.inputs}
    for node in graph.nodes:
        for value in node.inputs:
            if value.id not in made:
                yield f"{value} read by {_where(node)} before it is made"
            elif made[value.id] != value:
                yield f"{value} of {value.spec} read by {_where(node)}, made as {made[value.id].spec}"
        made.update((v.id, v) for v in node.outputs)


def _outputs_made(graph: Graph) -> Faults:
    made = {v.id: v for v in graph.values()}
    for position, value in enumerate(graph.outputs):
        if made.get(value.id) != value:
            yield f"output {position}, {value} of {value.spec}, which " + (
                "is never made" if value.id not in made else f"is {made[value.id].spec}"
            )


def _known_ops(graph: Graph) -> Faults:
    for node in graph.nodes:
        if not node.outputs:
            yield _where(node)
        elif node.op != CONSTANT and find_op(node.op) is None:
            yield f"{_where(node)}, which is not in the registry"
        elif node.op != CONSTANT and isinstance(node.definition, Composite):
            yield f"{_where(node)}, whose body should stand here"


def _sorted_params(graph: Graph) -> Faults:
    for node in graph.nodes:
        names = [k for k, _ in node.params]
        if names != sorted(set(names)):
            yield f"{_where(node)} with {', '.join(names)}"


def _scalar_constants(graph: Graph) -> Faults:
    for node in graph.nodes:
        if node.op != CONSTANT:
            continue
        value = node.settings.get("value")
        if (
            [k for k, _ in node.params] != ["value"]
            or not isinstance(value, np.generic)
            or node.inputs
            or len(node.outputs) != 1
        ):
            yield f"{_where(node)} with inputs {list(map(str, node.inputs))} and parameters {dict(node.params)}"
        elif node.out.spec != TensorSpec((), value.dtype):
            yield f"{_where(node)} of {node.out.spec} for a {value.dtype.name}"


def _inferred_specs(graph: Graph) -> Faults:
    for node in graph.nodes:
        if node.op == CONSTANT:
            continue
        try:
            found = node.definition.infer(*(v.spec for v in node.inputs), **node.settings)
        except (BrickworkError, ArithmeticError, TypeError, ValueError, LookupError, AttributeError) as error:
            yield f"{_where(node)}, which the op refuses: {error}"
            continue
        specs = found if isinstance(found, tuple) else (found,)
        if specs != tuple(v.spec for v in node.outputs):
            said, given = ", ".join(str(v.spec) for v in node.outputs), ", ".join(map(str, specs))
            yield f"{_where(node)} of {said}, where the op gives {given}"


def _sound_aliases(graph: Graph) -> Faults:
    for output, position in graph.aliases:
        if not (0 <= output < len(graph.outputs) and 0 <= position < len(graph.inputs)):
            yield f"{output}->{position} with {len(graph.outputs)} outputs and {len(graph.inputs)} inputs"
        elif graph.outputs[output].spec != graph.inputs[position].spec:
            yield f"{output}->{position}, {graph.outputs[output].spec} in place of {graph.inputs[position].spec}"
    for side in (0, 1):
        places = [alias[side] for alias in graph.aliases]
        if len(set(places)) != len(places):
            yield f"{('an output', 'an input')[side]} twice in {graph.aliases}"


RULES: tuple[tuple[str, Callable[[Graph], Faults]], ...] = (
    ("a value must be made once", _made_once),
    ("a value must be made before it is read, and read as it was made", _made_before_use),
    ("outputs must be values of the graph", _outputs_made),
    ("an op must have outputs and be known, and composites be written out in their parts", _known_ops),
    ("parameters must be in the order of their names, each once", _sorted_params),
    ("a constant must be a NumPy scalar of its own dtype, and nothing else", _scalar_constants),
    ("shapes and dtypes must be those that the op gives", _inferred_specs),
    ("an alias must pair one output with one input of the same shape and dtype", _sound_aliases),
)

"""A graph as a recording: the same ops again, under any trace, for given values of open sizes.

So a program that came from a file can stand inside a function that is compiled, differentiated or mapped.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from brickwork.tensor.dim import Size
from brickwork.tensor.recording import Recording, Step, Var
from brickwork.tensor.registry import OPS
from brickwork.tensor.tensor import Tensor

from .ir import CONSTANT, Graph, Value
from .sizes import concrete, concrete_spec

__all__ = ["recording_of"]


def recording_of(graph: Graph, sizes: Mapping[str, Size]) -> Recording:
    """The recording of a graph. ``sizes``: numbers, or sizes of the trace that it is done again under."""
    constants: dict[int, Tensor] = {}
    steps: list[Step] = []
    made = {v.id: _var(v, sizes) for v in graph.values()}
    fresh = graph.fresh()
    for node in graph.nodes:
        if node.op == CONSTANT:
            constants[node.out.id] = Tensor(np.asarray(node.settings["value"]))
            continue
        args = tuple(constants.get(v.id, made[v.id]) for v in node.inputs)
        params = {name: concrete(value, sizes, recording_of) for name, value in node.params}
        steps.append(Step(node.definition, args, tuple(made[v.id] for v in node.outputs), params))
    outputs = []
    for v in graph.outputs:
        out = made[v.id]
        if v.id in constants:
            out = Var(fresh, out.spec)
            fresh += 1
            steps.append(Step(OPS["identity"], (constants[v.id],), (out,), {}))
        outputs.append(out)
    return Recording(tuple(made[v.id] for v in graph.inputs), tuple(steps), tuple(outputs))


def _var(v: Value, sizes: Mapping[str, Size]) -> Var:
    return Var(v.id, concrete_spec(v.spec, sizes))

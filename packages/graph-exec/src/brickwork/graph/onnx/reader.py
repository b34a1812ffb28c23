"""From the message of a model to records: names resolved, functions opened, ops looked up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from brickwork.tensor.errors import BrickworkError

from . import ops as _rooms  # noqa: F401  fills the registry
from .errors import ModelError, UnsupportedError
from .proto import array_of, dtype_of, load, onnx
from .records import Graph, Node, Value
from .registry import Translator, find_translator

__all__ = ["domain_of", "read_model", "read_node"]

_DEPTH = 64
"""How deep graphs and functions may nest."""
_KINDS = onnx.AttributeProto


def domain_of(name: str) -> str:
    """A domain by its shortest name."""
    return "" if name == "ai.onnx" else name


@dataclass(frozen=True, slots=True)
class _Context:
    """What the nodes of a graph may refer to. ``given``: the attributes of the function they stand in."""

    versions: Mapping[str, int]
    functions: Mapping[tuple[str, str, str], Any]
    folder: Path | None
    given: Mapping[str, Any] = field(default_factory=dict)
    depth: int = 0

    def inside(self, **changes: Any) -> _Context:
        if self.depth >= _DEPTH:
            raise ModelError(f"onnx: graphs and functions may nest {_DEPTH} deep; got more. Do they call themselves?")
        return replace(self, **changes, depth=self.depth + 1)


def read_model(model: Any) -> Graph:
    """The records of a model: a path, bytes, or a `ModelProto`.

    Raises `ModelError` for what is no valid model, `UnsupportedError` where an op or a type is not known here.
    """
    message, folder = load(model)
    try:
        functions = {(domain_of(f.domain), f.name, f.overload): f for f in message.functions}
        versions = _versions(message.opset_import) or {"": 1}
        return _graph(message.graph, _Context(versions, functions, folder), frozenset())
    except BrickworkError:
        raise
    except (
        TypeError,
        ValueError,
        LookupError,
        ArithmeticError,
        RecursionError,
    ) as error:  # names of bytes and the like
        raise ModelError(
            f"from_onnx: a model must follow the standard; got one whose records do not: {error}"
        ) from error


def read_node(node: Any, version: int | None = None) -> Node:
    """The record of a lone `NodeProto`, of the newest op set that knows it unless ``version`` says which."""
    domain, versions = domain_of(node.domain), {"": onnx.defs.onnx_opset_version()}
    if version is not None:
        versions[domain] = version
    elif domain and onnx.defs.has(node.op_type, domain):
        versions[domain] = onnx.defs.get_schema(node.op_type, domain).since_version
    return _node(node, _Context(versions, {}, None))


def _versions(imports: Iterable[Any]) -> dict[str, int]:
    return {domain_of(o.domain): int(o.version) for o in imports}


def _graph(graph: Any, context: _Context, around: frozenset[str]) -> Graph:
    constants = {t.name: array_of(t, context.folder) for t in graph.initializer}
    constants |= {t.values.name: array_of(t, context.folder) for t in graph.sparse_initializer}
    inputs = tuple(_value(v) for v in graph.input if v.name not in constants)
    names = set(around) | set(constants) | {v.name for v in inputs} | {""}
    nodes = _nodes(graph.node, context, names, graph.name)
    for v in graph.output:
        if v.name not in names:
            raise ModelError(f"onnx: an output must be made in its graph; got {v.name!r} of {graph.name!r}")
    return Graph(graph.name, inputs, tuple(map(_value, graph.output)), constants, nodes)


def _nodes(messages: Iterable[Any], context: _Context, names: set[str], where: str) -> tuple[Node, ...]:
    """The nodes in order; ``names``, which they may read, grows by what they make."""
    nodes: list[Node] = []
    made: set[str] = set()
    for message in messages:
        node = _node(message, context, frozenset(names))
        if missing := node.reads - names:
            raise ModelError(
                f"onnx: a node reads what was made before it; got {sorted(missing)} in {node} of {where!r}"
            )
        if twice := (set(node.outputs) - {""}) & made:
            raise ModelError(f"onnx: a name stands for one value; got {sorted(twice)} again in {node} of {where!r}")
        if node.op == "Gradient":
            node = _with_body(node, nodes)
        made.update(node.outputs)
        names.update(node.outputs)
        nodes.append(node)
    return tuple(nodes)


def _with_body(node: Node, before: Sequence[Node]) -> Node:
    """A `Gradient` with the nodes between what it is by and what it is of, as a graph."""
    given, out = (*node.attributes.get("xs", ()), *node.attributes.get("zs", ())), node.attributes.get("y", "")
    between: list[Node] = []
    wanted = {out}
    for earlier in reversed(before):
        if wanted.intersection(earlier.outputs) and not set(earlier.outputs) <= set(given):
            between.insert(0, earlier)
            wanted |= earlier.reads - set(given)
    body = Graph(out, tuple(map(Value, given)), (Value(out),), {}, tuple(between))
    return replace(node, attributes={**node.attributes, "body": body}, reads=node.reads | body.free, fresh=body.fresh)


def _node(message: Any, context: _Context, names: frozenset[str] = frozenset()) -> Node:
    domain = domain_of(message.domain)
    if domain not in context.versions:
        raise ModelError(f"onnx: a model imports the op sets it uses; got none for {domain!r} of {message.op_type}")
    attributes: dict[str, Any] = {}
    for a in message.attribute:
        value = context.given.get(a.ref_attr_name) if a.ref_attr_name else _attribute(a, context, names)
        if value is not None:
            attributes[a.name] = value
    inside = [g for v in attributes.values() for g in (v if isinstance(v, tuple) else (v,)) if isinstance(g, Graph)]
    inputs = tuple(message.input)
    if not all(isinstance(t, str) for t in (message.op_type, message.name, *message.input, *message.output)):
        raise ModelError(f"onnx: names must be text; got bytes in a node of {context.versions}")
    body = _body(message, domain, attributes, context)
    rule = None if body is not None else find_translator(domain, message.op_type, context.versions[domain])
    node = Node(
        op=message.op_type,
        domain=domain,
        version=context.versions[domain],
        name=message.name,
        inputs=inputs,
        outputs=tuple(message.output),
        attributes=attributes,
        body=body,
        reads=frozenset(inputs).union(*(g.free for g in inside)) - {""},
        fresh=(rule is not None and rule.fresh) or any(g.fresh for g in (*inside, *([body] if body else ()))),
    )
    if body is None:
        _check(node, rule)
    return node


def _check(node: Node, found: Translator | None) -> None:
    """A node that the translator found for it takes."""
    if found is None:
        raise UnsupportedError(f"onnx: an op must be one that is known here; got {node}. See brickwork.graph.onnx.ops")
    if unknown := set(node.attributes) - found.attributes:
        raise UnsupportedError(f"onnx: attributes must be known here; got {sorted(unknown)} in {node}")
    count = len(node.inputs)
    if count < found.least or (found.most is not None and count > found.most):
        most = "more" if found.most is None else found.most
        raise ModelError(
            f"onnx: an op takes its own number of inputs; got {count} for {found.least} to {most} in {node}"
        )


def _body(message: Any, domain: str, attributes: Mapping[str, Any], context: _Context) -> Graph | None:
    """The graph that a node stands for: a function of the model, or, for an op that has no translator, the one that the
    standard defines it by."""
    function = context.functions.get((domain, message.op_type, message.overload))
    defaults: Iterable[Any] = () if function is None else function.attribute_proto
    if function is None and find_translator(domain, message.op_type, context.versions[domain]) is None:
        function, defaults = _defined(message, domain, context.versions[domain])
    if function is None:
        return None
    given = {a.name: _attribute(a, context, frozenset()) for a in defaults} | dict(attributes)
    versions = _versions(function.opset_import) or context.versions
    inputs = tuple(Value(name, optional=True) for name in function.input)
    nodes = _nodes(function.node, context.inside(versions=versions, given=given), {"", *function.input}, function.name)
    return Graph(function.name, inputs, tuple(map(Value, function.output)), {}, nodes)


def _defined(message: Any, domain: str, version: int) -> tuple[Any, list[Any]]:
    """The `FunctionProto` by which the standard defines an op (None where there is none), and its defaults."""
    try:
        schema = onnx.defs.get_schema(message.op_type, version, domain)
    except (onnx.defs.SchemaError, TypeError):  # no such op, or a version that is none
        return None, []
    defaults = [a.default_value for a in schema.attributes.values() if a.default_value.name]
    return (schema.function_body, defaults) if schema.has_function else (None, [])


def _attribute(a: Any, context: _Context, names: frozenset[str]) -> Any:
    """The value of an attribute; lists are tuples."""
    if a.type == _KINDS.STRING:
        return a.s.decode("utf-8", "replace")
    if a.type == _KINDS.STRINGS:
        return tuple(s.decode("utf-8", "replace") for s in a.strings)
    if a.type in (_KINDS.TENSOR, _KINDS.SPARSE_TENSOR):
        return array_of(a.t if a.type == _KINDS.TENSOR else a.sparse_tensor, context.folder)
    if a.type == _KINDS.TENSORS:
        return tuple(array_of(t, context.folder) for t in a.tensors)
    if a.type == _KINDS.GRAPH:
        return _graph(a.g, context.inside(), names)
    if a.type == _KINDS.GRAPHS:
        return tuple(_graph(g, context.inside(), names) for g in a.graphs)
    if a.type == _KINDS.TYPE_PROTO:
        return _value_of_type("", a.tp)
    plain = {_KINDS.FLOAT: a.f, _KINDS.INT: a.i, _KINDS.FLOATS: tuple(a.floats), _KINDS.INTS: tuple(a.ints)}
    if a.type not in plain:
        raise UnsupportedError(f"onnx: an attribute must be of a kind known here; got kind {a.type} for {a.name!r}")
    return plain[a.type]


def _value(v: Any) -> Value:
    return _value_of_type(v.name, v.type)


def _value_of_type(name: str, kind: Any) -> Value:
    optional = kind.HasField("optional_type")
    if not kind.HasField("tensor_type"):
        return Value(name, optional=optional)
    tensor = kind.tensor_type
    dtype: np.dtype | None = dtype_of(tensor.elem_type) if tensor.elem_type else None
    if not tensor.HasField("shape"):
        return Value(name, dtype)
    sizes = tuple(d.dim_value if d.HasField("dim_value") else (d.dim_param or None) for d in tensor.shape.dim)
    return Value(name, dtype, sizes)

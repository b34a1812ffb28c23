"""Which ops become one kernel.

Every reduction and contraction is an anchor of a cluster. A stored elementwise value joins the cluster of something it
reads, when its expression can be had at that kernel's own index: so a bias, an activation, a dropout mask and the Adam
update become the epilogue of the product before them, and softmax or layer_norm one pass over the row. A reduction
joins another over the same rows. What joins nothing is a kernel of its own. A join never makes a cycle.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from brickwork.tensor.dim import Dim
from brickwork.tensor.dtypes import NAMES
from brickwork.tensor.expr import Expr, acc, leaves
from brickwork.tensor.op import Contraction, Reduce
from brickwork.tensor.spec import Shape
from brickwork.tensor.view import Affine, Form

from .ir import Graph, Node, Value
from .lowering import Body, Index, NotInline, dense_strides, identity_index
from .order import reaches
from .storing import peel, stored_values

__all__ = ["Cluster", "Clustering", "cluster"]

MAX_READS = 40
VECTOR_FROM = 8
FAR = 1 << 30


@dataclass(slots=True)
class Made:
    """One thing a cluster makes: an anchor (``combine`` set) or a member. ``full``: whether it loops over the inner
    axes."""

    value: Value
    body: Expr
    full: bool
    combine: str | None = None


@dataclass(slots=True)
class Cluster:
    """A kernel in the making. ``rows``: of a reduction, the shape it reads and which axes are inner. ``read``: the
    stored values that its expressions read."""

    number: int
    outer: Shape
    inner: Shape
    body: Body
    kind: str
    made: list[Made] = field(default_factory=list)
    rows: tuple[Shape, tuple[int, ...]] | None = None
    form: Form | None = None
    call: Node | None = None
    read: set[int] = field(default_factory=set)

    def add(self, item: Made) -> None:
        """One more thing to make."""
        self.made.append(item)
        self.read |= {self.body.reads[k].source for k in leaves(item.body, "arg")}

    def row_index(self, shape: Shape) -> Index | None:
        """The index of a value over the outer axes, whose shape may have more or fewer axes of size 1."""
        n = len(self.outer) + len(self.inner)
        places = [a for a, size in enumerate(self.outer) if size != 1]
        if [s for s in shape if s != 1] != [self.outer[a] for a in places]:
            return None
        left = iter(places)
        return tuple(Affine((0,) * n) if size == 1 else Affine.axis(next(left), n) for size in shape)

    def full_index(self) -> Index:
        """The index of a value over outer and inner axes, of a cluster of reductions."""
        assert self.rows is not None
        shape, axes = self.rows
        n = len(shape)
        kept, inner = [a for a in range(n) if a not in axes], list(axes)
        return tuple(Affine.axis(len(kept) + inner.index(d) if d in axes else kept.index(d), n) for d in range(n))

    def sources(self) -> set[int]:
        """The stored values that this cluster reads."""
        return self.read | set(self._operands()) if self.call else self.read

    def needs(self, home: dict[int, int]) -> set[int]:
        """The other clusters that make what this one reads."""
        return {home[s] for s in self.sources() if s in home} - {self.number}

    def _operands(self) -> Iterator[int]:
        """What the inputs of a call, or of a contraction in phases, are read from: through movement and what is
        computed on the spot, to what is stored."""
        stack = list(self.call.inputs) if self.call else []
        while stack:
            v = stack.pop()
            node = self.body.producers.get(v.id)
            if self.body.stored(v) or node is None or node.kind not in ("movement", "elementwise"):
                yield v.id
            else:
                stack.extend(node.inputs)


@dataclass(frozen=True, slots=True)
class Clustering:
    """Clusters by number, the cluster that makes each value, and the values that must be in memory."""

    clusters: tuple[Cluster, ...]
    home: dict[int, int]
    written: frozenset[int]


def cluster(graph: Graph, forced: set[int]) -> Clustering:
    """Group the nodes of a graph. ``forced``: numbers of values to keep in memory. Raises `NotInline` with a value that
    has to be kept too."""
    return _Builder(graph, forced).run()


class _Builder:
    def __init__(self, graph: Graph, forced: set[int]):
        self.graph = graph
        self.producers = graph.producers()
        self.users = graph.users()
        self.outputs = {v.id for v in graph.outputs}
        self.inputs = {v.id for v in graph.inputs}
        self.clusters: list[Cluster] = []
        self.home: dict[int, int] = {}
        self.known: dict[int, tuple[int, set[int]]] = {}
        self.kept = stored_values(graph) | forced

    def run(self) -> Clustering:
        for node in self.graph.nodes:
            if node.kind in ("opaque", "region"):
                self._call(node)
            elif node.kind == "contraction":
                self._contraction(node)
            elif node.kind == "reduce":
                self._reduce(node)
            elif node.out.id in self.kept:
                self._member(node.out)
        written = self._written()
        return Clustering(tuple(self.clusters), self.home, written)

    # building
    def _new(self, outer: Shape, inner: Shape, kind: str) -> Cluster:
        number = len(self.clusters)
        made = Cluster(number, outer, inner, Body((*outer, *inner), self.producers, self._stored), kind)
        self.clusters.append(made)
        return made

    def _stored(self, v: Value) -> bool:
        return v.id in self.inputs or v.id in self.kept

    def _add(self, into: Cluster, value: Value, at: Index, body: Expr, full: bool, combine: str | None = None) -> None:
        result = body
        if combine is not None:
            result = acc(value.id, body.dtype).cast(value.spec.dtype)
        into.body.own[value.id] = (at, result)
        into.add(Made(value, body, full, combine))
        self.home[value.id] = into.number

    def _call(self, node: Node) -> None:
        made = self._new((), (), "concat" if node.op == "concat" else "call")
        made.call = node
        for v in node.outputs:
            self.home[v.id] = made.number

    def _contraction(self, node: Node) -> None:
        definition = node.definition
        assert isinstance(definition, Contraction)
        form = order_axes(definition.form(*(v.spec for v in node.inputs), **node.settings), node.inputs)
        outer = tuple(form.extents[: len(form.out)])
        phased = any(a.div != 1 for dims in form.maps for a in dims)
        for v in self._to_turn(form, node, phased):
            self.kept.add(v.id)
            self._member(v)
        made = self._new(outer, form.extents[len(outer) :], "contract")
        made.form = form
        if phased:
            made.kind = "phased"
            made.body.own[node.out.id] = (
                identity_index(0, len(outer), len(form.extents)),
                acc(node.out.id, node.out.spec.dtype),
            )
            made.call = node
            self.home[node.out.id] = made.number
            return
        body = product_of(made.body, form, node)
        at = made.row_index(node.out.spec.shape)
        assert at is not None
        self._add(made, node.out, at, body, True, "add")

    def _to_turn(self, form: Form, node: Node, phased: bool) -> list[Value]:
        """Turned operands (see `passes.layout`) that as views are not of stride 1 along the vector axis."""
        vector = len(form.out) - 1
        turned = [v for v in node.inputs if self._is_view(v)]
        if (
            not turned
            or vector < 0
            or not (isinstance(form.extents[vector], Dim) or form.extents[vector] >= VECTOR_FROM)
        ):
            return []
        if phased:
            return turned
        trial = Body(form.extents, self.producers, self._stored)
        product_of(trial, form, node)
        slow = {r.source for r in trial.reads if r.strides[vector] not in (0, 1)}
        return [v for v in turned if peel(v, self.producers).id in slow]

    def _is_view(self, v: Value) -> bool:
        producer = self.producers.get(v.id)
        return producer is not None and producer.op == "transpose" and not self._stored(v)

    def _reduce(self, node: Node) -> None:
        definition, source = node.definition, node.inputs[0]
        assert isinstance(definition, Reduce)
        axes = tuple(node.settings["axis"])
        rows = (source.spec.shape, axes)
        out_dtype = definition.prepare(source.spec.dtype)
        work = accumulator(out_dtype) if definition.combine in ("add", "mul") else out_dtype
        for old in reversed(self.clusters):
            if (
                old.kind == "reduce"
                and old.rows == rows
                and self._try_reduce(old, node, source, work, definition.combine, True)
            ):
                return
        kept = tuple(n for a, n in enumerate(source.spec.shape) if a not in axes)
        made = self._new(kept, tuple(source.spec.shape[a] for a in axes), "reduce")
        made.rows = rows
        self._try_reduce(made, node, source, work, definition.combine, False)

    def _try_reduce(
        self, into: Cluster, node: Node, source: Value, work: np.dtype, combine: str, joining: bool
    ) -> bool:
        try:
            body = into.body.value(source, into.full_index()).cast(work)
        except NotInline:
            if joining:
                return False
            raise
        if joining and (not self._related(into, body) or not self._acyclic(into, body)):
            return False
        at = into.row_index(node.out.spec.shape)
        assert at is not None
        self._add(into, node.out, at, body, True, combine)
        return True

    def _member(self, value: Value) -> None:
        alone = Body(value.spec.shape, self.producers, self._stored)
        n = len(value.spec.shape)
        expr = alone.value_inside(value, identity_index(0, n, n))
        sources = {alone.reads[k].source for k in leaves(expr, "arg")}
        homes = sorted({self.home[s] for s in sources if s in self.home}, reverse=True)
        for number in homes:
            if self._try_member(self.clusters[number], value):
                return
        for old in reversed(self.clusters):
            if (
                old.kind == "map"
                and old.outer == value.spec.shape
                and old.sources() & sources
                and self._try_member(old, value)
            ):
                return
        made = self._new(value.spec.shape, (), "map")
        if not self._try_member(made, value):
            raise NotInline(value)

    def _try_member(self, into: Cluster, value: Value) -> bool:
        if into.kind not in ("map", "reduce", "contract"):
            return False
        at, full = into.row_index(value.spec.shape), False
        if at is None and into.rows is not None and value.spec.shape == into.rows[0] and _trailing(into.rows):
            at, full = into.full_index(), True
        if at is None or (into.kind == "map" and value.spec.shape != into.outer):
            return False
        try:
            body = into.body.value_inside(value, at)
        except NotInline as blocked:
            if into.made:
                return False
            raise NotInline(blocked.value) from None
        if not self._acyclic(into, body) or len(into.sources()) > MAX_READS:
            return False
        self._add(into, value, at, body, full)
        return True

    def _related(self, into: Cluster, body: Expr) -> bool:
        """Whether an expression reads what the cluster makes or reads."""
        return bool(leaves(body, "acc")) or bool(
            {into.body.reads[k].source for k in leaves(body, "arg")} & into.sources()
        )

    # order
    def _acyclic(self, into: Cluster, body: Expr) -> bool:
        """Whether nothing that the expression reads comes after the cluster."""
        needs = {self.home[s] for k in leaves(body, "arg") if (s := into.body.reads[k].source) in self.home}
        return all(n != into.number and not reaches(self._needs, n, into.number) for n in needs)

    def _needs(self, number: int) -> set[int]:
        """What `Cluster.needs` says; asked often, so kept until the cluster reads more."""
        made = self.clusters[number]
        count, known = self.known.get(number, (-1, set()))
        if count != len(made.read):
            known = made.needs(self.home)
            self.known[number] = len(made.read), known
        return known

    def _written(self) -> frozenset[int]:
        """Values read outside the cluster that makes them, or by opaque ops, or given as results."""
        out = set(self.outputs)
        for made in self.clusters:
            out |= {
                s for s in made.sources() if s in self.home and (self.home[s] != made.number or made.call is not None)
            }
            if made.call is not None:
                out |= {v.id for v in made.call.outputs}
        return frozenset(out)


def product_of(body: Body, form: Form, node: Node) -> Expr:
    """The product of the operands of a contraction, in the dtype that it is summed in."""
    work = accumulator(node.out.spec.dtype)
    out: Expr | None = None
    for v, dims in zip(node.inputs, form.maps, strict=True):
        factor = body.inside(v, dims).cast(work)
        out = factor if out is None else out * factor
    assert out is not None
    return out


def order_axes(form: Form, operands: Sequence[Value]) -> Form:
    """The form with its loop axes in the order: output axes, then contracted ones, of which the last takes the smallest
    steps through the operands."""
    order = (*form.out, *sorted(form.reduced, key=lambda a: -_step(form, operands, a)))
    maps = tuple(tuple(Affine(tuple(a.coeffs[o] for o in order), a.const, a.div) for a in dims) for dims in form.maps)
    return Form(tuple(form.extents[o] for o in order), maps, tuple(range(len(form.out))))


def _step(form: Form, operands: Sequence[Value], axis: int) -> int:
    """How far a step along a loop axis goes through the operands, in elements together; a symbolic size is taken as
    large."""
    total = 0
    for v, dims in zip(operands, form.maps, strict=True):
        for dim, stride in zip(dims, dense_strides(v.spec.shape), strict=True):
            total += abs(dim.coeffs[axis]) * (FAR if isinstance(stride, Dim) else stride)
    return total


def accumulator(dtype: np.dtype) -> np.dtype:
    """The dtype in which sums are kept: float32 for 16-bit floats."""
    return NAMES["float32"] if dtype.name in ("float16", "bfloat16") else dtype


def _trailing(rows: tuple[Shape, tuple[int, ...]]) -> bool:
    """Whether the reduced axes are the last ones, so that a row is contiguous."""
    shape, axes = rows
    return axes == tuple(range(len(shape) - len(axes), len(shape)))

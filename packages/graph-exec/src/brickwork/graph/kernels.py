"""From clusters to kernels: stages in order, reads pruned, strided contractions split into phases."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import gcd

from brickwork.tensor.dim import Dim, Size
from brickwork.tensor.expr import Expr, acc, arg, const, leaves, substitute
from brickwork.tensor.kernel import Kernel, Read, Stage, Write, identity
from brickwork.tensor.spec import Shape
from brickwork.tensor.view import Affine, Form

from .clusters import Cluster, accumulator
from .ir import Node, Value
from .lowering import Body, Index, NotInline, dense_strides
from .passes.expr_rules import simplify_expr

__all__ = ["concat_kernels", "kernels_of"]


def kernels_of(made: Cluster, written: frozenset[int]) -> list[Kernel]:
    """The kernels of a cluster: one, or for a strided contraction one for each phase of its output."""
    if made.kind == "phased":
        return list(_phases(made))
    stages: list[Stage] = []
    numbers: dict[int, int] = {}
    inner = tuple(range(len(made.outer), len(made.outer) + len(made.inner)))
    for item in made.made:
        if item.combine is not None:
            numbers[item.value.id] = len(stages)
            stages.append(Stage(inner, _place_accs(item.body, numbers), item.combine))
    for item in made.made:
        if item.value.id in written:
            at, expr = made.body.own[item.value.id]
            stages.append(
                Stage(
                    inner if item.full and item.combine is None else (),
                    _place_accs(expr, numbers),
                    None,
                    _write(item.value, at, expr),
                )
            )
    return [pruned(made, stages)]


def concat_kernels(node: Node) -> Iterator[Kernel]:
    """A copy for each part of a concatenation, into its place."""
    axis, out = node.settings["axis"], node.out
    steps = dense_strides(out.spec.shape)
    start: Size = 0
    for v in node.inputs:
        read = Read(v.id, v.spec.dtype, 0, dense_strides(v.spec.shape))
        write = Write(out.id, out.spec.dtype, steps[axis] * start, steps)
        yield Kernel(v.spec.shape, len(v.spec.shape), (read,), (Stage((), arg(0, v.spec.dtype), None, write),))
        start = v.spec.shape[axis] + start


def _write(value: Value, at: Index, expr: Expr) -> Write:
    steps = dense_strides(value.spec.shape)
    n = len(at[0].coeffs) if at else 0
    strides: list[Size] = [0] * n
    for form, step in zip(at, steps, strict=True):
        strides = [step * c + s if c else s for s, c in zip(strides, form.coeffs, strict=True)]
    return Write(value.id, expr.dtype, 0, tuple(strides))


def _place_accs(body: Expr, numbers: dict[int, int]) -> Expr:
    return substitute(body, lambda n: acc(numbers[n.value], n.dtype) if n.head == "acc" else None)


def pruned(made: Cluster, stages: list[Stage]) -> Kernel:
    """A kernel of these stages, their bodies simplified once more (fusion brings ops and indices together), and the
    reads left."""
    axes = (*made.outer, *made.inner)
    if 0 in made.inner:
        stages = _of_nothing(stages)
    bodies = [simplify_expr(s.body) for s in stages]
    used = sorted({k for body in bodies for k in leaves(body, "arg")})
    renumber = {k: n for n, k in enumerate(used)}
    final = tuple(
        Stage(
            s.axes,
            substitute(body, lambda n: arg(renumber[n.value], n.dtype) if n.head == "arg" else None),
            s.combine,
            _widen(s.write, len(axes)),
        )
        for s, body in zip(stages, bodies, strict=True)
    )
    kernel = Kernel(axes, len(made.outer), tuple(made.body.reads[k] for k in used), final)
    kernel.check()
    return kernel


def _of_nothing(stages: list[Stage]) -> list[Stage]:
    """The stages where there is nothing to combine: what each would start from takes the place of its result."""
    start = {
        k: const(identity(s.combine, s.body.dtype), s.body.dtype) for k, s in enumerate(stages) if s.combine is not None
    }
    return [
        Stage(s.axes, substitute(s.body, lambda n: start[n.value] if n.head == "acc" else None), None, s.write)
        for s in stages
        if s.combine is None
    ]


def _widen(write: Write | None, n: int) -> Write | None:
    if write is None or len(write.strides) == n:
        return write
    return Write(write.target, write.dtype, write.offset, (*write.strides, *([0] * (n - len(write.strides)))))


def _phases(made: Cluster) -> Iterator[Kernel]:
    """One kernel for each residue of the output axes that a divided index depends on.

    Where an operand is read at ``(c + sum of a * i) / s``, each axis i becomes ``m * q + r`` with m chosen so that s
    divides ``a * m``. For given residues of the output axes, at most one residue of each contracted axis leaves no
    remainder; the rest contribute nothing.
    """
    form, node = made.form, made.call
    assert form is not None and node is not None
    count = len(form.out)
    moduli = _moduli(form)
    outer_choices = [range(m) for m in moduli[:count]]
    for outer in product(*outer_choices):
        found = [inner for inner in product(*(range(m) for m in moduli[count:])) if _exact(form, (*outer, *inner))]
        if len(found) > 1:
            raise NotInline
        residues = (*outer, *(found[0] if found else (0,) * (len(moduli) - count)))
        extents = tuple(_part(n, m, r) for n, m, r in zip(form.extents, moduli, residues, strict=True))
        if not found:
            extents = (*extents[:count], *([0] * (len(moduli) - count)))
        yield _phase(made, form, extents, moduli, residues, bool(found))


def _moduli(form: Form) -> list[int]:
    moduli = [1] * len(form.extents)
    for dims in form.maps:
        for dim in dims:
            if dim.div > 1:
                for a, c in enumerate(dim.coeffs):
                    if c:
                        moduli[a] = max(moduli[a], dim.div // gcd(c, dim.div))
    return moduli


def _exact(form: Form, residues: tuple[int, ...]) -> bool:
    return all(
        (dim.const + sum(c * r for c, r in zip(dim.coeffs, residues, strict=True))) % dim.div == 0
        for dims in form.maps
        for dim in dims
        if dim.div > 1
    )


def _part(extent: object, modulus: int, residue: int) -> int:
    if modulus == 1:
        return extent  # type: ignore[return-value]
    if isinstance(extent, Dim):
        raise NotInline
    return max(0, -(-(extent - residue) // modulus))  # type: ignore[operator]


def _phase(
    made: Cluster, form: Form, extents: Shape, moduli: list[int], residues: tuple[int, ...], live: bool
) -> Kernel:
    node = made.call
    assert node is not None
    body = Body(extents, made.body.producers, made.body.stored)
    work = accumulator(node.out.spec.dtype)
    total: Expr | None = None
    for v, dims in zip(node.inputs, form.maps, strict=True) if live else ():
        index = tuple(_at_phase(dim, moduli, residues) for dim in dims)
        factor = body.inside(v, index).cast(work)
        total = factor if total is None else total * factor
    if total is None:  # no point divides without remainder: 0, also where no axis is summed over
        total = const(0, work)
    count = len(form.out)
    steps = dense_strides(node.out.spec.shape)
    strides = tuple(s * m for s, m in zip(steps, moduli[:count], strict=True)) + (0,) * (len(extents) - count)
    offset = sum((s * r for s, r in zip(steps, residues[:count], strict=True) if r), start=0)
    inner = tuple(range(count, len(extents)))
    stages = [
        Stage(inner, total, "add"),
        Stage(
            (),
            acc(0, total.dtype).cast(node.out.spec.dtype),
            None,
            Write(node.out.id, node.out.spec.dtype, offset, strides),
        ),
    ]
    shell = Cluster(made.number, extents[:count], extents[count:], body, "contract")
    return pruned(shell, stages)


def _at_phase(dim: Affine, moduli: list[int], residues: tuple[int, ...]) -> Affine:
    """The index with each axis replaced by modulus * q + residue, and the division carried out."""
    top = dim.const + sum(c * r for c, r in zip(dim.coeffs, residues, strict=True))
    return Affine(
        tuple(c * m // dim.div for c, m in zip(dim.coeffs, moduli, strict=True)), top // dim.div if dim.div > 1 else top
    )

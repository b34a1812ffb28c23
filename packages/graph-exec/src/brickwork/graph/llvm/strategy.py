"""How a kernel is run on a CPU: which axis becomes the vector, which the rows of a register tile, which is shared
among threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

from brickwork.tensor.dim import Dim, Size
from brickwork.tensor.expr import leaves
from brickwork.tensor.kernel import Kernel, Read, Stage, Write

__all__ = ["Machine", "Strategy", "choose", "extent", "may_overwrite"]

MOST_ROWS, MOST_SINGLE_ROWS, FEWEST_ROWS, FEW_TILES, FEW_TERMS = 14, 16, 8, 5, 256
"""Eight rows of two vectors are enough sums in flight to hide the latency of a multiply-add, sixteen of one; more save
loads."""
SELDOM = 50
"""One row of so many may be made twice, for the sake of higher tiles."""
NEAR, NEXT = 40 << 10, 512 << 10
"""Bytes that are expected to stay in the first and in the second cache of a core."""
FEWEST_TILES = 3
"""Tiles that read the same operands, from which it pays to make the sums in blocks."""
FAR, SCATTERED = 4, 8
"""What a byte from beyond the second cache costs, in bytes from within it: in long runs, and a line here and there."""
LINE = 64
"""Bytes that the cache fetches together."""
MOST_TURNED = 16
"""Vectors that are turned together: as many as each has lanes."""
PACK_TILES, PACK_STRIDE, PACK_BYTES = 4, 512, 192 << 10
"""A column of tiles is worth copying where so many tiles read it, at so many bytes from one row to the next."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What code generation must know of the CPU: bytes in a vector register, how many there are, and whether it
    converts float16."""

    name: str
    features: str
    vector_bytes: int
    registers: int
    half: bool = False


@dataclass(frozen=True, slots=True)
class Strategy:
    """``vector``: the axis along the lanes. Where it is an outer axis the kernel keeps a tile of ``rows`` x ``columns``
    vectors in registers, rows along ``row_axis``; where it is an inner axis, the lanes are parts of each reduction.
    ``rows_first``: the tiles of a row follow one another, else those of a column. ``packed``: reads of which a column
    of tiles copies its part to a dense place first. ``turned``: reads that are contiguous along the rows, and
    are turned in registers, a square at a time. ``block``: where not 0, sums are made in so many steps of the first
    inner axis at a time, for all tiles before the next steps, since the operands are more than the caches hold.
    ``ahead``: reads of which each tile fetches what the next one of its column will read.
    """

    lanes: int
    vector: int | None
    row_axis: int | None = None
    rows: int = 1
    columns: int = 1
    rows_first: bool = False
    packed: tuple[int, ...] = ()
    turned: tuple[int, ...] = ()
    ahead: tuple[int, ...] = ()
    block: int = 0

    @property
    def width(self) -> int:
        """Elements along the lanes of a tile."""
        return self.lanes * self.columns


def choose(kernel: Kernel, machine: Machine) -> Strategy:
    """The strategy for a kernel in normal form."""
    lanes = max(1, machine.vector_bytes // _width(kernel))
    if not kernel.axes:
        return Strategy(0, None)
    combining = [s for s in kernel.stages if s.combine is not None]
    if not combining:
        return _mapping(kernel, lanes)
    return _reducing(kernel, machine, lanes, combining)


def _width(kernel: Kernel) -> int:
    """Bytes of the type that the lanes are counted in: the widest float at work, else the widest type."""
    sizes = [
        max(4, n.dtype.itemsize)
        for s in kernel.stages
        for n, _ in s.body.program
        if n.dtype.kind in "fV" and n.head != "const"
    ]
    return max(sizes) if sizes else max((n.dtype.itemsize for s in kernel.stages for n, _ in s.body.program), default=4)


def extent(size: Size) -> int:
    """A size as a number to weigh with; a symbolic one counts as many."""
    return 1 << 20 if isinstance(size, Dim) else size


def may_overwrite(kernel: Kernel) -> bool:
    """Whether a kernel may write over what it reads: a plan lets it do so at one and the same element."""
    return any(
        r.source == w.target
        or (not r.guards and (r.offset, r.strides, r.dtype.itemsize) == (w.offset, w.strides, w.dtype.itemsize))
        for r in kernel.reads
        for w in kernel.writes
    )


def _mapping(kernel: Kernel, lanes: int) -> Strategy:
    """Elementwise: along the axis that the writes walk by one."""

    def score(a: int) -> tuple[int, int]:
        unit = sum(w.strides[a] == 1 for w in kernel.writes) * 4 + sum(r.strides[a] == 1 for r in kernel.reads)
        return (unit if kernel.axes[a] != 1 else 0, a)

    axis = max(range(kernel.outer), key=score, default=None)
    if axis is None or extent(kernel.axes[axis]) <= 1:
        return Strategy(0, None)
    across = [k for k, r in enumerate(kernel.reads) if r.strides[axis] not in (0, 1) and not r.guards]
    wide = [a for a in range(kernel.outer) if extent(kernel.axes[a]) >= lanes]
    for a in wide if axis in wide and lanes <= MOST_TURNED else ():
        turned = tuple(k for k in across if kernel.reads[k].strides[a] == 1)
        again = extent(kernel.axes[a]) % lanes != 0  # the last square is moved up, and makes some rows twice
        if turned and not (again and may_overwrite(kernel)):
            return Strategy(lanes, axis, a, lanes, 1, isinstance(kernel.axes[axis], int), turned=turned)
    return Strategy(lanes, axis)


def _reducing(kernel: Kernel, machine: Machine, lanes: int, combining: list[Stage]) -> Strategy:
    used = sorted({k for s in combining for k in leaves(s.body, "arg")})
    reads = [kernel.reads[k] for k in used]
    outer = [
        a
        for a in range(kernel.outer)
        if all(r.strides[a] in (0, 1) for r in reads) and any(r.strides[a] == 1 for r in reads)
    ]
    inner_axes = sorted({a for s in combining for a in s.axes})
    inner = [
        a for a in inner_axes if all(r.strides[a] in (0, 1) for r in reads) and all(a in s.axes for s in combining)
    ]
    best_outer = max(outer, key=lambda a: (_along_writes(kernel, a, lanes), extent(kernel.axes[a]), a), default=None)
    best_inner = max(inner, key=lambda a: (extent(kernel.axes[a]), a), default=None)
    if best_outer is not None and (
        best_inner is None or extent(kernel.axes[best_outer]) * 2 >= min(lanes, extent(kernel.axes[best_inner]))
    ):
        return _tile(kernel, machine, lanes, best_outer, reads)
    if best_inner is None:
        best_inner = max(
            inner_axes,
            key=lambda a: (sum(r.strides[a] in (0, 1) for r in reads), extent(kernel.axes[a]), a),
            default=None,
        )
    return Strategy(lanes if best_inner is not None else 0, best_inner)


def _along_writes(kernel: Kernel, axis: int, lanes: int) -> bool:
    """Whether a vector along this axis is most often whole, and stored in one piece."""
    return extent(kernel.axes[axis]) * 2 >= lanes and all(w.strides[axis] in (0, 1) for w in kernel.writes)


def _tile(kernel: Kernel, machine: Machine, lanes: int, vector: int, reads: list[Read]) -> Strategy:
    """A tile that leaves registers for the operands; rows along an axis that the vector operands do not depend on."""
    moving = [r for r in reads if r.strides[vector] == 1]
    rows = [
        a
        for a in range(kernel.outer)
        if a != vector and extent(kernel.axes[a]) > 1 and all(r.strides[a] == 0 for r in moving)
    ]
    budget = max(1, (machine.registers - 4) // sum(s.combine is not None for s in kernel.stages))
    wide = extent(kernel.axes[vector])
    if not rows:
        columns = max(1, min(4, budget, -(-wide // lanes)))
        return Strategy(lanes, vector, None, 1, columns)
    row_axis = max(rows, key=lambda a: (min(extent(kernel.axes[a]), MOST_ROWS), a))
    columns = 2 if wide > lanes else 1
    most = max(1, min(budget // columns, MOST_ROWS if columns > 1 else MOST_SINGLE_ROWS))
    count = extent(kernel.axes[row_axis])
    terms = prod(extent(n) for n in kernel.axes[kernel.outer :])
    return _ordered(kernel, Strategy(lanes, vector, row_axis, _tall(count, most, terms), columns))


def _ordered(kernel: Kernel, tiles: Strategy) -> Strategy:
    """The order of tiles that moves fewer bytes, and what a column of them copies."""
    vector, row = tiles.vector, tiles.row_axis
    assert vector is not None and row is not None
    if any(isinstance(n, Dim) for n in kernel.axes):
        return tiles
    combining = [s for s in kernel.stages if s.combine is not None]
    used = sorted({k for s in combining for k in leaves(s.body, "arg")})
    inner = {a for s in combining for a in s.axes}
    wide = [k for k in used if kernel.reads[k].strides[vector]]
    tall = [kernel.reads[k] for k in used if k not in wide]
    once = [*kernel.writes, *(r for k, r in enumerate(kernel.reads) if k not in used)]
    a, b = _bytes(kernel, tall, {row, *inner}), _bytes(kernel, [kernel.reads[k] for k in wide], {vector, *inner})
    out = _bytes(kernel, once, {vector, row})
    rows, columns = -(-extent(kernel.axes[row]) // tiles.rows), -(-extent(kernel.axes[vector]) // tiles.width)
    by_rows = rows * b * _weight(b) + a * (1 if a <= rows * NEAR else columns) + out * (1 if out <= NEXT else FAR)
    by_columns = columns * a * _weight(a) + b * (1 if b <= columns * NEAR else rows)
    by_columns += out * (1 if out <= NEXT else SCATTERED)
    tiles = replace(tiles, block=_block(kernel, tiles, a + b, rows * columns))
    if by_rows < by_columns:
        return replace(tiles, rows_first=True)
    tiles = replace(tiles, ahead=tuple(k for k in used if k not in wide and _steps_far(kernel.reads[k], kernel, row)))
    plain = set(range(kernel.outer)) - {vector, row}
    packed = tuple(k for k in wide if _worth_packing(kernel.reads[k], vector, inner, plain))
    size = _bytes(kernel, [kernel.reads[k] for k in packed], {vector, *inner})
    return replace(tiles, packed=packed if rows >= PACK_TILES and size <= columns * PACK_BYTES else ())


def _block(kernel: Kernel, tiles: Strategy, size: int, count: int) -> int:
    """Steps of the first inner axis of which the operands stay in the second cache while all tiles read them; 0 where
    that is all of them, or one tile reads them alone."""
    first, *others = kernel.stages
    plain = prod(extent(kernel.axes[a]) for a in range(kernel.outer) if a not in (tiles.vector, tiles.row_axis))
    if size <= 2 * NEXT or count * plain < FEWEST_TILES or any(s.combine is not None for s in others):
        return 0
    steps, rest = extent(kernel.axes[first.axes[0]]), prod(extent(kernel.axes[a]) for a in first.axes[1:])
    block = max(NEXT * steps // size, -(-FEW_TERMS // rest), 1)
    return block if block < steps else 0


def _worth_packing(read: Read, vector: int, inner: set[int], plain: set[int]) -> bool:
    """Whether its rows lie far apart, and nobody else needs the copy."""
    if read.strides[vector] != 1 or read.guards or not all(read.strides[p] for p in plain):
        return False
    return max((abs(extent(read.strides[i])) for i in inner), default=0) * read.dtype.itemsize >= PACK_STRIDE


def _steps_far(read: Read, kernel: Kernel, row: int) -> bool:
    """Whether it is contiguous along the rows, and each step of the innermost loop begins another line of the cache."""
    step = abs(extent(read.strides[-1]))
    return read.strides[row] == 1 and not read.guards and step * read.dtype.itemsize >= LINE


def _weight(size: int) -> float:
    """What a byte costs that is read again and again, as one of so many."""
    return 0.5 if size <= NEAR else 1 if size <= NEXT else SCATTERED


def _bytes(kernel: Kernel, accesses: Sequence[Read | Write], axes: set[int]) -> int:
    """Bytes that accesses touch while these axes run."""
    total = 0
    for r in accesses:
        moving = [(extent(kernel.axes[a]), extent(r.strides[a])) for a in axes if r.strides[a]]
        span = sum((n - 1) * abs(s) for n, s in moving) + 1
        total += min(prod(n for n, _ in moving), span) * r.dtype.itemsize
    return total


def _tall(count: int, most: int, terms: int) -> int:
    """Rows of a tile, at most ``most``. A divisor where the sums have few terms, so that writing them counts, and where
    the last tile would make many rows again."""
    divisors = [n for n in range(FEWEST_ROWS, most + 1) if count % n == 0]
    tiles = -(-count // most)
    tall = -(-count // tiles)
    short = count <= FEW_TILES * most and terms <= FEW_TERMS
    return divisors[-1] if divisors and (short or (tall * tiles - count) * SELDOM > count) else tall

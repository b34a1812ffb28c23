"""A `Kernel` as CUDA C.

Two forms. *Elementwise*: every stage writes one scalar; a grid of threads walks the flattened parallel axes. *Rows*:
some stage combines or loops; a block of threads takes one point of the parallel axes at a time and combines in shared
memory by a tree whose shape depends on nothing but the kernel, so that a sum has the same bits on every run.

Within a point all reads of a group of writing stages come before its writes, so a kernel may update a buffer in place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import groupby
from math import prod

import numpy as np

from brickwork.tensor.coalesce import coalesce
from brickwork.tensor.dim import Dim, Size
from brickwork.tensor.kernel import Kernel, KernelError, Read, Stage, Write, identity

from .c_types import c_type, literal
from .statements import Statements, atom_text, size_text

__all__ = ["Buffer", "CudaSource", "emit", "prelude"]

THREADS = 256
INDENT = "    "


@dataclass(frozen=True, slots=True)
class Buffer:
    """A pointer parameter: the buffer's number in the kernel, its dtype, and whether the kernel reads and writes it."""

    number: int
    dtype: np.dtype
    read: bool
    written: bool


@dataclass(frozen=True, slots=True)
class CudaSource:
    """A kernel in CUDA C, and how to launch it.

    Parameters of ``entry``: a pointer per buffer, then a ``long long`` per symbol. ``points``: size of the parallel
    axes; ``points_per_block``: how many of them a block of ``threads`` takes at once (any grid is right: blocks
    stride over the rest).
    """

    text: str
    entry: str
    threads: int
    points: Size
    points_per_block: int
    buffers: tuple[Buffer, ...]
    symbols: tuple[str, ...]

    @property
    def program(self) -> str:
        """The whole translation unit: the device functions, then the kernel."""
        return prelude() + self.text


@lru_cache(maxsize=1)
def prelude() -> str:
    """The device functions that generated kernels call."""
    return files(__package__).joinpath("cu", "atoms.cuh").read_text(encoding="utf-8")


def emit(kernel: Kernel) -> CudaSource:
    """The kernel as CUDA C.

    Raises `KernelError` when it breaks a rule of the waist or uses one buffer with two dtypes, `DTypeError` for
    complex and float8.
    """
    kernel.check()
    kernel = coalesce(kernel)
    buffers, names = _buffers(kernel), _symbols(kernel)
    symbols = {name: f"n{i}" for i, name in enumerate(names)}
    elementwise = all(s.write is not None and not s.axes for s in kernel.stages)
    threads = THREADS if elementwise else _row_threads(kernel)
    entry = "bw_elementwise" if elementwise else "bw_rows"
    body = _elementwise(kernel, symbols) if elementwise else _rows(kernel, symbols, threads)
    parameters = ", ".join([*map(_pointer, buffers), *(f"const long long {n}" for n in symbols.values())])
    points = prod(kernel.axes[: kernel.outer])
    lines = [
        *(f"// {parameter}: {name!r}" for name, parameter in symbols.items()),
        f'extern "C" __global__ void __launch_bounds__({threads}) {entry}({parameters})',
        "{",
        f"{INDENT}const long long points = {size_text(points, symbols)};",
        *(INDENT + line for line in body),
        "}",
    ]
    return CudaSource(
        "\n" + "\n".join(lines) + "\n", entry, threads, points, threads if elementwise else 1, buffers, names
    )


def _elementwise(kernel: Kernel, symbols: Mapping[str, str]) -> Iterator[str]:
    yield "const long long stride = (long long)gridDim.x * blockDim.x;"
    yield "for (long long point = (long long)blockIdx.x * blockDim.x + threadIdx.x; point < points; point += stride) {"
    yield from _inside(_indices("point", range(kernel.outer), kernel, symbols))
    yield from _inside(_writes(kernel, kernel.stages, symbols))
    yield "}"


def _rows(kernel: Kernel, symbols: Mapping[str, str], threads: int) -> Iterator[str]:
    yield "for (long long point = blockIdx.x; point < points; point += gridDim.x) {"
    yield from _inside(_indices("point", range(kernel.outer), kernel, symbols))
    # neighbouring writing stages over the same axes share one loop; a combining stage stands alone
    groups = [
        list(g) for _, g in groupby(enumerate(kernel.stages), lambda s: (s[0] if s[1].write is None else -1, s[1].axes))
    ]
    for n, group in enumerate(groups):
        k, stage = group[0]
        if stage.combine is not None:
            yield from _inside(_combine(kernel, k, stage, symbols, threads))
            continue
        yield from _inside(_write_group(kernel, [s for _, s in group], symbols, threads))
        if n + 1 < len(groups):
            yield f"{INDENT}__syncthreads(); // a later stage may read what this one wrote"
    yield "}"


def _combine(kernel: Kernel, k: int, stage: Stage, symbols: Mapping[str, str], threads: int) -> Iterator[str]:
    """Each thread combines every threads-th element in order, then a tree combines the threads."""
    assert stage.combine is not None
    dtype = stage.body.dtype
    c = c_type(dtype).register
    code = Statements(kernel, symbols)
    value = code.value(stage.body)
    step = [*code.lines, f"acc{k} = {atom_text(stage.combine, dtype, dtype, (f'acc{k}', value))};"]
    yield f"{c} acc{k} = {literal(identity(stage.combine, dtype))};"
    if not stage.axes:
        yield from ["{", *_inside(step), "}"]
        return
    yield from _row_loop(kernel, stage.axes, step, symbols, threads)
    pair = (f"parts{k}[threadIdx.x]", f"parts{k}[threadIdx.x + step]")
    yield f"__shared__ {c} parts{k}[{threads}];"
    yield f"parts{k}[threadIdx.x] = acc{k};"
    yield "__syncthreads();"
    yield f"for (unsigned int step = {threads // 2}; step > 0; step /= 2) {{"
    yield f"{INDENT}if (threadIdx.x < step) {pair[0]} = {atom_text(stage.combine, dtype, dtype, pair)};"
    yield f"{INDENT}__syncthreads();"
    yield "}"
    yield f"acc{k} = parts{k}[0];"
    yield "__syncthreads(); // all have read it before the next point writes"


def _write_group(kernel: Kernel, stages: Sequence[Stage], symbols: Mapping[str, str], threads: int) -> Iterator[str]:
    body = _writes(kernel, stages, symbols)
    if stages[0].axes:
        yield from _row_loop(kernel, stages[0].axes, body, symbols, threads)
    else:
        yield from ["if (threadIdx.x == 0) {", *_inside(body), "}"]


def _writes(kernel: Kernel, stages: Sequence[Stage], symbols: Mapping[str, str]) -> list[str]:
    """Everything that the stages compute, each shared value once, and then what they write."""
    code = Statements(kernel, symbols)
    values = [(stage.write, code.value(stage.body)) for stage in stages]
    for write, name in values:
        if write is not None:
            code.write(write, name)
    return code.lines


def _row_loop(
    kernel: Kernel, axes: Sequence[int], body: Iterable[str], symbols: Mapping[str, str], threads: int
) -> Iterator[str]:
    length = size_text(prod(kernel.axes[a] for a in axes), symbols)
    yield f"for (long long j = threadIdx.x; j < {length}; j += {threads}) {{"
    yield from _inside(_indices("j", axes, kernel, symbols))
    yield from _inside(body)
    yield "}"


def _indices(flat: str, axes: Sequence[int], kernel: Kernel, symbols: Mapping[str, str]) -> Iterator[str]:
    """Declarations of the axes' indices, from their position in row-major order."""
    for n, a in enumerate(axes):
        inside = prod(kernel.axes[b] for b in axes[n + 1 :])
        text = flat if inside == 1 else f"{flat} / ({size_text(inside, symbols)})"
        if n > 0:
            text = f"{text} % ({size_text(kernel.axes[a], symbols)})"
        yield f"const long long i{a} = {text};"


def _inside(lines: Iterable[str]) -> Iterator[str]:
    return (INDENT + line for line in lines)


def _row_threads(kernel: Kernel) -> int:
    """Threads per block: a warp for short rows, and about eight elements a thread for long ones."""
    rows = [prod(kernel.axes[a] for a in s.axes) for s in kernel.stages]
    longest = max((n for n in rows if not isinstance(n, Dim)), default=0)
    if any(isinstance(n, Dim) for n in rows):
        return THREADS
    threads = 32
    while threads < 1024 and threads * 8 < longest:
        threads *= 2
    return threads


def _buffers(kernel: Kernel) -> tuple[Buffer, ...]:
    dtypes: dict[int, np.dtype] = {}
    uses = [*((r.source, r.dtype) for r in kernel.reads), *((w.target, w.dtype) for w in kernel.writes)]
    for number, dtype in uses:
        if dtypes.setdefault(number, dtype) != dtype:
            raise KernelError(
                f"kernel: a buffer must have one dtype; got {dtypes[number].name} and {dtype.name} for buffer "
                f"{number}. This is a bug in a lowering rule; please report it"
            )
    read, written = {r.source for r in kernel.reads}, {w.target for w in kernel.writes}
    return tuple(Buffer(n, dtypes[n], n in read, n in written) for n in sorted(dtypes))


def _pointer(buffer: Buffer) -> str:
    """``__restrict__`` lets loads take the read-only path; a buffer that is written too may not promise that."""
    memory = c_type(buffer.dtype).memory
    if not buffer.written:
        return f"const {memory}* __restrict__ b{buffer.number}"
    return f"{memory}* {'' if buffer.read else '__restrict__ '}b{buffer.number}"


def _symbols(kernel: Kernel) -> tuple[str, ...]:
    """The names of all symbolic sizes that the kernel depends on, sorted."""
    sizes: list[Size] = [*kernel.axes]
    accesses: list[Read | Write] = [*kernel.reads, *kernel.writes]
    for access in accesses:
        sizes += [access.offset, *access.strides]
    sizes += [g.extent for r in kernel.reads for g in r.guards]
    sizes += [node.value for s in kernel.stages for node, _ in s.body.program if node.head == "size"]
    return tuple(sorted({name for s in sizes if isinstance(s, Dim) for names, _ in s.terms for name in names}))

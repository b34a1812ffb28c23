"""Kernels such as a compiler makes, each with its arrays: one table for every way of running them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from brickwork.tensor.dim import symbol
from brickwork.tensor.dtypes import NAMES
from brickwork.tensor.expr import Expr, acc, apply, arg, const, gradients, index, size_value
from brickwork.tensor.kernel import Guard, Kernel, Read, Stage, Write, interpret
from brickwork.tensor.nn.activations import ACTIVATIONS
from brickwork.tensor.random import philox

BOOL, F16, F32, F64, I64, U32 = (NAMES[n] for n in ("bool", "float16", "float32", "float64", "int64", "uint32"))
BF16 = NAMES["bfloat16"]
BATCH = symbol("batch")


@dataclass(frozen=True, slots=True)
class Case:
    """``buffers``: size and dtype of each. ``rtol``: against the interpreter, which adds in another order."""

    kernel: Kernel
    buffers: Mapping[int, tuple[int, np.dtype]]
    symbols: Mapping[str, int] = field(default_factory=dict)
    rtol: float = 1e-6

    def arrays(self) -> dict[int, np.ndarray]:
        """Fresh random inputs, and outputs of a value that no kernel writes."""
        rng = np.random.default_rng(7)
        read = {r.source for r in self.kernel.reads}
        return {k: _random(rng, n, d) if k in read else np.full(n, 77).astype(d) for k, (n, d) in self.buffers.items()}

    def expected(self) -> dict[int, np.ndarray]:
        """What the waist means by it."""
        arrays = self.arrays()
        interpret(self.kernel, arrays, self.symbols)
        return arrays


def _random(rng: np.random.Generator, n: int, dtype: np.dtype) -> np.ndarray:
    if dtype == BOOL:
        return rng.random(n) < 0.9
    return rng.integers(0, 1000, n).astype(dtype) if dtype.kind in "iu" else rng.uniform(0.1, 2.0, n).astype(dtype)


def write(body: Expr, target: int, strides: tuple, axes: tuple[int, ...] = (), offset: int = 0) -> Stage:
    """A writing stage."""
    return Stage(axes, body, write=Write(target, body.dtype, offset, strides))


def adam(n: int) -> Case:
    """One step of Adam (Kingma and Ba 2015): gradient, weight and both moments in, the last three out."""
    g, w, m, v = (arg(k, F32) for k in range(4))
    first, second = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * (g * g)
    moved = w - 0.01 * first / (apply("sqrt", second) + 1e-7)
    reads = tuple(Read(k, F32, 0, (1,)) for k in range(4))
    stages = (write(moved, 4, (1,)), write(first, 5, (1,)), write(second, 6, (1,)))
    return Case(Kernel((n,), 1, reads, stages), dict.fromkeys(range(7), (n, F32)))


def activation_gradient(name: str, dtype: np.dtype = F32) -> Case:
    """The gradient of an activation over a batch of rows of seven, the last row read backwards."""
    x, g = arg(0, dtype), arg(1, dtype)
    body = gradients(ACTIVATIONS[name][0](x), g)[0]
    reads = (Read(0, dtype, 0, (7, 1)), Read(1, dtype, 6, (7, -1)))
    kernel = Kernel((BATCH, 7), 2, reads, (write(body, 2, (7, 1)),))
    return Case(kernel, dict.fromkeys(range(3), (5 * 7, dtype)), {"batch": 5}, 1e-2 if dtype.itemsize == 2 else 1e-5)


def uniform(dtype: np.dtype) -> Case:
    """Philox from a counter that is the position, and a key of one element."""
    counter = (index(0) * size_value(3) + index(1)).cast(U32)
    low, high = philox(counter, arg(0, U32), arg(1, U32))
    body = (low >> 8).cast(F32) * 2.0**-24 if dtype == F32 else low ^ high
    reads = (Read(0, U32, 0, (0, 0)), Read(0, U32, 1, (0, 0)))
    return Case(Kernel((BATCH, 3), 2, reads, (write(body, 1, (3, 1)),)), {0: (2, U32), 1: (12, dtype)}, {"batch": 4}, 0)


def padded() -> Case:
    """A shifted sum over a picture that is padded by one, infinity outside, written transposed."""
    edges = (Guard((1, 0), -1, BATCH), Guard((0, 1), -1, 5))
    reads = (Read(0, F32, -6, (5, 1), edges, fill=float("inf")), Read(0, F32, -6, (5, 1), edges))
    body = apply("minimum", arg(0, F32), 1e9) + arg(1, F32)
    kernel = Kernel((BATCH + 2, 7), 2, reads, (write(body, 1, (1, BATCH + 2)),))
    return Case(kernel, {0: (20, F32), 1: (42, F32)}, {"batch": 4})


def softmax(dtype: np.dtype, rows: int, n: int) -> Case:
    """Largest, sum of exponentials, quotient; narrow floats through float32."""
    x = arg(0, dtype).cast(F32)
    e = apply("exp", x - acc(0, F32))
    stages = (Stage((1,), x, "maximum"), Stage((1,), e, "add"), write((e / acc(1, F32)).cast(dtype), 1, (n, 1), (1,)))
    kernel = Kernel((BATCH, n), 1, (Read(0, dtype, 0, (n, 1)),), stages)
    return Case(
        kernel, dict.fromkeys(range(2), (rows * n, dtype)), {"batch": rows}, 1e-2 if dtype.itemsize == 2 else 1e-5
    )


def layer_norm(n: int) -> Case:
    """Mean and variance of a row; writes the row, and once per row the mean and the deviation."""
    x, mean = arg(0, F32), acc(0, F32) / float(n)
    centred = x - mean
    deviation = apply("sqrt", acc(1, F32) / float(n) + 1e-3)
    stages = (
        Stage((1,), x, "add"),
        Stage((1,), centred * centred, "add"),
        write(centred / deviation * arg(1, F32), 2, (n, 1), (1,)),
        write(mean, 3, (1, 0)),
        write(deviation, 4, (1, 0)),
    )
    reads = (Read(0, F32, 0, (n, 1)), Read(1, F32, 0, (0, 1)))
    sizes = {0: (6 * n, F32), 1: (n, F32), 2: (6 * n, F32), 3: (6, F32), 4: (6, F32)}
    return Case(Kernel((6, n), 1, reads, stages), sizes, rtol=3e-5)


def reduction(combine: str, dtype: np.dtype, n: int) -> Case:
    """All n elements into one, in two inner axes that are walked across the grain."""
    stages = (Stage((0, 1), arg(0, dtype), combine), write(acc(0, dtype), 1, (0, 0)))
    kernel = Kernel((n // 4, 4), 0, (Read(0, dtype, 0, (1, n // 4)),), stages)
    return Case(kernel, {0: (n, dtype), 1: (1, dtype)}, rtol=5e-2 if dtype.itemsize == 2 else 1e-5)


def empty_rows() -> Case:
    """Sums over nothing: the identity, from axes whose size is a symbol that is 0."""
    stages = (Stage((1, 2), arg(0, F32), "add"), write(acc(0, F32), 1, (1, 0, 0)))
    kernel = Kernel((3, 2, BATCH), 1, (Read(0, F32, 0, (0, 1, 2)),), stages)
    return Case(kernel, {0: (1, F32), 1: (3, F32)}, {"batch": 0})


def matmul() -> Case:
    """A product of matrices with bias and relu as the epilogue: one point of the output per block."""
    product = Stage((2,), arg(0, F32) * arg(1, F32), "add")
    epilogue = write(apply("maximum", acc(0, F32) + arg(2, F32), 0.0), 3, (4, 1, 0))
    reads = (Read(0, F32, 0, (6, 0, 1)), Read(1, F32, 0, (0, 1, 4)), Read(2, F32, 0, (0, 1, 0)))
    return Case(
        Kernel((BATCH, 4, 6), 2, reads, (product, epilogue)),
        {0: (18, F32), 1: (24, F32), 2: (4, F32), 3: (12, F32)},
        {"batch": 3},
        1e-5,
    )


CASES: dict[str, Case] = {
    "adam": adam(1000),
    **{f"{name}_gradient": activation_gradient(name) for name in ACTIVATIONS},
    "gelu_gradient_float16": activation_gradient("gelu", F16),
    "gelu_gradient_bfloat16": activation_gradient("gelu", BF16),
    "uniform": uniform(F32),
    "words": uniform(U32),
    "padded": padded(),
    "scalar": Case(
        Kernel((), 0, (Read(0, F64, 0, ()),), (write(arg(0, F64) + 1.0, 1, ()),)), {0: (1, F64), 1: (1, F64)}
    ),
    "cube": Case(
        Kernel((2, 3, 4), 3, (Read(0, I64, 0, (12, 4, 1)),), (write(arg(0, I64) * 3, 1, (1, 2, 6)),)),
        {0: (24, I64), 1: (24, I64)},
    ),
    "symbolic_size": Case(
        Kernel((BATCH,), 1, (), (write((size_value(BATCH * 2) - index(0)).cast(F32), 0, (1,)),)),
        {0: (9, F32)},
        {"batch": 9},
    ),
    "softmax": softmax(F32, 3, 100),
    "softmax_float16": softmax(F16, 2, 33),
    "softmax_one_column": softmax(F32, 3, 1),
    "layer_norm": layer_norm(70),
    "sum": reduction("add", F32, 4000),
    "sum_int64": reduction("add", I64, 400),
    "max_bfloat16": reduction("maximum", BF16, 400),
    "min_float64": reduction("minimum", F64, 40),
    "all": reduction("and", BOOL, 40),
    "any": reduction("or", BOOL, 40),
    "prod": reduction("mul", F64, 40),
    "matmul": matmul(),
    "empty_rows": empty_rows(),
    "wide_row": Case(
        Kernel(
            (2, 3000),
            1,
            (Read(0, F32, 0, (3000, 1)),),
            (Stage((1,), arg(0, F32), "add"), write(acc(0, F32) * const(0.5, F32), 1, (1, 0))),
        ),
        {0: (6000, F32), 1: (2, F32)},
        rtol=1e-5,
    ),
}

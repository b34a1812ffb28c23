"""Sampled arguments for every op: elementwise ops and reductions by rule, the others from a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from zlib import crc32

import numpy as np

from brickwork.tensor import OPS, Elementwise, Reduce
from brickwork.tensor.dtypes import complex128, float64, int64
from brickwork.tensor.expr import ATOMS, apply, arg
from brickwork.tensor.ops.elementwise import ROWS
from brickwork.tensor.registry import LATE
from brickwork.tensor.view import Affine, Form

for room in LATE:
    import_module(f"brickwork.tensor.{room}")

BODIES = {name: body for name, body, *_ in ROWS if isinstance(body, str)}
DOMAINS = {
    "logit": (0.05, 0.95),
    "xlogy": (0.1, 9.0),
    "rsqrt": (0.1, 9.0),
    "reciprocal": (0.5, 3.0),
    "floor_divide": (0.5, 3.0),
    "remainder": (0.5, 3.0),
}
ADAPTED: dict[str, Any] = {
    # What the op asks of its operands: a positive definite matrix, a tolerance that no singular value meets.
    "cholesky": lambda x: [(x.astype(float) @ np.swapaxes(x.astype(float), -1, -2) + 3 * np.eye(3)).astype(x.dtype)],
    "pinv": lambda x, rtol: [x, np.full_like(rtol, 1e-3)],
}
SHAPES = {
    1: [((),), ((0, 3),), ((2, 3),)],
    2: [((), ()), ((0, 3), (3,)), ((2, 3), (3,)), ((2, 1), (1, 3))],
    3: [((), (), ()), ((0, 3), (3,), ()), ((2, 3), (3,), ()), ((2, 1), (1, 3), (2, 3))],
}
AXES = [(), (0,), (1,), (0, 1)]


@dataclass(frozen=True)
class Sample:
    """Shapes (and dtypes, float64 by default) of the operands of an op, and its parameters."""

    op: str
    shapes: tuple[tuple[int, ...], ...]
    params: dict[str, Any] = field(default_factory=dict)
    dtypes: tuple[Any, ...] = ()
    below: int = 3  # integers are drawn from 0 to here

    def __str__(self) -> str:
        return f"{self.op}{list(self.shapes)}{''.join(f' {k}={v}' for k, v in self.params.items() if k != 'form')}"

    def arrays(self, dtype: Any = None) -> list[np.ndarray]:
        """Operands, the same on every run; ``dtype`` in place of float64."""
        rng = np.random.default_rng(crc32(str(self).encode()))
        low, high = domain(self.op)
        wanted = self.dtypes or (dtype or float64,) * len(self.shapes)
        arrays = [
            draw(rng, shape, np.dtype(d), low, high, self.below) for shape, d in zip(self.shapes, wanted, strict=True)
        ]
        return ADAPTED[self.op](*arrays) if self.op in ADAPTED and arrays[0].dtype.kind in "fV" else arrays


def domain(op: str) -> tuple[float, float]:
    """Where the function is smooth, as its atom says."""
    return DOMAINS.get(op) or (ATOMS[BODIES[op]].domain if op in BODIES else (-3.0, 3.0))


def draw(rng: np.random.Generator, shape: Any, dtype: np.dtype, low: float, high: float, below: int) -> np.ndarray:
    """Random values of a dtype: integers from where the domain begins, and not 0 where that is above 0."""
    if dtype.kind in "iu":
        return rng.integers(max(0, int(np.ceil(low))), max(below, 2), shape).astype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    return np.asarray(rng.uniform(low, high, shape)).astype(dtype)


def _gram() -> Form:
    """out[i, j] = sum over k of a[i, 2 * k + j - 1] * b[k], zero outside: strided, shifted and padded at once."""
    return Form((3, 4, 5), ((Affine.axis(0, 3), Affine((0, 1, 2), -1)), (Affine.axis(2, 3),)), (0, 1))


WIDE = {"strides": (1, 2), "padding": ((0, 1), (1, 1)), "dilations": (2, 1), "groups": 1}
TABLE = [
    Sample("map", ((2, 3), (3,)), {"body": apply("tanh", arg(0, float64) * arg(1, float64))}),
    Sample("iota", (), {"shape": (2, 3)}),
    Sample("iota", (), {"shape": ()}),
    Sample("reshape", ((2, 3),), {"shape": (3, 2, 1)}),
    Sample("reshape", ((),), {"shape": (1,)}),
    Sample("reshape", ((0, 3),), {"shape": (3, 0)}),
    Sample("identity", ((2, 3),)),
    Sample("stop_gradient", ((2, 3),)),
    Sample("after", ((2, 3), (4,))),
    Sample("transpose", ((2, 3, 4),), {"axes": (2, 0, 1)}),
    Sample("transpose", ((),), {"axes": ()}),
    Sample("broadcast_to", ((1, 3),), {"shape": (4, 2, 3)}),
    Sample("broadcast_to", ((),), {"shape": (0, 2)}),
    Sample("slice", ((5, 6),), {"start": (4, 1), "size": (3, 2), "step": (-2, 3)}),
    Sample("slice", ((5, 6),), {"start": (0, 0), "size": (0, 6), "step": (1, 1)}),
    Sample("pad", ((2, 3),), {"widths": ((1, 0), (0, 2)), "value": 1.5}),
    Sample("pad", ((0,),), {"widths": ((1, 1),), "value": 0.0}),
    Sample("sliding_window", ((2, 7),), {"axes": (1,), "sizes": (2,), "strides": (2,), "dilations": (3,)}),
    Sample("sliding_window", ((4, 5),), {"axes": (0, 1), "sizes": (2, 3), "strides": (1, 1), "dilations": (1, 1)}),
    Sample("concat", ((2, 3), (0, 3), (1, 3)), {"axis": 0}),
    Sample("concat", ((2, 1), (2, 2)), {"axis": 1}),
    Sample("take", ((4, 3), (2, 2)), {"axis": 0}, (float64, int64), below=4),
    Sample("take", ((2, 4), (0,)), {"axis": 1}, (float64, int64), below=4),
    Sample("scatter_add", ((2, 2, 3), (2, 2)), {"axis": 0, "size": 4}, (float64, int64), below=4),
    Sample("gather_nd", ((3, 4, 2), (2, 1), (3,)), {}, (float64, int64, int64)),
    Sample("gather_nd", ((3, 4), (0,)), {}, (float64, int64)),
    Sample("scatter_nd", ((2, 3, 2), (2, 1), (3,)), {"sizes": (3, 4)}, (float64, int64, int64)),
    Sample("put", ((3, 4, 2), (2, 3, 2), (2, 1), (3,)), {}, (float64, float64, int64, int64)),
    *(
        Sample("scatter", ((3, 4, 2), (2, 3, 2), (2, 1), (3,)), {"mode": mode}, (float64, float64, int64, int64))
        for mode in ("add", "mul", "min", "max")
    ),
    Sample("scatter", ((4,), (0,), (0,)), {"mode": "add"}, (float64, float64, int64)),
    Sample("scatter", ((3,), (6,), (6,)), {"mode": "mul"}, (float64, float64, int64)),
    Sample("set_slice", ((5, 6), (3, 2)), {"start": (4, 1), "size": (3, 2), "step": (-2, 3)}),
    Sample("take_along_axis", ((3, 4), (2, 4)), {"axis": 0}, (float64, int64)),
    Sample("add_along_axis", ((3, 2), (3, 2)), {"axis": 1, "size": 4}, (float64, int64)),
    Sample("argsort", ((3, 4),), {"axis": 0, "descending": False}),
    Sample("argsort", ((3, 4),), {"axis": 1, "descending": True}),
    Sample("sort", ((3, 4),), {"axis": 0, "descending": False}),
    Sample("sort", ((3, 4),), {"axis": 1, "descending": True}),
    Sample("searchsorted", ((0,), (2, 3)), {"side": "left"}),
    Sample("isin", ((3, 4), (5,)), {}, (int64, int64), below=6),
    Sample("cholesky", ((2, 3, 3),)),
    Sample("inv", ((2, 3, 3),)),
    Sample("det", ((2, 3, 3),)),
    Sample("slogdet", ((2, 3, 3),)),
    Sample("solve", ((2, 3, 3), (3,))),
    Sample("solve", ((3, 3), (2, 3, 2))),
    Sample("pinv", ((3, 2), ())),
    Sample("cofactors", ((2, 3, 3),)),
    Sample("cofactors", ((0, 0),)),
    Sample("eig", ((2, 3, 3),)),
    Sample("eigvals", ((2, 3, 3),)),
    Sample("eigh", ((2, 3, 3),)),
    Sample("eigvalsh", ((2, 3, 3),)),
    Sample("svd", ((2, 3, 2),), {"full": False}),
    Sample("svd", ((2, 4),), {"full": False}),
    Sample("svd", ((3, 3),), {"full": True}),
    Sample("svdvals", ((2, 3, 2),)),
    Sample("qr", ((4, 3),), {"complete": False}),
    Sample("qr", ((2, 2, 4),), {"complete": False}),
    Sample("qr", ((3, 3),), {"complete": True}),
    Sample("fft", ((3, 4),), {"inverse": False, "n": 5, "axis": 1, "norm": "backward"}, (complex128,)),
    Sample("fft", ((3, 4),), {"inverse": True, "n": 2, "axis": 0, "norm": "forward"}, (complex128,)),
    Sample("rfft", ((3, 4),), {"n": 4, "axis": 1, "norm": "backward"}),
    Sample("irfft", ((3, 4),), {"n": 5, "axis": 1, "norm": "ortho"}, (complex128,)),
    Sample("contract", ((3, 8), (5,)), {"form": _gram()}),
    Sample("matmul", ((3,), (3,))),
    Sample("matmul", ((2, 3), (3,))),
    Sample("matmul", ((3,), (3, 2))),
    Sample("matmul", ((5, 1, 2, 3), (4, 3, 2))),
    Sample("matmul", ((2, 0), (0, 3))),
    Sample("conv", ((2, 7, 2), (3, 2, 4)), {"strides": (2,), "padding": ((1, 2),), "dilations": (1,), "groups": 1}),
    Sample("conv", ((1, 6, 5, 2), (2, 3, 2, 3)), WIDE),
    *(
        Sample(op, shape, {"axis": axis})
        for op in ("cumulative_sum", "cumulative_prod")
        for shape, axis in [(((2, 5),), 1), (((3, 2),), 0), (((0, 3),), 0), (((0, 3),), 1), (((1,),), 0)]
    ),
    Sample("argmax", ((2, 3),), {"axis": 1}),
    Sample("argmin", ((2, 3),), {"axis": 0}),
    Sample("softmax", ((2, 3),), {"axis": 1}),
    Sample("softmax", ((2, 3),), {"axis": 0}),
    Sample("softmax", ((0, 3),), {"axis": 1}),
    Sample("log_softmax", ((2, 3),), {"axis": 1}),
    Sample("layer_norm", ((4, 3), (3,), (3,)), {"axis": 1, "epsilon": 1e-3}),
    Sample("layer_norm", ((2, 3, 2), (3, 2), (3, 2)), {"axis": 1, "epsilon": 1e-3}),
    Sample("masked_softmax", ((2, 3),), {"axis": 1}),
    Sample("masked_softmax", ((2, 3),), {"axis": (0, 1)}),
    Sample("standardize", ((4, 3),), {"axes": (0,), "epsilon": 1e-3}),
    Sample("standardize", ((2, 3, 2),), {"axes": (0, 2), "epsilon": 1e-5}),
    Sample("rms_norm", ((4, 3),), {"axes": (1,), "epsilon": 1e-6}),
    Sample("sparsemax", ((4, 3),)),
]


def samples() -> list[Sample]:
    """At least one for each op whose arguments follow from its kind, and the table."""
    out = list(TABLE)
    for op in OPS.values():
        if isinstance(op, Elementwise) and op.name not in ("map", "iota"):
            out += [Sample(op.name, shapes) for shapes in SHAPES[op.arity]]
        elif isinstance(op, Reduce):
            out += [Sample(op.name, ((2, 3),), {"axis": axis, "keepdims": k}) for axis in AXES for k in (False, True)]
            out += [Sample(op.name, ((),), {"axis": (), "keepdims": False})]
            out += [Sample(op.name, ((0, 3),), {"axis": (1,), "keepdims": False})]
    return out

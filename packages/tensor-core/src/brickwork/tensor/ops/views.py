"""The movement ops: each an index map (`index_maps`), so that a compiled kernel reads through it. `movement` has the
functions."""

from __future__ import annotations

from math import prod
from typing import Any

from ..dim import Dim
from ..errors import ShapeError
from ..late import later
from ..op import OPS, Movement, Spec, register, sum_to
from ..spec import Shape, broadcast_shapes
from ..trace import bind

__all__ = [
    "broadcast_to_op",
    "identity_op",
    "pad_op",
    "reshape_op",
    "slice_op",
    "sliding_window_op",
    "stop_gradient_op",
    "transpose_op",
]

_slice_gradient, _window_gradient = later("ops.index_maps.slice_gradient"), later("ops.index_maps.window_gradient")


class Reshape(Movement):
    def infer(self, x: Spec, *, shape: Shape) -> Spec:
        if prod(shape) != x.size:
            raise ShapeError(
                f"reshape: the number of elements must stay; got {x.shape} -> {shape}: {x.size} != {prod(shape)}. "
                "Use -1 for the size that follows"
            )
        return Spec(shape, x.dtype)

    def eval(self, xp: Any, x: Any, *, shape: Shape) -> Any:
        return x.reshape(shape)

    def view(self, x: Spec, **params: Any) -> None:
        return None

    def vjp(self, i: int, g: Any, out: Any, x: Any, *, shape: Shape) -> Any:
        return bind(self, (g,), {"shape": x.shape})


class Identity(Movement):
    """The same values; ``stop_gradient`` is the one without a gradient."""

    def infer(self, x: Spec) -> Spec:
        return x

    def eval(self, xp: Any, x: Any) -> Any:
        return x.view() if hasattr(x, "view") else x

    def view(self, x: Spec, **params: Any) -> None:
        return None

    def vjp(self, i: int, g: Any, out: Any, x: Any) -> Any:
        return g if self.name == "identity" else None


class Transpose(Movement):
    def infer(self, x: Spec, *, axes: tuple[int, ...]) -> Spec:
        return Spec(tuple(x.shape[a] for a in axes), x.dtype)

    def eval(self, xp: Any, x: Any, *, axes: tuple[int, ...]) -> Any:
        return x.transpose(axes)

    view = staticmethod(later("ops.index_maps.transpose"))

    def vjp(self, i: int, g: Any, out: Any, x: Any, *, axes: tuple[int, ...]) -> Any:
        return bind(self, (g,), {"axes": tuple(axes.index(d) for d in range(len(axes)))})


class BroadcastTo(Movement):
    def infer(self, x: Spec, *, shape: Shape) -> Spec:
        if broadcast_shapes("broadcast_to", x.shape, shape) != shape:
            raise ShapeError(
                f"broadcast_to: the shape must be one that {x.shape} stretches to; got {shape}. Reshape it first"
            )
        return Spec(shape, x.dtype)

    def eval(self, xp: Any, x: Any, *, shape: Shape) -> Any:
        return xp.broadcast_to(x, shape)

    view = staticmethod(later("ops.index_maps.broadcast_to"))

    def vjp(self, i: int, g: Any, out: Any, x: Any, *, shape: Shape) -> Any:
        return sum_to(g, x.shape)


class Slice(Movement):
    """Per axis ``start``, ``size`` and ``step`` (negative steps walk back)."""

    def infer(self, x: Spec, *, start: Shape, size: Shape, step: tuple[int, ...]) -> Spec:
        return Spec(size, x.dtype)

    def eval(self, xp: Any, x: Any, *, start: Any, size: Any, step: Any) -> Any:
        keys = []
        for b, n, s in zip(start, size, step, strict=True):
            end = b + n * s
            keys.append(slice(b, end if s > 0 or end >= 0 else None, s) if n else slice(0, 0))
        return x[(*keys, ...)]  # a view, also of an array without axes

    view = staticmethod(later("ops.index_maps.sliced"))

    def vjp(self, i: int, g: Any, out: Any, x: Any, **window: Any) -> Any:
        return bind(OPS["contract"], (g,), {"form": _slice_gradient(x.shape, **window)})


class Pad(Movement):
    """Per axis so many elements of one value before and after."""

    def infer(self, x: Spec, *, widths: tuple[tuple[int, int], ...], value: float) -> Spec:
        return Spec(tuple(n + a + b for n, (a, b) in zip(x.shape, widths, strict=True)), x.dtype)

    def eval(self, xp: Any, x: Any, *, widths: Any, value: float) -> Any:
        return xp.pad(x, widths, constant_values=x.dtype.type(value))

    view = staticmethod(later("ops.index_maps.pad"))

    def vjp(self, i: int, g: Any, out: Any, x: Any, *, widths: Any, value: float) -> Any:
        return bind(
            OPS["slice"], (g,), {"start": tuple(a for a, _ in widths), "size": x.shape, "step": (1,) * len(x.shape)}
        )


class SlidingWindow(Movement):
    """Axis ``axes[k]`` of size n becomes ``(n - (size - 1) * dilation - 1) // stride + 1`` places, and the window
    an axis at the end."""

    def _places(self, x: Spec, axes: Any, sizes: Any, strides: Any, dilations: Any) -> Shape:
        out = list(x.shape)
        for a, k, s, d in zip(axes, sizes, strides, dilations, strict=True):
            span = (k - 1) * d + 1
            if not isinstance(out[a], Dim) and out[a] < span:
                raise ShapeError(
                    f"sliding_window: the window must fit; got size {k} (span {span}) on axis {a} of {x.shape}. "
                    "Pad first"
                )
            out[a] = (out[a] - span) // s + 1
        return tuple(out)

    def infer(self, x: Spec, *, axes: Any, sizes: Any, strides: Any, dilations: Any) -> Spec:
        return Spec(self._places(x, axes, sizes, strides, dilations) + tuple(sizes), x.dtype)

    def eval(self, xp: Any, x: Any, *, axes: Any, sizes: Any, strides: Any, dilations: Any) -> Any:
        shape = self.infer(Spec(x.shape, x.dtype), axes=axes, sizes=sizes, strides=strides, dilations=dilations).shape
        steps = list(x.strides)
        for a, s in zip(axes, strides, strict=True):
            steps[a] *= s
        steps += [x.strides[a] * d for a, d in zip(axes, dilations, strict=True)]
        return xp.lib.stride_tricks.as_strided(x, shape, steps)

    view = staticmethod(later("ops.index_maps.sliding_window"))

    def vjp(self, i: int, g: Any, out: Any, x: Any, **windows: Any) -> Any:
        return bind(OPS["contract"], (g,), {"form": _window_gradient(x.shape, **windows)})


reshape_op = register(Reshape("reshape"))
identity_op = register(Identity("identity"))
stop_gradient_op = register(Identity("stop_gradient"))
transpose_op = register(Transpose("transpose"))
broadcast_to_op = register(BroadcastTo("broadcast_to"))
slice_op = register(Slice("slice"))
pad_op = register(Pad("pad"))
sliding_window_op = register(SlidingWindow("sliding_window"))

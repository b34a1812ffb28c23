"""Running sums and products along an axis, and differences, their inverse."""

from __future__ import annotations

from typing import Any

from ..dim import Dim
from ..dtypes import as_dtype, class_of, wide_of
from ..errors import DTypeError, ShapeError
from ..op import OPS, Opaque, Spec, register
from ..spec import as_bool, as_int, normalize_axis
from ..tensor import Tensor, asarray
from ..trace import bind
from .creation import full, zeros
from .elementwise import astype, not_equal, subtract
from .movement import concat, flip

__all__ = ["cumulative_prod", "cumulative_sum", "diff"]


def _infer(x: Spec, *, axis: int) -> Spec:
    return Spec(x.shape, OPS["sum"].prepare(x.dtype))  # type: ignore[attr-defined]


def _running(ufunc: str) -> Any:
    def evaluate(xp: Any, x: Any, *, axis: int) -> Any:
        out = OPS["sum"].prepare(x.dtype)  # type: ignore[attr-defined]
        return getattr(xp, ufunc)(x, axis=axis, dtype=wide_of(out)).astype(out, copy=False)

    return evaluate


def _backwards(x: Tensor, axis: int) -> Tensor:
    """Sums from the end."""
    return flip(bind(_sum, (flip(x, axis),), {"axis": axis}), axis)


def _shift(x: Tensor, axis: int, by: int) -> Tensor:
    """What stands ``by`` places later; zeros past the end."""
    size = x.shape[axis]
    later = x[(slice(None),) * axis + (slice(by, None),)]
    past = zeros((*x.shape[:axis], by, *x.shape[axis + 1 :]), x.dtype)
    return later if by == 0 or size == 0 else concat([later, past], axis)


def _sum_rule(i: int, g: Tensor, out: Tensor, x: Tensor, *, axis: int) -> Tensor:
    return _backwards(g, axis)


def _prod_rule(i: int, g: Tensor, out: Tensor, x: Tensor, *, axis: int) -> Tensor:
    """``before[i] * s[i]``, where before is the product of what comes earlier and ``s[i] = g[i] + x[i + 1] s[i + 1]``.

    The recurrence goes by doubling (Hillis and Steele, 1986) and divides by nothing, so it is exact at zeros.
    """
    size = x.shape[axis]
    if isinstance(size, Dim):
        raise ShapeError(f"cumulative_prod: its gradient needs a size that is known; got axis {axis} of size {size}. "
                         "Compile for one batch size, or take another axis")  # fmt: skip
    if size < 2:
        return g
    one = full((*x.shape[:axis], 1, *x.shape[axis + 1 :]), 1, x.dtype)
    before = concat([one, out[(slice(None),) * axis + (slice(0, -1),)]], axis)
    total, factor, step = g, _shift(x, axis, 1), 1
    while step < size:
        total, factor = total + factor * _shift(total, axis, step), factor * _shift(factor, axis, step)
        step *= 2
    return before * total


_sum = register(Opaque("cumulative_sum", _infer, _running("cumsum"), _sum_rule))
_prod = register(Opaque("cumulative_prod", _infer, _running("cumprod"), _prod_rule))


def _along(op: Opaque, start: int, x: Any, axis: Any, dtype: Any, include_initial: Any) -> Tensor:
    tensor = asarray(x)
    if axis is None and tensor.ndim != 1:
        raise ShapeError(f"{op.name}: axis must be given unless there is one; got {tensor.spec}. Pass axis=")
    place = 0 if axis is None else normalize_axis(op.name, axis, tensor.ndim)
    wanted = None if dtype is None else as_dtype(dtype)
    out = bind(op, (tensor if wanted is None else astype(tensor, wanted, copy=False),), {"axis": place})
    if wanted is not None:
        out = astype(out, wanted, copy=False)
    if not as_bool(op.name, "include_initial", include_initial):
        return out
    first = full((*out.shape[:place], 1, *out.shape[place + 1 :]), start, out.dtype)
    return concat([first, out], place)


def cumulative_sum(x: Any, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Tensor:
    """``out[i] = x[0] + ... + x[i]`` along ``axis``, which may be left out where there is one.

    ``dtype``: of the sums; by default booleans and integers give 64 bits. ``include_initial``: a leading 0, so that
    the axis is longer by one. Raises `ShapeError` for an axis that is not there.
    """
    return _along(_sum, 0, x, axis, dtype, include_initial)


def cumulative_prod(x: Any, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Tensor:
    """``out[i] = x[0] * ... * x[i]`` along ``axis``; arguments as of `cumulative_sum`, the leading value is 1.

    The gradient is exact also where factors are zero; it needs an axis of known size.
    """
    return _along(_prod, 1, x, axis, dtype, include_initial)


def diff(x: Any, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Tensor:
    """``x[i + 1] - x[i]`` along ``axis``, ``n`` times over; of booleans whether they differ.

    ``prepend``, ``append``: tensors put at the ends first, of the dtype of ``x`` and its shape but for the axis.
    """
    out = asarray(x)
    place, times = normalize_axis("diff", axis, out.ndim), as_int("diff", "n", n, 0)
    ends = [asarray(t) for t in (prepend, append) if t is not None]
    if any(t.dtype != out.dtype for t in ends):
        raise DTypeError(f"diff: the ends must be {out.dtype}; got {[t.dtype.name for t in ends]}. Cast with astype")
    before, after = ([] if t is None else [asarray(t)] for t in (prepend, append))
    if ends:
        out = concat([*before, out, *after], place)
    step = not_equal if class_of(out.dtype) == "b" else subtract
    lead = (slice(None),) * place
    for _ in range(min(times, _known(out.shape[place]))):
        out = step(out[(*lead, slice(1, None))], out[(*lead, slice(0, -1))])
    return out


def _known(size: Any) -> Any:
    """Repeating beyond the size leaves nothing to subtract."""
    return size if isinstance(size, int) else 1 << 16

"""What a layer accepts: rank, sizes of axes, dtype."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from brickwork.tensor import Dim, ShapeError
from brickwork.tensor.tree import leaves

__all__ = ["InputSpec", "check_inputs"]


@dataclass(frozen=True, slots=True)
class InputSpec:
    """``ndim``, ``min_ndim`` and ``max_ndim`` bound the rank; ``axes`` maps an axis to its size."""

    dtype: Any = None
    shape: tuple[int | None, ...] | None = None
    ndim: int | None = None
    max_ndim: int | None = None
    min_ndim: int | None = None
    axes: Mapping[int, int | None] = field(default_factory=dict)


def check_inputs(spec: Any, inputs: Any) -> None:
    """Raise `ShapeError` where inputs break their spec (one, or one per input)."""
    specs, given = leaves_of(spec), [x for x in leaves(inputs) if hasattr(x, "shape")]
    if len(specs) > 1 and len(specs) != len(given):
        raise ShapeError(f"inputs: needs {len(specs)} tensors; got {len(given)}. Pass a list of them")
    for one, x in zip(specs, given):
        _check(one, tuple(x.shape))


def leaves_of(spec: Any) -> list[InputSpec]:
    return [] if spec is None else [spec] if isinstance(spec, InputSpec) else [s for s in spec if s is not None]


def _check(spec: InputSpec, shape: tuple[Any, ...]) -> None:
    ndim = len(shape)
    if spec.ndim is not None and ndim != spec.ndim:
        raise ShapeError(
            f"input must have {spec.ndim} axes; got {ndim}, shape {_text(shape)}. {_rank_fix(ndim, spec.ndim)}"
        )
    if spec.min_ndim is not None and ndim < spec.min_ndim:
        raise ShapeError(
            f"input must have at least {spec.min_ndim} axes; got {ndim}, shape {_text(shape)}. "
            f"{_rank_fix(ndim, spec.min_ndim)}"
        )
    if spec.max_ndim is not None and ndim > spec.max_ndim:
        raise ShapeError(
            f"input must have at most {spec.max_ndim} axes; got {ndim}, shape {_text(shape)}. Reshape or flatten it"
        )
    for axis, size in spec.axes.items():
        if (
            size is not None
            and -ndim <= axis < ndim
            and not isinstance(shape[axis], Dim)
            and shape[axis] not in (size, None)
        ):
            raise ShapeError(f"axis {axis} of the input must have size {size}; got {shape[axis]}, shape "
                             f"{_text(shape)}. "
                             f"The weights were made for {size}: check the columns of the data, or build a new "
                             "layer")  # fmt: skip


def _rank_fix(got: int, wanted: int) -> str:
    return "A single example needs a batch axis: x[None]" if got < wanted else "Flatten or reshape it"


def _text(shape: tuple[Any, ...]) -> str:
    return str(tuple(None if isinstance(n, Dim) else n for n in shape))

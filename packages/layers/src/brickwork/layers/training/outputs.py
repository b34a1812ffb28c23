"""Outputs, targets and weights of a model side by side, whether it has one output, a list or a dict of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import LayerError, nearest

__all__ = ["per_output", "spread", "values_of"]


def values_of(outputs: Any) -> list[Any]:
    """The outputs in order; a dict's by sorted key."""
    if isinstance(outputs, dict):
        return [outputs[k] for k in sorted(outputs)]
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def names_of(outputs: Any, names: Sequence[str] | None) -> list[str]:
    """The names of the outputs: the keys of a dict, or those of the layers that make them."""
    if isinstance(outputs, dict):
        return sorted(outputs)
    count = len(values_of(outputs))
    return list(names) if names and len(names) == count else [f"output_{k}" for k in range(count)]


def per_output(what: str, given: Any, outputs: Any, names: Sequence[str]) -> list[Any]:
    """``given`` (targets, or what `compile` was told) as one entry per output. Raises `LayerError` where they do not
    pair up.
    """
    count = len(values_of(outputs))
    if given is None:
        return [None] * count
    if isinstance(given, dict):
        stray = [k for k in given if k not in names]
        if stray:
            raise LayerError(f"{what}: keys must be names of outputs; got {stray[0]!r}. {nearest(stray[0], names)}")
        return [given.get(name) for name in names]
    if count == 1:
        return [given[0] if isinstance(given, (list, tuple)) and len(given) == 1 else given]
    if isinstance(given, (list, tuple)) and len(given) == count:
        return list(given)
    got = f"{len(given)}" if isinstance(given, (list, tuple)) else type(given).__name__
    raise LayerError(
        f"{what}: must be a list of {count} or a dict by output name ({', '.join(names)}); got {got}. Give one for "
        "each output"
    )


def spread(what: str, given: Any, outputs: Any, names: Sequence[str]) -> list[Any]:
    """As `per_output`, but one that is no list or dict holds for every output."""
    if given is not None and not isinstance(given, (list, tuple, dict)):
        return [given] * len(values_of(outputs))
    return per_output(what, given, outputs, names)

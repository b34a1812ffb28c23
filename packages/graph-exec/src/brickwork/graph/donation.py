"""Donated arguments: tensors whose memory a compiled function may use for its results.

Memory that anyone else holds (another tensor, a NumPy array, a variable) is never written: it is copied first.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from brickwork.tensor.errors import BrickworkError
from brickwork.tensor.spec import TensorSpec
from brickwork.tensor.tensor import Tensor

from .addresses import in_host
from .ir import Graph

__all__ = ["DonatedError", "alone", "donate", "give_up", "pairs", "with_taken"]


class DonatedError(BrickworkError, RuntimeError):
    """A tensor is used whose memory was given to a compiled function."""


class Donated:
    """The data of a tensor that was donated: it has a shape and a dtype, and nothing else."""

    __slots__ = ("dtype", "shape", "who")

    def __init__(self, spec: TensorSpec, who: str):
        self.shape, self.dtype, self.who = spec.shape, spec.dtype, who

    def _refuse(self) -> NoReturn:
        raise DonatedError(
            f"{self.who}: a donated argument must not be used after the call; got {TensorSpec(self.shape, self.dtype)} "
            "again. Use the result in its place, or call without donate_argnums"
        )

    def __array__(self, *args: Any, **options: Any) -> NoReturn:
        self._refuse()

    def __array_ufunc__(self, *args: Any, **options: Any) -> NoReturn:
        self._refuse()

    def __array_function__(self, *args: Any, **options: Any) -> NoReturn:
        self._refuse()

    def __getitem__(self, key: Any) -> NoReturn:
        self._refuse()

    def __len__(self) -> NoReturn:
        self._refuse()

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):  # protocols that are asked for, which it has not
            raise AttributeError(name)
        self._refuse()


def pairs(graph: Graph, results: int, donated: Sequence[bool]) -> tuple[tuple[int, int], ...]:
    """(result, argument) positions: the results that may lie in the memory of a donated argument of the same shape and
    dtype, each given to the first that fits."""
    free = [k for k, gives in enumerate(donated) if gives]
    out = []
    for position in range(results):
        for k in free:
            if graph.outputs[position].spec == graph.inputs[k].spec:
                out.append((position, k))
                free.remove(k)
                break
    return tuple(out)


def alone(leaf: Any, arrays: Sequence[Any]) -> bool:
    """Whether the memory of a leaf is nobody else's, so that it may be written."""
    data = leaf.data if type(leaf) is Tensor else None  # a variable is read, not given away
    if type(data) is not np.ndarray or not (data.flags.owndata and data.flags.c_contiguous and data.flags.writeable):
        return False
    if sum(a is data for a in arrays) != 1:
        return False
    return _holders(data) == _ALONE


def _holders(data: Any) -> int:
    """How many references there are to an object, as this function counts them."""
    return sys.getrefcount(data) if hasattr(sys, "getrefcount") else 0


def _calibrated() -> int:
    """`_holders` of an array that one tensor and one list hold, asked for as `alone` does; -1 where nobody can tell."""
    leaf = Tensor(np.zeros(1))
    arrays = [leaf.data]
    data = leaf.data if type(leaf) is Tensor else None
    if sum(a is data for a in arrays) != 1:
        return -1
    return _holders(data) or -1


_ALONE = _calibrated()


def give_up(leaf: Any, who: str) -> None:
    """Take the memory from a tensor: whoever uses it from now on is told."""
    if type(leaf) is Tensor and not isinstance(leaf.data, Donated):
        leaf.data = Donated(leaf.spec, who)


def donate(
    who: str, leaves: Sequence[Any], arrays: Sequence[np.ndarray], taken: Sequence[int | None], donated: Sequence[bool]
) -> list[np.ndarray]:
    """The arrays for a call, those that are written in place now nobody else's; donated tensors lose theirs."""
    shared = [k for k in taken if k is not None and not alone(leaves[k], arrays)]  # before another list holds them
    out = list(arrays)
    for k in shared:
        out[k] = np.array(in_host(arrays[k]), order="C")
    for leaf, gives in zip(leaves, donated, strict=True):
        if gives:
            give_up(leaf, who)
    return out


def with_taken(results: list[Tensor], arrays: Sequence[np.ndarray], taken: Sequence[int | None]) -> list[Tensor]:
    """All results, those in the memory of arguments among them."""
    if not taken:
        return results
    rest = iter(results)
    return [next(rest) if k is None else Tensor(arrays[k]) for k in taken]

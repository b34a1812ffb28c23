"""How the arguments of a function become arrays: which are static, which are donated, and what tells calls apart."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from brickwork.tensor import tree
from brickwork.tensor.errors import TraceError
from brickwork.tensor.spec import TensorSpec
from brickwork.tensor.tensor import Tensor, asarray

__all__ = ["Arguments"]

_ARRAYS = (Tensor, np.ndarray, np.generic)
_PLAIN = (bool, str, bytes, type(None))


def is_array(leaf: Any) -> bool:
    """Whether a leaf is traced: an array, a tensor or a number."""
    return isinstance(leaf, (*_ARRAYS, int, float, complex)) and not isinstance(leaf, bool)


class Arguments:
    """What is declared of a function's arguments. ``static``: positions, and ``static_names``; ``donated`` likewise."""

    def __init__(
        self,
        fn: Callable[..., Any],
        name: str,
        static_argnums: int | Sequence[int],
        static_argnames: str | Sequence[str],
        donate_argnums: int | Sequence[int],
        donate_argnames: str | Sequence[str],
    ):
        self.name = name
        names = _positional(fn)
        self.static, self.static_names = self._both("static", names, static_argnums, static_argnames)
        self.donated, self.donated_names = self._both("donate", names, donate_argnums, donate_argnames)
        both = sorted(map(str, (self.static & self.donated) | (self.static_names & self.donated_names)))
        if both:
            raise TraceError(
                f"{name}: a static argument is no tensor and can not be donated; got {', '.join(both)} as both. "
                "Name it in one of the two"
            )
        self.plain = not (self.static or self.static_names)
        self.gives = bool(self.donated or self.donated_names)

    def _both(
        self, what: str, names: list[str] | None, nums: int | Sequence[int], given: str | Sequence[str]
    ) -> tuple[frozenset[int], frozenset[str]]:
        """Positions and names, each completed by the other where the signature is known."""
        positions = {nums} if isinstance(nums, int) else set(nums)
        wanted = {given} if isinstance(given, str) else set(given)
        count = len(names) if names is not None else None
        for k in positions:
            if not isinstance(k, int) or isinstance(k, bool) or (count is not None and not -count <= k < count):
                raise TraceError(
                    f"{self.name}: {what}_argnums must be positions of arguments; got {k!r} for "
                    f"{'any number' if count is None else count} of them. Count from 0"
                )
        if count is not None and names is not None:
            positions = {k % count for k in positions}
            wanted |= {names[k] for k in positions}
            positions |= {names.index(n) for n in wanted if n in names}
        return frozenset(positions), frozenset(wanted)

    # reading
    def read(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[list[np.ndarray], Any, tuple[tuple[Any, np.dtype], ...]]:
        """Arrays of the dynamic leaves, what is static, and shape and dtype of the arrays."""
        arrays: list[np.ndarray] = []
        layout: list[Any] = []
        static = self.static
        for k, a in enumerate(args):
            if k in static:
                layout.append(("static", type(a), self._hashed(a)))
            elif isinstance(a, Tensor):
                arrays.append(a.data)
                layout.append(1)
            elif type(a) is np.ndarray:
                arrays.append(a)
                layout.append(1)
            else:
                layout.append(self._leaves(a, arrays))
        for name, a in kwargs.items():
            static_value = name in self.static_names
            layout.append((name, type(a), self._hashed(a)) if static_value else (name, self._leaves(a, arrays)))
        return arrays, tuple(layout), tuple([(a.shape, a.dtype) for a in arrays])

    def _leaves(self, value: Any, arrays: list[np.ndarray]) -> Any:
        """Append the arrays of a tree and give its structure, static leaves included."""
        if isinstance(value, _PLAIN):
            return ("static", type(value), value)
        structure: list[Any] = []
        for path, leaf in tree.flatten(value):
            if isinstance(leaf, Tensor):
                arrays.append(leaf.data)
                structure.append(path)
            elif is_array(leaf):
                arrays.append(np.asarray(asarray(leaf).data))
                structure.append(path)
            else:
                structure.append((path, type(leaf), self._hashed(leaf)))
        return (type(value), tuple(structure))

    def _hashed(self, leaf: Any) -> Any:
        try:
            hash(leaf)
        except TypeError:
            raise TraceError(
                f"{self.name}: arguments must be arrays, numbers, trees of them, or hashable; "
                f"got {type(leaf).__name__}. Turn it into an array, or close over it"
            ) from None
        return leaf

    # filling
    def filled(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], source: Iterator[Any]
    ) -> tuple[list[Any], dict[str, Any]]:
        """The arguments with other values in place of the arrays, in the order of `read`."""

        def replace(value: Any) -> Any:
            if isinstance(value, _ARRAYS):
                return next(source)
            if isinstance(value, _PLAIN):
                return value
            return tree.unflatten(value, [next(source) if is_array(x) else x for x in tree.leaves(value)])

        moved = [a if k in self.static else replace(a) for k, a in enumerate(args)]
        return moved, {k: v if k in self.static_names else replace(v) for k, v in kwargs.items()}

    def dynamic(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Those that are not static."""
        return (
            [a for k, a in enumerate(args) if k not in self.static],
            {k: v for k, v in kwargs.items() if k not in self.static_names},
        )

    def given(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """For each array of `read`, the leaf that it came from where that argument is donated, else None."""
        out: list[Any] = []

        def add(value: Any, donated: bool) -> None:
            if not isinstance(value, _PLAIN):
                leaves = [value] if isinstance(value, _ARRAYS) else tree.leaves(value)
                out.extend(x if donated else None for x in leaves if is_array(x))

        for k, a in enumerate(args):
            if k not in self.static:
                add(a, k in self.donated)
        for name, a in kwargs.items():
            if name not in self.static_names:
                add(a, name in self.donated_names)
        return out


def with_specs(value: Any) -> Any:
    """A tree in which each `TensorSpec` is a tensor of that spec, which has no values."""
    if isinstance(value, TensorSpec):
        return Tensor(value)
    if isinstance(value, dict):
        return {k: with_specs(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        parts = [with_specs(v) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


def _positional(fn: Callable[..., Any]) -> list[str] | None:
    """The names of the positional parameters; None where there may be any number of them, or nobody knows."""
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]

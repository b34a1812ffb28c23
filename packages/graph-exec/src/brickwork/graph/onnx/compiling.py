"""A model as native calls: one function for each set of numbers that its shapes follow from."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from brickwork.tensor import Tensor

from ..compiled import Function, function
from .foreign import is_foreign
from .model import Model

__all__ = ["CompiledModel"]

_MOST = 32
"""How many functions are kept; the one used longest ago goes first."""


class CompiledModel:
    """A model that runs compiled. Most inputs are arguments; those that shapes follow from (`Model.sizes`: axes, the
    shape of a `Reshape`, ...) and strings are compiled in, so that other numbers there give another function."""

    def __init__(self, model: Model):
        self.model = model
        self._functions: OrderedDict[Any, Function] = OrderedDict()

    def run(self, *args: Any) -> list[Any]:
        """The outputs as a list."""
        names = [v.name for v in self.model.inputs]
        sizes = self.model.sizes
        fixed = {k for k, (n, a) in enumerate(zip(names, args, strict=False)) if n in sizes or is_foreign(a)}
        key = tuple((k, _key(args[k])) for k in sorted(fixed))
        found = self._functions.pop(key, None)
        if found is None:
            found = function(_bound(self.model, {k: args[k] for k in fixed}, len(args)))
            if len(self._functions) >= _MOST:
                self._functions.popitem(last=False)
        self._functions[key] = found
        out: list[Any] = found(*(a for k, a in enumerate(args) if k not in fixed))
        return out


def _bound(model: Model, fixed: dict[int, Any], count: int) -> Callable[..., list[Any]]:
    """The model as a function of the inputs that are not fixed."""

    def call(*rest: Any) -> list[Any]:
        given = iter(rest)
        return model.run(*(fixed[k] if k in fixed else next(given) for k in range(count)))

    call.__name__ = model.__name__
    return call


def _key(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(_key(v) for v in value)
    if value is None:
        return None
    array = value.numpy() if isinstance(value, Tensor) else value
    return (array.shape, array.dtype.str, tuple(array.reshape(-1)) if array.dtype.hasobject else array.tobytes())

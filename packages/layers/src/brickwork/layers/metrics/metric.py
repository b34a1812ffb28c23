"""`Metric`: numbers collected in variables over many batches, and read when asked."""

from __future__ import annotations

from typing import Any

from brickwork.tensor import Tensor, Variable, asarray, zeros
from brickwork.tensor.eager import EagerTrace
from brickwork.tensor.trace import use

from .. import initializers
from ..naming import auto_name
from ..serialization import Configurable

__all__ = ["Metric"]


class Metric(Configurable):
    """Base: subclasses make variables in ``__init__`` with `add_variable` and define ``update_state`` and
    ``result``.
    """

    kind = "metric"

    def __init__(self, dtype: Any = None, name: str | None = None):
        self.name = name or auto_name(type(self).__name__)
        self.dtype = dtype or "float32"
        self._variables: list[Variable] = []

    def add_variable(
        self,
        shape: Any = (),
        initializer: Any = None,
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """A variable that `reset_state` sets to zero."""
        with use(EagerTrace()):
            make = initializers.get(initializer)
            value = zeros(shape, dtype or self.dtype) if make is None else asarray(make(shape, dtype or self.dtype))
        variable = Variable(value, name=name or "variable", trainable=False)
        self._variables.append(variable)
        return variable

    add_weight = add_variable

    @property
    def variables(self) -> list[Variable]:
        return self._variables

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take a batch into account."""
        raise NotImplementedError(
            f"{type(self).__name__}: define update_state(self, y_true, y_pred, sample_weight=None)"
        )

    def result(self) -> Tensor:
        """The metric over all that was taken in since `reset_state`."""
        raise NotImplementedError(f"{type(self).__name__}: define result(self)")

    def reset_state(self) -> None:
        """Forget everything."""
        for variable in self._variables:
            variable.assign(zeros(variable.shape, variable.dtype))

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"

"""What the recurrent layers with a cell of their own have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from ..input_spec import InputSpec
from .rnn import RNN

__all__ = ["Recurrent"]


class Recurrent(RNN):
    """An `RNN` that makes its own cell from its arguments, and answers for it."""

    def __init__(self, cell: Any, *flags: bool, **kwargs: Any):
        super().__init__(cell, *flags, **kwargs)
        self.input_spec = InputSpec(ndim=3)

    def __getattr__(self, name: str) -> Any:
        cell = self.__dict__.get("cell")
        if cell is None or name not in cell.options:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(cell, name)

    def get_config(self) -> dict[str, Any]:
        own = super().get_config()
        del own["cell"]
        return {**self.cell.get_config(), **own}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        return cls(**config)

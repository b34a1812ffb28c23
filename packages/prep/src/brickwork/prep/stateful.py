"""The base of every estimator: parameters that are checked, and fitted state that is plain data."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from .errors import PrepError, StateError
from .settings import known_params, plain
from .state import VERSION, read_fields, read_version

__all__ = ["Stateful"]


class Stateful(BaseEstimator):
    """A subclass gives `_check_params`, `_learned` and `_restore`, and says whether it is fitted."""

    LEARNED: ClassVar[dict[str, str]] = {}
    """The fields of what was learned, by how a state holds them (see `state.read`)."""

    def _check_params(self, who: str) -> None:
        """PrepError where a parameter of the constructor is not one that fit can use."""

    def _learned(self) -> dict[str, Any]:
        """What fit learned, as plain data."""
        raise NotImplementedError

    def _restore(self, values: Any, where: str) -> None:
        """Sets what fit sets, from what `LEARNED` let pass; StateError where it does not fit together."""
        raise NotImplementedError

    def to_state(self) -> dict[str, Any]:
        """What was fitted, as a dict that `json` can write; `from_state` of it transforms bit by bit alike.

        StateError where a parameter is no data; TargetError where a label is not plain.
        """
        who = self._who("to_state")
        self._need_fit(who)
        params = {name: plain(value, f"{who}.{name}") for name, value in self.get_params(deep=False).items()}
        return {"type": type(self).__name__, "version": VERSION, "params": params, "learned": self._learned()}

    @classmethod
    def from_state(cls, state: Any) -> Self:
        """The estimator of a state. StateError where it is damaged; nothing in a state can execute."""
        where = f"{cls.__name__}.from_state"
        read_version(state, cls.__name__, where)
        values = read_fields(state, {"type": "str", "version": "int", "params": "dict", "learned": "dict"}, where)
        made = cls(**known_params(cls, values["params"], where))
        try:
            made._check_params(where)
            made._restore(read_fields(values["learned"], cls.LEARNED, f"{where}.learned"), where)
        except StateError:
            raise
        except PrepError as cause:
            raise StateError(str(cause)) from None
        return made

    def _who(self, method: str) -> str:
        return f"{type(self).__name__}.{method}"

    def _need_fit(self, who: str) -> None:
        if not self.__sklearn_is_fitted__():
            raise NotFittedError(f"{who}: this {type(self).__name__} is not fitted yet. Call fit first.")

    def __sklearn_is_fitted__(self) -> bool:
        raise NotImplementedError

"""The base of what keeps some columns as they are, and drops others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..columns import Column
from ..errors import PrepError, quote
from ..frame import Table
from ..frame.choosing import take_columns
from ..state import demand, read_fields
from ..transformer import Transformer

__all__ = ["ColumnChoice"]


class ColumnChoice(Transformer):
    """Keeps the columns that fit chose, untouched.

    What comes out is of the kind that went in: a frame of the same library, a dict, an array (also of a list of rows);
    scikit-learn's `set_output` overrides that. A column that is dropped need not be there at transform.

    A subclass gives `_drops`.

    Attributes
    ----------
    kept_ : tuple of the positions of the columns kept
    dropped_ : dict from the name of a dropped column to the reason
    """

    kept_: tuple[int, ...]
    dropped_: dict[str, str]

    def _drops(self, table: Table, columns: Sequence[Column], y: Any, who: str) -> Mapping[int, str]:
        """The positions of the columns to drop, and why."""
        raise NotImplementedError

    def get_support(self, indices: bool = False) -> np.ndarray:
        """Bool (n_features_in_,): the columns kept; or their positions, int64, as scikit-learn's selectors have it."""
        self._need_fit(self._who("get_support"))
        kept = np.array(self.kept_, dtype=np.int64)
        return kept if indices else np.isin(np.arange(self.n_features_in_), kept)

    def _learn(self, table: Table, columns: Sequence[Column], y: Any, who: str) -> None:
        drops = self._drops(table, columns, y, who)
        if len(drops) == len(columns):
            found = quote([f"{table.names[i]}: {why}" for i, why in drops.items()])
            rows = "1 sample" if table.n_rows == 1 else f"{table.n_rows} rows"
            raise PrepError.of(who, "a column to keep is needed", f"{rows}; {found}")
        self.kept_ = tuple(i for i in range(len(columns)) if i not in drops)
        self.dropped_ = {table.names[i]: drops[i] for i in sorted(drops)}

    def _give(self, table: Table, positions: Sequence[int], X: Any, who: str) -> Any:
        return take_columns(X, [positions[i] for i in self.kept_])

    def _names(self, names: Sequence[str]) -> list[str]:
        return [names[i] for i in self.kept_]

    def _needs(self) -> Sequence[bool]:
        return self.get_support().tolist()

    def _learned(self) -> dict[str, Any]:
        return {"kept": list(self.kept_), "why": list(self.dropped_.values())}

    def _restore(self, learned: Any, where: str) -> None:
        values = read_fields(learned, {"kept": "tuple[count, ...]", "why": "tuple[str, ...]"}, where)
        kept, why, n = values["kept"], values["why"], len(self.schema_)
        demand(bool(kept) and list(kept) == sorted(set(kept)) and kept[-1] < n, where, "kept must be columns", kept)
        demand(len(why) == n - len(kept), where, "why must be as many as columns dropped", len(why))
        dropped = [one.name for i, one in enumerate(self.schema_) if i not in set(kept)]
        self.kept_, self.dropped_ = kept, dict(zip(dropped, why, strict=True))

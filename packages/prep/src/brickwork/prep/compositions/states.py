"""Which estimators have a state, and the way down from a composition to the transformers in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer

from ..errors import PrepError, StateError, nearest
from ..settings import known_params, plain
from ..state import FIX, VERSION, demand, read_fields, read_version
from . import columns, steps

__all__ = ["States", "codecs"]

DEEPEST = 24  # compositions inside compositions
UNFITTED = "Unfitted"


@dataclass(frozen=True, slots=True)
class Kind:
    """A composition of scikit-learn's: `write(estimator, states, at)` gives fields, `read(state, states, at)` it."""

    of: type
    write: Callable[[Any, States, Place], dict[str, Any]]
    read: Callable[[Any, States, Place], Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a composition one stands. `fitted`: whether what stands there has learned (no columns, no learning)."""

    where: str
    fitted: bool = True
    depth: int = 0

    def inside(self, name: str, *, fitted: bool = True) -> Place:
        """The place of a part that is called so."""
        return Place(f"{self.where}[{name!r}]", self.fitted and fitted, self.depth + 1)


KINDS: Mapping[str, Kind] = {
    "Pipeline": Kind(Pipeline, steps.write_pipeline, steps.read_pipeline),
    "FeatureUnion": Kind(FeatureUnion, steps.write_union, steps.read_union),
    "ColumnTransformer": Kind(ColumnTransformer, columns.write, columns.read),
    "FunctionTransformer": Kind(FunctionTransformer, steps.write_identity, steps.read_identity),
}


@dataclass(frozen=True, slots=True)
class States:
    """Writes and reads estimators: `known` transformers by name, and compositions of them."""

    known: Mapping[str, type]

    def to_state(self, estimator: Any) -> dict[str, Any]:
        """See `bundles.to_state`."""
        return self.write(estimator, Place(f"to_state({type(estimator).__name__})"))

    def from_state(self, state: Any) -> Any:
        """See `bundles.from_state`."""
        return self.read(state, Place("from_state"))

    def write(self, estimator: Any, at: Place) -> dict[str, Any]:
        """The state of what stands at a place."""
        if at.depth > DEEPEST:
            raise StateError.of(at.where, f"compositions are not nested deeper than {DEEPEST}", "more")
        name = type(estimator).__name__
        if self.known.get(name) is type(estimator):
            if at.fitted:
                return estimator.to_state()
            params = estimator.get_params(deep=False).items()
            return {"type": UNFITTED, "of": name, "params": {k: plain(v, f"{at.where}.{k}") for k, v in params}}
        kind = KINDS.get(name)
        if kind is None or kind.of is not type(estimator):
            raise _refused(estimator, at.where)
        return {"type": name, "version": VERSION, **kind.write(estimator, self, at)}

    def read(self, state: Any, at: Place) -> Any:
        """What stands at a place."""
        demand(at.depth <= DEEPEST, at.where, f"compositions are not nested deeper than {DEEPEST}", at.depth)
        name = state.get("type") if isinstance(state, Mapping) else None
        if name == UNFITTED and not at.fitted:
            values = read_fields(state, {"type": "str", "of": "str", "params": "dict"}, at.where)
            demand(values["of"] in self.known, at.where, "of must be a known transformer", values["of"])
            of = self.known[values["of"]]
            return of(**known_params(of, values["params"], at.where))
        if isinstance(name, str) and name in self.known and at.fitted:
            return self.known[name].from_state(state)
        if isinstance(name, str) and name in KINDS:
            read_version(state, name, at.where)
            return KINDS[name].read(state, self, at)
        known = sorted([*self.known, *KINDS])
        rule = "type must be a known transformer" + ("" if at.fitted else ", unfitted")
        raise StateError.of(at.where, rule, f"{name!r}{nearest(name, known)}", FIX)


@dataclass(frozen=True, slots=True)
class Codec:
    """How a bundle (brickwork.tensor) writes and reads a type that is not prep's own."""

    of: type
    states: States

    def to_state(self, estimator: Any) -> dict[str, Any]:
        """See `States.to_state`."""
        return self.states.to_state(estimator)

    def from_state(self, state: Any) -> Any:
        """See `States.from_state`; StateError too where it is a state of another type."""
        made = self.states.from_state(state)
        demand(type(made) is self.of, "from_state", f"type must be {self.of.__name__!r}", type(made).__name__)
        return made


def codecs(states: States) -> dict[str, Codec]:
    """By name, what a bundle needs to hold scikit-learn's compositions."""
    return {name: Codec(kind.of, states) for name, kind in KINDS.items() if name != "FunctionTransformer"}


def _refused(estimator: Any, where: str) -> PrepError:
    rule = f"transformers of prep's, and {', '.join(KINDS)} of them, can be saved"
    own = type(estimator)
    fix = "Use prep's transformer of that kind."
    if hasattr(estimator, "predict"):
        fix = "Save the prep part, pipeline[:-1]; a model has a file format of its own."
    return StateError.of(where, rule, f"{own.__module__.partition('.')[0]}'s {own.__name__}", fix)

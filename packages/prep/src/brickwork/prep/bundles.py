"""What of prep may stand in a saved file: found by its entry point, closed, and read by `from_state` alone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from . import binning, cleaning, dates, encoding, imputing, outliers, parsing, scaling, text, windows
from .arithmetic import Program
from .compositions import States, codecs
from .images import ImageNormalizer, ImageResizer
from .table import TablePrep
from .targets import LabelBinarizer, LabelEncoder, MultiLabelBinarizer, TargetPrep, TargetScaler

ROOMS = (binning, cleaning, dates, encoding, imputing, outliers, parsing, scaling, text, windows)

TRANSFORMERS: Mapping[str, type] = MappingProxyType(
    {name: t for room in ROOMS for name in room.__all__ if isinstance(t := getattr(room, name), type)}
    | {"TablePrep": TablePrep}
)
"""What takes a table."""

TARGETS: Mapping[str, type] = MappingProxyType(
    {t.__name__: t for t in (LabelBinarizer, LabelEncoder, MultiLabelBinarizer, TargetPrep, TargetScaler)}
)
"""What takes a target."""

IMAGES: Mapping[str, type] = MappingProxyType({t.__name__: t for t in (ImageNormalizer, ImageResizer)})
"""What takes images."""

STATES = States({**TRANSFORMERS, **IMAGES})
"""Writes and reads these and scikit-learn's compositions of them."""

TYPES: Mapping[str, Any] = MappingProxyType({**TRANSFORMERS, **TARGETS, **IMAGES, **codecs(STATES), "Program": Program})


def to_state(estimator: Any) -> dict[str, Any]:
    """A fitted transformer, or a composition of such, as plain data that `json` can write.

    Compositions are scikit-learn's Pipeline, ColumnTransformer and FeatureUnion of prep's transformers, "passthrough",
    "drop" and one another, to any depth. What belongs to a machine and not to the data (`n_jobs`, `memory`, `verbose`)
    is not part of a state.

    Raises
    ------
    StateError : what can not be data stands in it: a model, a function, another library's transformer
    NotFittedError : something in it was not fitted

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from brickwork.prep import RobustScaler, StandardScaler, from_state, to_state
    >>> pipeline = make_pipeline(RobustScaler(), StandardScaler()).fit([[1.0], [2.0], [6.0]])
    >>> again = from_state(to_state(pipeline))
    >>> (again.transform([[4.0]]) == pipeline.transform([[4.0]])).all()
    np.True_
    """
    return STATES.to_state(estimator)


def from_state(state: Any) -> Any:
    """The estimator of a state that `to_state` wrote, whatever it was; `transform` of it gives the same bits.

    Nothing in a state can execute: types are looked up in a closed list, and every value is checked. StateError, which
    says where, for a state that is damaged, edited or of another version.

    >>> from brickwork.prep import StandardScaler, from_state
    >>> from_state(StandardScaler().fit([[1.0], [3.0]]).to_state()).transform([[2.0], [4.0]]).tolist()
    [[0.0], [2.0]]
    """
    return STATES.from_state(state)

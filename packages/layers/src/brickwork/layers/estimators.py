"""`Classifier` and `Regressor`: networks as scikit-learn estimators. The one room that imports scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from . import estimator_state
from .callbacks import EarlyStopping
from .canonical import WeightedRows, canonical, held_out
from .core import Dense, Input
from .errors import LayerError
from .losses import MeanSquaredError, SparseCategoricalCrossentropy
from .models import Model, Sequential
from .optimizers import get as get_optimizer
from .regularization import Dropout
from .seeds import seeded

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.class_weight import compute_class_weight
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d, validate_data
except ImportError as error:
    fix = "python -m pip install 'brickwork-layers[sklearn]'"
    raise ImportError(f"Classifier and Regressor: need scikit-learn 1.6 or newer; got {error}. Run {fix}") from error

__all__ = ["Classifier", "Regressor"]

PREDICT_ROWS = 1024  # of a batch of predict
FEWEST = 8  # rows of a batch of predict, so that one row is computed by the same code as many, to the last bit


class _Network(BaseEstimator):
    """What both estimators share. Every attribute that fit sets is documented in `Classifier`."""

    def _train(self, rows: WeightedRows, outputs: int, groups: np.ndarray) -> None:
        """Fit a new network to rows; ``groups`` (n,): whose shares validation keeps."""
        _check_parameters(self)
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        chosen = held_out(groups, self.validation_fraction, seed)
        with seeded(seed):
            self.model_ = self._new_network(rows.x.shape[1], outputs)
        learn, judge = rows.take(np.flatnonzero(~chosen)), rows.take(np.flatnonzero(chosen))
        stop = EarlyStopping(
            monitor="val_loss" if chosen.any() else "loss", patience=self.patience or 0, restore_best_weights=True
        )
        found = self.model_.fit(
            learn.x, learn.y, sample_weight=learn.weight, batch_size=self.batch_size, epochs=self.epochs,
            validation_data=(judge.x, judge.y, judge.weight) if chosen.any() else None,
            callbacks=[stop] if self.patience is not None else [], verbose=self.verbose,
        )  # fmt: skip
        self.history_ = {name: [float(value) for value in values] for name, values in found.history.items()}
        self.n_epochs_ = len(self.history_["loss"])

    def _train_more(self, rows: WeightedRows, outputs: int) -> None:
        """One epoch of the network there is, or of a new one."""
        if not hasattr(self, "model_"):
            _check_parameters(self)
            with seeded(int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))):
                self.model_ = self._new_network(rows.x.shape[1], outputs)
            self.history_, self.n_epochs_ = {"loss": []}, 0
        found = self.model_.fit(
            rows.x, rows.y, sample_weight=rows.weight, batch_size=self.batch_size, epochs=1, verbose=self.verbose
        )
        self.history_["loss"].append(float(found.history["loss"][-1]))
        self.n_epochs_ += 1

    def _new_network(self, features: int, outputs: int) -> Model:
        """Compiled; from ``model`` where that is given."""
        if self.model is None:
            parts: list[Any] = [Input((features,), name="features")]
            for k, units in enumerate(self.hidden, 1):
                parts.append(Dense(int(units), activation=self.activation, name=f"hidden_{k}"))
                if self.dropout:
                    parts.append(Dropout(self.dropout, name=f"dropout_{k}"))
            # From zeros the first answers are the same for every row, and so are those far from any row learned from.
            last = Dense(outputs, kernel_initializer="zeros", name="outputs")
            network: Model = Sequential([*parts, last], name="network")
        else:
            network = self.model(features, outputs)
            if not isinstance(network, Model):
                who, got = type(self).__name__, type(network).__name__
                raise LayerError(f"{who}: model(n_features, n_outputs) must give a Model; got {got}")
        optimizer = get_optimizer(self.optimizer)
        optimizer = type(optimizer).from_config({**optimizer.get_config(), "name": "optimizer"})
        if self.learning_rate is not None:
            optimizer.learning_rate = self.learning_rate
        network.compile(optimizer, self._loss())
        return network

    def _outputs(self, X: Any) -> np.ndarray:
        """Float64 (n, outputs): what the network gives for checked rows."""
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float32, reset=False)
        padded = np.concatenate([rows, np.zeros((-len(rows) % FEWEST, rows.shape[1]), np.float32)])
        found = np.asarray(self.model_.predict(padded, batch_size=PREDICT_ROWS, verbose=0), dtype=np.float64)
        return found[: len(rows)].reshape(len(rows), -1)

    def to_state(self) -> dict[str, Any]:
        """The fitted estimator as plain data and arrays, for a bundle; `LayerError` for what no file can say."""
        check_is_fitted(self)
        return estimator_state.to_state(self)

    @classmethod
    def from_state(cls, state: Any) -> Self:
        """The estimator of a state: it predicts bit by bit as the one that was saved."""
        estimator: Self = estimator_state.from_state(cls, state)
        return estimator

    def __getstate__(self) -> dict[str, Any]:
        # A network holds compiled functions, which no process can hand to another.
        state = dict(super().__getstate__())
        if "model_" in state:
            state["model_"] = state["model_"].to_state()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "model_" in state:
            state = {**state, "model_": Model.from_state(state["model_"])}
        super().__setstate__(state)


class Classifier(ClassifierMixin, _Network):
    """A network that tells classes apart, as a scikit-learn classifier.

    Rows are numbers of about unit scale: put `StandardScaler` or `brickwork.prep.TablePrep` before it in a pipeline.
    Equal rows count as one of their summed weight, and the order of rows means nothing.

    Parameters
    ----------
    hidden : units of each hidden layer, default (64, 64)
    activation, dropout : of the hidden layers; dropout is the share of units left out, default 0.0
    optimizer : name or `Optimizer`, default "adam"
    learning_rate : float, default 1e-3; None leaves the optimizer's own
    epochs, batch_size : rounds over the rows at most, default 200, and rows a step, default 32
    validation_fraction : share of each class that is held out to see when training should stop, default 0.1; 0 to hold
        none out and watch the training loss
    patience : epochs without a better loss before training stops, default 20; None to run them all. The weights of the
        best epoch are kept.
    class_weight : None, "balanced" (n / (k * count)) or a dict from class to weight
    random_state : int, RandomState or None; the same int gives the same network
    verbose : as in `Model.fit`
    model : None, or a function of (n_features, n_outputs) that gives a `Model` whose outputs are the classes' logits

    Attributes
    ----------
    classes_ : (k,), sorted
    n_features_in_, feature_names_in_ : as in scikit-learn
    model_ : the fitted `Model`; it gives logits (n, k)
    history_ : dict from measure to its value after each epoch
    n_epochs_ : int

    Example
    -------
    >>> from brickwork.layers import Classifier
    >>> net = Classifier(random_state=0).fit([[-1.0], [-0.8], [0.8], [1.0]], ["no", "no", "yes", "yes"])
    >>> net.predict([[-0.9], [0.9]]).tolist()
    ['no', 'yes']
    """

    def __init__(
        self, hidden: Sequence[int] = (64, 64), activation: Any = "relu", dropout: float = 0.0, optimizer: Any = "adam",
        learning_rate: float | None = 1e-3, epochs: int = 200, batch_size: int = 32, validation_fraction: float = 0.1,
        patience: int | None = 20, class_weight: Mapping[Any, float] | str | None = None, random_state: Any = None,
        verbose: Any = 0, model: Callable[[int, int], Model] | None = None,
    ):  # fmt: skip
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.class_weight = class_weight
        self.random_state = random_state
        self.verbose = verbose
        self.model = model

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from X (n, p) and labels y (n,); a weight of 0 is as good as no row."""
        x, labels, weight = self._checked(X, y, sample_weight, reset=True)
        there = slice(None) if weight is None else weight > 0
        self.classes_ = np.unique(labels[there])
        rows = canonical(*self._encoded(x[there], labels[there], None if weight is None else weight[there]))
        self._train(rows, len(self.classes_), rows.y)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """One epoch on these rows. The first call needs ``classes``, or rows of every class."""
        first = not hasattr(self, "model_")
        x, labels, weight = self._checked(X, y, sample_weight, reset=first)
        if first:
            self.classes_ = np.unique(labels if classes is None else np.asarray(classes))
        unknown = np.setdiff1d(labels, self.classes_)
        if len(unknown):
            raise LayerError(
                f"Classifier: y must hold the classes of the first call; got {unknown[:5].tolist()}. Give it classes="
            )
        self._train_more(canonical(*self._encoded(x, labels, weight)), len(self.classes_))
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Float64 (n, k): the probability of each class, exp(z) / sum(exp(z)) of the logits."""
        logits = self._outputs(X)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> np.ndarray:
        """Labels (n,): the most probable class of each row."""
        chances = self.predict_proba(X)
        return self.classes_[chances.argmax(axis=1)]

    def _loss(self) -> Any:
        return SparseCategoricalCrossentropy(from_logits=True)

    def _checked(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[np.ndarray, np.ndarray, Any]:
        if y is None:
            raise ValueError("Classifier: requires y to be passed, but the target y is None")
        x, labels = validate_data(self, X, y, dtype=np.float32, reset=reset)
        check_classification_targets(labels)
        return x, column_or_1d(labels, warn=True), _weights(sample_weight, len(x))

    def _encoded(self, x: np.ndarray, labels: np.ndarray, weight: Any) -> tuple[np.ndarray, np.ndarray, Any]:
        """Class indices, and weights that include those of the classes."""
        indices = np.searchsorted(self.classes_, labels)
        if self.class_weight is not None:
            own = np.ones(len(x)) if weight is None else weight
            weight = own * self._class_weights(indices, own)[indices]
        return x, indices, weight

    def _class_weights(self, indices: np.ndarray, weight: np.ndarray) -> np.ndarray:
        if isinstance(self.class_weight, str) and self.class_weight == "balanced":
            counts = np.bincount(indices, weight, minlength=len(self.classes_))
            return counts.sum() / (len(counts) * np.maximum(counts, np.finfo(float).tiny))
        found: np.ndarray = compute_class_weight(self.class_weight, classes=self.classes_, y=self.classes_[indices])
        return found


class Regressor(RegressorMixin, _Network):
    """A network that predicts numbers, as a scikit-learn regressor; y may have several columns.

    The target is scaled to mean 0 and standard deviation 1 for the network, and its answers back. What is said of rows
    and parameters in `Classifier` holds here; ``model`` gives one output for each column of y.

    Attributes
    ----------
    y_mean_, y_scale_ : float64 (columns of y,)
    n_features_in_, feature_names_in_, model_, history_, n_epochs_ : as in `Classifier`

    Example
    -------
    >>> import numpy as np
    >>> from brickwork.layers import Regressor
    >>> x = np.linspace(-1, 1, 200)[:, None]
    >>> net = Regressor(random_state=0).fit(x, 3 * x[:, 0])
    >>> bool(net.score(x, 3 * x[:, 0]) > 0.99)
    True
    """

    def __init__(
        self, hidden: Sequence[int] = (64, 64), activation: Any = "relu", dropout: float = 0.0, optimizer: Any = "adam",
        learning_rate: float | None = 1e-3, epochs: int = 200, batch_size: int = 32, validation_fraction: float = 0.1,
        patience: int | None = 20, random_state: Any = None, verbose: Any = 0,
        model: Callable[[int, int], Model] | None = None,
    ):  # fmt: skip
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.random_state = random_state
        self.verbose = verbose
        self.model = model

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from X (n, p) and numbers y (n,) or (n, k); a weight of 0 is as good as no row."""
        x, numbers, weight = self._checked(X, y, sample_weight, reset=True)
        rows = canonical(x, numbers, weight)
        self._scale(rows)
        self._train(self._scaled(rows), numbers.shape[1], np.zeros(len(rows.x), np.int64))
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """One epoch on these rows. The scale of the target is that of the first call."""
        first = not hasattr(self, "model_")
        x, numbers, weight = self._checked(X, y, sample_weight, reset=first)
        rows = canonical(x, numbers, weight)
        if first:
            self._scale(rows)
        self._train_more(self._scaled(rows), numbers.shape[1])
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Float64 (n,) or (n, k), as y was."""
        found = self._outputs(X)
        found = found * self.y_scale_ + self.y_mean_
        return found[:, 0] if self._flat else found

    def _loss(self) -> Any:
        return MeanSquaredError()

    def _checked(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[np.ndarray, np.ndarray, Any]:
        if y is None:
            raise ValueError("Regressor: requires y to be passed, but the target y is None")
        x, numbers = validate_data(self, X, y, dtype=np.float32, multi_output=True, y_numeric=True, reset=reset)
        numbers = check_array(numbers, dtype=np.float64, ensure_2d=False, input_name="y")
        self._flat = numbers.ndim == 1
        return x, numbers.reshape(len(x), -1), _weights(sample_weight, len(x))

    def _scale(self, rows: WeightedRows) -> None:
        weight = None if rows.weight is None else rows.weight.astype(np.float64)
        self.y_mean_ = np.average(rows.y, axis=0, weights=weight)
        spread = np.sqrt(np.average(np.square(rows.y - self.y_mean_), axis=0, weights=weight))
        self.y_scale_ = np.where(spread > 0, spread, 1.0)

    def _scaled(self, rows: WeightedRows) -> WeightedRows:
        return WeightedRows(rows.x, ((rows.y - self.y_mean_) / self.y_scale_).astype(np.float32), rows.weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _weights(sample_weight: Any, count: int) -> np.ndarray | None:
    """Float64 (n,), or None; `LayerError` for weights that are no weights."""
    if sample_weight is None:
        return None
    weight = check_array(sample_weight, dtype=np.float64, ensure_2d=False, input_name="sample_weight")
    if weight.shape != (count,):
        raise LayerError(f"sample_weight: must have shape ({count},), one weight for each row; got {weight.shape}")
    if (weight < 0).any() or not weight.any():
        got = "nothing but zeros" if not weight.any() else f"{weight.min()} in row {int(weight.argmin())}"
        raise LayerError(f"sample_weight: must be 0 or more, and some above 0; got {got}")
    return weight


def _check_parameters(estimator: Any) -> None:
    """`LayerError` for what the network itself would not find, or only after work has been done."""
    who = type(estimator).__name__
    rules = {
        "epochs": ("a whole number of at least 1", lambda v: _is_whole(v) and v >= 1),
        "batch_size": ("a whole number of at least 1", lambda v: _is_whole(v) and v >= 1),
        "patience": ("None or a whole number of at least 0", lambda v: v is None or (_is_whole(v) and v >= 0)),
        "validation_fraction": ("a number from 0 to below 1", lambda v: _is_number(v) and 0 <= v < 1),
        "learning_rate": ("None or a number above 0", lambda v: v is None or (_is_number(v) and v > 0)),
        "hidden": ("a tuple of whole numbers of at least 1", lambda v: _is_sizes(v)),
        "model": ("None or a function of (n_features, n_outputs)", lambda v: v is None or callable(v)),
    }
    for name, (rule, holds) in rules.items():
        value = getattr(estimator, name)
        if not holds(value):
            raise LayerError(f"{who}: {name} must be {rule}; got {value!r}")


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _is_sizes(value: Any) -> bool:
    return isinstance(value, (list, tuple, np.ndarray)) and all(_is_whole(n) and n >= 1 for n in value)


TYPES: Mapping[str, type] = {"Classifier": Classifier, "Regressor": Regressor}
"""What of this room may stand in a bundle: an entry point of its own, so that models load without scikit-learn."""

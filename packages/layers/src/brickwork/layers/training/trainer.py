"""`Trainer`: the part of a model that learns. The step is one function over variables, so that it compiles as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from brickwork.tensor import Tensor, find_compiler, jit, sum, value_and_grad, zeros
from brickwork.tensor.tree import leaves

from .. import optimizers
from ..abstract import abstractly, placeholder
from ..call import call_on_tensors, map_leaves
from ..callbacks import CallbackList, History
from ..errors import LayerError
from ..metrics import Mean, Metric
from ..seeds import next_seed
from .arrays import Rows, class_weights, rows_of, split_rows
from .interrupts import Interrupt
from .loop import Plan, evaluate_rows, fit_rows, heard, predict_rows
from .objective import Objective, batch_rows
from .progress import progress_for

__all__ = ["Trainer"]


class Trainer:
    """compile, fit, evaluate and predict for a class that is also a `Layer`."""

    optimizer: Any = None
    compiled = False
    stop_training = False
    history: History | None = None
    output_names: list[str] | None = None
    jit_compile: Any = "auto"
    run_eagerly = False
    _objective: Objective | None = None
    _loss_tracker: Mean | None = None

    def compile(
        self, optimizer: Any = "rmsprop", loss: Any = None, loss_weights: Any = None, metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False, steps_per_execution: int = 1, jit_compile: Any = "auto",
    ) -> None:  # fmt: skip
        """Say how to learn.

        ``loss``, ``loss_weights``, ``metrics``, ``weighted_metrics``: for one output, or a list or a dict by output
        name. ``jit_compile``: "auto" compiles the
        steps where a compiler is installed, True insists, False runs them op by op, as ``run_eagerly`` does.
        """
        self.optimizer = optimizers.get(optimizer)
        self.loss = loss
        self._compile_arguments = {
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
        }
        self._objective = Objective(loss, loss_weights, metrics, weighted_metrics)
        self._loss_tracker = Mean(name="loss")
        self.jit_compile, self.run_eagerly = jit_compile, bool(run_eagerly)
        if jit_compile is True and find_compiler() is None:
            raise LayerError(
                "compile: jit_compile=True needs a compiler; got none. python -m pip install brickwork-graph-exec, or "
                "use jit_compile='auto'"
            )
        self._functions: dict[str, tuple[Any, Callable[..., Any]]] = {}
        self._shuffle_seed = next_seed()
        self.compiled = True

    # metrics
    @property
    def metrics(self) -> list[Metric]:
        """The loss, the metrics that are attributes of the model, then those of `compile`."""
        own = [v for layer in self._all_layers() for v in _metrics_of(layer) if v is not self._loss_tracker]
        tracker = [self._loss_tracker] if self._loss_tracker is not None else []
        return [*tracker, *own, *(self._objective.metrics if self._objective else [])]

    @property
    def metrics_names(self) -> list[str]:
        return [m.name for m in self.metrics]

    def reset_metrics(self) -> None:
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """The metrics by name, as tensors."""
        out: dict[str, Any] = {}
        for metric in self.metrics:
            value = metric.result()
            out.update(value if isinstance(value, dict) else {metric.name: value})
        return out

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The loss of `compile`, and what layers and regularizers added. Override it for a loss of your own."""
        objective = self._built_objective(y, y_pred)
        total = objective.total(y, y_pred, sample_weight)
        for extra in self.losses:  # type: ignore[attr-defined]
            extra = sum(extra)
            total = extra if total is None else total + extra
        if total is None:
            if training:
                raise LayerError("fit: needs a loss; got none. Give compile(loss=...) one, or call add_loss in a layer")
            return zeros(())
        return total

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Take a batch into the metrics of `compile`, and give all metrics."""
        self._built_objective(y, y_pred).update(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def _built_objective(self, y: Any, y_pred: Any) -> Objective:
        objective = self._ready("fit")
        objective.build(y, y_pred, self.output_names)
        return objective

    # one step
    def train_step(self, data: Any) -> dict[str, Any]:
        """Learn from one batch ``(x, y, sample_weight)``. Override it to learn otherwise; it must stay a function of
        tensors and variables.
        """
        x, y, sample_weight = data

        def forward() -> tuple[Any, Any]:
            y_pred = self(x, training=True)  # type: ignore[operator]
            return self.compute_loss(x, y, y_pred, sample_weight), y_pred

        weights = self.trainable_variables  # type: ignore[attr-defined]
        (loss, y_pred), gradients = value_and_grad(forward, variables=weights, has_aux=True)()
        self._track_loss(loss, x)
        self.optimizer.apply(gradients, weights)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Measure one batch."""
        x, y, sample_weight = data
        y_pred = self(x, training=False)  # type: ignore[operator]
        self._track_loss(self.compute_loss(x, y, y_pred, sample_weight, training=False), x)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """The outputs for one batch ``(x,)``."""
        return self(data[0], training=False)  # type: ignore[operator]

    def _track_loss(self, loss: Any, x: Any) -> None:
        assert self._loss_tracker is not None
        self._loss_tracker.update_state(loss, sample_weight=batch_rows(x))

    # the functions of a step, compiled where that can be
    def make_train_function(self) -> Callable[..., Any]:
        """``step(x, y, sample_weight)``. What `train_step` returns comes out only where that is overridden; the metrics
        are in variables.
        """
        return self._function("train", self._three("train_step", "compute_metrics"))

    def make_test_function(self) -> Callable[..., Any]:
        """``step(x, y, sample_weight)`` of `test_step`."""
        return self._function("test", self._three("test_step", "compute_metrics"))

    def make_predict_function(self) -> Callable[..., Any]:
        """``step(x)``."""
        return self._function("predict", lambda x: self.predict_step((x,)))

    def _three(self, name: str, *also: str) -> Callable[..., Any]:
        own = any(getattr(type(self), n) is not getattr(Trainer, n) for n in (name, *also))

        def step(x: Any, y: Any, sample_weight: Any) -> Any:
            logs = getattr(self, name)((x, y, sample_weight))
            self._clear_losses()  # type: ignore[attr-defined]
            return logs if own else None

        step.__name__ = step.__qualname__ = name
        return step

    def _function(self, kind: str, step: Callable[..., Any]) -> Callable[..., Any]:
        """The step, compiled once; that of training once for each set of weights to train."""
        functions = self.__dict__.setdefault("_functions", {})
        key = tuple(id(w) for w in self.trainable_variables) if kind == "train" else ()  # type: ignore[attr-defined]
        if functions.get(kind, (None,))[0] != key:
            functions[kind] = (key, jit(step) if self._compiles() else step)
        return functions[kind][1]  # type: ignore[no-any-return]

    def _compiles(self) -> bool:
        return not self.run_eagerly and self.jit_compile in ("auto", True) and find_compiler() is not None

    # whole runs
    def fit(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, epochs: int = 1, verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0, validation_data: Any = None, shuffle: bool = True, class_weight: Mapping[int,
        float] | None = None,
        sample_weight: Any = None, initial_epoch: int = 0, steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None, validation_freq: Any = 1,
    ) -> History:  # fmt: skip
        """Train on arrays for ``epochs`` passes, in batches of ``batch_size`` (32) rows.

        ``validation_split``: the last part of the rows, kept apart before shuffling. ``validation_data``: ``(x, y)`` or
        ``(x, y, sample_weight)``.
        ``class_weight``: class number to weight. ``verbose``: 0 silent, 1 progress, 2 a line per epoch. The history
        holds metrics by name. An interrupt leaves the
        model as the last whole step left it and is raised again; ``model.history`` has the epochs before it.
        """
        self._ready("fit")
        size, epochs = _count("fit", "batch_size", batch_size, 32), _count("fit", "epochs", epochs, 1)
        rows = rows_of("fit", x, y, sample_weight, self.dtype)  # type: ignore[attr-defined]
        validation = self._validation(validation_data)
        if validation is None and validation_split:
            rows, validation = split_rows(rows, validation_split)
        if class_weight is not None:
            rows = class_weights(rows, class_weight)
        self._prepare(rows)
        valid_size = _count("fit", "validation_batch_size", validation_batch_size, size)
        plan = Plan(
            epochs, initial_epoch, size, steps_per_epoch, shuffle, valid_size, validation_steps, validation_freq
        )
        steps = rows.steps(size) if steps_per_epoch is None else min(steps_per_epoch, rows.steps(size))
        self.history = History()
        heard_ = CallbackList(
            [*heard(callbacks), self.history], self, {"epochs": epochs, "steps": steps, "verbose": verbose}
        )
        fit_rows(self, rows, validation, plan, heard_, progress_for(verbose, epochs, steps))
        return self.history

    def evaluate(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, verbose: Any = "auto",
        sample_weight: Any = None, steps: int | None = None,
        callbacks: Any = None, return_dict: bool = False,
    ) -> Any:  # fmt: skip
        """The loss and metrics over arrays: a number where there is only one, a list, or a dict by name."""
        self._ready("evaluate")
        rows = rows_of("evaluate", x, y, sample_weight, self.dtype)  # type: ignore[attr-defined]
        self._prepare(rows)
        size = _count("evaluate", "batch_size", batch_size, 32)
        heard_ = CallbackList(heard(callbacks), self, {"steps": rows.steps(size), "verbose": verbose})
        logs = evaluate_rows(self, self.make_test_function(), rows, size, heard_, Interrupt(), steps)
        return self._given_back(logs, return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The outputs for arrays, as NumPy arrays, computed in batches of ``batch_size`` (32) rows."""
        rows = rows_of("predict", x, dtype=self.dtype)  # type: ignore[attr-defined]
        size = _count("predict", "batch_size", batch_size, 32)
        self._build_once(rows)
        heard_ = CallbackList(heard(callbacks), self, {"steps": rows.steps(size), "verbose": verbose})
        return predict_rows(self.make_predict_function(), rows, size, heard_, steps)

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One step; gives the metrics since they were last reset."""
        return self._on_batch("train_on_batch", x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Measure one batch; gives the metrics since they were last reset."""
        return self._on_batch("test_on_batch", x, y, sample_weight, None, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as arrays."""
        rows = rows_of("predict_on_batch", x, dtype=self.dtype)  # type: ignore[attr-defined]
        self._build_once(rows)
        return predict_rows(self.make_predict_function(), rows, rows.count, CallbackList([], self, {}))

    def _on_batch(self, who: str, x: Any, y: Any, sample_weight: Any, class_weight: Any, return_dict: bool) -> Any:
        self._ready(who)
        rows = rows_of(who, x, y, sample_weight, self.dtype)  # type: ignore[attr-defined]
        rows = rows if class_weight is None else class_weights(rows, class_weight)
        self._prepare(rows)
        step = self.make_train_function() if who == "train_on_batch" else self.make_test_function()
        logs = step(*next(rows.batches(rows.count)))
        found = logs if isinstance(logs, dict) else self.get_metrics_result()
        return self._given_back(
            {k: v.item() if isinstance(v, Tensor) and v.size == 1 else v for k, v in found.items()}, return_dict
        )

    # before the first step
    def _ready(self, who: str) -> Objective:
        if self._objective is None:
            raise LayerError(
                f"{who}: the model must be compiled first; got one that is not. Call model.compile(optimizer='adam', "
                "loss=...)"
            )
        return self._objective

    def _validation(self, data: Any) -> Rows | None:
        if data is None:
            return None
        if not isinstance(data, (tuple, list)) or len(data) not in (1, 2, 3):
            raise LayerError(
                f"fit: validation_data must be (x, y) or (x, y, sample_weight); got {type(data).__name__}. Use "
                "validation_split for a part of x"
            )
        return rows_of("fit: validation", *data, dtype=self.dtype)  # type: ignore[attr-defined]

    def _build_once(self, rows: Rows) -> None:
        """Make the weights, where there are none yet."""
        if not self.built:  # type: ignore[has-type]
            self._build_for(rows)

    def _build_for(self, rows: Rows) -> Any:
        """Make the weights for the shape of the data, and give what the outputs look like."""
        x = map_leaves(lambda a: placeholder((None, *a.shape[1:]), a.dtype), rows.x)
        if self.run_eagerly:
            return self(next(rows.batches(1))[0], training=False) if not self.built else None  # type: ignore[attr-defined,operator]
        if self.built and self._objective is not None and self._objective.parts is not None:  # type: ignore[has-type,attr-defined]
            return None
        return abstractly(call_on_tensors, self, (x,), {"training": False})

    def _prepare(self, rows: Rows) -> None:
        """Make all variables that a step uses before it is compiled, and find data that does not fit."""
        if self._computes():
            outputs = self._build_for(rows)
            objective = self._ready("fit")
            if outputs is not None and objective.parts is None:
                targets = map_leaves(lambda a: placeholder((None, *a.shape[1:]), a.dtype), rows.y)
                objective.build(targets, outputs, self.output_names)
                weights = map_leaves(lambda a: placeholder((None, *a.shape[1:]), a.dtype), rows.weight)
                if (
                    type(self).train_step is Trainer.train_step
                    and type(self).compute_loss is Trainer.compute_loss
                    and rows.y is not None
                ):
                    abstractly(objective.total, targets, outputs, weights)
        elif self._compiles():
            batch = [
                map_leaves(lambda a: placeholder((None, *a.shape[1:]), a.dtype), part)
                for part in (rows.x, rows.y, rows.weight)
            ]
            abstractly(self.train_step, tuple(batch))
        if isinstance(self.optimizer, optimizers.Optimizer):
            self.optimizer.build(self.trainable_variables)  # type: ignore[attr-defined]

    def _computes(self) -> bool:
        """Whether the model can be called; one whose train_step does all may have no call."""
        return True

    # small things
    def __getstate__(self) -> dict[str, Any]:
        """A copy makes its own steps: those of this model are bound to its variables."""
        return {name: value for name, value in self.__dict__.items() if name != "_functions"}

    @property
    def shuffle_seed(self) -> int:
        """The seed of the order of rows."""
        return self._shuffle_seed

    def steps_taken(self) -> int:
        """How many steps the optimizer has taken."""
        return int(self.optimizer.iterations.numpy()) if hasattr(self.optimizer, "iterations") else 0

    def _given_back(self, logs: dict[str, Any], return_dict: bool) -> Any:
        if return_dict:
            return logs
        values = [v for value in logs.values() for v in (leaves(value) or [value])]
        return values[0] if len(values) == 1 else values

    def _all_layers(self) -> list[Any]:
        raise NotImplementedError


def _metrics_of(layer: Any) -> list[Metric]:
    found: dict[int, Metric] = {}
    for value in vars(layer).values():
        for leaf in (
            value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else (value,)
        ):
            if isinstance(leaf, Metric):
                found[id(leaf)] = leaf
    return list(found.values())


def _count(who: str, name: str, value: Any, default: int) -> int:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise LayerError(f"{who}: {name} must be a whole number of at least 1; got {value!r}")
    return value

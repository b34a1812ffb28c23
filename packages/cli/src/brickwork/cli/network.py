"""The network behind `brickwork train`, trained until it no longer improves or the person says stop."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from brickwork import layers
from brickwork.layers import callbacks, optimizers
from brickwork.prep import TargetPrep

from .lesson import Lesson
from .report import Report, Training

UNITS = (64, 64)
RATE = 1e-3  # Adam's
PATIENCE = 20  # epochs without a better validation loss
MANY_STEPS = 200  # in an epoch; from here on the bar moves within it
SHOWN = {"loss": "loss", "accuracy": "accuracy", "val_loss": "valid loss", "val_accuracy": "valid accuracy"}


@dataclass(frozen=True, slots=True)
class Learned:
    """How training went: the epochs run, the one whose weights were kept, whether the person stopped it, and each
    measure after every epoch.
    """

    epochs: int
    best_epoch: int
    interrupted: bool
    history: Mapping[str, list[float]]


def build(n_features: int, target: TargetPrep, seed: int) -> layers.Sequential:
    """Two hidden layers of rectified units, and a probability per class or one number; compiled with Adam."""
    layers.set_random_seed(seed)
    classes = len(target.classes_) if target.task_ == "classification" else 0
    last = layers.Dense(classes, activation="softmax", name="classes") if classes else layers.Dense(1, name="number")
    hidden = [layers.Dense(units, activation="relu", name=f"hidden_{i}") for i, units in enumerate(UNITS, 1)]
    model = layers.Sequential([layers.Input((n_features,), name="features"), *hidden, last], name="network")
    model.compile(
        optimizer=optimizers.Adam(RATE),
        loss="sparse_categorical_crossentropy" if classes else "mean_squared_error",
        metrics=["accuracy"] if classes else [],
    )
    return model


def fit(model: layers.Model, lesson: Lesson, options: Namespace, report: Report) -> Learned:
    """Train until the validation loss has not improved for a while; the model ends with its best weights.

    Ctrl-C ends training after the running step, and the best weights so far are kept.
    """
    best = callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True)
    interrupted = False
    with report.training(options.epochs) as training:
        steps = -(-len(lesson.answers) // options.batch_size)
        watch = _Watch(training) if steps < MANY_STEPS else _WatchSteps(training, steps)
        try:
            model.fit(
                lesson.features,
                lesson.answers,
                batch_size=options.batch_size,
                epochs=options.epochs,
                validation_data=(lesson.valid_features, lesson.valid_answers),
                callbacks=[best, watch],
                verbose=0,
            )
        except KeyboardInterrupt:
            interrupted = True
            best.on_train_end()  # which fit, cut short, does not call
        training.finish(watch.epochs)
    return Learned(watch.epochs, best.best_epoch + 1 if watch.epochs else 0, interrupted, watch.history)


class _Watch(callbacks.Callback):
    """Keeps what each epoch brought, and tells it."""

    def __init__(self, training: Training):
        super().__init__()
        self._training = training
        self.epochs = 0
        self.history: dict[str, list[float]] = {}

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        found = {name: float(value) for name, value in (logs or {}).items()}
        for name, value in found.items():
            self.history.setdefault(name, []).append(value)
        self.epochs = epoch + 1
        self._training.epoch(epoch, {name: found[key] for key, name in SHOWN.items() if key in found})


class _WatchSteps(_Watch):
    """Also tells of each step, which costs too much where steps are few and short."""

    def __init__(self, training: Training, steps: int):
        super().__init__(training)
        self._steps = steps

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._training.step(self.epochs, (batch + 1) / self._steps)

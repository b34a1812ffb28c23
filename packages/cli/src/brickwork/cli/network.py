"""The network behind `brickwork train`, trained until it no longer improves or the person says stop."""

from __future__ import annotations

import signal
import threading
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from brickwork import layers
from brickwork.prep import TargetPrep

from .lesson import Lesson
from .report import Report, Training

UNITS = (64, 64)
RATE = 1e-3  # Adam's
PATIENCE = 20  # epochs without a better validation loss
SHOWN = {"loss": "loss", "accuracy": "accuracy", "val_loss": "valid loss", "val_accuracy": "valid accuracy"}


@dataclass(frozen=True, slots=True)
class Learned:
    """How training went: the epochs run, whether the person stopped it, and each measure after every epoch."""

    epochs: int
    interrupted: bool
    history: Mapping[str, list[float]]


def build(n_features: int, target: TargetPrep, seed: int) -> layers.Sequential:
    """Two hidden layers of rectified units, and a probability per class or one number; compiled with Adam."""
    layers.set_random_seed(seed)
    classes = len(target.classes_) if target.task_ == "classification" else 0
    last = layers.Dense(classes, activation="softmax") if classes else layers.Dense(1)
    hidden = [layers.Dense(units, activation="relu") for units in UNITS]
    model = layers.Sequential([layers.Input((n_features,)), *hidden, last])
    model.compile(
        optimizer=layers.Adam(RATE),
        loss="sparse_categorical_crossentropy" if classes else "mean_squared_error",
        metrics=["accuracy"] if classes else [],
    )
    return model


def fit(model: layers.Model, lesson: Lesson, options: Namespace, report: Report) -> Learned:
    """Train until the validation loss has not improved for a while; the model ends with its best weights.

    Ctrl-C ends training after the running step, and what was best so far is kept; a second one ends it at once.
    """
    with report.training(options.epochs) as training, _stopping() as asked:
        watch = _Watch(training, asked)
        history = model.fit(
            lesson.features,
            lesson.answers,
            batch_size=options.batch_size,
            epochs=options.epochs,
            validation_data=(lesson.valid_features, lesson.valid_answers),
            callbacks=[layers.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True), watch],
            verbose=0,
        ).history
        training.finish(len(history.get("loss", ())))
    plain = {name: [float(value) for value in values] for name, values in history.items()}
    return Learned(len(plain.get("loss", ())), asked.is_set(), plain)


class _Watch(layers.Callback):
    """Tells the progress, and stops training when asked."""

    def __init__(self, training: Training, asked: threading.Event):
        super().__init__()
        self._training, self._asked, self._epoch = training, asked, 0

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._training.step(self._epoch, (batch + 1) / max(self.params.get("steps") or 1, batch + 1))
        self._stop_if_asked()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        found = logs or {}
        self._training.epoch(epoch, {name: float(found[key]) for key, name in SHOWN.items() if key in found})
        self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        if self._asked.is_set():
            self.model.stop_training = True


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets; the second one is Python's own KeyboardInterrupt."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # only there may a program listen for signals
        yield asked
        return

    def ask(number: int, frame: Any) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)

"""Who trains: ours, PyTorch in three ways, Keras on two backends. A side is built for a workload and runs its steps.

`losses` are means since the first step, as Keras gives them. All work of a step is done when a method returns.
"""

from __future__ import annotations

import itertools
import os
import statistics
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from .models import inputs_and_outputs
from .workloads import Workload, initial

RATE, EPSILON = 1e-3, 1e-7
"""Of Adam."""
DROPOUT = 0.5
JAX_STATE = tuple(f"{part}_variables" for part in ("trainable", "non_trainable", "optimizer", "metrics"))


@lru_cache(maxsize=2)
def rows(work: Workload, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(x, y) of an epoch of so many steps."""
    return work.rows(count)


def filled(model: Any) -> Any:
    """A model of layers with the first weights that every side has."""
    for layer in model.layers:
        weights = layer.get_weights()
        if weights:
            layer.set_weights(initial(layer.name, [w.shape for w in weights]))
    return model


def compiled(work: Workload, model: Any, optimizers: Any, losses: Any) -> Any:
    kinds = {
        0: lambda: losses.MeanSquaredError(),
        1: lambda: losses.BinaryCrossentropy(from_logits=True),
    }
    loss = kinds.get(work.classes, lambda: losses.SparseCategoricalCrossentropy(from_logits=True))()
    model.compile(optimizer=optimizers.Adam(RATE, epsilon=EPSILON), loss=loss)
    return model


class Ours:
    """The step that `fit` calls, compiled by `brickwork.graph`."""

    def __init__(self, work: Workload, threads: int, drop: bool):
        from brickwork import layers

        x, y = inputs_and_outputs(work, layers, DROPOUT if drop else 0.0)
        self.model = compiled(work, filled(layers.Model(x, y)), layers.optimizers, layers.losses)
        self.work, self.batch = work, work.rows(1)
        self.step = self.model.make_train_function()

    def losses(self, count: int) -> list[float]:
        return [self.steps(1) for _ in range(count)]

    def steps(self, count: int) -> float:
        for _ in range(count):
            self.step(*self.batch, None)
        return float(self.model.get_metrics_result()["loss"])

    def fit(self, count: int) -> float:
        x, y = rows(self.work, count)
        start = time.perf_counter()
        self.model.fit(x, y, batch_size=self.work.batch, verbose=0)
        return time.perf_counter() - start

    def predict(self) -> Callable[[], Any]:
        row = self.batch[0][:1]
        return lambda: self.model.predict(row, verbose=0)

    @staticmethod
    def peak() -> float:
        """GFLOP/s of the better of two products of matrices, NumPy's and ours, at three sizes."""
        import brickwork.tensor as bt

        product, best = bt.jit(lambda a, b: a @ b), 0.0
        for n in (512, 1024, 1536):
            a, b = (np.ones((n, n), np.float32) for _ in range(2))
            for run in (lambda a=a, b=b: a @ b, lambda a=a, b=b: product(a, b)):
                run()
                for _ in range(4):
                    start = time.perf_counter()
                    run()
                    best = max(best, 2 * n**3 / (time.perf_counter() - start) / 1e9)
        return best


class Torch:
    """Eager PyTorch; ``last``: pictures and filters with their channels last; ``whole``: `torch.compile` of the model
    and its loss."""

    def __init__(self, work: Workload, threads: int, drop: bool, last: bool = False, whole: bool = False):
        import torch

        from .torch_models import build

        torch.set_num_threads(threads)
        self.torch, self.work, self.last = torch, work, last
        self.model = build(work.key, DROPOUT if drop else 0.0)
        if last:
            self.model = self.model.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=RATE, eps=EPSILON, fused=True)
        kinds = {0: torch.nn.MSELoss(), 1: torch.nn.BCEWithLogitsLoss()}
        loss = kinds.get(work.classes, torch.nn.CrossEntropyLoss())
        model = self.model
        self.loss = (lambda x, y: loss(model(x), y)) if not whole else torch.compile(lambda x, y: loss(model(x), y))
        self.batch = self._tensors(*work.rows(1))
        self.seen: list[float] = []

    def _tensors(self, x: np.ndarray, y: np.ndarray) -> tuple[Any, Any]:
        a, b = self.torch.from_numpy(x), self.torch.from_numpy(y)
        if self.work.pictures:
            a = a.permute(0, 3, 1, 2)
            a = a.contiguous(memory_format=self.torch.channels_last) if self.last else a.contiguous()
        return a, b.long() if self.work.classes > 1 else b

    def _step(self, x: Any, y: Any) -> Any:
        self.optimizer.zero_grad()
        loss = self.loss(x, y)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def losses(self, count: int) -> list[float]:
        out = []
        for _ in range(count):
            self.seen.append(self._step(*self.batch).item())
            out.append(statistics.fmean(self.seen))
        return out

    def steps(self, count: int) -> float:
        for _ in range(count):
            loss = self._step(*self.batch)
        return float(loss)

    def fit(self, count: int) -> float:
        x, y = self._tensors(*rows(self.work, count))
        start = time.perf_counter()
        order = self.torch.randperm(len(x))
        losses = [self._step(x[part], y[part]) for part in order.split(self.work.batch)]
        self.torch.stack(losses).mean().item()
        return time.perf_counter() - start

    def predict(self) -> Callable[[], Any]:
        row, torch, model = self.batch[0][:1], self.torch, self.model.eval()

        def call() -> Any:
            with torch.inference_mode():
                return model(row)

        return call


class Keras:
    """Keras 3, with the step that its own `fit` calls."""

    def __init__(self, work: Workload, threads: int, drop: bool, backend: str):
        os.environ["KERAS_BACKEND"] = backend
        if backend == "tensorflow":
            import tensorflow as tf

            if tf.config.threading.get_intra_op_parallelism_threads() != threads:
                tf.config.threading.set_intra_op_parallelism_threads(threads)
                tf.config.threading.set_inter_op_parallelism_threads(threads)
        import keras

        x, y = inputs_and_outputs(work, keras.layers, DROPOUT if drop else 0.0)
        self.model = compiled(work, filled(keras.Model(x, y)), keras.optimizers, keras.losses)
        self.work, self.batch = work, work.rows(1)
        self.model.test_on_batch(*self.batch)  # makes the variables that a step uses; no weight changes
        self.model.reset_metrics()
        self.model.optimizer.build(self.model.trainable_variables)
        self.model.make_train_function()
        self.state: Any = None
        self._step = self._tensorflow_step() if backend == "tensorflow" else self._jax_step()

    def _tensorflow_step(self) -> Callable[[], Any]:
        import tensorflow as tf

        batches = iter(tf.data.Dataset.from_tensors(self.batch).repeat())
        return lambda: self.model.train_function(batches)["loss"]

    def _jax_step(self) -> Callable[[], Any]:
        import jax

        batches = itertools.repeat(tuple(map(jax.device_put, self.batch)))
        self.state = self.model._get_jax_state(**dict.fromkeys(JAX_STATE, True))

        def step() -> Any:
            logs, self.state = self.model.train_function(self.state, batches)
            return logs["loss"]

        return step

    def losses(self, count: int) -> list[float]:
        return [float(self._step()) for _ in range(count)]

    def steps(self, count: int) -> float:
        for _ in range(count):
            loss = self._step()
        return float(loss)

    def fit(self, count: int) -> float:
        self._settle()
        x, y = rows(self.work, count)
        start = time.perf_counter()
        self.model.fit(x, y, batch_size=self.work.batch, verbose=0)
        return time.perf_counter() - start

    def predict(self) -> Callable[[], Any]:
        self._settle()
        row = self.batch[0][:1]
        return lambda: self.model.predict_on_batch(row)

    def _settle(self) -> None:
        if self.state is not None:  # a step took the arrays that the variables still name
            self.model._jax_state = dict(zip(JAX_STATE, self.state, strict=True))
            self.model._jax_state_synced = False
            self.model.jax_state_sync()
            self.state = None


def torch_last(work: Workload, threads: int, drop: bool) -> Torch:
    return Torch(work, threads, drop, last=True)


def torch_compile(work: Workload, threads: int, drop: bool) -> Torch:
    return Torch(work, threads, drop, last=work.pictures, whole=True)


def keras_tensorflow(work: Workload, threads: int, drop: bool) -> Keras:
    return Keras(work, threads, drop, "tensorflow")


def keras_jax(work: Workload, threads: int, drop: bool) -> Keras:
    return Keras(work, threads, drop, "jax")


SIDES: dict[str, Callable[[Workload, int, bool], Any]] = {
    "ours": Ours,
    "torch": Torch,
    "torch-channels-last": torch_last,
    "torch-compile": torch_compile,
    "keras-tensorflow": keras_tensorflow,
    "keras-jax": keras_jax,
}

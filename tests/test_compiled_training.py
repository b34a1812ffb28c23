"""Layers and the compiler together: a compiled fit is the eager fit, and every step of it is native."""

import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from brickwork.graph import Function
from brickwork.graph.batches import Batches
from brickwork.layers import (
    GRU,
    LSTM,
    Add,
    BatchNormalization,
    Bidirectional,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    Input,
    LayerNormalization,
    MaxPooling2D,
    Model,
    MultiHeadAttention,
    Sequential,
    callbacks,
    set_random_seed,
)

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(70, 6)).astype("float32")
LABELS = RNG.integers(0, 3, 40)
SEQUENCES = RNG.normal(size=(40, 7, 4)).astype("float32")
IMAGES = RNG.normal(size=(40, 8, 8, 2)).astype("float32")


def mlp():
    return Sequential([Input((6,)), Dense(16, activation="relu"), Dense(8, activation="tanh"), Dense(1)])


def residual():
    x = Input((6,))
    h = Dense(6, activation="gelu")(x)
    return Model(x, Dense(3)(LayerNormalization()(Add()([x, Dropout(0.3)(h)]))))


def cnn():
    return Sequential(
        [
            Input((8, 8, 2)),
            Conv2D(4, 3, padding="same", activation="relu"),
            BatchNormalization(),
            MaxPooling2D(2),
            Conv2D(6, 3, strides=2, padding="same"),
            Flatten(),
            Dropout(0.5),
            Dense(3, activation="softmax"),
        ]
    )


def text():
    return Sequential(
        [
            Input((7,), dtype="int32"),
            Embedding(9, 4, mask_zero=True),
            Bidirectional(LSTM(3, return_sequences=True)),
            GRU(4, dropout=0.2, recurrent_dropout=0.1),
            Dense(3, activation="softmax"),
        ]
    )


def encoder():
    x = Input((7, 4))
    h = LayerNormalization()(Add()([x, MultiHeadAttention(2, 3, dropout=0.1)(x, x, use_causal_mask=True)]))
    return Model(x, Dense(3, activation="softmax")(GlobalAveragePooling1D()(h)))


class Hears(callbacks.Callback):
    """Steps that somebody hears of are made one by one."""

    def on_train_batch_end(self, batch, logs=None):
        pass


CASES = {
    "mlp, adam": (mlp, "adam", "mse", ROWS, ROWS[:, :1] * 2, ["mae"]),
    "mlp, sgd": (mlp, "sgd", "mse", ROWS, ROWS[:, :1] * 2, []),
    "residual": (residual, "adam", "mse", ROWS, ROWS[:, :3], ["mae"]),
    "cnn": (cnn, "adam", "sparse_categorical_crossentropy", IMAGES, RNG.integers(0, 3, 40), ["accuracy"]),
    "text": (text, "adam", "sparse_categorical_crossentropy", RNG.integers(0, 9, (40, 7)), LABELS, ["accuracy"]),
    "encoder": (encoder, "adam", "sparse_categorical_crossentropy", SEQUENCES, LABELS, ["accuracy"]),
}
CALLED_BACK = {"text": 2}
"""Rows of a table are taken, and their gradient is added to it, by NumPy."""


@pytest.mark.parametrize("name", CASES)
def test_compiled_fit_is_eager_fit(name):
    build, optimizer, loss, x, y, metrics = CASES[name]
    weights = RNG.uniform(0.5, 2.0, len(x)).astype("float32")
    found = []
    for compiled in (False, True):
        set_random_seed(7)
        model = build()
        model.compile(optimizer, loss, metrics=metrics, jit_compile=compiled)
        history = model.fit(x, y, batch_size=16, epochs=3, sample_weight=weights, validation_split=0.2, verbose=0)
        found.append((history.history, model.get_weights(), model.predict(x[:5], verbose=0)))
    (eager, eager_weights, eager_out), (native, native_weights, native_out) = found
    for key, values in eager.items():
        np.testing.assert_allclose(native[key], values, rtol=2e-3, atol=2e-5, err_msg=key)
    for a, b in zip(native_weights, eager_weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-2, atol=2e-4)
    np.testing.assert_allclose(native_out, eager_out, rtol=5e-3, atol=5e-4)


@pytest.mark.parametrize("name", CASES)
def test_whole_steps_are_native_and_the_last_batch_is_one_more_variant(name):
    build, optimizer, loss, x, y, metrics = CASES[name]
    model = build()
    model.compile(optimizer, loss, metrics=metrics)
    model.fit(x, y, batch_size=16, epochs=2, verbose=0)
    step = model.make_train_function()
    assert isinstance(step, Function)
    variants = step.explain()
    assert [v.symbolic for v in variants] == [False, True]
    assert [v.calls for v in variants] == [CALLED_BACK.get(name, 0)] * 2


def test_same_seed_same_bits_compiled():
    def once():
        set_random_seed(3)
        model = cnn()
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(IMAGES, CASES["cnn"][4], batch_size=16, epochs=2, verbose=0)
        return [w.tobytes() for w in model.get_weights()]

    assert once() == once()


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_many_steps_in_one_call_give_the_bits_of_steps_one_by_one(name, shuffle, monkeypatch):
    """With dropout, moving averages, metrics and a last, shorter batch."""
    build, optimizer, loss, x, y, metrics = CASES[name]
    runs = []
    monkeypatch.setattr(Batches, "run", lambda self, n, run=Batches.run: runs.append(n) or run(self, n))
    found = []
    for hears in ([], [Hears()]):
        set_random_seed(3)
        model = build()
        model.compile(optimizer, loss, metrics=metrics)
        split = {"validation_data": (x[:33], y[:33])}
        history = model.fit(x, y, batch_size=6, epochs=3, shuffle=shuffle, verbose=0, callbacks=hears, **split).history
        state = [v.numpy().tobytes() for v in (*model.weights, *model.optimizer.variables)]
        found.append((state, history, model.steps_taken(), sum(runs)))
        runs.clear()
    (state, history, steps, many), (other, heard, count, few) = found
    assert (state, history, steps) == (other, heard, count)
    assert many == 3 * (len(x) // 6 + 33 // 6) and few == 3 * (33 // 6), "of fit that nobody hears all whole batches"


def test_data_in_columns_and_steps_per_epoch_are_walked_alike():
    wide = np.asfortranarray(np.hstack([ROWS, ROWS]))[:, :6]
    found = []
    for x, hears in ((ROWS, [Hears()]), (wide, []), (np.hstack([ROWS, ROWS])[:, :6], [])):
        set_random_seed(3)
        model = mlp()
        model.compile("adam", "mse")
        model.fit(x, ROWS[:, :1], batch_size=8, steps_per_epoch=5, epochs=2, verbose=0, callbacks=hears)
        found.append([w.tobytes() for w in model.get_weights()])
        assert model.steps_taken() == 10
    assert found[0] == found[1] == found[2]


def test_an_interrupt_ends_a_fit_after_a_whole_step():
    """Many steps are one native call, but not so many that Ctrl-C waits for long."""
    model = mlp()
    model.compile("adam", "mse")
    x = np.tile(ROWS, (3000, 1))
    model.fit(x[:64], x[:64, :1], batch_size=8, verbose=0)
    timer = threading.Timer(0.2, lambda: signal.raise_signal(signal.SIGINT))
    start = time.perf_counter()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, x[:, :1], batch_size=8, epochs=1000, verbose=0)
    assert time.perf_counter() - start < 5, "all epochs take minutes"
    assert 8 < model.steps_taken() < 1000 * len(x) // 8
    assert np.isfinite(model.predict(ROWS, verbose=0)).all()


FLAT = """
import gc, threading, numpy as np
from brickwork.layers import Dense, Sequential
def resident():
    gc.collect()
    return int(open("/proc/self/statm").read().split()[1])
x = np.random.default_rng(0).normal(size=(100, 13)).astype("f")
model = Sequential([Dense(64, activation="relu"), Dense(64, activation="relu"), Dense(1)])
model.compile("adam", "mse")
def work(fits):
    for _ in range(fits):
        model.fit(x, x[:, :1], verbose=0)
    for _ in range(100 * fits):
        model.predict(x[:1], verbose=0)
work(100)
before, threads = resident(), threading.active_count()
variants = [len(step.explain()) for _, step in model._functions.values()]
work(1000)
assert [len(step.explain()) for _, step in model._functions.values()] == variants
assert threading.active_count() == threads
print(resident() / before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the resident memory from /proc")
def test_memory_is_flat_over_a_thousand_fits_and_a_hundred_thousand_predictions():
    done = subprocess.run([sys.executable, "-c", FLAT], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 1.01

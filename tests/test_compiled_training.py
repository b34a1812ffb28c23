"""Layers and the compiler together: a compiled fit is the eager fit, and every step of it is native."""

import numpy as np
import pytest

from brickwork.graph import Function
from brickwork.layers import (
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Input,
    LayerNormalization,
    MaxPooling2D,
    Model,
    Sequential,
    set_random_seed,
)

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(70, 6)).astype("float32")
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


CASES = {
    "mlp, adam": (mlp, "adam", "mse", ROWS, ROWS[:, :1] * 2, ["mae"]),
    "mlp, sgd": (mlp, "sgd", "mse", ROWS, ROWS[:, :1] * 2, []),
    "residual": (residual, "adam", "mse", ROWS, ROWS[:, :3], ["mae"]),
    "cnn": (cnn, "adam", "sparse_categorical_crossentropy", IMAGES, RNG.integers(0, 3, 40), ["accuracy"]),
}


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
    assert all(v.calls == 0 for v in variants)


def test_same_seed_same_bits_compiled():
    def once():
        set_random_seed(3)
        model = cnn()
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(IMAGES, CASES["cnn"][4], batch_size=16, epochs=2, verbose=0)
        return [w.tobytes() for w in model.get_weights()]

    assert once() == once()

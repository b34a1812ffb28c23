"""Layers, initializers and activations against the formulas, in NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest

from brickwork import layers as L
from brickwork.layers import activations, constraints, initializers, regularizers


def test_dense(rng) -> None:
    layer = L.Dense(3, activation="relu")
    x = rng.normal(size=(5, 4)).astype("f")
    out = layer(x).numpy()
    kernel, bias = layer.get_weights()
    np.testing.assert_allclose(out, np.maximum(x @ kernel + bias, 0), rtol=1e-5, atol=1e-6)
    assert [w.name for w in layer.weights] == ["kernel", "bias"]


def test_conv2d_same_with_strides(rng) -> None:
    x = rng.normal(size=(1, 5, 5, 2))
    layer = L.Conv2D(3, 3, strides=2, padding="same", bias_initializer="ones", dtype="float64")
    out = layer(x).numpy()
    kernel = layer.kernel.numpy()
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    wanted = np.empty((1, 3, 3, 3))
    for i in range(3):
        for j in range(3):
            wanted[0, i, j] = np.einsum("hwc,hwcf->f", padded[0, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3], kernel) + 1
    np.testing.assert_allclose(out, wanted, rtol=1e-12)


def test_pooling(rng) -> None:
    x = rng.normal(size=(2, 4, 6, 3)).astype("f")
    blocks = x.reshape(2, 2, 2, 3, 2, 3)
    np.testing.assert_array_equal(L.MaxPooling2D()(x).numpy(), blocks.max((2, 4)))
    np.testing.assert_allclose(L.AveragePooling2D()(x).numpy(), blocks.mean((2, 4)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(L.GlobalAveragePooling2D()(x).numpy(), x.mean((1, 2)), rtol=1e-5, atol=1e-6)
    edge = L.AveragePooling2D(2, padding="same")(np.ones((1, 3, 3, 1))).numpy()
    np.testing.assert_array_equal(edge, np.ones((1, 2, 2, 1)))


def test_channels_first_is_channels_last_turned(rng) -> None:
    x = rng.normal(size=(2, 6, 5, 3)).astype("f")
    for make in (
        lambda f: L.Conv2D(4, 3, data_format=f, kernel_initializer=initializers.GlorotUniform(1)),
        lambda f: L.MaxPooling2D(data_format=f),
        lambda f: L.AveragePooling2D(data_format=f, padding="same"),
    ):
        last = make("channels_last")(x).numpy()
        first = make("channels_first")(x.transpose(0, 3, 1, 2)).numpy()
        np.testing.assert_allclose(first.transpose(0, 2, 3, 1), last, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(
        L.Flatten(data_format="channels_first")(x.transpose(0, 3, 1, 2)).numpy(), x.reshape(2, -1)
    )


def test_batch_normalization_trains_and_infers(rng) -> None:
    x = rng.normal(3, 2, size=(64, 4, 3))
    layer = L.BatchNormalization(dtype="float64")
    out = layer(x, training=True).numpy()
    mean, variance = x.mean((0, 1)), x.var((0, 1))
    np.testing.assert_allclose(out, (x - mean) / np.sqrt(variance + 1e-3), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.01 * mean, rtol=1e-6)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.99 + 0.01 * variance, rtol=1e-6)
    before = layer.get_weights()
    layer.gamma.assign(np.array([1.0, 2, 3]))
    out = layer(x).numpy()
    wanted = (x - 0.01 * mean) / np.sqrt(0.99 + 0.01 * variance + 1e-3) * [1, 2, 3]
    np.testing.assert_allclose(out, wanted, rtol=1e-6)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), before[2])


def test_frozen_batch_normalization_infers_while_training(rng) -> None:
    layer = L.BatchNormalization()
    x = rng.normal(size=(8, 3)).astype("f")
    layer(x, training=True)
    layer.trainable = False
    moving = layer.moving_mean.numpy()
    np.testing.assert_array_equal(layer(x, training=True).numpy(), layer(x).numpy())
    np.testing.assert_array_equal(layer.moving_mean.numpy(), moving)
    assert layer.trainable_variables == []


@pytest.mark.parametrize("axis", [-1, 1, [1, 2]])
def test_layer_normalization(rng, axis) -> None:
    x = rng.normal(3, 2, size=(5, 4, 3))
    axes = tuple(axis) if isinstance(axis, list) else axis
    wanted = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-3)
    layer = L.LayerNormalization(axis, dtype="float64")
    np.testing.assert_allclose(layer(x).numpy(), wanted, rtol=1e-6)


def test_dropout_keeps_the_mean_and_repeats_by_seed() -> None:
    x = np.ones((200, 100), "f")
    layer = L.Dropout(0.3, seed=5)
    first, second = layer(x, training=True).numpy(), layer(x, training=True).numpy()
    assert set(np.unique(first)) == {np.float32(0), np.float32(1 / 0.7)}
    assert abs((first == 0).mean() - 0.3) < 0.02
    assert (first != second).any()
    np.testing.assert_array_equal(L.Dropout(0.3, seed=5)(x, training=True).numpy(), first)
    np.testing.assert_array_equal(layer(x, training=False).numpy(), x)
    np.testing.assert_array_equal(L.Dropout(1.0)(x, training=True).numpy(), 0 * x)
    rows = L.Dropout(0.5, noise_shape=(None, 1))(x, training=True).numpy()
    assert (rows.min(1) == rows.max(1)).all()


def test_initializer_limits_and_deviations() -> None:
    shape = (200, 300)
    uniform = initializers.GlorotUniform(1)(shape).numpy()
    limit = math.sqrt(6 / 500)
    assert abs(uniform).max() <= limit
    assert abs(uniform.std() - limit / math.sqrt(3)) < 0.02 * limit
    he = initializers.HeNormal(1)(shape).numpy()
    assert abs(he.std() - math.sqrt(2 / 200)) < 0.001
    assert abs(he).max() <= 2 * math.sqrt(2 / 200) / 0.8796 + 1e-6
    lecun = initializers.LecunUniform(1)((3, 3, 4, 8)).numpy()
    assert abs(lecun).max() <= math.sqrt(3 / 36)
    assert abs(initializers.RandomNormal(1.0, 0.1, seed=1)(shape).numpy().mean() - 1) < 0.01


def test_seeds_decide_the_weights() -> None:
    def kernel() -> np.ndarray:
        L.set_random_seed(3)
        layer = L.Dense(4)
        layer(np.ones((1, 3)))
        return layer.kernel.numpy()

    one = kernel()
    np.testing.assert_array_equal(kernel(), one)
    other = L.Dense(4)
    other(np.ones((1, 3)))
    assert (other.kernel.numpy() != one).any()


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("relu", lambda x: np.maximum(x, 0)),
        ("sigmoid", lambda x: 1 / (1 + np.exp(-x))),
        ("tanh", np.tanh),
        ("softplus", lambda x: np.log1p(np.exp(x))),
        ("softsign", lambda x: x / (1 + abs(x))),
        ("elu", lambda x: np.where(x > 0, x, np.expm1(x))),
        ("leaky_relu", lambda x: np.where(x > 0, x, 0.2 * x)),
        ("silu", lambda x: x / (1 + np.exp(-x))),
        ("swish", lambda x: x / (1 + np.exp(-x))),
        ("exponential", np.exp),
        ("linear", lambda x: x),
        ("hard_sigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1)),
        ("softmax", lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
        ("log_softmax", lambda x: x - np.log(np.exp(x).sum(-1, keepdims=True))),
        ("celu", lambda x: np.maximum(x, 0) + np.minimum(np.expm1(np.minimum(x, 0)), 0)),
        ("hard_swish", lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
        ("mish", lambda x: x * np.tanh(np.log1p(np.exp(x)))),
        ("squareplus", lambda x: (x + np.sqrt(x * x + 4)) / 2),
        ("tanh_shrink", lambda x: x - np.tanh(x)),
        ("gelu", lambda x: x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))),
    ],
)
def test_activations(rng, name, formula) -> None:
    x = rng.normal(size=(4, 5)) * 3
    np.testing.assert_allclose(activations.get(name)(x).numpy(), formula(x), rtol=1e-5, atol=1e-7)
    assert activations.get(activations.serialize(activations.get(name))) is activations.get(name)


def test_relu_options() -> None:
    x = np.array([-3.0, 0.5, 1.0, 9.0])
    np.testing.assert_allclose(activations.relu(x, 0.1, 6.0, 1.0).numpy(), [-0.4, -0.05, 0, 6], rtol=1e-6)


def test_regularizers_and_constraints(rng) -> None:
    w = rng.normal(size=(3, 4))
    assert float(regularizers.L1(0.1)(w)) == pytest.approx(0.1 * abs(w).sum())
    assert float(regularizers.get("l2")(w)) == pytest.approx(0.01 * (w**2).sum())
    assert float(regularizers.L1L2(0.1, 0.2)(w)) == pytest.approx(0.1 * abs(w).sum() + 0.2 * (w**2).sum())
    np.testing.assert_allclose(np.linalg.norm(constraints.UnitNorm()(w).numpy(), axis=0), 1, rtol=1e-5)
    assert np.linalg.norm(constraints.MaxNorm(0.5)(w).numpy(), axis=0).max() <= 0.5001
    assert constraints.NonNeg()(w).numpy().min() == 0
    bounded = np.linalg.norm(constraints.MinMaxNorm(0.4, 0.5)(w).numpy(), axis=0)
    assert 0.399 < bounded.min() <= bounded.max() < 0.501

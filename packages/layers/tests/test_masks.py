"""Masks: who makes them, who heeds them, who hands them on, and where they end."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from brickwork import layers as L
from brickwork.layers.masks import mask_of

WORDS = np.array([[3, 1, 2, 4, 1], [2, 4, 0, 0, 0], [1, 0, 2, 0, 0]])


def embedded(**options):
    return L.Embedding(5, 4, mask_zero=True, **options)(WORDS)


def test_embedding_and_masking_make_them() -> None:
    np.testing.assert_array_equal(mask_of(embedded()).numpy(), WORDS != 0)
    assert mask_of(L.Embedding(5, 4)(WORDS)) is None
    x = np.ones((2, 3, 2))
    x[0, 1] = 7
    x[1, 2, 0] = 7
    out = L.Masking(7.0)(x)
    np.testing.assert_array_equal(mask_of(out).numpy(), [[True, False, True], [True, True, True]])
    np.testing.assert_array_equal(out.numpy()[0, 1], 0)
    np.testing.assert_array_equal(out.numpy()[1], x[1])


@pytest.mark.parametrize(
    "layer",
    [
        L.Dense(3), L.Activation("relu"), L.ReLU(), L.Dropout(0.2), L.Rescaling(2.0), L.LayerNormalization(),
        L.BatchNormalization(), L.LSTM(3, return_sequences=True), L.TimeDistributed(L.Dense(2)),
        L.Bidirectional(L.GRU(3, return_sequences=True)),
    ],
)  # fmt: skip
def test_handed_on(layer) -> None:
    np.testing.assert_array_equal(mask_of(layer(embedded())).numpy(), WORDS != 0)


@pytest.mark.parametrize("layer", [L.LSTM(3), L.GlobalAveragePooling1D(), L.Bidirectional(L.LSTM(3))])
def test_ends_where_steps_end(layer) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mask_of(layer(embedded())) is None


def test_a_layer_that_does_not_know_says_so() -> None:
    with pytest.warns(UserWarning, match="conv1d: hands no mask on"):
        assert mask_of(L.Conv1D(3, 2)(embedded())) is None


def test_masked_steps_change_nothing(rng) -> None:
    """Each layer that heeds masks gives for padded rows what it gives for the rows without padding."""
    table = rng.normal(size=(5, 4)).astype("f")
    table[0] = 100
    for layer in (L.LSTM(3), L.GRU(3), L.SimpleRNN(3), L.GlobalAveragePooling1D()):
        one = L.Embedding(5, 4, mask_zero=True, weights=table)
        short = layer(one(WORDS[1:2, :2])).numpy()
        np.testing.assert_allclose(layer(one(WORDS[1:2])).numpy(), short, rtol=1e-5, atol=1e-6)
    attention = L.MultiHeadAttention(2, 3)
    short = one(WORDS[1:2, :2])
    whole = one(WORDS[1:2])
    out = attention(whole, whole)
    np.testing.assert_allclose(out.numpy()[:, :2], attention(short, short).numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(mask_of(out).numpy(), WORDS[1:2] != 0)


def test_moments_of_steps_that_count(rng) -> None:
    table = rng.normal(size=(5, 4)).astype("f")
    layer = L.BatchNormalization(momentum=0.0)
    layer(L.Embedding(5, 4, mask_zero=True, weights=table)(WORDS), training=True)
    rows = table[WORDS[WORDS != 0]]
    np.testing.assert_allclose(layer.moving_mean.numpy(), rows.mean(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layer.moving_variance.numpy(), rows.var(0), rtol=1e-5, atol=1e-6)


def test_merging() -> None:
    other = L.Embedding(5, 4, mask_zero=True)(np.array([[0, 0, 0, 1, 1], [0, 0, 1, 1, 0], [0, 0, 0, 0, 0]]))
    one = embedded()
    a, b = (mask_of(x).numpy() for x in (one, other))
    np.testing.assert_array_equal(mask_of(L.Add()([one, other])).numpy(), a | b)
    assert mask_of(L.Add()([one, np.ones((3, 5, 4))])) is None
    np.testing.assert_array_equal(mask_of(L.Concatenate(1)([one, other])).numpy(), np.concatenate([a, b], 1))
    np.testing.assert_array_equal(mask_of(L.Concatenate(-1)([one, other])).numpy(), a | b)
    x, y, a, b = one.numpy(), other.numpy(), a[..., None], b[..., None]
    np.testing.assert_array_equal(
        L.Multiply()([one, other]).numpy(), np.where(a | b, np.where(a, x, 1) * np.where(b, y, 1), 0)
    )
    np.testing.assert_array_equal(
        L.Maximum()([one, other]).numpy(), np.where(a & b, np.maximum(x, y), np.where(b, y, x))
    )


def test_loss_and_metrics_leave_masked_steps_out(rng) -> None:
    i = L.Input((5,), dtype="int32")
    model = L.Model(i, L.Dense(3, activation="softmax")(L.Embedding(5, 4, mask_zero=True)(i)))
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    y = rng.integers(0, 3, WORDS.shape)
    p = model.predict(WORDS, verbose=0)
    loss, accuracy = model.evaluate(WORDS, y, verbose=0)
    values = -np.log(np.take_along_axis(p, y[..., None], -1))[..., 0]
    assert loss == pytest.approx(values[WORDS != 0].mean(), rel=1e-5)
    assert accuracy == pytest.approx((p.argmax(-1) == y)[WORDS != 0].mean())
    weight = rng.uniform(0.5, 2, WORDS.shape)
    loss, _ = model.evaluate(WORDS, y, sample_weight=weight, verbose=0)
    assert loss == pytest.approx((values * weight)[WORDS != 0].sum() / (WORDS != 0).sum(), rel=1e-5)


def test_given_ones_count_before_those_that_came_along(rng) -> None:
    layer = L.LSTM(3)
    x = embedded()
    all_steps = np.ones(WORDS.shape, bool)
    np.testing.assert_array_equal(layer(x, mask=all_steps).numpy(), layer(x.numpy()).numpy())
    assert (layer(x).numpy() != layer(x.numpy()).numpy()).any()


class Pooled(L.Layer):
    """A layer of a person's own that asks for the mask and ends it."""

    def call(self, inputs, mask=None):
        return (inputs * mask[..., None]).sum(1)

    def compute_mask(self, inputs, previous_mask=None):
        return None


def test_layers_of_ones_own_and_models_of_models() -> None:
    inner = L.Sequential([L.Input((5,), dtype="int32"), L.Embedding(5, 4, mask_zero=True), L.Dense(2)])

    class Outer(L.Model):
        def __init__(self):
            super().__init__()
            self.inner, self.pooled = inner, Pooled()

        def call(self, inputs):
            return self.pooled(self.inner(inputs))

    got = Outer()(WORDS).numpy()
    np.testing.assert_allclose(got, (inner(WORDS).numpy() * (WORDS != 0)[..., None]).sum(1), rtol=1e-5, atol=1e-6)

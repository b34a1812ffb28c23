"""Losses and metrics against NumPy in float64."""

from __future__ import annotations

import json

import numpy as np
import pytest

from brickwork.layers import LayerError, losses, metrics

R = np.random.default_rng(3)
P = R.uniform(0.05, 0.95, size=(6, 4))
Y = R.integers(0, 2, size=(6, 4)).astype("float64")
Z = R.normal(size=(6, 4)) * 3
CLASSES = R.integers(0, 4, 6)
HOT = np.eye(4)[CLASSES]
W = R.uniform(0, 2, 6)
SOFT = np.exp(Z) / np.exp(Z).sum(-1, keepdims=True)


def bce(y, p):
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


CASES = {
    "mse": (losses.MeanSquaredError(), Y, P, ((Y - P) ** 2).mean(-1)),
    "mae": (losses.MeanAbsoluteError(), Y, P, abs(Y - P).mean(-1)),
    "bce": (losses.BinaryCrossentropy(), Y, P, bce(Y, P).mean(-1)),
    "bce logits": (losses.BinaryCrossentropy(from_logits=True), Y, Z, bce(Y, sigmoid(Z)).mean(-1)),
    "bce smooth": (losses.BinaryCrossentropy(label_smoothing=0.2), Y, P, bce(Y * 0.8 + 0.1, P).mean(-1)),
    "ce": (losses.CategoricalCrossentropy(), HOT, SOFT, -(HOT * np.log(SOFT)).sum(-1)),
    "ce scales to 1": (losses.CategoricalCrossentropy(), HOT, P, -(HOT * np.log(P / P.sum(-1, keepdims=True))).sum(-1)),
    "ce logits": (losses.CategoricalCrossentropy(from_logits=True), HOT, Z, -(HOT * np.log(SOFT)).sum(-1)),
    "ce smooth": (
        losses.CategoricalCrossentropy(label_smoothing=0.1), HOT, SOFT, -((HOT * 0.9 + 0.025) * np.log(SOFT)).sum(-1)
    ),
    "sparse": (losses.SparseCategoricalCrossentropy(), CLASSES, SOFT, -np.log(SOFT[np.arange(6), CLASSES])),
    "sparse column": (losses.SparseCategoricalCrossentropy(from_logits=True), CLASSES[:, None], Z,
                      -np.log(SOFT[np.arange(6), CLASSES])),
    "sparse ignore": (losses.SparseCategoricalCrossentropy(ignore_class=int(CLASSES[0])), CLASSES, SOFT,
                      -np.log(SOFT[np.arange(6), CLASSES]) * (CLASSES != CLASSES[0])),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_losses(case) -> None:
    loss, y, p, values = CASES[case]
    assert float(loss(y, p)) == pytest.approx(values.mean(), rel=1e-6)
    assert float(loss(y, p, W)) == pytest.approx((values * W).sum() / 6, rel=1e-6)
    assert float(loss(y, p, W[:, None])) == pytest.approx((values * W).sum() / 6, rel=1e-6)
    config = {**loss.get_config(), "reduction": "none"}
    np.testing.assert_allclose(type(loss).from_config(config)(y, p).numpy(), values, rtol=1e-6)
    total = type(loss).from_config({**config, "reduction": "sum"})
    assert float(total(y, p, W)) == pytest.approx((values * W).sum(), rel=1e-6)
    mean = type(loss).from_config({**config, "reduction": "mean_with_sample_weight"})
    assert float(mean(y, p, W)) == pytest.approx((values * W).sum() / W.sum(), rel=1e-6)
    again = losses.deserialize(json.loads(json.dumps(losses.serialize(loss))))
    assert float(again(y, p)) == float(loss(y, p))


def test_crossentropy_of_certainty_is_finite() -> None:
    assert float(losses.BinaryCrossentropy()([[1.0]], [[0.0]])) == pytest.approx(-np.log(1e-7), rel=1e-3)
    assert float(losses.BinaryCrossentropy(from_logits=True)([[1.0]], [[-500.0]])) == pytest.approx(500)
    sparse = losses.SparseCategoricalCrossentropy(from_logits=True)
    assert float(sparse([1], [[1000.0, -1000.0]])) == pytest.approx(2000)


def test_a_row_of_targets_meets_a_column_of_outputs() -> None:
    y, p = R.normal(size=6), R.normal(size=(6, 1))
    values = (y - p[:, 0]) ** 2
    for a, b in ((y, p), (y[:, None], p[:, 0]), (y, p[:, 0][:, None])):
        assert float(losses.MeanSquaredError()(a, b)) == pytest.approx(values.mean())
        assert float(losses.MeanSquaredError()(a, b, W)) == pytest.approx((values * W).mean())
        metric = metrics.MeanSquaredError()
        metric.update_state(a, b, sample_weight=W)
        assert float(metric.result()) == pytest.approx((values * W).sum() / W.sum(), rel=1e-5)
    binary = metrics.BinaryAccuracy()
    binary.update_state([1, 0, 1], [0.9, 0.8, 0.1], sample_weight=[1, 0, 1])
    assert float(binary.result()) == 0.5


def test_custom_loss_function_and_class() -> None:
    assert float(losses.get(lambda y, p: abs(y - p))(Y, P)) == pytest.approx(abs(Y - P).mean())

    class Worst(losses.Loss):
        def call(self, y_true, y_pred):
            return abs(y_true - y_pred).max(-1)

    assert float(Worst()(Y, P)) == pytest.approx(abs(Y - P).max(-1).mean())


METRICS = {
    "mse": (metrics.MeanSquaredError, Y, P, ((Y - P) ** 2).mean(-1)),
    "mae": (metrics.MeanAbsoluteError, Y, P, abs(Y - P).mean(-1)),
    "accuracy": (metrics.Accuracy, CLASSES, np.roll(CLASSES, 1), (CLASSES == np.roll(CLASSES, 1)) * 1.0),
    "binary": (metrics.BinaryAccuracy, Y, P, ((P > 0.5) == Y).mean(-1)),
    "categorical": (metrics.CategoricalAccuracy, HOT, SOFT, (SOFT.argmax(-1) == CLASSES) * 1.0),
    "sparse": (metrics.SparseCategoricalAccuracy, CLASSES, SOFT, (SOFT.argmax(-1) == CLASSES) * 1.0),
    "sparse column": (metrics.SparseCategoricalAccuracy, CLASSES[:, None], SOFT, (SOFT.argmax(-1) == CLASSES) * 1.0),
    "ce": (metrics.CategoricalCrossentropy, HOT, SOFT, -(HOT * np.log(SOFT)).sum(-1)),
}


@pytest.mark.parametrize("case", METRICS)
def test_metrics_over_batches(case) -> None:
    cls, y, p, values = METRICS[case]
    metric = cls()
    assert float(metric.result()) == 0
    for rows in (slice(0, 4), slice(4, 6)):
        metric.update_state(y[rows], p[rows])
    assert float(metric.result()) == pytest.approx(values.mean(), rel=1e-5)
    metric.reset_state()
    for rows in (slice(0, 4), slice(4, 6)):
        metric.update_state(y[rows], p[rows], sample_weight=W[rows])
    assert float(metric.result()) == pytest.approx((values * W).sum() / W.sum(), rel=1e-5)
    again = metrics.deserialize(json.loads(json.dumps(metrics.serialize(metric))))
    assert again.get_config() == metric.get_config()


def test_mean_and_rmse() -> None:
    mean = metrics.Mean()
    mean.update_state([1, 3])
    mean.update_state(5.0, sample_weight=2)
    assert float(mean.result()) == 3.5
    rmse = metrics.RootMeanSquaredError()
    assert float(rmse(Y, P)) == pytest.approx(np.sqrt(((Y - P) ** 2).mean()), rel=1e-5)


def test_names() -> None:
    assert metrics.get("mae").name == "mae"
    assert losses.get("mse").name == "mean_squared_error"
    assert metrics.get("BinaryAccuracy").name == "binary_accuracy"
    with pytest.raises(LayerError, match="Did you mean 'mean_squared_error'"):
        losses.get("mean_square_error")
    with pytest.raises(LayerError, match="categorical_accuracy"):
        metrics.get("categorial_accuracy")


@pytest.mark.parametrize(
    ("loss", "y", "p", "text"),
    [
        ("sparse_categorical_crossentropy", HOT, SOFT, "Use categorical_crossentropy for one-hot"),
        ("categorical_crossentropy", CLASSES, SOFT, "Use sparse_categorical_crossentropy"),
        ("mse", Y, P[:, :3], "must have the shape of the model's output; got y \\(6, 4\\), output \\(6, 3\\)"),
    ],
)
def test_shapes_that_do_not_fit(loss, y, p, text) -> None:
    with pytest.raises(ValueError, match=text):
        losses.get(loss)(y, p)

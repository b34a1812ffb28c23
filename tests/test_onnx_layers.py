"""Models of `layers` as models of the ONNX standard: what onnxruntime gives for any batch is what the model gives."""

import numpy as np
import pytest

import brickwork.layers as L
import brickwork.tensor as bt

onnx = pytest.importorskip("onnx", reason="writing models takes the package onnx")
onnxruntime = pytest.importorskip("onnxruntime", reason="runs what is written")

from brickwork.graph.onnx import from_onnx, to_onnx  # noqa: E402


def dense():
    return L.Sequential([L.Dense(16, activation="relu"), L.Dropout(0.3), L.Dense(3, activation="softmax")])


def convolutional():
    return L.Sequential(
        [
            L.Conv2D(8, 3, padding="same", activation="relu"),
            L.BatchNormalization(),
            L.MaxPooling2D(),
            L.Conv2D(8, 3, strides=2, padding="same"),
            L.GlobalAveragePooling2D(),
            L.Dense(3),
        ]
    )


def recurrent():
    return L.Sequential([L.Embedding(50, 8), L.LSTM(6), L.Dense(1, activation="sigmoid")])


def residual():
    x = L.Input((12, 12, 4))
    h = L.Conv2D(4, 3, padding="same")(x)
    h = L.Activation("relu")(L.BatchNormalization()(h))
    return L.Model(x, L.Dense(2)(L.Flatten()(L.Add()([x, h]))))


MODELS = {
    "dense": (dense, (8,), "float32"),
    "convolutional": (convolutional, (16, 16, 2), "float32"),
    "recurrent": (recurrent, (7,), "int64"),
    "residual": (residual, (12, 12, 4), "float32"),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_layers(name):
    make, shape, dtype = MODELS[name]
    model, rng = make(), np.random.default_rng(3)
    model(bt.zeros((2, *shape), dtype))
    written = to_onnx(model, ((None, *shape), dtype))
    onnx.checker.check_model(written, full_check=True)
    session = onnxruntime.InferenceSession(written.SerializeToString(), providers=["CPUExecutionProvider"])
    again = from_onnx(written)
    for batch in (1, 5):
        x = rng.standard_normal((batch, *shape)) * 20 if dtype == "float32" else rng.integers(0, 50, (batch, *shape))
        x = x.astype(dtype)
        want = model(bt.asarray(x)).numpy()
        (got,) = session.run(None, {session.get_inputs()[0].name: x})
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(again(x).numpy(), want, rtol=1e-4, atol=1e-4)


def test_weights_are_known_by_where_they_stand():
    model = dense()
    model(bt.zeros((2, 8)))
    names = [t.name for t in to_onnx(model, ((None, 8), "float32")).graph.initializer]
    assert [n.split("/")[-1] for n in names] == ["kernel", "bias", "kernel", "bias"]
    assert len(set(names)) == 4

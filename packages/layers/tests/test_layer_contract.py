"""What every layer must do, run over a table of all of them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from brickwork import layers as L
from brickwork.layers.abstract import abstractly, placeholder
from brickwork.layers.layer import Layer
from brickwork.layers.serialization import known
from brickwork.tensor import Tensor, value_and_grad
from brickwork.tensor.eager import EagerTrace
from brickwork.tensor.trace import use

Shape = tuple[int, ...]
LIST = [(2, 3, 4), (2, 3, 4)]


class Two(tuple):  # type: ignore[type-arg]
    """Shapes of two arguments, rather than of one list."""


TWO = Two([(2, 3, 4), (2, 6, 7)])
WORDS, STEPS = (2, 3), (2, 3, 4)

# layer, arguments, input shape(s), output shape, number of trained and of other weights
CASES: list[tuple[str, dict[str, Any], Any, Shape, int, int]] = [
    ("Dense", {"units": 5, "activation": "relu", "kernel_regularizer": "l2"}, (2, 3), (2, 5), 2, 0),
    ("Dense", {"units": 5, "use_bias": False, "kernel_constraint": "max_norm"}, (2, 4, 3), (2, 4, 5), 1, 0),
    ("Activation", {"activation": "gelu"}, (2, 3), (2, 3), 0, 0),
    ("ReLU", {"max_value": 2.0, "negative_slope": 0.1, "threshold": 0.5}, (2, 3), (2, 3), 0, 0),
    ("Softmax", {"axis": 1}, (2, 3, 4), (2, 3, 4), 0, 0),
    ("Rescaling", {"scale": 0.5, "offset": 1.0}, (2, 3), (2, 3), 0, 0),
    ("Dropout", {"rate": 0.5, "seed": 3}, (2, 3), (2, 3), 0, 0),
    ("Dropout", {"rate": 0.5, "noise_shape": (None, 1, None)}, (2, 3, 4), (2, 3, 4), 0, 0),
    ("Flatten", {}, (2, 3, 4), (2, 12), 0, 0),
    ("Flatten", {"data_format": "channels_first"}, (2, 3, 4, 5), (2, 60), 0, 0),
    ("Reshape", {"target_shape": (6, -1)}, (2, 3, 4), (2, 6, 2), 0, 0),
    ("Conv1D", {"filters": 4, "kernel_size": 3, "padding": "same", "strides": 2}, (2, 7, 3), (2, 4, 4), 2, 0),
    ("Conv2D", {"filters": 4, "kernel_size": 3}, (2, 6, 7, 3), (2, 4, 5, 4), 2, 0),
    ("Conv2D", {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}, (2, 6, 7, 1), (2, 3, 4, 4), 2, 0),
    ("Conv2D", {"filters": 4, "kernel_size": 2, "dilation_rate": 2}, (2, 6, 7, 3), (2, 4, 5, 4), 2, 0),
    ("Conv2D", {"filters": 4, "kernel_size": 2, "groups": 2, "use_bias": False}, (2, 6, 7, 6), (2, 5, 6, 4), 1, 0),
    ("Conv2D", {"filters": 4, "kernel_size": 3, "data_format": "channels_first"}, (2, 3, 6, 7), (2, 4, 4, 5), 2, 0),
    ("Conv3D", {"filters": 2, "kernel_size": 2, "activation": "tanh"}, (2, 3, 4, 5, 1), (2, 2, 3, 4, 2), 2, 0),
    ("Conv1D", {"filters": 4, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}, (2, 7, 3), (2, 7, 4), 2, 0),
    ("Conv1DTranspose", {"filters": 4, "kernel_size": 3, "strides": 2}, (2, 5, 3), (2, 11, 4), 2, 0),
    ("Conv2DTranspose", {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"},
     (2, 3, 4, 2), (2, 6, 8, 4), 2, 0),
    ("Conv2DTranspose", {"filters": 4, "kernel_size": 3, "strides": 2, "output_padding": 1, "use_bias": False},
     (2, 3, 4, 2), (2, 8, 10, 4), 1, 0),
    ("Conv2DTranspose", {"filters": 4, "kernel_size": 2, "dilation_rate": 2, "data_format": "channels_first"},
     (2, 3, 4, 5), (2, 4, 6, 7), 2, 0),
    ("Conv3DTranspose", {"filters": 2, "kernel_size": 2}, (2, 2, 3, 4, 1), (2, 3, 4, 5, 2), 2, 0),
    ("DepthwiseConv1D", {"kernel_size": 3, "depth_multiplier": 2}, (2, 7, 3), (2, 5, 6), 2, 0),
    ("DepthwiseConv2D", {"kernel_size": 3, "padding": "same", "strides": 2}, (2, 6, 7, 3), (2, 3, 4, 3), 2, 0),
    ("SeparableConv1D", {"filters": 4, "kernel_size": 3, "activation": "relu"}, (2, 7, 3), (2, 5, 4), 3, 0),
    ("SeparableConv2D", {"filters": 4, "kernel_size": 2, "depth_multiplier": 2, "data_format": "channels_first"},
     (2, 3, 6, 7), (2, 4, 5, 6), 3, 0),
    ("MaxPooling1D", {}, (2, 7, 3), (2, 3, 3), 0, 0),
    ("MaxPooling2D", {}, (2, 6, 7, 3), (2, 3, 3, 3), 0, 0),
    ("MaxPooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}, (2, 6, 7, 3), (2, 3, 4, 3), 0, 0),
    ("MaxPooling3D", {"data_format": "channels_first"}, (2, 1, 4, 4, 5), (2, 1, 2, 2, 2), 0, 0),
    ("AveragePooling1D", {"padding": "same"}, (2, 7, 3), (2, 4, 3), 0, 0),
    ("AveragePooling2D", {"pool_size": (2, 3)}, (2, 6, 7, 3), (2, 3, 2, 3), 0, 0),
    ("AveragePooling3D", {}, (2, 4, 4, 5, 1), (2, 2, 2, 2, 1), 0, 0),
    ("GlobalAveragePooling1D", {}, (2, 7, 3), (2, 3), 0, 0),
    ("GlobalAveragePooling2D", {"keepdims": True}, (2, 6, 7, 3), (2, 1, 1, 3), 0, 0),
    ("GlobalAveragePooling3D", {"data_format": "channels_first"}, (2, 3, 4, 4, 5), (2, 3), 0, 0),
    ("GlobalMaxPooling1D", {}, (2, 7, 3), (2, 3), 0, 0),
    ("GlobalMaxPooling2D", {"data_format": "channels_first", "keepdims": True}, (2, 3, 6, 7), (2, 3, 1, 1), 0, 0),
    ("GlobalMaxPooling3D", {}, (2, 4, 4, 5, 3), (2, 3), 0, 0),
    ("BatchNormalization", {}, (4, 3), (4, 3), 2, 2),
    ("BatchNormalization", {"axis": 1, "center": False, "momentum": 0.9}, (2, 3, 4, 5), (2, 3, 4, 5), 1, 2),
    ("LayerNormalization", {}, (2, 3, 4), (2, 3, 4), 2, 0),
    ("LayerNormalization", {"axis": [1, 2], "scale": False}, (2, 3, 4), (2, 3, 4), 1, 0),
    ("LayerNormalization", {"axis": 1}, (2, 3, 4), (2, 3, 4), 2, 0),
    ("Embedding", {"input_dim": 9, "output_dim": 4, "mask_zero": True}, WORDS, (2, 3, 4), 1, 0),
    ("Embedding", {"input_dim": 9, "output_dim": 4, "embeddings_regularizer": "l2"}, (2, 3, 5), (2, 3, 5, 4), 1, 0),
    ("Masking", {"mask_value": 1.0}, (2, 3, 4), (2, 3, 4), 0, 0),
    ("SimpleRNN", {"units": 5, "dropout": 0.2}, (2, 3, 4), (2, 5), 3, 0),
    ("SimpleRNN", {"units": 5, "use_bias": False, "return_sequences": True}, (2, 3, 4), (2, 3, 5), 2, 0),
    ("LSTM", {"units": 5, "recurrent_regularizer": "l2", "go_backwards": True}, (2, 3, 4), (2, 5), 3, 0),
    ("LSTM", {"units": 5, "return_sequences": True, "recurrent_dropout": 0.3, "dropout": 0.2}, STEPS, (2, 3, 5), 3, 0),
    ("LSTM", {"units": 5, "unroll": True, "unit_forget_bias": False}, (2, 3, 4), (2, 5), 3, 0),
    ("GRU", {"units": 5, "activity_regularizer": "l2"}, (2, 3, 4), (2, 5), 3, 0),
    ("GRU", {"units": 5, "reset_after": False, "return_sequences": True, "unroll": True}, (2, 3, 4), (2, 3, 5), 3, 0),
    ("RNN", {"cell": lambda **o: L.LSTMCell(5, **o)}, (2, 3, 4), (2, 5), 3, 0),
    ("RNN", {"cell": lambda **o: [L.GRUCell(3, **o), L.SimpleRNNCell(5, **o)], "return_sequences": True},
     STEPS, (2, 3, 5), 6, 0),
    ("Bidirectional", {"layer": lambda **o: L.GRU(5, **o)}, (2, 3, 4), (2, 10), 6, 0),
    ("Bidirectional", {"layer": lambda **o: L.LSTM(5, return_sequences=True, **o), "merge_mode": "ave"},
     STEPS, (2, 3, 5), 6, 0),
    ("TimeDistributed", {"layer": lambda **o: L.Conv2D(2, 3, **o)}, (2, 3, 6, 7, 1), (2, 3, 4, 5, 2), 2, 0),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3}, TWO, (2, 3, 4), 8, 0),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "value_dim": 5, "output_shape": 6, "use_gate": True,
      "sliding_window": 2, "dropout": 0.1}, TWO, (2, 3, 6), 10, 0),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "attention_axes": (2,), "use_bias": False},
     (Two([(2, 3, 4, 5), (2, 3, 4, 5)])), (2, 3, 4, 5), 4, 0),
    ("GroupQueryAttention", {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}, TWO, (2, 3, 4), 8, 0),
    ("Add", {}, LIST, (2, 3, 4), 0, 0),
    ("Average", {}, LIST, (2, 3, 4), 0, 0),
    ("Concatenate", {"axis": 1}, LIST, (2, 6, 4), 0, 0),
    ("Maximum", {}, LIST, (2, 3, 4), 0, 0),
    ("Minimum", {}, LIST, (2, 3, 4), 0, 0),
    ("Multiply", {}, LIST, (2, 3, 4), 0, 0),
    ("Subtract", {}, LIST, (2, 3, 4), 0, 0),
]  # fmt: skip
IDS = [f"{name}-{k}" for k, (name, *_) in enumerate(CASES)]
NO_CASE = {
    "Layer",
    "Model",
    "Sequential",
    "InputLayer",
    "Operator",
    "GetItem",
    "Conv",
    "ConvTranspose",
    "DepthwiseConv",
    "SeparableConv",
    "Windowed",
    "Pooling",
    "GlobalPooling",
    "Merge",
    "Extreme",
    "Projection",
    "RecurrentCell",
    "Recurrent",
    "StackedRNNCells",  # cells stand in the cases of RNN; test_recurrent.py has them by themselves
    "SimpleRNNCell",
    "LSTMCell",
    "GRUCell",
}


def made(name: str, args: dict[str, Any], **more: Any) -> Any:
    """The layer of a case; what its arguments make of layers is made anew."""
    return getattr(L, name)(**{k: v(**more) if callable(v) else v for k, v in args.items()}, **more)


def data(shape: Any, name: str = "") -> tuple[Any, ...]:
    """The arguments of a call."""
    rng = np.random.default_rng(1)
    if isinstance(shape, (list, Two)):
        arrays = [rng.normal(size=s).astype("float32") for s in shape]
        return tuple(arrays) if isinstance(shape, Two) else (arrays,)
    return (rng.integers(0, 9, shape) if name == "Embedding" else rng.normal(size=shape).astype("float32"),)


def symbols(shape: Any, make: Any) -> tuple[Any, ...]:
    """The arguments of a call, with an open batch."""
    if isinstance(shape, (list, Two)):
        stand_ins = [make((None, *s[1:])) for s in shape]
        return tuple(stand_ins) if isinstance(shape, Two) else (stand_ins,)
    return (make((None, *shape[1:])),)


def test_every_layer_has_a_case() -> None:
    public = {name for name in known("layer") if not name.startswith("_") and ">" not in name} - NO_CASE
    assert public <= {name for name, *_ in CASES}, "a layer without a case in the table above"


@pytest.mark.parametrize(("name", "args", "shape", "wanted", "trained", "other"), CASES, ids=IDS)
class TestEveryLayer:
    def test_eager_shape_dtype_and_weights(self, name, args, shape, wanted, trained, other) -> None:
        layer = made(name, args)
        out = layer(*data(shape, name))
        assert isinstance(out, Tensor)
        assert out.shape == wanted
        assert out.dtype == "float32"
        assert np.isfinite(out.numpy()).all()
        assert (len(layer.trainable_variables), len(layer.non_trainable_weights)) == (trained, other)
        assert layer.built
        assert all(w.path.startswith(f"{layer.name}/") for w in layer.weights)

    def test_symbolic_shape_is_the_eager_one(self, name, args, shape, wanted, trained, other) -> None:
        layer = made(name, args)
        out = layer(*symbols(shape, lambda s: L.Input(s[1:])))
        assert out.shape == (None, *wanted[1:])
        rule = layer.compute_output_shape(*symbols(shape, tuple))
        assert tuple(rule) == (None, *wanted[1:])

    def test_config_comes_back_through_json(self, name, args, shape, wanted, trained, other) -> None:
        layer = made(name, args)
        layer(*data(shape, name))
        text = json.dumps(L.serialize(layer))
        again = L.deserialize(json.loads(text))
        assert type(again) is type(layer)
        assert json.dumps(L.serialize(again)) == text
        again(*data(shape, name))
        again.set_weights(layer.get_weights())
        np.testing.assert_array_equal(
            again(*data(shape, name), training=False).numpy(), layer(*data(shape, name), training=False).numpy()
        )

    def test_float64(self, name, args, shape, wanted, trained, other) -> None:
        layer = made(name, args, dtype="float64")
        out = layer(*data(shape, name))
        assert out.dtype == "float64"
        assert {w.dtype.name for w in layer.weights} <= {"float64"}

    def test_built_once(self, name, args, shape, wanted, trained, other) -> None:
        layer = made(name, args)
        layer(*data(shape, name))
        before = layer.weights
        layer(*data(shape, name))
        if not isinstance(shape, list):
            layer.build(*(shape if isinstance(shape, Two) else (shape,)))
        assert [id(w) for w in layer.weights] == [id(w) for w in before]

    def test_training_flag_and_gradients(self, name, args, shape, wanted, trained, other) -> None:
        layer = made(name, args)
        x = data(shape, name)
        layer(*x)
        loss, gradients = value_and_grad(
            lambda: (layer(*x, training=True) ** 2).sum(), variables=layer.trainable_variables
        )()
        assert np.isfinite(loss.numpy())
        assert [g.shape for g in gradients] == [w.shape for w in layer.trainable_variables]
        quiet = layer(*x, training=False).numpy()
        np.testing.assert_array_equal(quiet, layer(*x).numpy())

    def test_any_batch_in_a_trace(self, name, args, shape, wanted, trained, other) -> None:
        layer = made(name, args)
        out = abstractly(layer, *symbols(shape, placeholder), training=True)
        with use(EagerTrace()):
            assert out.shape[1:] == wanted[1:]
        assert all(not w.symbolic for w in layer.weights), "weights made inside a trace must be real"
        several = isinstance(shape, (list, Two))
        bigger = type(shape)((5, *s[1:]) for s in shape) if several else (5, *shape[1:])
        assert layer(*data(bigger, name)).shape == (5, *wanted[1:])


def test_base_layer_config_is_plain() -> None:
    assert Layer(name="x").get_config() == {"name": "x", "trainable": True, "dtype": "float32"}

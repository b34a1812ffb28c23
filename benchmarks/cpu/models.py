"""The models in Keras's vocabulary, which is also ours: each takes the room of the layers and says what it is made of.

Layers have names, by which every side finds the same first weights. ``rate``: how much dropout drops, so that losses
can be compared without any.
"""

from __future__ import annotations

from typing import Any

from .workloads import RESNET_WIDTHS, Workload

EPSILON = 1e-3
"""Of normalization, on every side."""


def tabular(lib: Any, rate: float) -> tuple[Any, Any]:
    x = lib.Input((13,))
    h = lib.Dense(64, activation="relu", name="dense_1")(x)
    h = lib.Dense(64, activation="relu", name="dense_2")(h)
    return x, lib.Dense(1, name="dense_3")(h)


def mlp(lib: Any, rate: float) -> tuple[Any, Any]:
    x = lib.Input((784,))
    h = lib.Dense(512, activation="relu", name="dense_1")(x)
    h = lib.Dense(512, activation="relu", name="dense_2")(h)
    return x, lib.Dense(10, name="dense_3")(h)


def cnn(lib: Any, rate: float) -> tuple[Any, Any]:
    x = lib.Input((28, 28, 1))
    h = lib.Conv2D(32, 3, activation="relu", name="conv_1")(x)
    h = lib.Conv2D(64, 3, activation="relu", name="conv_2")(h)
    h = lib.Dropout(0.5 * rate)(lib.MaxPooling2D(2)(h))
    h = lib.Dense(128, activation="relu", name="dense_1")(lib.Flatten()(h))
    return x, lib.Dense(10, name="dense_2")(lib.Dropout(rate)(h))


def lstm(lib: Any, rate: float) -> tuple[Any, Any]:
    x = lib.Input((80,), dtype="int32")
    h = lib.LSTM(128, name="lstm")(lib.Embedding(5000, 128, name="embedding")(x))
    return x, lib.Dense(1, name="dense")(h)


def encoder(lib: Any, rate: float) -> tuple[Any, Any]:
    x = h = lib.Input((128, 128))
    for k in (1, 2):
        a = lib.MultiHeadAttention(4, 32, name=f"attention_{k}")(h, h)
        h = lib.LayerNormalization(epsilon=EPSILON, name=f"norm_{k}_1")(lib.Add()([h, a]))
        m = lib.Dense(512, activation="gelu", name=f"dense_{k}_1")(h)
        m = lib.Dense(128, name=f"dense_{k}_2")(m)
        h = lib.LayerNormalization(epsilon=EPSILON, name=f"norm_{k}_2")(lib.Add()([h, m]))
    return x, lib.Dense(2, name="dense")(lib.GlobalAveragePooling1D()(h))


def resnet(lib: Any, rate: float) -> tuple[Any, Any]:
    def conv(h: Any, width: int, name: str, strides: int = 1, size: int = 3) -> Any:
        h = lib.Conv2D(width, size, strides=strides, padding="same", use_bias=False, name=f"conv_{name}")(h)
        return lib.BatchNormalization(epsilon=EPSILON, name=f"norm_{name}")(h)

    x = lib.Input((32, 32, 3))
    h = lib.ReLU()(conv(x, 16, "0"))
    channels = 16
    for stage, width in enumerate(RESNET_WIDTHS):
        for block in range(3):
            name = f"{stage}_{block}"
            strides = 2 if width != channels else 1
            short = conv(h, width, f"{name}_s", strides, 1) if strides > 1 else h
            inner = lib.ReLU()(conv(h, width, f"{name}_1", strides))
            h = lib.ReLU()(lib.Add()([short, conv(inner, width, f"{name}_2")]))
            channels = width
    return x, lib.Dense(10, name="dense")(lib.GlobalAveragePooling2D()(h))


BUILDERS = {f.__name__: f for f in (tabular, mlp, cnn, lstm, encoder, resnet)}


def inputs_and_outputs(work: Workload, lib: Any, rate: float) -> tuple[Any, Any]:
    """The symbolic ends of a workload's model."""
    return BUILDERS[work.key](lib, rate)

"""The same models in Keras and in Brickwork, side by side: `hatch run parity:keras`.

Both start from the same weights, see the same rows in the same order with the same sample weights, and hold out the
same rows. The table gives the greatest difference of any epoch's losses and metrics, of the weights afterwards and of
the predictions. The exit status is 1 where one is larger than float32 explains.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np

import brickwork.layers as ours

BOUND = 2e-4
RNG = np.random.default_rng(0)
Case = tuple[Callable[[Any], Any], str, np.ndarray, np.ndarray, list[str]]


def mlp(lib: Any) -> list[Any]:
    return [lib.Input((13,)), lib.Dense(32, activation="relu"), lib.Dense(16, activation="tanh"), lib.Dense(1)]


def cnn(lib: Any) -> list[Any]:
    return [
        lib.Input((12, 12, 2)),
        lib.Conv2D(8, 3, padding="same", activation="relu"),
        lib.BatchNormalization(),
        lib.MaxPooling2D(2),
        lib.Conv2D(8, 3, strides=2),
        lib.Flatten(),
        lib.LayerNormalization(),
        lib.Dense(4, activation="softmax"),
    ]


def binary(lib: Any) -> list[Any]:
    return [lib.Input((5,)), lib.Dense(8, activation="gelu"), lib.Dense(1, activation="sigmoid")]


def text(lib: Any) -> list[Any]:
    return [
        lib.Input((7,), dtype="int32"),
        lib.Embedding(9, 6, mask_zero=True),
        lib.Bidirectional(lib.LSTM(5, return_sequences=True)),
        lib.GRU(4, return_sequences=True),
        lib.SimpleRNN(4),
        lib.Dense(3, activation="softmax"),
    ]


def encoder(lib: Any) -> tuple[Any, Any]:
    x = h = lib.Input((7, 6))
    h = lib.LayerNormalization()(lib.Add()([h, lib.MultiHeadAttention(2, 3)(h, h, use_causal_mask=True)]))
    h = lib.TimeDistributed(lib.Dense(6, activation="gelu"))(h)
    return x, lib.Dense(3, activation="softmax")(lib.GlobalAveragePooling1D()(h))


def decoder(lib: Any) -> list[Any]:
    return [
        lib.Input((4, 4, 3)),
        lib.SeparableConv2D(6, 3, padding="same", activation="relu"),
        lib.DepthwiseConv2D(2, depth_multiplier=2),
        lib.Conv2DTranspose(2, 3, strides=2, padding="same"),
        lib.Flatten(),
        lib.Dense(3, activation="softmax"),
    ]


def model(lib: Any, parts: Any) -> Any:
    """Of layers in a row, or of the ends of a graph."""
    return lib.Sequential(parts) if isinstance(parts, list) else lib.Model(*parts)


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype("float32")


LABELS = RNG.integers(0, 3, 60)
CASES: dict[str, Case] = {
    "mlp": (mlp, "mse", normal(100, 13), normal(100, 1), ["mae"]),
    "cnn": (cnn, "sparse_categorical_crossentropy", normal(50, 12, 12, 2), RNG.integers(0, 4, 50), ["accuracy"]),
    "text": (text, "sparse_categorical_crossentropy", RNG.integers(0, 9, (60, 7)), LABELS, ["accuracy"]),
    "encoder": (encoder, "sparse_categorical_crossentropy", normal(60, 7, 6), LABELS, ["accuracy"]),
    "decoder": (decoder, "sparse_categorical_crossentropy", normal(60, 4, 4, 3), LABELS, ["accuracy"]),
    "binary": (binary, "binary_crossentropy", normal(60, 5), RNG.integers(0, 2, 60).astype("float32"), ["accuracy"]),
}
OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "sgd, nesterov": lambda lib: lib.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "adam": lambda lib: lib.optimizers.Adam(1e-2),
}


def difference(case: Case, optimizer: Callable[[Any], Any]) -> dict[str, float]:
    """Greatest differences between a training run of Keras and one of ours."""
    build, loss, x, y, metrics = case
    theirs, mine = model(keras, build(keras.layers)), model(ours, build(ours))
    start = [normal(*w.shape) * 0.3 if w.ndim > 1 else w for w in theirs.get_weights()]
    weight = RNG.uniform(0.5, 2.0, len(x)).astype("float32")
    histories = []
    for one, lib in ((theirs, keras), (mine, ours)):
        one.set_weights(start)
        one.compile(optimizer(lib), loss, metrics=metrics)
        settings = {"epochs": 3, "batch_size": 16, "shuffle": False, "verbose": 0, "validation_split": 0.2}
        histories.append(one.fit(x, y, sample_weight=weight, **settings).history)
    if sorted(histories[0]) != sorted(histories[1]):
        sys.exit(
            f"keras_parity: histories must have the same keys; got {sorted(histories[0])} and {sorted(histories[1])}"
        )
    found = {key: float(np.abs(np.subtract(histories[0][key], histories[1][key])).max()) for key in histories[0]}
    pairs = zip(theirs.get_weights(), mine.get_weights(), strict=True)
    found["weights"] = max(float(np.abs(a - b).max()) for a, b in pairs)
    found["predictions"] = float(np.abs(theirs.predict(x, verbose=0) - mine.predict(x, verbose=0)).max())
    return found


def main() -> None:
    print(
        f"Keras {keras.__version__} on {keras.backend.backend()}\n\n"
        "| model | optimizer | greatest difference | of |\n|---|---|---|---|"
    )
    worst = 0.0
    for name, case in CASES.items():
        for label, optimizer in OPTIMIZERS.items():
            found = difference(case, optimizer)
            where = max(found, key=lambda key: found[key])
            worst = max(worst, found[where])
            print(f"| {name} | {label} | {found[where]:.1e} | {where} |")
    sys.exit(worst > BOUND)


if __name__ == "__main__":
    main()

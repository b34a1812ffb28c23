"""What is trained: six models, their data, and how much arithmetic a step of each is."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from zlib import crc32

import numpy as np

Macs = tuple[tuple[int, bool], ...]
"""Multiply-adds of the forward pass for one example, part by part, and whether the part's input needs a gradient."""


@dataclass(frozen=True, slots=True)
class Workload:
    """``x``: the shape of an example, of whole numbers below ``words`` where there are some. ``classes``: of the
    target; 0 for a number to predict, 1 for yes or no. ``target``: the ratio to reach."""

    key: str
    name: str
    batch: int
    target: float
    x: tuple[int, ...]
    classes: int
    macs: Macs
    words: int = 0
    pictures: bool = False

    @property
    def flops(self) -> int:
        """Of a step by direct arithmetic: forward, gradient by weights, and by inputs where one is needed."""
        return sum(2 * self.batch * n * (3 if inner else 2) for n, inner in self.macs)

    def rows(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """(x, y) of so many batches."""
        rng = np.random.default_rng(crc32(self.key.encode()))
        n = count * self.batch
        x = rng.integers(0, self.words, (n, *self.x)).astype(np.int32) if self.words else rng.normal(size=(n, *self.x))
        if self.classes > 1:
            y = rng.integers(0, self.classes, n).astype(np.int32)
        elif self.classes:
            y = rng.integers(0, 2, (n, 1)).astype(np.float32)
        else:
            y = np.tanh(x @ rng.normal(size=(*self.x, 1))).astype(np.float32)
        return x if self.words else x.astype(np.float32), y


def initial(name: str, shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    """The first weights of the layer ``name``, in Keras's order and layout: the same on every side."""
    rng = np.random.default_rng(crc32(name.encode()))
    if name.startswith("norm"):  # gamma, beta, moving mean, moving variance
        return [np.full(s, v, np.float32) for s, v in zip(shapes, (1, 0, 0, 1))]
    return [
        np.zeros(s, np.float32)
        if len(s) == 1
        else (rng.normal(size=s) * np.sqrt(2 / (prod(s[:-1]) + s[-1]))).astype(np.float32)
        for s in shapes
    ]


RESNET_WIDTHS = (16, 32, 64)


def resnet_macs() -> Macs:
    out = [(32 * 32 * 9 * 3 * 16, False)]
    size, channels = 32, 16
    for width in RESNET_WIDTHS:
        for block in range(3):
            if block == 0 and width != channels:
                size //= 2
                out.append((size * size * channels * width, True))
            out += [(size * size * 9 * channels * width, True), (size * size * 9 * width * width, True)]
            channels = width
    return (*out, (64 * 10, True))


def encoder_macs(tokens: int = 128, d: int = 128, inner: int = 512) -> Macs:
    out: list[tuple[int, bool]] = []
    for block in range(2):
        out += [(tokens * d * 3 * d, block > 0), (2 * tokens * tokens * d, True), (tokens * d * d, True)]
        out += [(2 * tokens * d * inner, True)]
    return (*out, (d * 2, True))


WORKLOADS = (
    Workload(
        "tabular", "tabular MLP 13-64-64-1", 32, 8.0, (13,), 0, ((13 * 64, False), (64 * 64, True), (64, True))
    ),
    Workload(
        "mlp", "MLP 784-512-512-10", 128, 1.25, (784,), 10, ((784 * 512, False), (512 * 512, True), (5120, True))
    ),
    Workload(
        "cnn", "CNN 28x28", 64, 1.5, (28, 28, 1), 10,
        ((26 * 26 * 9 * 32, False), (24 * 24 * 9 * 32 * 64, True), (12 * 12 * 64 * 128, True), (1280, True)),
        pictures=True,
    ),
    Workload(
        "lstm", "embedding 5000x128, LSTM 128, 80 steps", 64, 1.3, (80,), 1,
        ((80 * 128 * 512, True), (80 * 128 * 512, True), (128, True)), words=5000,
    ),
    Workload("encoder", "transformer encoder, 2 blocks, d 128", 16, 1.4, (128, 128), 2, encoder_macs()),
    Workload("resnet", "ResNet-20 on 32x32", 64, 1.15, (32, 32, 3), 10, resnet_macs(), pictures=True),
)  # fmt: skip
BY_KEY = {w.key: w for w in WORKLOADS}

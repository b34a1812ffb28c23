"""A call of every function of `brickwork.tensor.nn`, with what NumPy says it gives: rows for `function_cases`."""

from __future__ import annotations

from typing import Any

import nn_references as ref
import numpy as np
from op_references import conv as conv_by_loops

import brickwork.tensor as bt

R = np.random.default_rng(4)
nn = bt.nn
X, ROW, ROW2 = R.uniform(-2, 2, (3, 4)), R.uniform(0.5, 1.5, 4), R.uniform(-1, 1, 4)
SIGNAL, PICTURE = R.permutation(np.arange(28.0)).reshape(2, 7, 2) / 9, R.uniform(-1, 1, (1, 5, 4, 4))
Q, K, V = R.uniform(-1, 1, (2, 4, 3, 2)), R.uniform(-1, 1, (2, 4, 5, 2)), R.uniform(-1, 1, (2, 4, 5, 3))
ALLOWED = R.random((2, 1, 3, 5)) < 0.6
ALLOWED[0, 0, 1] = False
BIAS = R.uniform(-1, 1, (4, 3, 5))
CAUSAL = np.tril(np.ones((3, 5), bool))
CLASSES = np.array([1, 0, 3])
CHANCES = R.dirichlet(np.ones(4), 3)
W1, W2 = R.uniform(-1, 1, (3, 2, 2)), R.uniform(-1, 1, (2, 3, 2, 4))
KEY = bt.random.key(5)
Row = tuple[Any, tuple[Any, ...], Any, bool]


def smooth(call: Any, arrays: Any, want: Any) -> Row:
    return call, tuple(arrays), want, True


def plain(call: Any, arrays: Any, want: Any) -> Row:
    return call, tuple(arrays), want, False


def heads_first(x: Any) -> Any:
    return np.swapaxes(x, 1, 2)


def dropped(x: np.ndarray) -> np.ndarray:
    """The same mask, drawn by itself."""
    keep = bt.random.uniform(KEY, (3, 1)).numpy() >= 0.25
    return np.where(keep, x / 0.75, 0.0)


def deep(x: np.ndarray) -> np.ndarray:
    """(batch, height, width, 4) to twice the height and width."""
    n, h, w, _ = x.shape
    out = np.zeros((n, 2 * h, 2 * w, 1))
    for i, j in np.ndindex(2, 2):
        out[:, i::2, j::2, 0] = x[..., 2 * i + j]
    return out


def depthwise(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    parts = [conv_by_loops(x[..., c : c + 1], w[..., c : c + 1, :], (1,), ((0, 0),), (1,)) for c in range(x.shape[-1])]
    return np.concatenate(parts, -1)


CASES: dict[str, list[Row]] = {
    # activations with settings
    "nn.celu": [smooth(lambda x: nn.celu(x, 0.5), [X], lambda x: np.where(x > 0, x, 0.5 * np.expm1(2 * x)))],
    "nn.elu": [smooth(lambda x: nn.elu(x, 0.5), [X], lambda x: np.where(x > 0, x, 0.5 * np.expm1(x)))],
    "nn.gelu": [
        smooth(lambda x: nn.gelu(x, True), [X], lambda x: x * ref.sigmoid(1.5957691216057308 * (x + 0.044715 * x**3)))
    ],
    "nn.glu": [smooth(nn.glu, [X], lambda x: x[:, :2] * ref.sigmoid(x[:, 2:]))],
    "nn.hard_shrink": [smooth(lambda x: nn.hard_shrink(x, 1), [X], lambda x: np.where(abs(x) <= 1, 0, x))],
    "nn.leaky_relu": [smooth(lambda x: nn.leaky_relu(x, 0.01), [X], lambda x: np.where(x > 0, x, 0.01 * x))],
    "nn.soft_shrink": [smooth(lambda x: nn.soft_shrink(x, 1), [X], lambda x: np.sign(x) * np.maximum(abs(x) - 1, 0))],
    "nn.squareplus": [smooth(lambda x: nn.squareplus(x, 1), [X], lambda x: (x + np.sqrt(x * x + 1)) / 2)],
    "nn.threshold": [smooth(lambda x: nn.threshold(x, 0.3, -1), [X], lambda x: np.where(x > 0.3, x, -1))],
    "nn.softmax": [
        smooth(lambda x: nn.softmax(x, (0, 1)), [X], lambda x: np.exp(x) / np.exp(x).sum()),
        smooth(
            lambda x: nn.softmax(x, where=CHANCES > 0.2),
            [X],
            lambda x: np.exp(x) * (CHANCES > 0.2) / (np.exp(x) * (CHANCES > 0.2)).sum(1, keepdims=True),
        ),
    ],
    "nn.sparsemax": [smooth(lambda x: nn.sparsemax(x, 0), [X], lambda x: ref.sparsemax(x.T).T)],
    # normalizations
    "nn.standardize": [smooth(lambda x: nn.standardize(x, None), [X], lambda x: ref.standardize(x, (0, 1), 1e-5))],
    "nn.layer_norm": [
        smooth(lambda x, b: nn.layer_norm(x, beta=b), [X, ROW2], lambda x, b: ref.standardize(x, (1,), 1e-3) + b)
    ],
    "nn.rms_norm": [smooth(lambda x, g: nn.rms_norm(x, g), [X, ROW], lambda x, g: ref.rms_norm(x, (1,), 1e-6) * g)],
    "nn.group_norm": [
        smooth(
            lambda x, g, b: nn.group_norm(x, 2, g, b),
            [PICTURE, ROW, ROW2],
            lambda x, g, b: ref.standardize(x.reshape(1, 5, 4, 2, 2), (1, 2, 4), 1e-3).reshape(x.shape) * g + b,
        )
    ],
    "nn.instance_norm": [
        smooth(
            lambda x, g, b: nn.instance_norm(x, g, b),
            [PICTURE, ROW, ROW2],
            lambda x, g, b: ref.standardize(x, (1, 2), 1e-3) * g + b,
        )
    ],
    "nn.moments": [smooth(lambda x: nn.moments(x, 0), [X], lambda x: (x.mean(0), x.var(0)))],
    "nn.batch_norm": [
        smooth(
            lambda x, m, v, g, b: nn.batch_norm(x, m, v, g, b),
            [X, ROW2, ROW, ROW + 1, ROW2],
            lambda x, m, v, g, b: (x - m) / np.sqrt(v + 1e-3) * g + b,
        ),
        smooth(
            lambda x: nn.batch_norm(x, *nn.moments(x, 1), axis=0),
            [X],
            lambda x: ref.standardize(x, (1,), 1e-3),
        ),
    ],
    "nn.normalize": [
        smooth(nn.normalize, [X], lambda x: x / np.sqrt((x * x).sum(1, keepdims=True))),
        smooth(lambda x: nn.normalize(x, 0, 3), [X], lambda x: x / (abs(x) ** 3).sum(0) ** (1 / 3)),
        smooth(lambda x: nn.normalize(x, None, float("inf")), [X], lambda x: x / abs(x).max()),
        plain(lambda x: nn.normalize(x * 0), [X], lambda x: x * 0),
    ],
    "nn.cosine_similarity": [
        smooth(
            nn.cosine_similarity,
            [X, ROW],
            lambda x, y: x @ y / np.sqrt((x * x).sum(1) * (y * y).sum()),
        )
    ],
    # convolutions
    "nn.conv": [
        smooth(
            lambda x, w: nn.conv(x, w, 1, "causal", 2),
            [SIGNAL, W1],
            lambda x, w: conv_by_loops(x, w, (1,), ((4, 0),), (2,)),
        )
    ],
    "nn.depthwise_conv": [smooth(nn.depthwise_conv, [SIGNAL, W1], depthwise)],
    "nn.separable_conv": [
        smooth(nn.separable_conv, [SIGNAL, W1, X.T[None, :, :2]], lambda x, w, p: depthwise(x, w) @ p[0])
    ],
    "nn.conv_transpose": [
        smooth(
            lambda x, w: nn.conv_transpose(x, w, 2, "same"),
            [SIGNAL, W1],
            lambda x, w: ref.conv_transpose(x, w, (2,), (0,), (14,), (1,)),
        ),
        smooth(
            lambda x, w: nn.conv_transpose(x, w, 3, "same", 1, 2),
            [SIGNAL, W1],
            lambda x, w: ref.conv_transpose(x, w, (3,), (1,), (20,), (2,)),
        ),
        smooth(
            lambda x, w: nn.conv_transpose(x, w, (3, 2), "valid"),
            [PICTURE, W2],
            lambda x, w: ref.conv_transpose(x, w, (3, 2), (0, 0), (15, 9), (1, 1)),
        ),
        smooth(
            lambda x, w: nn.conv_transpose(x, w, (1, 2), [(1, 0), (2, 1)], 1, (2, 1), 2),
            [PICTURE, W2],
            lambda x, w: ref.conv_transpose(x, w, (1, 2), (1, 2), (7, 7), (2, 1), 2),
        ),
    ],
    "nn.unfold": [
        smooth(
            lambda x, w: nn.unfold(x, (2, 3), (1, 2), "same", (2, 1)) @ w.reshape((-1, 2)),
            [PICTURE, R.uniform(-1, 1, (2, 3, 4, 2))],
            lambda x, w: conv_by_loops(x, w, (1, 2), ((1, 1), (0, 1)), (2, 1)),
        )
    ],
    "nn.fold": [
        smooth(
            lambda x, w: nn.fold(x.reshape((2, 7, 2)) @ w.reshape((-1, 2)).T, 16, 3, 2, [(0, 0)], 1),
            [SIGNAL, W1],
            lambda x, w: np.append(ref.conv_transpose(x, w, (2,), (0,), (15,), (1,)), np.zeros((2, 1, 2)), 1),
        ),
        smooth(
            lambda x: nn.fold(nn.unfold(x, 2, 2), (5, 4), 2, 2),
            [PICTURE],
            lambda x: x * (np.arange(5) < 4)[:, None, None],
        ),
    ],
    # pooling
    "nn.average_pool": [
        smooth(
            lambda x: nn.average_pool(x, (2, 3), (1, 2), [(1, 1), (0, 1)], True),
            [PICTURE],
            lambda x: ref.pool(np.pad(x, ((0, 0), (1, 1), (0, 1), (0, 0))), (2, 3), (1, 2), np.mean),
        )
    ],
    "nn.max_pool": [
        plain(
            lambda x: nn.max_pool(x.astype("int8"), 2, 1, "same"),
            [SIGNAL - 9],
            lambda x: np.maximum(x, np.append(x[:, 1:], x[:, -1:], 1)).astype("int8"),
        ),
        smooth(lambda x: nn.max_pool(x, 2, 1, "valid", 3), [SIGNAL], lambda x: np.maximum(x[:, :4], x[:, 3:])),
    ],
    "nn.global_average_pool": [smooth(nn.global_average_pool, [PICTURE], lambda x: x.mean((1, 2)))],
    "nn.global_max_pool": [
        smooth(lambda x: nn.global_max_pool(x, True), [PICTURE], lambda x: x.max((1, 2), keepdims=True))
    ],
    "nn.adaptive_average_pool": [
        smooth(lambda x, m=m: nn.adaptive_average_pool(x, m), [SIGNAL], lambda x, m=m: ref.adaptive_pool(x, m, np.mean))
        for m in (1, 3, 7, 9)
    ],
    "nn.adaptive_max_pool": [
        smooth(lambda x, m=m: nn.adaptive_max_pool(x, m), [SIGNAL], lambda x, m=m: ref.adaptive_pool(x, m, np.max))
        for m in (1, 3, 7, 9)
    ],
    # resizing
    "nn.resize": [
        *(
            smooth(
                lambda x, m=m, k=k, a=a: nn.resize(x, m, k, antialias=a),
                [SIGNAL],
                lambda x, m=m, k=k, a=a: ref.resize(x, m, k, a),
            )
            for k in ref.KERNELS
            for m, a in ((3, False), (3, True), (11, True))
        ),
        smooth(
            lambda x: nn.resize(x, 10, "cubic", coordinates="align_corners", edge="repeat", cubic=-0.75),
            [SIGNAL],
            lambda x: ref.resize_repeated(x, 10),
        ),
        smooth(
            lambda x: nn.resize(x, 5, coordinates="asymmetric"),
            [SIGNAL],
            lambda x: np.stack(
                [x[:, int(p)] * (1 - p % 1) + x[:, min(int(p) + 1, 6)] * (p % 1) for p in 1.4 * np.arange(5)], 1
            ),
        ),
        smooth(lambda x: nn.resize(x, (10, 2), "nearest"), [PICTURE], lambda x: x.repeat(2, 1)[:, :, 1::2]),
        smooth(lambda x: nn.resize(x, 3, "nearest"), [SIGNAL], lambda x: x[:, [1, 3, 5]]),
        smooth(lambda x: nn.resize(x, 3, "nearest", coordinates="asymmetric"), [SIGNAL], lambda x: x[:, [0, 2, 4]]),
        smooth(
            lambda x: nn.resize(x, 4, "nearest", coordinates="align_corners"), [SIGNAL], lambda x: x[:, [0, 2, 4, 6]]
        ),
        smooth(
            lambda x: nn.resize(x, (3, 9), "bilinear"),
            [PICTURE],
            lambda x: heads_first(ref.resize(heads_first(ref.resize(x, 3, "linear")), 9, "linear")),
        ),
    ],
    "nn.depth_to_space": [smooth(lambda x: nn.depth_to_space(x, 2), [PICTURE], deep)],
    "nn.space_to_depth": [smooth(lambda x: nn.space_to_depth(nn.depth_to_space(x, 2), 2), [PICTURE], lambda x: x)],
    # attention
    "nn.scaled_dot_product_attention": [
        smooth(nn.scaled_dot_product_attention, [Q, K, V], ref.attention),
        smooth(
            lambda q, k, v, b: nn.scaled_dot_product_attention(q, k, v, ALLOWED, b),
            [Q, K, V, BIAS],
            lambda q, k, v, b: ref.attention(q, k, v, ALLOWED, b),
        ),
        smooth(
            lambda q, k, v: nn.scaled_dot_product_attention(q, k, v, is_causal=True, scale=0.3),
            [Q, K[:, :2], V[:, :2]],
            lambda q, k, v: ref.attention(q * 0.3 * np.sqrt(2), k.repeat(2, 1), v.repeat(2, 1), CAUSAL),
        ),
        smooth(
            lambda q, k, v, b: nn.scaled_dot_product_attention(q, k, v, b, is_causal=True),
            [Q, K[:, :2], V[:, :2], BIAS],
            lambda q, k, v, b: ref.attention(q, k.repeat(2, 1), v.repeat(2, 1), CAUSAL, b),
        ),
        smooth(
            lambda q, k, v: nn.scaled_dot_product_attention(q, k, v, dropout=0.25, dropout_key=KEY),
            [Q[0, 0], K[0, 0], np.eye(5)],
            lambda q, k, v: np.where(bt.random.uniform(KEY, (3, 5)).numpy() >= 0.25, ref.attention(q, k, v) / 0.75, 0),
        ),
    ],
    "nn.dot_product_attention": [
        smooth(
            lambda q, k, v: nn.dot_product_attention(q, k, v, BIAS, ALLOWED, is_causal=True),
            [heads_first(Q), heads_first(K), heads_first(V)],
            lambda q, k, v: heads_first(ref.attention(Q, K, V, ALLOWED & CAUSAL, BIAS)),
        )
    ],
    # tables, masks, losses
    "nn.embedding": [smooth(lambda t: nn.embedding(CLASSES, t), [PICTURE[0, 0]], lambda t: t[CLASSES])],
    "nn.multi_hot": [plain(lambda i: nn.multi_hot(i, 4), [CLASSES], lambda i: np.array([1.0, 1, 0, 1]))],
    "nn.dropout": [
        smooth(lambda x: nn.dropout(x, 0.25, KEY, (None, 1)), [X], dropped),
        plain(lambda x: nn.dropout(x, 1.0, KEY), [X], lambda x: x * 0),
    ],
    "nn.softmax_cross_entropy": [
        smooth(
            lambda x: nn.softmax_cross_entropy(x, CLASSES), [X], lambda x: -ref.log_softmax(x)[np.arange(3), CLASSES]
        ),
        smooth(
            lambda x, p: nn.softmax_cross_entropy(x, p), [X, CHANCES], lambda x, p: -(ref.log_softmax(x) * p).sum(1)
        ),
        smooth(
            lambda x: nn.softmax_cross_entropy(x, CLASSES, 0),
            [X.T],
            lambda x: -ref.log_softmax(x.T)[np.arange(3), CLASSES],
        ),
    ],
    "nn.sigmoid_binary_cross_entropy": [
        smooth(
            nn.sigmoid_binary_cross_entropy,
            [X, CHANCES],
            lambda z, y: -y * np.log(ref.sigmoid(z)) - (1 - y) * np.log(1 - ref.sigmoid(z)),
        )
    ],
    "nn.huber": [
        smooth(
            lambda x, y: nn.huber(x, y, 0.7),
            [X, CHANCES],
            lambda x, y: np.where(abs(x - y) <= 0.7, (x - y) ** 2 / 2, 0.7 * (abs(x - y) - 0.35)),
        )
    ],
}
SAME = {"nn.tanh": "tanh", "nn.one_hot": "one_hot", "nn.swish": "nn.silu", "nn.hard_swish": "nn.hard_silu"}

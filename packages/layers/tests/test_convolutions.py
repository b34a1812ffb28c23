"""Convolutions of other kinds than the plain one, against sums written out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork import layers as L
from brickwork.layers import LayerError

R = np.random.default_rng(3)


def started(layer, x):
    layer(x)
    layer.set_weights([R.normal(size=w.shape) for w in layer.weights])
    return layer, [w.numpy() for w in layer.weights]


def test_depthwise_and_separable() -> None:
    x = R.normal(size=(2, 5, 6, 3))
    layer, (kernel, bias) = started(L.DepthwiseConv2D((2, 3), depth_multiplier=2, dtype="float64"), x)
    wanted = np.zeros((2, 4, 4, 3, 2))
    for i in range(4):
        for j in range(4):
            wanted[:, i, j] = np.einsum("bhwc,hwcm->bcm", x[:, i : i + 2, j : j + 3], kernel)
    wanted = wanted.reshape(2, 4, 4, 6)
    np.testing.assert_allclose(layer(x).numpy(), wanted + bias, rtol=1e-9, atol=1e-12)
    layer, (_, pointwise, bias) = started(
        L.SeparableConv2D(4, (2, 3), depth_multiplier=2, activation="relu", dtype="float64"), x
    )
    layer.set_weights([kernel, pointwise, bias])
    np.testing.assert_allclose(layer(x).numpy(), np.maximum(wanted @ pointwise[0, 0] + bias, 0), rtol=1e-9, atol=1e-12)
    assert [w.name for w in layer.weights] == ["depthwise_kernel", "pointwise_kernel", "bias"]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("size", "stride"), [(3, 1), (3, 2), (2, 3), (4, 2)])
def test_transposed_is_the_transpose_of_convolution(size, stride, padding) -> None:
    """<conv(x), y> = <x, conv_transpose(y)> for one kernel, where sizes fit."""
    y = R.normal(size=(1, 4, 5, 2))
    back, (kernel,) = started(L.Conv2DTranspose(3, size, stride, padding, use_bias=False, dtype="float64"), y)
    large = back(y).numpy()
    x = R.normal(size=large.shape)
    there = L.Conv2D(2, size, stride, padding, use_bias=False, dtype="float64")
    there(x)
    there.set_weights([kernel])
    small = there(x).numpy()
    assert small.shape == y.shape
    assert (small * y).sum() == pytest.approx((x * large).sum(), rel=1e-10)


def test_causal_places_see_what_came_before() -> None:
    x = R.normal(size=(2, 7, 3))
    layer, (kernel, bias) = started(L.Conv1D(4, 2, padding="causal", dilation_rate=3, dtype="float64"), x)
    padded = np.pad(x, ((0, 0), (3, 0), (0, 0)))
    wanted = padded[:, :7] @ kernel[0] + padded[:, 3:] @ kernel[1] + bias
    np.testing.assert_allclose(layer(x).numpy(), wanted, rtol=1e-9, atol=1e-12)


def test_channels_first_is_channels_last_turned() -> None:
    x = R.normal(size=(2, 4, 5, 3)).astype("f")
    for cls, args in ((L.Conv2DTranspose, (4, 3, 2)), (L.DepthwiseConv2D, (3,)), (L.SeparableConv2D, (4, 3))):
        one, other = cls(*args), cls(*args, data_format="channels_first")
        wanted = one(x).numpy()
        other(x.transpose(0, 3, 1, 2))
        other.set_weights(one.get_weights())
        got = other(x.transpose(0, 3, 1, 2)).numpy()
        np.testing.assert_allclose(got.transpose(0, 2, 3, 1), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: L.Conv2DTranspose(0, 3), "filters must be a positive whole number; got 0"),
        (lambda: L.Conv2DTranspose(2, 3, 2, output_padding=2), "output_padding must be below strides"),
        (lambda: L.DepthwiseConv2D(3, depth_multiplier=0), "depth_multiplier must be a positive"),
        (lambda: L.SeparableConv2D(3, 3, 2, dilation_rate=2), "can not both be above 1"),
        (lambda: L.Conv2D(3, 3, padding="causal"), "causal"),
        (lambda: L.Conv1D(3, 3, padding="casual"), "'causal'"),
        (lambda: L.DepthwiseConv2D(3)(L.Input((5, 5, None))), "channels must be known"),
    ],
)
def test_errors(make, text) -> None:
    with pytest.raises(LayerError, match=text):
        make()

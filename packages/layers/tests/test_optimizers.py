"""Optimizers against their formulas, several steps in float64."""

from __future__ import annotations

import json

import numpy as np
import pytest

from brickwork.layers import LayerError, optimizers
from brickwork.layers.abstract import abstractly
from brickwork.tensor import Variable

R = np.random.default_rng(5)
START = R.normal(size=(3, 2))
GRADIENTS = R.normal(size=(6, 3, 2))


def sgd(w, gradients, lr=0.01, m=0.0, nesterov=False):
    v = 0 * w
    for g in gradients:
        v = m * v - lr * g
        w = w + (m * v - lr * g if nesterov else v)
    return w


def adam(w, gradients, lr=0.001, b1=0.9, b2=0.999, eps=1e-7, decay=0.0, amsgrad=False):
    m, v, top = 0 * w, 0 * w, 0 * w
    for t, g in enumerate(gradients, 1):
        w = w - w * decay * lr
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        top = np.maximum(top, v)
        w = w - lr * np.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(top if amsgrad else v) + eps)
    return w


def rmsprop(w, gradients, lr=0.001, rho=0.9, momentum=0.0, eps=1e-7, centered=False):
    v, a, d = 0 * w, 0 * w, 0 * w
    for g in gradients:
        v, a = rho * v + (1 - rho) * g * g, rho * a + (1 - rho) * g
        step = lr * g / np.sqrt(v + eps - (a * a if centered else 0))
        d = momentum * d + step
        w = w - d
    return w


def clipped(gradients, norm):
    return [g * min(1, norm / np.linalg.norm(g)) for g in gradients]


CASES = {
    "sgd": (optimizers.SGD(), sgd(START, GRADIENTS)),
    "momentum": (optimizers.SGD(0.1, momentum=0.9), sgd(START, GRADIENTS, 0.1, 0.9)),
    "nesterov": (optimizers.SGD(0.1, momentum=0.9, nesterov=True), sgd(START, GRADIENTS, 0.1, 0.9, True)),
    "adam": (optimizers.Adam(), adam(START, GRADIENTS)),
    "adam options": (optimizers.Adam(0.1, 0.8, 0.9, 1e-3), adam(START, GRADIENTS, 0.1, 0.8, 0.9, 1e-3)),
    "amsgrad": (optimizers.Adam(0.1, amsgrad=True), adam(START, GRADIENTS, 0.1, amsgrad=True)),
    "adamw": (optimizers.AdamW(0.1), adam(START, GRADIENTS, 0.1, decay=0.004)),
    "rmsprop": (optimizers.RMSprop(), rmsprop(START, GRADIENTS)),
    "rmsprop options": (
        optimizers.RMSprop(0.01, momentum=0.5, centered=True),
        rmsprop(START, GRADIENTS, 0.01, 0.9, 0.5, centered=True),
    ),
    "clipnorm": (optimizers.SGD(clipnorm=0.5), sgd(START, clipped(GRADIENTS, 0.5))),
    "clipvalue": (optimizers.SGD(clipvalue=0.2), sgd(START, GRADIENTS.clip(-0.2, 0.2))),
    "global_clipnorm": (optimizers.SGD(global_clipnorm=0.5), sgd(START, clipped(GRADIENTS, 0.5))),
}


@pytest.mark.parametrize("case", CASES)
def test_steps(case) -> None:
    optimizer, wanted = CASES[case]
    optimizer = optimizers.deserialize(json.loads(json.dumps(optimizers.serialize(optimizer))))
    w = Variable(START, name="w")
    for g in GRADIENTS:
        optimizer.apply([g], [w])
    np.testing.assert_allclose(w.numpy(), wanted, rtol=2e-5, atol=1e-7)
    assert int(optimizer.iterations.numpy()) == len(GRADIENTS)


def test_defaults_are_those_of_keras() -> None:
    adam_ = optimizers.get("adam").get_config()
    assert adam_["learning_rate"] == pytest.approx(1e-3)
    assert (adam_["beta_1"], adam_["beta_2"], adam_["epsilon"], adam_["amsgrad"]) == (0.9, 0.999, 1e-7, False)
    assert float(optimizers.SGD().learning_rate.numpy()) == pytest.approx(0.01)
    assert optimizers.get("adamw").weight_decay == 0.004


def test_learning_rate_can_change_between_steps() -> None:
    w, optimizer = Variable(np.ones(2)), optimizers.SGD(0.5)
    optimizer.apply_gradients([(np.ones(2), w)])
    optimizer.learning_rate = 0.25
    optimizer.apply_gradients([(np.ones(2), w)])
    np.testing.assert_allclose(w.numpy(), 0.25)


def test_absent_gradients_leave_their_weight_alone() -> None:
    a, b = Variable(np.ones(2)), Variable(np.ones(2))
    optimizers.Adam().apply([None, np.ones(2)], [a, b])
    np.testing.assert_array_equal(a.numpy(), 1)
    assert (b.numpy() < 1).all()


def test_zero_gradient_and_clipping() -> None:
    w = Variable(np.ones(2))
    optimizers.SGD(clipnorm=1.0).apply([np.zeros(2)], [w])
    np.testing.assert_array_equal(w.numpy(), 1)


def test_weights_excluded_from_decay() -> None:
    a, b = Variable(np.ones(2), name="kernel"), Variable(np.ones(2), name="bias")
    optimizer = optimizers.AdamW(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.apply([np.zeros(2), np.zeros(2)], [a, b])
    np.testing.assert_allclose(a.numpy(), 0.95)
    np.testing.assert_array_equal(b.numpy(), 1)


def test_a_step_can_be_traced() -> None:
    w, optimizer = Variable(np.ones(2)), optimizers.Adam(clipnorm=1.0)
    abstractly(lambda: optimizer.apply([np.ones(2)], [w]))
    assert int(optimizer.iterations.numpy()) == 0
    assert all(not v.symbolic for v in optimizer.variables)


def test_bad_arguments() -> None:
    with pytest.raises(LayerError, match="learning_rate must be a number of at least 0; got -1"):
        optimizers.SGD(-1)
    with pytest.raises(LayerError, match="at most one of clipnorm"):
        optimizers.Adam(clipnorm=1, clipvalue=1)
    with pytest.raises(LayerError, match="Did you mean 'adam'"):
        optimizers.get("adamm")
    with pytest.raises(LayerError, match="one gradient per variable; got 2 for 1"):
        optimizers.SGD().apply([1.0, 2.0], [Variable(1.0)])

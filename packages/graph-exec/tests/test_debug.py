"""`function(..., debug=True)`: which op is blamed for the first value that is not finite, and where."""

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.graph import NonFiniteError, function
from brickwork.tensor.errors import BrickworkError
from brickwork.tensor.scope import named


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def line_of(fn, text):
    lines = open(fn.__code__.co_filename).read().split("\n")
    return next(k for k, line in enumerate(lines, 1) if k >= fn.__code__.co_firstlineno and text in line)


def test_results_are_those_of_the_function():
    def fn(x, scale=2.0, *, flag):
        return {"a": bt.nn.softmax(x) * scale, "b": x if flag else None}

    want, got = fn(bt.asarray(normal(3, 4)), flag=True), function(fn, debug=True)(normal(3, 4), flag=True)
    np.testing.assert_allclose(got["a"].numpy(), want["a"].numpy())
    assert function(fn, debug=True).explain() == [], "nothing is compiled"


def test_op_line_and_place_of_the_first_nan():
    def fn(x):
        y = x * 1.0
        return bt.sum(bt.log(y)) + 1.0

    x = np.array([[1.0, 2.0], [-3.0, 4.0]], "f")
    with pytest.raises(NonFiniteError) as caught:
        function(fn, debug=True)(x)
    error = caught.value
    assert error.op == "log" and error.layer == "" and error.line == f"{__file__}:{line_of(fn, 'bt.log(y)')}"
    assert np.isnan(error.value[1, 0])
    assert "fn: log at " in str(
        error
    ) and "got 1 NaN (first at [1, 0]) of f32[2, 2] from f32[2, 2] from -3 to 4" in str(error)
    assert isinstance(error, FloatingPointError) and isinstance(error, BrickworkError)


def test_infinities_stop_it_too_unless_nan_alone_is_wanted():
    def fn(x):
        return bt.exp(x) / bt.exp(x)

    big = np.array([1.0, 100.0], "f")
    with pytest.raises(NonFiniteError, match=r"fn: exp .* got 1 infinity \(first at \[1\]\)"):
        function(fn, debug=True)(big)
    with pytest.raises(NonFiniteError, match=r"fn: divide .* got 1 NaN"):
        function(fn, debug="nan")(big)


def test_an_infinity_that_the_user_wrote_is_no_fault():
    def masked(x, mask):
        return bt.nn.softmax(bt.where(mask, x, -float("inf")))

    out = function(masked, debug=True)(normal(2, 3), np.array([True, True, False]))
    assert out.numpy()[:, 2].tolist() == [0.0, 0.0]
    with pytest.raises(NonFiniteError, match=r"masked: subtract .* NaN"):
        function(masked, debug=True)(normal(2, 3), np.array([False] * 3))


def test_arguments_and_variables_are_looked_at_first():
    w = bt.Variable(np.array([1.0, np.nan], "f"), name="dense/kernel")
    f = function(lambda x: x * w, debug=True)
    with pytest.raises(NonFiniteError, match=r'argument x must be finite; got 1 infinity .* debug="nan"'):
        f(np.array([np.inf, 1.0], "f"))
    with pytest.raises(NonFiniteError, match=r"variable dense/kernel must be finite; got 1 NaN \(first at \[1\]\)"):
        f(np.ones(2, "f"))
    function(lambda x: x * 2.0, debug="nan")(np.array([np.inf], "f"))


def test_gradients_are_looked_at():
    def fn(x):
        return bt.grad(lambda v: bt.sum(bt.sqrt(v)))(x)

    with pytest.raises(NonFiniteError) as caught:
        function(fn, debug=True)(np.array([4.0, 0.0], "f"))
    assert f"{__file__}:" in caught.value.line


def test_bodies_of_regions_are_looked_at():
    def fn(x):
        return bt.scan(lambda c, r: (bt.log(c - r), c), bt.ones(()) * 10.0, x)

    with pytest.raises(NonFiniteError, match="fn: log"):
        function(fn, debug=True)(np.array([1.0, 5.0, 6.0], "f"))


def test_the_layer_is_named():
    def fn(x):
        with named("net"), named("norm"):
            return x / bt.sum(x - x)

    with pytest.raises(NonFiniteError, match="fn: divide in layer net/norm at ") as caught:
        function(fn, debug=True)(normal(3))
    assert caught.value.layer == "net/norm"


def test_layers_name_themselves():
    layers = pytest.importorskip("brickwork.layers", reason="layers to name")
    model = layers.Sequential(
        [layers.Dense(3, name="first"), layers.Lambda(lambda v: bt.log(v - v - 1.0), name="odd")]
        if hasattr(layers, "Lambda")
        else [layers.Dense(3, name="first"), layers.Activation(lambda v: bt.log(v - v - 1.0), name="odd")],
        name="net",
    )
    with pytest.raises(BrickworkError) as caught:
        function(lambda x: model(x), debug=True)(normal(2, 4))
    assert "log in layer net/odd" in str(caught.value)


def test_assignments_stand_as_far_as_it_came():
    w = bt.Variable(np.ones(2, "f"))

    def fn(x):
        w.assign(w.value + 1.0)
        return bt.log(x)

    with pytest.raises(NonFiniteError):
        function(fn, debug=True)(np.array([-1.0, 1.0], "f"))
    assert w.tolist() == [2.0, 2.0]


def test_a_gradient_is_of_the_layer_whose_op_it_is():
    def loss(x):
        with named("net"), named("root"):
            y = bt.sqrt(x)
        return bt.sum(y * 3.0)

    with pytest.raises(NonFiniteError) as caught:
        function(bt.grad(loss), debug=True)(np.array([4.0, 0.0], "f"))
    assert caught.value.layer == "net/root/gradient"

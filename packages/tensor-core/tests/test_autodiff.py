"""Gradients: of trees and variables, by tape, of gradients, and of what does not depend."""

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.tensor import GradientTape, Variable

X = np.array([1.0, 2.0, 3.0])


def test_trees_come_back_in_their_structure():
    params = {"w": [X, 2.0], "b": (np.float64(3.0), None)}
    value, found = bt.value_and_grad(lambda p: bt.sum(p["w"][0] * p["w"][1]) * p["b"][0])(params)
    assert value.item() == 36.0
    assert found["w"][0].tolist() == [6.0] * 3 and found["w"][1].item() == 18.0
    assert found["b"][0].item() == 12.0 and found["b"][1] is None
    assert found["w"][1].dtype == np.float32 and found["w"][0].dtype == np.float64


def test_argnums_and_aux():
    def fn(x, y, scale=1.0):
        return bt.sum(x * y) * scale, {"aux": x}

    (value, aux), (gy, gx) = bt.value_and_grad(fn, (1, 0), has_aux=True)(X, X + 1, scale=2.0)
    assert value.item() == 40.0 and aux["aux"].tolist() == X.tolist()
    assert gy.tolist() == (2 * X).tolist() and gx.tolist() == (2 * X + 2).tolist()


def test_no_dependence_is_zeros():
    assert bt.grad(lambda x: bt.sum(bt.stop_gradient(x)))(X).tolist() == [0.0] * 3
    assert bt.grad(lambda x: bt.sum(bt.floor(x)))(X).tolist() == [0.0] * 3
    assert bt.grad(lambda x: bt.sum(X) + 0.0 * bt.sum(x[:0]))(X).tolist() == [0.0] * 3


@pytest.mark.parametrize("same", [lambda x: +x, lambda x: x, bt.identity, lambda x: x.reshape((3,)), lambda x: x[:]])
def test_values_that_pass_through_count_once(same):
    assert bt.grad(lambda x: bt.sum(same(x)))(X).tolist() == [1.0] * 3
    assert bt.grad(lambda x: bt.sum(same(x) * x))(X).tolist() == (2 * X).tolist()


def test_variables():
    w, b = Variable(X, name="w"), Variable(1.0, dtype="float64", name="b")
    frozen = Variable(X, trainable=False)
    value, found = bt.value_and_grad(lambda: bt.sum(w * w * frozen) + b, variables=[b, w])()
    assert value.item() == 37.0
    assert found[0].item() == 1.0 and found[1].tolist() == (2 * X * X).tolist()


def test_a_variable_that_is_assigned_between_reads():
    v = Variable(2.0, dtype="float64")

    def fn():
        first = v.value * 3.0
        v.assign(v.value + 1.0)
        return first + v.value * v.value

    value, (found,) = bt.value_and_grad(fn, variables=[v])()
    assert value.item() == 6.0 + 9.0
    assert found.item() == 3.0 + 2 * 3.0  # of both values that it had
    assert v.numpy() == 3.0


def test_gradients_of_gradients():
    cube = bt.grad(lambda x: x**3.0)
    assert cube(2.0).item() == 12.0
    assert bt.grad(cube)(2.0).item() == 12.0
    assert bt.grad(bt.grad(cube))(2.0).item() == 6.0
    hessian = [bt.grad(lambda x, k=k: bt.grad(lambda y: bt.sum(y * y * y))(x)[k])(X).tolist() for k in range(3)]
    np.testing.assert_allclose(hessian, np.diag(6 * X))


def test_an_inner_gradient_does_not_watch_the_outer_value():
    out = bt.grad(lambda x: bt.grad(lambda y: x * y * y)(3.0) * x)(2.0)  # d/dx (2 * 3 * x) * x
    assert out.item() == 24.0


def test_tape_watches_and_gives_one_gradient():
    x = bt.asarray(X)
    with GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert tape.gradient(y, x).tolist() == (2 * X).tolist()
    with pytest.raises(bt.BrickworkError, match="second request"):
        tape.gradient(y, x)


def test_persistent_tape_and_trees_of_sources():
    v, other = Variable(X), Variable(1.0)
    with GradientTape(persistent=True) as tape:
        y = bt.sum(v * v)
        z = bt.sum(v)
    found = tape.gradient(y, {"v": v, "other": other})
    assert found["v"].tolist() == (2 * X).tolist() and found["other"] is None
    assert tape.gradient(z, [v])[0].tolist() == [1.0] * 3


def test_tape_of_untrainable_variables_must_be_asked():
    v = Variable(X, trainable=False)
    with GradientTape(persistent=True) as tape:
        y = bt.sum(v * v)
    assert tape.gradient(y, v) is None
    with GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(v)
        y = bt.sum(v * v)
    assert tape.gradient(y, v).tolist() == (2 * X).tolist()


def test_tape_inside_tape():
    x = bt.asarray(2.0, "float64")
    with GradientTape() as outer:
        outer.watch(x)
        with GradientTape() as inner:
            inner.watch(x)
            y = x * x * x
        first = inner.gradient(y, x)
    assert first.item() == 12.0 and outer.gradient(first, x).item() == 12.0


def test_vjp_pulls_any_cotangent():
    out, pull = bt.vjp(lambda a, b: a @ b, np.ones((2, 3)), np.ones((3, 2)))
    ga, gb = pull(np.array([[1.0, 0.0], [0.0, 0.0]]))
    assert out.shape == (2, 2) and ga.tolist() == [[1.0] * 3, [0.0] * 3] and gb.tolist() == [[1.0, 0.0]] * 3


def test_mixed_dtypes_give_each_its_own():
    a, b = np.ones(3, np.float32), np.ones(3, np.float64)
    ga, gb = bt.grad(lambda x, y: bt.sum(x * y), (0, 1))(a, b)
    assert ga.dtype == np.float32 and gb.dtype == np.float64


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: bt.grad(lambda x: x * 2.0)(X), "must return one number"),
        (lambda: bt.grad(lambda x: 1.0)(X), "must return one number; got float"),
        (lambda: bt.grad(lambda x: bt.sum(x > 1.0))(X), "floating-point number; got int64"),
        (lambda: bt.grad(lambda x: bt.sum(x))([1, 2]), "argument 0 must be floating-point"),
        (lambda: bt.grad(lambda x: bt.sum(x), 1)(X), "argnums"),
        (lambda: bt.value_and_grad(lambda x: bt.sum(x), has_aux=True)(X), "has_aux"),
        (lambda: GradientTape().gradient(bt.asarray(X), []), "entered first"),
    ],
)
def test_errors(call, says):
    with pytest.raises(bt.BrickworkError, match=says):
        call()


def test_the_trace_is_put_back_after_an_error():
    from brickwork.tensor.trace import current

    before = current()
    with pytest.raises(bt.BrickworkError), GradientTape():
        bt.matmul(X, np.ones(2))
    with pytest.raises(ZeroDivisionError):
        bt.grad(lambda x: 1 / 0)(X)
    assert current() is before


@pytest.mark.parametrize(
    ("fn", "x", "want"),
    [
        (bt.max, [1.0, 3.0, 3.0, 3.0], [0.0, 1 / 3, 1 / 3, 1 / 3]),
        (bt.min, [1.0, 3.0, 1.0], [0.5, 0.0, 0.5]),
        (lambda x: bt.sum(bt.maximum(x, 2.0)), [1.0, 2.0, 3.0], [0.0, 0.5, 1.0]),
        (lambda x: bt.sum(bt.nn.relu(x)), [-1.0, 0.0, 2.0], [0.0, 0.0, 1.0]),
        (lambda x: bt.sum(bt.abs(x)), [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]),
        (bt.prod, [2.0, 3.0, 4.0], [12.0, 8.0, 6.0]),
        (bt.prod, [2.0, 0.0, 4.0], [0.0, 8.0, 0.0]),
        (bt.prod, [0.0, 0.0, 4.0], [0.0, 0.0, 0.0]),
        (lambda x: bt.sum(x**2.0), [0.0, -3.0], [0.0, -6.0]),
        (lambda x: bt.sum(bt.take(x, [1, 1, 0])), [5.0, 6.0], [1.0, 2.0]),
        (lambda x: bt.sum(bt.where(x > 0.0, bt.log(bt.where(x > 0.0, x, 1.0)), 0.0)), [0.0, 2.0], [0.0, 0.5]),
    ],
)
def test_ties_zeros_and_repeats(fn, x, want):
    """Where differences say nothing: equals share, and what is zero does not divide."""
    np.testing.assert_allclose(bt.grad(fn)(np.array(x)).numpy(), want, 1e-12)

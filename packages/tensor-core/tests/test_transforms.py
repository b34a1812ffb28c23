"""Forward mode, whole derivatives, gradients that a person writes, and computing again instead of keeping."""

import weakref

import numpy as np
import op_samples
import pytest

import brickwork.tensor as bt
from brickwork.tensor import (
    OPS,
    BrickworkError,
    DTypeError,
    Tensor,
    Variable,
    checkpoint,
    custom_gradient,
    hessian,
    jacobian,
    jvp,
    vjp,
    vmap,
)
from brickwork.tensor.trace import bind

RNG = np.random.default_rng(3)
X, V, W = RNG.normal(size=(4,)), RNG.normal(size=(4,)), RNG.normal(size=(4, 2))
STEP = 1e-6


def layer(x):
    return bt.tanh(x @ W) * bt.sum(x * x)


def slope(fn, x, v):
    """Central differences along v."""
    return (np.asarray(fn(x + STEP * v)) - np.asarray(fn(x - STEP * v))) / (2 * STEP)


@pytest.mark.parametrize("sample", op_samples.samples(), ids=str)
def test_forward_mode_of_every_op_is_the_transpose_of_reverse(sample):
    arrays, op = sample.arrays(), OPS[sample.op]
    places = [k for k, a in enumerate(arrays) if a.dtype.kind == "f"]

    def fn(*xs):
        full = list(map(Tensor, arrays))
        for k, x in zip(places, xs, strict=True):
            full[k] = x
        out = bind(op, tuple(full), sample.params)
        return [t for t in (out if isinstance(out, tuple) else (out,)) if t.dtype.kind == "f"]

    points = [arrays[k] for k in places]
    try:
        outs = fn(*map(Tensor, points))
        back = vjp(fn, *points)[1](gs := [RNG.normal(size=t.shape) for t in outs])
    except DTypeError:
        return
    along = [RNG.normal(size=p.shape) for p in points]
    values, tangents = jvp(fn, points, along)
    for value, tangent, out in zip(values, tangents, outs, strict=True):
        np.testing.assert_array_equal(value.numpy(), out.numpy())
        assert tangent.spec == out.spec
    there = sum((t.numpy() * g).sum() for t, g in zip(tangents, gs, strict=True))
    here = sum((b.numpy() * a).sum() for b, a in zip(back, along, strict=True))
    np.testing.assert_allclose(there, here, 1e-9, 1e-9)


def test_jvp_is_the_slope():
    _, tangent = jvp(layer, (X,), (V,))
    np.testing.assert_allclose(tangent.numpy(), slope(lambda x: layer(bt.asarray(x)), X, V), 1e-7)

    out, tangent = jvp(
        lambda p, s: {"y": p[0] * s, "n": bt.argmax(p[0]), "c": bt.stop_gradient(p[0])},
        ((X, None), 2.0),
        ((V, None), 3.0),
    )
    np.testing.assert_allclose(tangent["y"].numpy(), 2 * V + 3 * X)
    assert tangent["n"].tolist() == 0 and tangent["c"].tolist() == [0.0] * 4 and out["n"].dtype == np.int64


def test_forward_and_reverse_nest():
    def f(x):
        return bt.sum(bt.tanh(x @ W) ** 2.0)

    h = hessian(f)(X).numpy()
    np.testing.assert_allclose(jvp(bt.grad(f), (X,), (V,))[1].numpy(), h @ V, 1e-11)  # forward over reverse
    along = bt.grad(lambda x: jvp(f, (x,), (bt.asarray(V),))[1])(X)  # reverse over forward
    np.testing.assert_allclose(along.numpy(), h @ V, 1e-11)
    twice = jvp(lambda x: jvp(f, (x,), (V,))[1], (X,), (V,))[1]  # forward over forward
    np.testing.assert_allclose(twice.numpy(), V @ h @ V, 1e-11)
    many = vmap(lambda v: jvp(f, (X,), (v,))[1])(np.eye(4))
    np.testing.assert_allclose(many.numpy(), bt.grad(f)(X).numpy(), 1e-11)


def test_jacobian_is_columns_of_slopes():
    found = jacobian(layer)(X).numpy()
    want = np.stack([slope(lambda x: layer(bt.asarray(x)), X, e) for e in np.eye(4)], 1)
    assert found.shape == (2, 4)
    np.testing.assert_allclose(found, want, 1e-7, 1e-9)


def test_jacobian_of_other_arguments_and_trees():
    found = jacobian(lambda x, p: x @ p["w"] + p["b"], 1)(X, {"w": W, "b": np.zeros(2)})
    np.testing.assert_allclose(found["b"].numpy(), np.eye(2))
    np.testing.assert_allclose(found["w"].numpy(), np.einsum("k,ij->ikj", X, np.eye(2)))
    assert jacobian(lambda x: bt.stack([bt.sum(x)] * 2).reshape((2, 1)))(W).shape == (2, 1, 4, 2)
    assert jacobian(lambda x: x[:0])(X).shape == (0, 4)


def test_hessian_of_a_quadratic_and_its_third_derivative():
    a = RNG.normal(size=(4, 4))
    np.testing.assert_allclose(hessian(lambda x: x @ bt.asarray(a) @ x)(X).numpy(), a + a.T, 1e-12)
    third = jacobian(hessian(lambda x: bt.sum(x**3.0)))(X).numpy()
    want = np.zeros((4, 4, 4))
    want[range(4), range(4), range(4)] = 6.0
    np.testing.assert_allclose(third, want, 1e-12, 1e-12)
    assert hessian(lambda s, x: bt.sum(s * x**3.0), 1)(2.0, np.array([1.0, 2.0])).tolist() == [[12.0, 0.0], [0.0, 24.0]]


def test_pullbacks_take_and_give_trees():
    out, pull = vjp(lambda p: (p["a"] * 2.0, bt.argmax(p["a"])), {"a": X})
    (found,) = pull((V, 0))
    assert isinstance(out, tuple) and found["a"].tolist() == (2 * V).tolist()
    assert pull((V + 1, 0))[0]["a"].tolist() == (2 * V + 2).tolist()


# custom_gradient
@custom_gradient
def log1pexp(x):
    e = bt.exp(x)
    return bt.log(1.0 + e), lambda g: g * (1.0 - 1.0 / (1.0 + e))


def test_a_gradient_of_ones_own():
    assert bt.grad(lambda x: bt.sum(log1pexp(x)))(np.array([100.0, 0.0])).tolist() == [1.0, 0.5]
    np.testing.assert_allclose(bt.grad(lambda x: bt.sum(log1pexp(x)))(X).numpy(), 1 / (1 + np.exp(-X)))
    sigmoid = 1 / (1 + np.exp(-X))
    np.testing.assert_allclose(hessian(lambda x: bt.sum(log1pexp(x)))(X).numpy(), np.diag(sigmoid * (1 - sigmoid)))
    np.testing.assert_allclose(jvp(log1pexp, (X,), (V,))[1].numpy(), V * sigmoid)
    np.testing.assert_allclose(vmap(bt.grad(log1pexp))(X).numpy(), sigmoid)
    np.testing.assert_allclose(bt.grad(lambda x: bt.sum(vmap(log1pexp)(x)))(X).numpy(), sigmoid)


def test_what_it_says_is_what_counts():
    reverse = custom_gradient(lambda x, y: ((x * y, x), lambda g, h: (-g * y, None)))
    gx, gy = bt.grad(lambda x, y: bt.sum(reverse(x, y)[0]), (0, 1))(X, V)
    assert gx.tolist() == (-V).tolist() and gy.tolist() == [0.0] * 4
    shared = bt.grad(lambda w: bt.sum(vmap(lambda x: reverse(w, x)[0])(V)))(2.0)  # one value for all examples
    np.testing.assert_allclose(shared.item(), -V.sum(), 1e-6)
    same = custom_gradient(lambda x: (x, lambda g: 3.0 * g))
    assert bt.grad(lambda x: bt.sum(same(x) + x))(X).tolist() == [4.0] * 4


def test_trees_of_arguments():
    fn = custom_gradient(lambda p, scale=1.0: (p["a"] * p["b"], lambda g: {"a": scale * g, "b": g}))
    found = bt.grad(lambda p: bt.sum(fn(p, scale=5.0)))({"a": X, "b": V})
    assert found["a"].tolist() == [5.0] * 4 and found["b"].tolist() == [1.0] * 4


def test_the_function_runs_once_for_a_first_derivative():
    runs = []

    @custom_gradient
    def fn(x, y):
        runs.append(1)
        return x * y, lambda g: (g * y, g * x)

    bt.grad(lambda x, y: bt.sum(fn(x, y)), (0, 1))(X, V)
    assert len(runs) == 1


# checkpoint
def block(x):
    return bt.tanh(bt.tanh(x * 2.0) * 3.0)


def test_checkpoint_changes_no_value_and_no_gradient():
    for transform in (
        lambda f: bt.grad(lambda x: bt.sum(f(x) ** 2.0))(X),
        lambda f: hessian(lambda x: bt.sum(f(f(x)) ** 2.0))(X),
        lambda f: jvp(f, (X,), (V,))[1],
        lambda f: vmap(bt.grad(lambda x: bt.sum(f(x))))(W),
        lambda f: bt.grad(lambda x: bt.sum(vmap(f)(x)))(W),
        lambda f: bt.grad(lambda x: bt.sum(checkpoint(lambda y: f(f(y)))(x)))(X),
    ):
        np.testing.assert_allclose(transform(checkpoint(block)).numpy(), transform(block).numpy(), 1e-12, 1e-14)


def test_checkpoint_keeps_nothing_inside():
    kept = []

    def inside(x):
        y = bt.exp(x)
        kept.append(weakref.ref(y.data))
        return bt.sin(y)

    _, pull = vjp(checkpoint(inside), X)
    assert kept[0]() is None
    np.testing.assert_allclose(pull(V)[0].numpy(), V * np.cos(np.exp(X)) * np.exp(X))
    assert len(kept) == 2
    kept.clear()
    held = vjp(inside, X)
    assert kept[0]() is not None and held is not None


def test_variables_inside_get_gradients_and_are_assigned_once():
    w, seen = Variable(W, name="w"), Variable(0.0, trainable=False)
    generator = bt.random.SeedGenerator(1)

    def noisy(x):
        seen.assign_add(1.0)
        return bt.tanh(x @ w) * bt.random.uniform(generator.next(), (2,), "float64")

    state = generator.state.numpy()
    plain = bt.value_and_grad(lambda: bt.sum(noisy(bt.asarray(X))), variables=[w])()
    generator.state.assign(state)
    again = bt.value_and_grad(lambda: bt.sum(checkpoint(noisy)(X)), variables=[w])()
    assert seen.numpy() == 2.0
    assert plain[0].item() == again[0].item()
    np.testing.assert_allclose(again[1][0].numpy(), plain[1][0].numpy(), 1e-12)


def test_what_is_assigned_inside_is_read_inside_and_not_again():
    scale = Variable(2.0, trainable=False, dtype="float64")

    def doubling(x):
        scale.assign(scale.value * 2.0)
        return bt.sin(x * scale)

    def slope_of(fn):
        def number(x):
            out = bt.sum(fn(x))
            scale.assign(100.0)  # after the forward pass, before the backward one
            return out

        scale.assign(2.0)
        return bt.grad(number)(X)

    np.testing.assert_allclose(slope_of(checkpoint(doubling)).numpy(), slope_of(doubling).numpy(), 1e-12)
    assert scale.numpy() == 100.0


def test_checkpoint_of_trees():
    fn = checkpoint(lambda p, scale: {"y": p["a"] * scale, "n": bt.argmax(p["a"])})
    found = bt.grad(lambda p: bt.sum(fn(p, scale=3.0)["y"]))({"a": X})
    assert found["a"].tolist() == [3.0] * 4 and fn({"a": X}, scale=1.0)["n"].item() == X.argmax()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: jvp(layer, X, (V,)), "primals and tangents must be tuples"),
        (lambda: jvp(layer, (X,), (V[:2],)), r"shapes of the primals; got f64\[2\] for f64\[4\]"),
        (lambda: jvp(bt.sum, ([1, 2],), ([1, 2],)), "primals must be floating-point; got i64"),
        (lambda: jacobian(lambda x: (x, x))(X), "must return one tensor of known shape; got tuple"),
        (
            lambda: bt.grad(lambda p: bt.sum(p["a"]))({"a": X, 1: X}),
            "keys of a dict must have one order; got keys of .* int, str",
        ),
        (lambda: jacobian(bt.argmax)(X), "must return floating-point numbers; got int64"),
        (lambda: jacobian(layer, 1)(X), "argnum must name a positional argument; got 1 for 1"),
        (lambda: hessian(lambda p: bt.sum(p["a"]))({"a": X}), "argument 0 must be one tensor; got a dict"),
        (lambda: hessian(layer)(X), "must return one number"),
        (lambda: custom_gradient(lambda x: x)(X), r"must return \(value, grad_fn\); got Tensor"),
        (
            lambda: bt.grad(custom_gradient(lambda x: (bt.sum(x), lambda g: (g, g))))(X),
            "one gradient per argument; got 2",
        ),
        (lambda: bt.grad(custom_gradient(lambda x: (bt.sum(x), lambda g: g)))(X), r"shape of its argument; got \(\)"),
        (lambda: vjp(layer, X)[1](V), r"must have the shape of the result; got f64\[4\] for f64\[2\]"),
    ],
)
def test_errors_name_what_is_wrong(call, says):
    with pytest.raises(BrickworkError, match=says):
        call()

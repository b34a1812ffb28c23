"""`cond`, `switch`, `while_loop`, `fori_loop` and `scan`: values, derivatives of any mode and order, maps, errors."""

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.tensor import DTypeError, ShapeError, TraceError, cond, fori_loop, scan, switch, while_loop

R = np.random.default_rng(0)
X, W, H = (bt.asarray(a) for a in (R.normal(size=(5, 3)), R.normal(size=(3, 3)) * 0.4, R.normal(size=(3,))))


def looped(f, init, xs, reverse=False):
    """What `scan` means."""
    order = range(xs.shape[0])
    rows = {}
    for t in reversed(order) if reverse else order:
        init, rows[t] = f(init, xs[t])
    return init, bt.stack([rows[t] for t in order])


def cell(h, row):
    h = bt.tanh(h @ W + row)
    return h, h * row


def loss(run, reverse=False):
    def of(w, h, x):
        def step(h, row):
            h = bt.tanh(h @ w + row)
            return h, (h * row).sum()

        h, ys = run(step, h, x, reverse=reverse)
        return (h * h).sum() + (ys**3).sum()

    return of


def close(got, want, tolerance=1e-9):
    for a, b in zip(bt.tree.leaves(got), bt.tree.leaves(want), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), tolerance, tolerance)


def differences(fn, args, along, step=1e-6):
    """The derivative along a direction, by central differences."""
    ends = [fn(*(x + s * step * d for x, d in zip(args, along))).item() for s in (1, -1)]
    return (ends[0] - ends[1]) / (2 * step)


@pytest.mark.parametrize("reverse", [False, True])
def test_scan_against_a_loop_of_python_to_second_order(reverse):
    scanned, plain = loss(scan, reverse), loss(looped, reverse)
    close(scan(cell, H, X, reverse=reverse), looped(cell, H, X, reverse))
    args = W, H, X
    close(bt.value_and_grad(scanned, (0, 1, 2))(*args), bt.value_and_grad(plain, (0, 1, 2))(*args))
    for k in range(3):
        close(bt.hessian(scanned, k)(*args), bt.hessian(plain, k)(*args))
    along = tuple(bt.asarray(R.normal(size=a.shape)) for a in args)
    close(bt.jvp(scanned, args, along), bt.jvp(plain, args, along))
    close(bt.jvp(scanned, args, along)[1], differences(scanned, args, along), 1e-6)


def test_third_derivative():
    def cubes(x):
        return scan(lambda c, row: (c * x + row * x, None), x, bt.asarray([1.0, 2.0, 3.0]))[0]  # x^4 + x^3 + 2x^2 + 3x

    third = bt.grad(bt.grad(bt.grad(cubes)))
    close(third(bt.asarray(2.0)), 24 * 2.0 + 6)


def test_gradients_by_what_is_closed_over_are_those_of_operands():
    def closed(w):
        return loss(scan)(w, H, X)

    close(bt.grad(closed)(W), bt.grad(loss(scan))(W, H, X))
    scale = bt.asarray(1.7)
    close(bt.grad(lambda s: scan(lambda c, row: (c * s, None), 1.0, length=3, xs=None)[0])(scale), 3 * 1.7**2, 1e-6)
    v = bt.Variable(W, name="w")
    total, (g,) = bt.value_and_grad(lambda: loss(scan)(v, H, X), variables=[v])()
    close((total, g), bt.value_and_grad(loss(scan))(W, H, X))


def test_only_the_results_that_count_are_differentiated():
    last = lambda h: scan(cell, h, X)[0].sum()  # noqa: E731
    rows = lambda h: scan(cell, h, X)[1].sum()  # noqa: E731
    close(bt.grad(last)(H), bt.grad(lambda h: looped(cell, h, X)[0].sum())(H))
    close(bt.grad(rows)(H), bt.grad(lambda h: looped(cell, h, X)[1].sum())(H))
    counted = lambda h: scan(lambda c, row: ((c[0] + 1, c[1] * row), c[0]), (0, h), X)[0][1].sum()  # noqa: E731
    close(bt.grad(counted)(H), X.prod(0) if hasattr(X, "prod") else bt.prod(X, axis=0))


def test_a_tape_and_what_it_watches():
    with bt.GradientTape() as tape:
        tape.watch(H)
        y = scan(cell, H, X)[0].sum()
    close(tape.gradient(y, H), bt.grad(lambda h: scan(cell, h, X)[0].sum())(H))


def test_trees_and_no_steps():
    carry, ys = scan(
        lambda c, x: ({"a": c["a"] + x[0]}, (c["a"], {"b": x[1]})), {"a": 0.0}, (bt.ones(4), bt.zeros((4, 2)))
    )
    assert carry["a"].item() == 4
    assert ys[0].tolist() == [0, 1, 2, 3]
    assert ys[1]["b"].shape == (4, 2)
    carry, ys = scan(lambda c, x: (c + x, c), H, bt.zeros((0, 3), "float64"))
    close(carry, H)
    assert ys.shape == (0, 3)
    close(bt.grad(lambda h: (scan(lambda c, x: (c + x, c), h, bt.zeros((0, 3), "float64"))[0] ** 2).sum())(H), 2 * H)
    assert scan(lambda c, _: (c + 1, None), 0, length=5) == (5, None)


def test_nested_loops_and_branches():
    def nested(run):
        def outer(h, x):
            return run(lambda h, row: (run(lambda c, r: (bt.sin(c * r), c), h[0], row)[0] + h * 0.1, h), h, x)[0].sum()

        return outer

    for order in (lambda f: f, bt.grad, lambda f: bt.grad(lambda h, x: (bt.grad(f)(h, x) ** 2).sum())):
        close(order(nested(scan))(H, X), order(nested(looped))(H, X))

    def chosen(h, row):
        return cond(row.sum() > 0, lambda h: bt.exp(h * 0.1) * row, lambda h: h @ W, h), h

    def by_hand(h, row):
        return (bt.exp(h * 0.1) * row if row.sum().item() > 0 else h @ W), h

    for order in (lambda f: f, bt.grad):
        close(order(lambda h: scan(chosen, h, X)[0].sum())(H), order(lambda h: looped(by_hand, h, X)[0].sum())(H))


def test_branches_run_alone_and_are_differentiated_to_any_order():
    f = lambda x: cond(x > 1, lambda x: x**3, lambda x: 1 / x, x)  # noqa: E731
    for x, values in ((2.0, (8, 12, 12)), (0.5, (2, -4, 16))):
        for got, want in zip((f, bt.grad(f), bt.grad(bt.grad(f))), values):
            close(got(bt.asarray(x)), want, 1e-6)
        close(bt.jvp(f, (bt.asarray(x),), (bt.asarray(1.0),))[1], values[1], 1e-6)
    assert [switch(k, [lambda: 1, lambda: 2, lambda: 3]).item() for k in (-1, 0, 1, 2, 3)] == [1, 1, 2, 3, 3]
    same = lambda x: cond(x > 0, lambda x: x, lambda x: x, x)  # noqa: E731
    close(bt.grad(same)(bt.asarray(2.0)), 1.0)


def test_while_forward_and_bounded_in_reverse():
    def root(x, **bound):
        """Newton's square root of x."""
        going = lambda y: bt.abs(y * y - x) > 1e-12 * x  # noqa: E731
        return while_loop(going, lambda y: (y + x / y) / 2, x, **bound)

    x = bt.asarray(3.0, "float64")
    close(root(x), np.sqrt(3.0))
    close(bt.jvp(root, (x,), (x * 0 + 1,))[1], 0.5 / np.sqrt(3.0), 1e-6)
    close(bt.grad(lambda x: root(x, max_iterations=30))(x), 0.5 / np.sqrt(3.0), 1e-6)
    assert while_loop(lambda s: s > 0, lambda s: s + 1, 1, max_iterations=4).item() == 5
    with pytest.raises(bt.BrickworkError, match="max_iterations"):
        bt.grad(root)(x)
    assert fori_loop(2, 5, lambda i, s: s + i, 0).item() == 9
    assert fori_loop(0, bt.asarray(4), lambda i, s: s + i, 0).item() == 6
    assert fori_loop(3, 1, lambda i, s: s + i, 7).item() == 7


def test_maps():
    hs = bt.stack([H, H * 2])
    close(bt.vmap(lambda h: scan(cell, h, X))(hs)[1][1], scan(cell, H * 2, X)[1])
    xs = bt.stack([X, X[::-1]], 1)
    close(bt.vmap(lambda x: scan(cell, H, x), 1, 1)(xs)[0][:, 1], scan(cell, H, X[::-1])[0])
    ws = bt.stack([W, W * 2])
    close(bt.vmap(bt.grad(loss(scan)), (0, None, None))(ws, H, X)[1], bt.grad(loss(scan))(W * 2, H, X))
    close(bt.grad(lambda w: bt.vmap(loss(scan), (None, 0, None))(w, hs, X).sum())(W),
          sum(bt.grad(loss(scan))(W, h, X) for h in hs))  # fmt: skip
    counts = bt.vmap(lambda n, x: while_loop(lambda s: s[0] < n, lambda s: (s[0] + 1, s[1] * x), (0, x))[1])
    close(counts(bt.asarray([0, 2, 5]), bt.asarray([2.0, 3.0, 2.0])), np.array([2.0, 27.0, 64.0]))
    either = bt.vmap(lambda p, x: cond(p, lambda x: x, lambda x: -x, x))
    close(either(bt.asarray([True, False]), bt.asarray([1.0, 2.0])), np.array([1.0, -2.0]))
    shared = bt.vmap(lambda x: cond(bt.asarray(True), lambda x: (x * 2, 1.0), lambda x: (x, 0.0), x))
    close(shared(bt.asarray([1.0, 2.0])), (np.array([2.0, 4.0]), np.ones(2)))


def test_random_numbers_inside_follow_their_key():
    key = bt.random.key(1)
    draw = lambda i, _: (i + 1, bt.random.normal(bt.random.fold_in(key, i), (3,)))  # noqa: E731
    rows = scan(draw, 0, length=4)[1]
    want = bt.stack([bt.random.normal(bt.random.fold_in(key, i), (3,)) for i in range(4)])
    np.testing.assert_array_equal(rows.numpy(), want.numpy())


def test_what_runs_inside_keeps_its_own_gradient():
    @bt.custom_gradient
    def odd(x):
        return x * x, lambda g: g * 100 * W[0, 0]

    f = lambda h: scan(lambda h, row: (odd(h) + row, None), h, X)[0].sum()  # noqa: E731
    g = lambda h: looped(lambda h, row: (odd(h) + row, h), h, X)[0].sum()  # noqa: E731
    close(bt.grad(f)(H), bt.grad(g)(H))
    close(bt.vmap(bt.grad(f))(bt.stack([H, H])), bt.stack([bt.grad(g)(H)] * 2))


def test_a_checkpointed_body_has_the_gradients_of_its_variables():
    v = bt.Variable(W, name="w")

    def block(h, row):
        return bt.tanh(bt.sin(h @ v) * 2 + row)

    def total(f):
        return (scan(lambda h, row: (f(h, row), None), H, X)[0] ** 2).sum()

    (again,) = bt.value_and_grad(lambda: total(bt.checkpoint(block)), variables=[v])()[1]
    (kept,) = bt.value_and_grad(lambda: total(block), variables=[v])()[1]
    close(again, kept)


ERRORS = {
    "carry shape": (ShapeError, r"scan: the carry .* got f64\[1, 3\] at \['h'\], expected f64\[3\]",
                    lambda: scan(lambda c, x: ({"h": x[None]}, None), {"h": H}, X)),
    "carry dtype": (DTypeError, r"scan: the carry .* got f32\[\] at the only leaf, expected i64\[\]. Cast",
                    lambda: scan(lambda c, x: (c + 0.5, None), 0, bt.ones(3))),
    "carry structure": (ShapeError, "scan: the carry .* one structure",
                        lambda: scan(lambda c, x: ((c, c), None), H, X)),
    "no pair": (ShapeError, r"scan: the function must return \(carry, y\); got Tensor",
                lambda: scan(lambda c, x: c, H, X)),
    "lengths": (ShapeError, r"scan: first axes .* got f32\[4\] at \[1\] for 3",
                lambda: scan(lambda c, x: (c, None), 0, (bt.ones(3), bt.ones(4)))),
    "no axis": (ShapeError, r"scan: xs must have a first axis", lambda: scan(lambda c, x: (c, None), 0, 1.0)),
    "no length": (bt.BrickworkError, "scan: the number of steps", lambda: scan(lambda c, x: (c, None), 0)),
    "branches": (DTypeError, r"cond: the result of true_fn .* got i64\[\] at \[1\], expected f32\[\]",
                 lambda: cond(True, lambda: (1, 1.0), lambda: (2, 2))),
    "condition": (DTypeError, "cond: the condition must be one boolean; got i64",
                  lambda: cond(1, lambda: 1, lambda: 2)),
    "conditions": (ShapeError, r"cond: the condition must be one boolean; got b1\[3\]",
                   lambda: cond(H > 0, lambda: 1, lambda: 2)),
    "state": (ShapeError, r"while_loop: the state .* expected f64\[3\]",
              lambda: while_loop(lambda h: True, lambda h: h[:2], H)),
    "test": (ShapeError, r"while_loop: the condition must be one boolean; got b1\[3\]",
             lambda: while_loop(lambda h: h > 0, lambda h: h, H)),
    "no branch": (ShapeError, "switch: there must be a list of branches", lambda: switch(0, [])),
    "a value is asked for": (TraceError, "numpy", lambda: scan(lambda c, x: (c * x.item(), None), 1.0, bt.ones(3))),
    "a variable is assigned": (TraceError, "scan: a variable can not be assigned inside; got count. Carry its value",
                               lambda: scan(lambda c, x: (COUNT.assign(c), None), 1.0, bt.ones(3))),
}  # fmt: skip
COUNT = bt.Variable(0.0, name="count")


@pytest.mark.parametrize("name", ERRORS)
def test_errors_name_the_leaf_and_the_fix(name):
    kind, message, call = ERRORS[name]
    with pytest.raises(kind, match=message):
        call()

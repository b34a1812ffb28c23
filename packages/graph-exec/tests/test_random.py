"""Random programs: what is compiled is what runs eagerly, static and with an open batch, and what the kernels mean."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from programs import build, codes, inputs_of

import brickwork.tensor as bt
from brickwork.graph import function
from brickwork.graph.passes import run_pipeline
from brickwork.graph.plan import Call
from brickwork.graph.planning import make_plan
from brickwork.graph.tracing import GraphTrace
from brickwork.tensor.kernel import interpret
from brickwork.tensor.spec import TensorSpec
from brickwork.tensor.trace import use

steady = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
few = settings(steady, max_examples=25)
seeds = st.integers(0, 9)
shapes = st.sampled_from([
    ((3, 4), (4, 5)), ((5, 18), (18,)), ((2, 3, 4), (4,)), ((17,), (1,)), ((4, 1, 3), (5, 1)), ((20, 33), (20, 1)),
    ((1, 7), (7, 16)), ((), (6,)),
])  # fmt: skip


def check(program, got, want):
    for place, a, b in zip(program.results, got, want, strict=True):
        a, b = a.numpy(), b.numpy()
        assert a.shape == b.shape and a.dtype == b.dtype
        if place in program.rough:
            np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-4)
        else:
            np.testing.assert_array_equal(a, b)


@steady
@given(seeds, shapes, codes)
def test_compiled_is_eager(seed, shapes, drawn):
    program = build(seed, shapes, drawn)
    check(program, function(program)(*program.inputs), program(*map(bt.asarray, program.inputs)))


@few
@given(seeds, shapes, codes, st.integers(1, 19))
def test_compiled_is_eager_with_an_open_batch(seed, shapes, drawn, size):
    """The same program at two sizes of axis 0 of its first argument; the second is what an open variant runs, where
    there is one."""
    assume(shapes[0])
    program = build(seed, shapes, drawn)
    other = inputs_of(seed + 1, ((size, *shapes[0][1:]), *shapes[1:]))
    try:
        want = program(*map(bt.asarray, other))
    except bt.ShapeError:
        assume(False)
    f = function(program)
    f(*program.inputs)
    check(program, f(*other), want)
    check(program, f(*program.inputs), program(*map(bt.asarray, program.inputs)))


def planned(program):
    trace = GraphTrace()
    symbols = [trace.argument(TensorSpec(a.shape, a.dtype)) for a in program.inputs]
    with use(trace):
        out = program(*symbols)
    traced = trace.finish(list(out))
    return traced, make_plan(run_pipeline(traced.graph, check=True))


def interpreted(program, traced, plan):
    """The results of a plan by the interpreter of the waist; None where it holds something that runs by Python."""
    buffers = {v.id: a.reshape(-1).copy() for v, a in zip(plan.graph.inputs, [*program.inputs, *traced.captured])}
    for step in plan.steps:
        if isinstance(step, Call):
            return None
        step.check()
        for write in step.writes:
            spec = plan.specs[write.target]
            buffers.setdefault(write.target, np.zeros(spec.size, spec.dtype))
        interpret(step, buffers)
    return [bt.asarray(buffers[v.id].reshape(v.spec.shape)) for v in plan.results]


@few
@given(seeds, st.sampled_from([((3, 4), (4, 2)), ((2, 1, 3), (3,)), ((5,), (1,))]), codes)
def test_kernels_mean_what_the_program_says(seed, shapes, drawn):
    program = build(seed, shapes, drawn[:6])
    traced, plan = planned(program)
    assume(sum(np.prod(k.axes, dtype=int) for k in plan.kernels) < 4000)
    got = interpreted(program, traced, plan)
    assume(got is not None)
    check(program, got, program(*map(bt.asarray, program.inputs)))


def bytes_of(plan):
    """(first byte, last byte, first step, last step) of every value in the arena."""
    touched = {}
    for number, step in enumerate(plan.steps):
        if isinstance(step, Call):
            values = {v.id for v in (*step.node.inputs, *step.node.outputs)}
        else:
            values = {r.source for r in step.reads} | {w.target for w in step.writes}
        for v in values:
            touched.setdefault(v, []).append(number)
    for v, place in plan.places.items():
        if place.where == "arena" and v in touched:
            count = plan.specs[v].size * plan.specs[v].dtype.itemsize
            yield v, place.at, place.at + count, touched[v][0], touched[v][-1]


@steady
@given(seeds, shapes, codes)
def test_values_alive_at_the_same_time_never_share_a_byte(seed, shapes, drawn):
    program = build(seed, shapes, [*drawn, *drawn])
    _, plan = planned(program)
    spans = list(bytes_of(plan))
    for n, (v, low, high, born, dies) in enumerate(spans):
        assert low % 64 == 0 and high <= plan.arena
        for w, start, stop, first, last in spans[:n]:
            over = (low, high) == (start, stop) and (dies == first or last == born)  # see test_reuse
            assert high <= start or stop <= low or dies < first or last < born or over, (v, w)


updates = st.lists(st.tuples(*[st.integers(0, 99)] * 4), min_size=1, max_size=9)
UPDATES = (
    lambda a, b, x: b,
    lambda a, b, x: bt.clip(a + b, -8.0, 8.0),
    lambda a, b, x: bt.clip(a - b * 0.5, -8.0, 8.0),
    lambda a, b, x: bt.transpose(b),
    lambda a, b, x: bt.flip(b, 1),
    lambda a, b, x: bt.clip(a + bt.sum(b, 1, keepdims=True), -8.0, 8.0),
    lambda a, b, x: bt.clip(bt.sum(a, 0, keepdims=True) + b, -8.0, 8.0),
    lambda a, b, x: bt.clip(a + bt.floor(x @ b), -8.0, 8.0),
    lambda a, b, x: bt.clip(bt.floor(bt.transpose(x) @ a) + b, -8.0, 8.0),
    lambda a, b, x: bt.where(a > b, a, b),
    lambda a, b, x: a,
)


@steady
@given(seeds, st.sampled_from([1, 3, 17]), updates)
def test_variables_that_are_read_and_assigned_in_any_order(seed, size, drawn):
    """Several variables in one step, each read before and after it is assigned; twice, since a step leaves its state
    behind."""
    starts, (x,) = inputs_of(seed, ((size, size),) * 3), inputs_of(seed + 1, ((size, size),))

    def step_over(variables):
        rows = bt.Variable(np.zeros(size, np.float32))

        def step(x):
            seen = []
            for which, target, source, kind in drawn:
                a, b = variables[target % 3], variables[source % 3]
                if which % 3 == 0:
                    seen.append(bt.sum(b.value, 1) + rows.value)
                if which % 5 == 0:
                    seen.append(b.value * rows.value)
                if which % 4 == 0:
                    rows.assign(bt.clip(rows.value + bt.sum(a.value, 1), -8.0, 8.0))
                a.assign(UPDATES[kind % len(UPDATES)](a.value, b.value, x))
            return tuple(seen) or (x * 1.0,)

        return step, rows

    eager, compiled = ([bt.Variable(a.copy()) for a in starts] for _ in range(2))
    (plain, rows), (traced, twin) = step_over(eager), step_over(compiled)
    fast = function(traced)
    for _ in range(2):
        for a, b in zip(fast(x), plain(bt.asarray(x)), strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())
        for a, b in zip([*compiled, twin], [*eager, rows], strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("rows", [1, 3, 17])
def test_old_row_read_along_the_row_that_is_written_per_row(rows, turned):
    """A reduction whose result goes into a variable that another value of the same kernel still reads along the row."""
    start, x = inputs_of(0, ((rows,), (37, rows) if turned else (rows, 37)))
    outcomes = []
    for wrap in (function, lambda f: f):
        v = bt.Variable(start.copy())

        def step(x, v=v):
            old, x = v.value, bt.transpose(x) if turned else x
            s = bt.sum(x, 1)
            v.assign(old + s)
            return x * bt.reshape(old, (-1, 1)) + bt.reshape(s, (-1, 1))

        outcomes.append((wrap(step)(bt.asarray(x)).numpy(), v.numpy()))
    for got, want in zip(*outcomes, strict=True):
        np.testing.assert_array_equal(got, want)

"""Every public function of the package has a case, and does what the case says, eagerly and with gradients."""

import inspect

import function_cases
import numpy as np
import op_samples
import pytest
from test_registry import check_gradient

import brickwork.tensor as bt
from brickwork.tensor import tree

ROOMS = ("nn", "linalg", "fft", "random")
each = pytest.mark.parametrize(("name", "case"), function_cases.cases(), ids=[n for n, _ in function_cases.cases()])


def public():
    """Names of all public functions, those of a room with its name."""
    for room, names in [("", bt.__all__), *((f"{r}.", getattr(bt, r).__all__) for r in ROOMS)]:
        home = getattr(bt, room[:-1]) if room else bt
        for name in names:
            value = getattr(home, name)
            if callable(value) and not inspect.isclass(value):
                yield f"{room}{name}", value


def home_of(name):
    """The function of that name."""
    room, _, short = name.rpartition(".")
    return getattr(getattr(bt, room) if room else bt, short)


def test_every_public_function_has_a_case():
    ops = {s.op for s in op_samples.samples()}
    covered = {*function_cases.CASES, *function_cases.SAME}
    missing = [n for n, _ in public() if n not in covered and n.rpartition(".")[2] not in ops]
    assert not missing, f"add a line to CASES in function_cases.py for {missing}"


def test_no_case_without_a_function():
    assert set(function_cases.CASES) | set(function_cases.SAME) <= {n for n, _ in public()}


@pytest.mark.parametrize(("name", "other"), function_cases.SAME.items())
def test_one_function_under_two_names(name, other):
    assert home_of(name) is home_of(other)


def leaves(value):
    return [np.asarray(x) for x in tree.flatten(value)[0]]


@each
def test_value(name, case):
    found, want = leaves(case.call(*case.arrays)), leaves(case.want(*case.arrays))
    assert len(found) == len(want)
    for f, w in zip(found, want, strict=True):
        assert f.shape == w.shape
        if w.dtype.kind in "USb":
            np.testing.assert_array_equal(f, w)
        else:
            np.testing.assert_allclose(f, w, 1e-6 if f.dtype in ("float32", "complex64") else 1e-12, 1e-12)


def joined(out):
    return bt.concat([bt.reshape(t, (-1,)) for t in tree.flatten(out)[0]])


@pytest.mark.parametrize(
    ("name", "case"),
    [(n, c) for n, c in function_cases.cases() if c.smooth],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_gradients_against_differences(name, case):
    check_gradient(lambda *xs: joined(case.call(*map(bt.asarray, xs))), list(case.arrays), 13)

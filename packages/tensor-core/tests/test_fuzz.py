"""Any argument gives a result or a `BrickworkError`.

The number of examples of each test is bounded; ``BRICKWORK_FUZZ_EXAMPLES=1000`` in the environment asks for more.
"""

import inspect
import os
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import brickwork.tensor as bt

NOT_OF_VALUES = {"Tensor", "Variable", "TensorSpec", "jit", "find_compiler", "get_backend", "backend_names", "register"}
NOT_OF_VALUES |= {"grad", "value_and_grad", "vjp", "map_expr", "GradientTape"}
NOT_OF_VALUES |= {"load", "save"}  # of files: test_saved.py has them
NOT_OF_VALUES |= {"checkpoint", "custom_gradient", "hessian", "jacobian", "jvp", "vmap"}
FUNCTIONS = {
    **{n: getattr(bt, n) for n in bt.__all__ if inspect.isfunction(getattr(bt, n)) and n not in NOT_OF_VALUES},
    **{f"nn.{n}": getattr(bt.nn, n) for n in bt.nn.__all__},
    **{f"linalg.{n}": getattr(bt.linalg, n) for n in bt.linalg.__all__},
    **{f"fft.{n}": getattr(bt.fft, n) for n in bt.fft.__all__},
    **{f"random.{n}": getattr(bt.random, n) for n in bt.random.__all__ if n != "SeedGenerator"},
}
SIZES = st.integers(-2, 4)
NUMBERS = st.one_of(SIZES, st.sampled_from([2**62, 2**70, 0.5, -1.5, float("nan"), float("inf"), 1j, True]))
SHAPES = st.lists(st.integers(0, 3), max_size=3).map(tuple)
ARRAYS = st.builds(
    lambda shape, dtype: np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype),
    SHAPES,
    st.sampled_from(["bool", "int8", "uint32", "int64", "float16", "float32", "float64", "complex64", ">f8"]),
)
JUNK = st.sampled_from(
    [
        *(
            "text",
            "",
            None,
            object,
            {},
            {"a": 1},
            (),
            [],
            [[1], [2, 3]],
            ["a"],
            b"x",
            "valid",
            "same",
            "float16",
            "ij,jk",
        ),
        *(slice(None), slice(0, 1, 0), Ellipsis, np.array(["a"]), np.array([None]), np.datetime64("2020-01-01")),
    ]
)
LISTS = st.lists(st.one_of(SIZES, st.tuples(SIZES, SIZES)), max_size=3)
ARGUMENTS = st.one_of(ARRAYS, ARRAYS.map(bt.asarray), NUMBERS, LISTS, LISTS.map(tuple), JUNK)
SPEAKS = re.compile(r"[\w.]+: .+; .+", re.DOTALL)  # who: rule; got values
pytestmark = pytest.mark.filterwarnings("error")
EXAMPLES = int(os.environ.get("BRICKWORK_FUZZ_EXAMPLES", "30"))
FEW = settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("name", FUNCTIONS)
@FEW
@given(first=st.one_of(ARRAYS, ARGUMENTS), rest=st.lists(ARGUMENTS, max_size=4))
def test_a_result_or_our_error(name, first, rest):
    function = FUNCTIONS[name]
    try:
        inspect.signature(function).bind(first, *rest)
    except TypeError:  # the wrong number of arguments is Python's to say
        return
    try:
        function(first, *rest)
    except bt.BrickworkError as error:
        assert SPEAKS.match(str(error)), error


@FEW
@given(x=ARRAYS, key=st.one_of(ARGUMENTS, st.tuples(ARGUMENTS, ARGUMENTS), st.slices(4)))
def test_indexing(x, key):
    try:
        out = bt.asarray(x)[key]
    except bt.BrickworkError as error:
        assert SPEAKS.match(str(error)), error
        return
    if not any(isinstance(k, (list, np.ndarray, bt.Tensor)) for k in (key if isinstance(key, tuple) else (key,))):
        np.testing.assert_array_equal(out.numpy(), np.asarray(x)[key])


@FEW
@given(x=ARRAYS, y=ARGUMENTS)
def test_operators(x, y):
    t = bt.asarray(x)
    for use in (
        lambda: t + y,
        lambda: y * t,
        lambda: t @ y,
        lambda: t == y,
        lambda: t**y,
        lambda: t & y,
        lambda: t // y,
    ):
        try:
            use()
        except bt.BrickworkError as error:
            assert SPEAKS.match(str(error)), error
        except TypeError as error:  # Python's own answer where neither side knows the other
            assert "unsupported operand" in str(error), error

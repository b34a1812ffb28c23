"""The text form: exact round trips, canonical text, and one kind of error for any other text."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import brickwork.tensor  # noqa: F401 - fills the registry
from brickwork.graph.ir import CONSTANT, Graph, Node, Value, parameters
from brickwork.graph.text import GraphTextError, expr_text, param_text, parse_expr, parse_graph
from brickwork.tensor.dim import Dim, symbol
from brickwork.tensor.dtypes import NAMES
from brickwork.tensor.expr import Expr, acc, apply, arg, const, index, size_value
from brickwork.tensor.random import philox
from brickwork.tensor.spec import TensorSpec
from brickwork.tensor.view import Affine, Form

F32, U32 = NAMES["float32"], NAMES["uint32"]
N, M = symbol("N"), symbol("M")

GOLDEN = """\
graph(%0: f32[32, 13], %1: f32[13, 64]) {
  %2: f32[32, 64] = matmul(%0, %1)
  %3: f32[32, 64] = map(%2) {body={t0=add(a0:f32, 1.0:f32); mul(t0, t0)}}
  %4: f32[] = constant() {value=0.5:f32}
  %5: f32[32, 64] = multiply(%3, %4)
  %6: f32[32] = sum(%5) {axis=(1,), keepdims=false}
  return %6, %5, %0 alias(2->0)
}"""


def spec(*shape: int | Dim, dtype: str = "float32") -> TensorSpec:
    return TensorSpec(shape, NAMES[dtype])


def with_param(value: object) -> Graph:
    """A graph of one node with a parameter ``p``; `parse_graph` does not ask whether the op takes it."""
    x, y = Value(0, spec(2)), Value(1, spec(2))
    return Graph((x,), (Node("exp", (x,), (y,), parameters({"p": value})),), (y,))


def back(value: object) -> object:
    (node,) = parse_graph(str(with_param(value))).nodes
    return node.settings["p"]


def test_golden_text_comes_back():
    graph = parse_graph(GOLDEN)
    assert str(graph) == GOLDEN
    assert parse_graph(str(graph)) == graph
    assert graph.aliases == ((2, 0),)
    assert graph.nodes[0].inputs == graph.inputs


def test_source_is_a_comment_and_does_not_count():
    x, y = Value(0, spec(2)), Value(1, spec(2))
    graph = Graph((x,), (Node("exp", (x,), (y,), (), "model.py:12\n} return"),), (y,))
    assert "# model.py:12 } return" in str(graph)
    assert parse_graph(str(graph)) == graph


def test_empty_graph_and_several_outputs():
    x, y, z = Value(0, spec()), Value(1, spec()), Value(7, spec(0, 3))
    for graph in (Graph((), (), ()), Graph((x,), (Node("exp", (x,), (y, z)),), (z, y, z))):
        assert parse_graph(str(graph)) == graph


VALUES = [
    None,
    True,
    False,
    0,
    1,
    -7,
    2**70,
    1.0,
    -0.0,
    1e-300,
    float("inf"),
    float("-inf"),
    "",
    'a "quoted"\n\\ \ud800 text',
    (),
    (1,),
    ((1, 2), (True, None)),
    N,
    4 * N + 1,
    5 - N,
    N * N * M - 3 * M,
    Affine((2, 0, 1), -1),
    Affine((0, 0)),
    Affine((), 5 - N, 3),
    Affine((-1, 1), N - 1, 2),
    Form((32, N), ((Affine((1, 0)), Affine((2, -1), -3)), (Affine((0,)),)), (0,)),
    Form((), ((),), ()),
    np.dtype("float32"),
    NAMES["bfloat16"],
    symbol("odd name's"),
    symbol("inf"),
    const(2, F32),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_parameters_come_back(value):
    found = back(value)
    assert found == value
    assert type(found) is type(value)
    assert repr(found) == repr(value)


@pytest.mark.parametrize("name", ["form", "return", "nan", "two words", "it's", "a\\b\n"])
def test_any_parameter_name_comes_back(name):
    graph = with_param(1)
    graph = Graph(graph.inputs, (Node("exp", graph.inputs, graph.outputs, ((name, 1),)),), graph.outputs)
    assert parse_graph(str(graph)) == graph


def test_nan_comes_back_as_a_python_float():
    assert isinstance(back(float("nan")), float)
    assert np.isnan(back(float("nan")))


def test_nested_graphs_print_indented_and_come_back():
    inner = parse_graph("graph(%0: f32[2]) {\n  %1: f32[2] = exp(%0) {q=(1,)}\n  return %1\n}")
    outer = with_param(with_param(inner))
    assert parse_graph(str(outer)) == outer
    assert "\n      %1: f32[2] = exp(%0) {q=(1,)}\n      return %1\n    }}\n" in str(outer)


@given(name=st.sampled_from(sorted(NAMES)), bits=st.integers(0, 2**128 - 1))
def test_scalars_come_back_to_the_bit(name, bits):
    dtype = NAMES[name]
    data = (bits % 2 if name == "bool" else bits % 2 ** (8 * dtype.itemsize)).to_bytes(dtype.itemsize, sys.byteorder)
    value = np.frombuffer(data, dtype)[0]
    found = back(value)
    assert found.dtype == dtype
    assert found.tobytes() == data


SPECIAL = [0.0, -0.0, 1.0, 0.1, float("inf"), float("-inf"), float("nan"), -float("nan"), 5e-324, 1e-45, 65504.0]


@pytest.mark.parametrize("name", [n for n in NAMES if NAMES[n].kind not in "biu"])
@pytest.mark.parametrize("number", SPECIAL, ids=repr)
def test_special_numbers_of_every_floating_dtype(name, number):
    with np.errstate(all="ignore"):
        values = [np.asarray(number).astype(NAMES[name])[()]]
        if name.startswith("complex"):
            values.append(np.asarray(complex(number, -0.0)).astype(NAMES[name])[()])
    for value in values:
        found = back(value)
        assert found.tobytes() == value.tobytes()
        assert found.dtype == value.dtype


def test_scalars_are_short():
    assert param_text(np.float32(0.1)) == "0.1:f32"
    assert param_text(NAMES["bfloat16"].type(-0.0)) == "-0.0:bf16"
    assert param_text(np.complex64(1 - 2j)) == "complex(1.0, -2.0):c64"
    assert param_text(np.array([0xFFC00001], np.uint32).view(np.float32)[0]) == "bits(0xffc00001):f32"
    assert param_text(np.bool_(True)) == "true:b1"


@pytest.mark.parametrize(
    "value", [[1], {"a": 1}, object(), 1j, np.str_("x"), np.dtype("O"), np.ones(2)], ids=lambda v: type(v).__name__
)
def test_values_without_a_text_say_so(value):
    with pytest.raises(GraphTextError, match="graph text: "):
        param_text(value)


# ---- expressions ----


def test_expression_text():
    x = arg(0, F32)
    y = (x + 1.0) * (x + 1.0)
    assert expr_text(y) == "{t0=add(a0:f32, 1.0:f32); mul(t0, t0)}"
    assert expr_text(x) == "{a0:f32}"
    assert expr_text(x.cast(NAMES["float16"])) == "{cast(a0:f32, f16)}"
    assert expr_text(acc(1, F32) + index(2).cast(F32)) == "{add(acc1:f32, cast($2, f32))}"
    assert expr_text(size_value(4 * N + 1) + 1) == "{add(size(1+4*N), 1:i64)}"


def bodies() -> list[Expr]:
    x, y = arg(0, F32), arg(1, F32)
    low, high = philox(arg(0, NAMES["int64"]).cast(U32), arg(1, U32), arg(2, U32))
    chain = x
    for _ in range(500):
        chain = apply("sin", chain)
    shared = x
    for _ in range(200):
        shared = shared * shared
    return [
        low,
        high.bitcast(F32) * 2.0,
        chain,
        shared,
        apply("where", x > y, -x, const(float("nan"), F32)),
        const(True, NAMES["bool"]),
    ]


@pytest.mark.parametrize("k", range(6))
def test_expressions_come_back_as_the_same_object(k):
    body = bodies()[k]
    text = expr_text(body)
    assert parse_expr(text) is body
    assert len(text) < 60 * len(body.program)


_PRINT_PHILOX = """
from brickwork.graph.text import expr_text
from brickwork.tensor.dtypes import NAMES
from brickwork.tensor.expr import arg
from brickwork.tensor.random import philox
U = NAMES["uint32"]
print(expr_text(philox(arg(0, NAMES["int64"]).cast(U), arg(1, U), arg(2, U))[0]))
"""


def test_expression_text_is_the_same_in_any_process():
    done = subprocess.run([sys.executable, "-c", _PRINT_PHILOX], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expr_text(bodies()[0])


def test_ops_of_rooms_that_load_late_are_read_in_any_process():
    text = "graph(%0: f32[2, 2]) {\n    %1: c64[2] = eigvals(%0)\n    return %1\n}\n"
    code = (
        "import sys; from brickwork.graph.text import parse_graph; from brickwork.graph.check import check_graph; "
        "graph = parse_graph(sys.stdin.read()); check_graph(graph); print(graph)"
    )
    done = subprocess.run([sys.executable, "-c", code], input=text, capture_output=True, text=True, check=True)
    assert parse_graph(done.stdout) == parse_graph(text)


@given(st.data())
def test_random_expressions_come_back(data):
    pool: list[Expr] = [arg(0, F32), arg(1, F32), const(data.draw(st.floats(width=32)), F32)]
    for _ in range(data.draw(st.integers(0, 30))):
        name = data.draw(st.sampled_from(["add", "mul", "neg", "exp", "fma", "where", "maximum"]))
        x, y, z = (data.draw(st.sampled_from(pool)) for _ in range(3))
        args = {"neg": (x,), "exp": (x,), "fma": (x, y, z), "where": (x < y, y, z)}.get(name, (x, y))
        pool.append(apply(name, *args))
    assert parse_expr(expr_text(pool[-1])) is pool[-1]


# ---- other text ----

HOSTILE = {
    "nothing": "",
    "no graph": "grap",
    "unfinished": "graph(%0: f32[2]) {",
    "unknown op": "graph(%0: f32[2]) { %1: f32[2] = rm_rf(%0) return %1 }",
    "python": 'graph() { %0: f32[] = exp() {p=__import__("os")} return %0 }',
    "unknown dtype": "graph(%0: f33[2]) { return %0 }",
    "not made": "graph() { return %0 }",
    "used too early": "graph(%0: f32[2]) { %1: f32[2] = exp(%2) %2: f32[2] = exp(%0) return %2 }",
    "uses itself": "graph() { %1: f32[2] = exp(%1) return %1 }",
    "made twice": "graph(%0: f32[2]) { %0: f32[2] = exp(%0) return %0 }",
    "input twice": "graph(%0: f32[2], %0: f32[2]) { return %0 }",
    "huge value": "graph(%99999999999999999999: f32[2]) { return }",
    "huge size": "graph(%0: f32[99999999999999999999999]) { return %0 }",
    "huge literal": "graph(%0: f32[" + "9" * 100_000 + "]) { return %0 }",
    "negative size": "graph(%0: f32[-1]) { return %0 }",
    "loop in a size": "graph(%0: f32[$0]) { return %0 }",
    "long polynomial": "graph(%0: f32[" + "+".join(["N"] * 100_000) + "]) { return %0 }",
    "long product": "graph(%0: f32[" + "*".join(["9"] * 100_000) + "]) { return %0 }",
    "rest": "graph() { return } graph() { return }",
    "bad character": "graph() { return } \x00",
    "alias": "graph(%0: f32[]) { return %0 alias(0-0) }",
    "nameless": "graph(%0: f32[]) { %1: f32[] = exp(%0) {1=2} return %1 }",
    "word for a size": "graph(%0: f32[form]) { return %0 }",
}
PARAMS = [
    "(" * 10_000,
    "(1",
    "(1 2)",
    "300:u8",
    "-1:u8",
    "1.0:i8",
    "1:f32",
    "1e39:f32",
    "1e400",
    "1e400:f64",
    "true:f32",
    "none:f32",
    "nan:i8",
    "bits(0x1ffffffff):f32",
    "bits(0x1):i32",
    "complex(1.0):c64",
    "complex(1.0, 2.0):f32",
    "complex(1, 2):c64",
    "dtype(object)",
    "dtype(",
    "affine(1: $1)",
    "affine(1: ($0)/0)",
    "affine(99999: $0)",
    "affine(1: N*$0)",
    "affine(1: $0*$0)",
    "form(1; [$0]; 1)",
    "form(1; [$1]; 0)",
    "form(1; $0; 0)",
    '"\\q"',
    '"open',
    "-true",
    "--1",
    "-(1)",
    "{",
    "{}",
    "{a0}",
    "{a0:f32",
    "{exec(a0:f32)}",
    "{add(a0:f32)}",
    "{add()}",
    "{add(a0:f32, a1:f64)}",
    "{and(a0:f32, a1:f32)}",
    "{where(a0:f32, a0:f32, a0:f32)}",
    "{bitcast(a0:f32, f64)}",
    "{t0}",
    "{t1=a0:f32; t1}",
    "{t0=a0:f32; t1}",
    "{t0=a0:f32}",
    "{a99999999999:f32}",
    "{" + "neg(" * 10_000 + "a0:f32" + ")" * 10_000 + "}",
    "{size(1.5)}",
    "{b0:f32}",
    "graph(",
    "graph() { %0: f32[] = exp() {p=graph() {",
    "graph() { return %0 }",
    "1 {p=2}",
    "1, p=2",
    "{t" + "9" * 5000 + "}",
    "@",
]


@pytest.mark.parametrize(
    "text",
    [*HOSTILE.values(), *(f"graph() {{ %1: f32[] = exp() {{p={p}}} return %1 }}" for p in PARAMS)],
    ids=[*HOSTILE, *(p[:24] for p in PARAMS)],
)
def test_other_text_gives_one_error_that_names_the_place(text):
    with pytest.raises(
        GraphTextError, match=r"^graph text: line \d+, column \d+: must be .*; got .*\. Correct"
    ) as caught:
        parse_graph(text)
    assert len(str(caught.value)) < 400


def test_the_place_is_right():
    with pytest.raises(GraphTextError, match="line 3, column 19: must be the name of an op; got 'explode'"):
        parse_graph("graph(%0: f32[2]) {\n  # a comment\n  %1:   f32[2]  = explode(%0)\n  return %1\n}")


@given(
    st.integers(0, len(GOLDEN)),
    st.sampled_from(["", "(", "}", "%0", "9", ",", "{", "f32", '"', "-", "nan", "\n", "é"]),
    st.integers(0, 4),
)
def test_damaged_text_gives_a_graph_or_that_error(at, piece, cut):
    try:
        graph = parse_graph(GOLDEN[:at] + piece + GOLDEN[at + cut :])
    except GraphTextError:
        return
    assert parse_graph(str(graph)) == graph


def test_constant_nodes_come_back():
    nodes = tuple(
        Node(CONSTANT, (), (Value(k, TensorSpec((), d)),), (("value", np.ones((), d)[()]),))
        for k, d in enumerate(NAMES.values())
    )
    graph = Graph((), nodes, tuple(n.out for n in nodes))
    assert parse_graph(str(graph)) == graph

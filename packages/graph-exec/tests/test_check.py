"""The checker finds each fault, by its rule; and the interpreter says what a graph means."""

import numpy as np
import pytest

import brickwork.tensor  # noqa: F401 - fills the registry
from brickwork.graph.check import RULES, GraphError, check_graph
from brickwork.graph.interpret import evaluate_graph
from brickwork.graph.ir import CONSTANT, Graph, Node, Value
from brickwork.graph.text import parse_graph
from brickwork.tensor.dtypes import NAMES
from brickwork.tensor.errors import BrickworkError, ShapeError
from brickwork.tensor.spec import TensorSpec

F32 = NAMES["float32"]


def value(k: int, *shape: int, dtype: str = "float32") -> Value:
    return Value(k, TensorSpec(shape, NAMES[dtype]))


X, Y, Z = value(0, 2), value(1, 2), value(2, 2)
EXP = Node("exp", (X,), (Y,))
SUM = (("axis", (0,)), ("keepdims", False))
ONE = (("value", np.float32(1)),)

FAULTS = {
    "made twice": (Graph((X,), (EXP, EXP), (Y,)), "a value must be made once; got %1 twice"),
    "input made again": (Graph((X,), (Node("exp", (X,), (X,)),), (X,)), "a value must be made once; got %0 twice"),
    "inputs twice": (Graph((X, X), (), ()), "a value must be made once"),
    "read too early": (Graph((X,), (Node("exp", (Y,), (Z,)), EXP), (Z,)), "got %1 read by %2 = exp before it is made"),
    "never made": (Graph((), (EXP,), (Y,)), "got %0 read by %1 = exp before it is made"),
    "read as another": (
        Graph((X,), (Node("exp", (value(0, 3),), (value(1, 3),)),), ()),
        r"%0 of f32\[3\] read by %1 = exp, made as f32\[2\]",
    ),
    "output never made": (
        Graph((X,), (), (Y,)),
        "outputs must be values of the graph; got output 0, %1 of .* never made",
    ),
    "output as another": (Graph((X,), (), (value(0, 3),)), r"got output 0, %0 of f32\[3\], which is f32\[2\]"),
    "unknown op": (Graph((X,), (Node("explode", (X,), (Y,)),), (Y,)), "got %1 = explode, which is not in the registry"),
    "no outputs": (Graph((X,), (Node("exp", (X,), ()),), ()), "got a node without outputs = exp"),
    "composite": (
        Graph((X,), (Node("softmax", (X,), (Y,), (("axis", 0),)),), (Y,)),
        "got %1 = softmax, whose body should stand here",
    ),
    "wrong shape": (
        Graph((X,), (Node("exp", (X,), (value(1, 3),)),), ()),
        r"%1 = exp of f32\[3\], where the op gives f32\[2\]",
    ),
    "wrong dtype": (
        Graph((X,), (Node("exp", (X,), (value(1, 2, dtype="float64"),)),), ()),
        r"of f64\[2\], where the op gives f32\[2\]",
    ),
    "wrong count": (Graph((X,), (Node("exp", (X,), (Y, Z)),), ()), r"where the op gives f32\[2\]"),
    "refused": (
        Graph((X, value(1, 3)), (Node("add", (X, value(1, 3)), (Z,)),), ()),
        "got %2 = add, which the op refuses: add: shapes must broad",
    ),
    "missing parameter": (
        Graph((X,), (Node("sum", (X,), (Y,), SUM[:1]),), ()),
        "%1 = sum, which the op refuses: .*keepdims",
    ),
    "unsorted": (
        Graph((X,), (Node("sum", (X,), (value(1),), SUM[::-1]),), ()),
        "parameters must be in the order of their names.* keepdims, axis",
    ),
    "repeated": (
        Graph((X,), (Node("sum", (X,), (value(1),), SUM[:1] * 2),), ()),
        "parameters must be in the order of their names",
    ),
    "constant of a shape": (
        Graph((), (Node(CONSTANT, (), (X,), ONE),), ()),
        r"a constant must be a NumPy scalar .* got %0 = constant of f32\[2\]",
    ),
    "constant of a dtype": (Graph((), (Node(CONSTANT, (), (value(0, dtype="int8"),), ONE),), ()), "for a float32"),
    "constant array": (
        Graph((), (Node(CONSTANT, (), (X,), (("value", np.ones(2, F32)),)),), ()),
        "a constant must be a NumPy scalar",
    ),
    "constant without": (Graph((), (Node(CONSTANT, (), (value(0),)),), ()), "a constant must be a NumPy scalar"),
    "constant of inputs": (
        Graph((X,), (Node(CONSTANT, (X,), (value(1),), ONE),), ()),
        "a constant must be a NumPy scalar",
    ),
    "alias output": (Graph((X,), (EXP,), (Y,), ((1, 0),)), "an alias must .* got 1->0 with 1 outputs and 1 inputs"),
    "alias input": (Graph((X,), (EXP,), (Y,), ((0, -1),)), "an alias must .* got 0->-1"),
    "alias spec": (Graph((value(3, 3), X), (EXP,), (Y,), ((0, 0),)), r"got 0->0, f32\[2\] in place of f32\[3\]"),
    "alias twice": (Graph((X,), (EXP,), (Y, Y), ((0, 0), (1, 0))), "got an input twice"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found(fault):
    graph, words = FAULTS[fault]
    with pytest.raises(GraphError, match=words) as caught:
        check_graph(graph, "the test")
    assert isinstance(caught.value, BrickworkError)
    assert str(caught.value).startswith("the test: ")


def test_every_rule_has_a_fault_here():
    assert all(any(str(rule) in _message(graph) for graph, _ in FAULTS.values()) for rule, _ in RULES)


def _message(graph: Graph) -> str:
    with pytest.raises(GraphError) as caught:
        check_graph(graph)
    return str(caught.value)


def test_faults_of_nested_graphs_are_found():
    inner = Graph((), (), (Y,))
    node = Node("map", (X,), (Y,), (("body", parse_graph("graph() {return}")), ("inner", inner)))
    with pytest.raises(GraphError):
        check_graph(Graph((X,), (node,), (Y,)))


SOUND = """\
graph(%0: f32[N, 3], %1: f32[3]) {
  %2: f32[N, 3] = multiply(%0, %1)
  %3: f32[] = constant() {value=-0.0:f32}
  %4: f32[N] = sum(%2) {axis=(1,), keepdims=false}
  %5: f32[] = map() {body={cast(size(2*N), f32)}}
  %6: f32[N] = divide(%4, %5)
  %7: f32[3*N] = reshape(%2) {shape=(3*N,)}
  %8: f32[N, 3] = add(%2, %3)
  %9: f32[3, N] = contract(%8) {form=form(3, N; [$1, $0]; 0, 1)}
  return %6, %7, %9, %8 alias(3->0)
}"""


def test_a_sound_graph_passes_and_means_what_it_says():
    graph = parse_graph(SOUND)
    check_graph(graph)
    x, w = np.arange(12, dtype=F32).reshape(4, 3), np.array([1, 2, 3], F32)
    before = x.copy()
    a, b, c, d = evaluate_graph(graph, (x, w))
    np.testing.assert_array_equal(a, (x * w).sum(1) / np.float32(8))
    np.testing.assert_array_equal(b, (x * w).reshape(-1))
    np.testing.assert_array_equal(c, (x * w).T)
    np.testing.assert_array_equal(d, x * w)
    np.testing.assert_array_equal(x, before)


def test_arrays_must_fit_their_inputs():
    with pytest.raises(ShapeError, match=r"evaluate_graph: %1 must be f32\[3\].*got float64\[3\]"):
        evaluate_graph(parse_graph(SOUND), (np.ones((4, 3), F32), np.ones(3)))
    with pytest.raises(ShapeError, match=r"%1 must be f32\[3\]"):
        evaluate_graph(parse_graph(SOUND), (np.ones((4, 3), F32), np.ones(4, F32)))

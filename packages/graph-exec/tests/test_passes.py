"""Each pass on small graphs, as text before and after; the algebra, bit by bit; and the pipeline on real functions."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import brickwork.tensor  # noqa: F401 - fills the registry
from brickwork.graph import passes
from brickwork.graph.check import GraphError, check_graph
from brickwork.graph.interpret import evaluate_graph
from brickwork.graph.ir import Graph
from brickwork.graph.passes import PIPELINE, Pass, dce, run_pipeline
from brickwork.graph.passes.expr_rules import EXPR_RULES, lossless, simplify_expr
from brickwork.graph.passes.fold import RULES as FOLD_RULES
from brickwork.graph.passes.fold import fold
from brickwork.graph.passes.rewrite import rewrite
from brickwork.graph.passes.simplify import RULES as SIMPLIFY_RULES
from brickwork.graph.text import expr_text, parse_expr, parse_graph
from brickwork.graph.tracing import GraphTrace
from brickwork.tensor import nn, random
from brickwork.tensor.autodiff import grad
from brickwork.tensor.dim import symbol
from brickwork.tensor.dtypes import NAMES
from brickwork.tensor.errors import ShapeError
from brickwork.tensor.op import evaluate
from brickwork.tensor.ops import reduce
from brickwork.tensor.ops.elementwise import FUNCTIONS as E
from brickwork.tensor.ops.movement import broadcast_to, concat, pad
from brickwork.tensor.spec import TensorSpec
from brickwork.tensor.tensor import Tensor
from brickwork.tensor.trace import use

F32 = NAMES["float32"]


def graph_of(inputs: str, *lines: str) -> Graph:
    """A graph from its nodes; the last line is what it returns."""
    *nodes, last = lines
    return parse_graph(f"graph({inputs}) {{\n" + "\n".join(nodes) + f"\nreturn {last}\n}}")


def arrays_for(graph: Graph, rng: np.random.Generator, n: int = 5) -> list[np.ndarray]:
    """An array for each input: small numbers of both signs, zeros of both signs among the floats."""
    out = []
    for value in graph.inputs:
        shape = tuple(n if not isinstance(s, int) else s for s in value.spec.shape)
        x = rng.integers(-3, 4, shape).astype(value.spec.dtype)
        out.append(np.asarray(x * rng.choice([1.0, -0.5], shape)).astype(x.dtype) if x.dtype.kind == "f" else x)
    return out


def assert_same(before: Graph, after: Graph, tolerance: float = 0.0) -> None:
    """Both graphs are sound, have one signature, and give the same outputs."""
    check_graph(before, "before")
    check_graph(after, "after")
    assert after.inputs == before.inputs
    assert after.aliases == before.aliases
    assert [v.spec for v in after.outputs] == [v.spec for v in before.outputs]
    arrays = arrays_for(before, np.random.default_rng(7))
    for old, new in zip(evaluate_graph(before, arrays), evaluate_graph(after, arrays), strict=True):
        if tolerance:
            np.testing.assert_allclose(new, old, tolerance, tolerance)
        else:
            np.testing.assert_array_equal(new, old)


def golden() -> dict[str, tuple[str, str]]:
    """The cases of passes_golden.txt: ``pass: name`` -> text before, text after."""
    cases = Path(__file__).with_name("passes_golden.txt").read_text(encoding="utf-8").split("\n== ")[1:]
    heads = [case.partition("\n") for case in cases]
    return {name: tuple(part.strip() for part in body.split("=>\n")) for name, _, body in heads}  # type: ignore[misc]


PASSES = {p.name: p.run for p in PIPELINE}
GOLDEN = golden()


@pytest.mark.parametrize("case", GOLDEN)
def test_golden(case):
    run = PASSES[case.partition(":")[0]]
    before, expected = map(parse_graph, GOLDEN[case])
    after = dce(run(before))
    assert str(after) == str(expected)
    assert_same(before, after, tolerance=1e-5 if case.startswith("loops") else 0.0)  # it sums in another order
    assert str(dce(run(after))) == str(after), "a second run finds nothing more"


def test_every_pass_and_every_graph_rule_has_a_golden_case():
    assert {case.partition(":")[0] for case in GOLDEN} == set(PASSES)
    assert {rule.name for rule in (*FOLD_RULES, *SIMPLIFY_RULES)} == _fired()


def _fired() -> set[str]:
    """The names of the rules that do something in some golden case, each run by itself."""
    names = set()
    for case, (before, _) in GOLDEN.items():
        rules = {"fold": FOLD_RULES, "simplify": SIMPLIFY_RULES}.get(case.partition(":")[0], ())
        graph = parse_graph(before)
        names |= {rule.name for rule in rules if str(rewrite(graph, [rule], rounds=4)) != str(graph)}
    return names


def test_an_index_out_of_range_is_left_to_the_run():
    index, x = "%1: i64[] = constant() {value=5:i64}", "%2: f32[] = constant() {value=1.0:f32}"
    graph = graph_of("", index, x, "%3: f32[1] = reshape(%2) {shape=(1,)}", "%4: f32[] = take(%3, %1) {axis=0}", "%4")
    assert str(fold(graph)) == str(graph)


# ---- algebra on bodies ----

EXPRESSIONS = [
    ("add(a0:f32, -0.0:f32)", "a0:f32"),
    ("add(a0:f32, 0.0:f32)", None),
    ("add(-0.0:f32, a0:f32)", "a0:f32"),
    ("sub(a0:f32, 0.0:f32)", "a0:f32"),
    ("sub(a0:f32, -0.0:f32)", None),
    ("sub(0.0:f32, a0:f32)", None),
    ("sub(1.0:f32, a0:f32)", None),
    ("mul(a0:f32, 1.0:f32)", "a0:f32"),
    ("mul(1.0:f32, a0:f32)", "a0:f32"),
    ("mul(a0:f32, 0.0:f32)", None),
    ("div(a0:f32, 1.0:f32)", "a0:f32"),
    ("div(1.0:f32, a0:f32)", None),
    ("add(a0:i32, 0:i32)", "a0:i32"),
    ("mul(a0:i32, 0:i32)", "0:i32"),
    ("and(a0:b1, true:b1)", "a0:b1"),
    ("and(a0:u8, 255:u8)", "a0:u8"),
    ("or(a0:b1, true:b1)", "true:b1"),
    ("xor(a0:u32, 0:u32)", "a0:u32"),
    ("shl(a0:u32, 0:u32)", "a0:u32"),
    ("neg(neg(a0:f32))", "a0:f32"),
    ("not(not(a0:b1))", "a0:b1"),
    ("maximum(a0:f32, a0:f32)", "a0:f32"),
    ("abs(neg(a0:f32))", "abs(a0:f32)"),
    ("where(true:b1, a0:f32, a1:f32)", "a0:f32"),
    ("where(false:b1, a0:f32, a1:f32)", "a1:f32"),
    ("where(a0:b1, a1:f32, a1:f32)", "a1:f32"),
    ("add(a0:f32, neg(a1:f32))", "sub(a0:f32, a1:f32)"),
    ("add(neg(a0:f32), a1:f32)", "sub(a1:f32, a0:f32)"),
    ("sub(a0:f32, neg(a1:f32))", "add(a0:f32, a1:f32)"),
    ("mul(neg(a0:f32), neg(a1:f32))", "mul(a0:f32, a1:f32)"),
    ("mul(a0:f32, -1.0:f32)", "neg(a0:f32)"),
    ("div(a0:f32, 4.0:f32)", "mul(a0:f32, 0.25:f32)"),
    ("div(a0:f32, -0.5:f32)", "mul(a0:f32, -2.0:f32)"),
    ("div(a0:f32, 3.0:f32)", None),
    ("div(a0:f32, 0.0:f32)", None),
    ("div(a0:f16, 32768.0:f16)", None),
    ("div(a0:f32, 1e-45:f32)", None),
    ("pow(a0:f32, 2.0:f32)", "mul(a0:f32, a0:f32)"),
    ("pow(a0:f32, 1.0:f32)", "a0:f32"),
    ("pow(a0:f32, 0.0:f32)", "1.0:f32"),
    ("pow(a0:f32, -1.0:f32)", "div(1.0:f32, a0:f32)"),
    ("pow(a0:f32, 0.5:f32)", None),
    ("pow(a0:f32, 3.0:f32)", None),
    ("cast(cast(a0:f16, f32), f64)", "cast(a0:f16, f64)"),
    ("cast(cast(a0:f16, f32), f16)", "a0:f16"),
    ("cast(cast(a0:f32, f16), f32)", None),
    ("cast(cast(a0:f32, f64), i32)", None),
    ("cast(cast(a0:i8, f32), i8)", "a0:i8"),
    ("cast(cast(a0:i32, f32), i32)", None),
    ("cast(cast(a0:u8, i32), i8)", "cast(a0:u8, i8)"),
    ("cast(cast(a0:b1, f32), i32)", "cast(a0:b1, i32)"),
    ("cast(cast(a0:i8, i32), b1)", "cast(a0:i8, b1)"),
    ("bitcast(bitcast(a0:f32, u32), f32)", "a0:f32"),
    ("add(1.0:f32, 2.0:f32)", "3.0:f32"),
    ("lt(1.0:f32, 2.0:f32)", "true:b1"),
    ("cast(2.5:f32, i32)", "2:i32"),
    ("bitcast(1.0:f32, u32)", "1065353216:u32"),
    ("mulhi(4294967295:u32, 2:u32)", "1:u32"),
    ("mul(add(a0:f32, mul(-0.0:f32, 1.0:f32)), exp(-0.0:f32))", "a0:f32"),
    ("add(exp(a0:f32), neg(neg(neg(a1:f32))))", "sub(exp(a0:f32), a1:f32)"),
]
NUMBERS = [0.0, -0.0, 1.0, -1.0, 0.1, 3.0, -7.0, 1e30, -1e-30, 1e-45, float("inf"), float("-inf"), float("nan")]


@pytest.mark.parametrize("before, after", EXPRESSIONS, ids=lambda t: t or "stays")
def test_expression_rules_and_that_they_keep_every_bit(before, after):
    expr = parse_expr(f"{{{before}}}")
    simple = simplify_expr(expr)
    assert expr_text(simple) == f"{{{after or before}}}"
    args = {n.value: n.dtype for n, _ in expr.program if n.head == "arg"}
    grids = np.meshgrid(*[np.array(NUMBERS)] * max(len(args), 1), indexing="ij")
    with np.errstate(all="ignore"):
        arrays = [g.ravel().astype(args.get(k, F32)) for k, g in enumerate(grids)]
        old, new = (np.broadcast_to(evaluate(e, arrays), arrays[0].shape) for e in (expr, simple))
    np.testing.assert_array_equal(new, old)
    if old.dtype.kind == "f":
        np.testing.assert_array_equal(np.signbit(new)[~np.isnan(old)], np.signbit(old)[~np.isnan(old)])


def test_every_expression_rule_fires_here():
    fired = {
        name
        for text, _ in EXPRESSIONS
        for node, _ in parse_expr(f"{{{text}}}").program
        if node.args
        for name, rule, _ in EXPR_RULES
        if rule(node) is not None
    }
    assert fired == {name for name, _, _ in EXPR_RULES}


def test_lossless_against_the_values_themselves():
    small = {
        n: np.arange(256, dtype=np.uint8).view(NAMES[n]) for n in ("int8", "uint8", "float8_e4m3fn", "float8_e5m2")
    }
    small["bool"] = np.array([False, True])
    small |= {n: np.arange(65536, dtype=np.uint16).view(NAMES[n]) for n in ("int16", "uint16", "float16", "bfloat16")}
    for name, values in small.items():
        for target in (n for n in NAMES if not n.startswith("complex") and n != "bool"):
            with np.errstate(all="ignore"):
                there = values.astype(NAMES[target])
                exact = np.array_equal(
                    there.astype(np.float64), values.astype(np.float64), equal_nan=NAMES[target].kind not in "iu"
                )
            assert lossless(NAMES[name], NAMES[target]) == exact, (name, target)


# ---- the pipeline on real functions ----


def trace(fn, *shapes: tuple, dtype: str = "float32") -> Graph:
    recorder = GraphTrace()
    with use(recorder):
        out = fn(*(recorder.argument(TensorSpec(s, NAMES[dtype])) for s in shapes))
    traced = recorder.finish(list(out) if isinstance(out, (tuple, list)) else [out])
    return replace(traced.graph, nodes=tuple(replace(n, source="") for n in traced.graph.nodes))


def dense_loss(x, w, b, y):
    z = nn.relu(x @ w + b)
    return ((z - y) ** 2.0).mean()


def gradient(fn, *argnums):
    return grad(fn, argnums)


def noisy(x):
    key = random.key(3)
    return E["where"](random.uniform(key, x.shape) < 0.5, x, 0.0) + random.normal(key, x.shape) * 0.0


FUNCTIONS = {
    "dense": (dense_loss, (8, 3), (3, 4), (4,), (8, 4)),
    "dense gradient": (gradient(dense_loss, 1, 2), (8, 3), (3, 4), (4,), (8, 4)),
    "softmax gradient": (gradient(lambda x: (nn.softmax(x) * x).sum(), 0), (5, 7)),
    "log_softmax": (lambda x: nn.log_softmax(x, axis=0), (5, 7)),
    "layer_norm gradient": (gradient(lambda x, g, b: (nn.layer_norm(x, g, b) * x).sum(), 0, 1, 2), (6, 5), (5,), (5,)),
    "conv gradient": (gradient(lambda x, w: (nn.conv(x, w, 2, "same") ** 2.0).sum(), 0, 1), (2, 6, 5, 3), (3, 3, 3, 4)),
    "pooling gradient": (
        gradient(lambda x: nn.max_pool(x, (2, 2)).sum() + nn.average_pool(x, (3, 3), (1, 1), "same").sum(), 0),
        (2, 6, 6, 3),
    ),
    "gelu gradient": (gradient(lambda x: nn.gelu(x).sum() + nn.silu(x).sum(), 0), (9,)),
    "movement": (lambda x: concat([x.transpose().reshape((4, 3)), pad(x, 1)[1:-1, 1:-1].transpose()], 1), (3, 4)),
    "reductions": (
        lambda x: (reduce.max(x, 0), reduce.prod(x, (0, 1), True), reduce.any(x > 0, 1), reduce.sum(x > 0, 1)),
        (3, 4),
    ),
    "random": (noisy, (4, 3)),
    "one row": (gradient(dense_loss, 1, 2), (1, 3), (3, 4), (4,), (1, 4)),
    "empty": (lambda x: nn.softmax(x) + 1.0, (0, 3)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_pass_keeps_the_meaning(name):
    fn, *shapes = FUNCTIONS[name]
    original = trace(fn, *shapes)
    seen = []

    def on_step(step, before, after):
        seen.append(step.name)
        assert_same(original, after, tolerance=1e-5)
        assert str(parse_graph(str(after))) == str(after)

    final = run_pipeline(original, check=True, on_step=on_step)
    assert seen == [p.name for p in PIPELINE]
    assert len(final.nodes) <= len(original.nodes)
    assert str(run_pipeline(final)) == str(final), "a second run finds nothing more"


def random_graph(draw) -> Graph:
    """Up to twenty nodes over small tensors that broadcast: elementwise ops, constants, casts, movement, reductions."""
    recorder = GraphTrace()
    with use(recorder):
        pool = [recorder.argument(TensorSpec(s, F32)) for s in ((2, 3), (3,), (1, 3), (2, 1), ())]
        for _ in range(draw(st.integers(1, 20))):
            pool.append(random_step(draw, draw(st.sampled_from(pool)), draw(st.sampled_from(pool))))
        graph = recorder.finish([pool[-1], draw(st.sampled_from(pool))]).graph
    return replace(graph, nodes=tuple(replace(n, source="") for n in graph.nodes))


def random_step(draw, x: Tensor, y: Tensor) -> Tensor:
    kind = draw(st.sampled_from(["unary", "binary", "constant", "where", "cast", "move", "reduce"]))
    if kind == "unary":
        return E[draw(st.sampled_from(["negative", "abs", "positive", "square", "floor", "sign"]))](x)
    if kind == "binary":
        return E[draw(st.sampled_from(["add", "subtract", "multiply", "maximum", "minimum"]))](x, y)
    if kind == "constant":
        name = draw(st.sampled_from(["add", "subtract", "multiply", "divide", "power"]))
        return E[name](x, draw(st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 4.0])))
    if kind == "where":
        return E["where"](x > draw(st.sampled_from([0.0, 1.0])), x, y)
    if kind == "cast":
        return x.astype(draw(st.sampled_from(["float16", "float64", "bfloat16"]))).astype("float32")
    if kind == "reduce":
        axis = tuple(draw(st.sets(st.sampled_from(range(x.ndim)))) if x.ndim else ())
        return (reduce.max if draw(st.booleans()) else reduce.sum)(x, axis, draw(st.booleans()))
    if draw(st.booleans()):
        return x.transpose() if draw(st.booleans()) else x.reshape((1, *x.shape))
    return broadcast_to(x, (2,) * draw(st.integers(0, 1)) + x.shape)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_random_graphs_keep_their_meaning(data):
    try:
        graph = random_graph(data.draw)
    except ShapeError:  # two shapes that do not broadcast
        return
    final = run_pipeline(graph, check=True)
    assert_same(graph, final)
    assert parse_graph(str(final)) == final or "nan" in str(final)
    assert str(run_pipeline(final)) == str(final), "a second run finds nothing more"


def test_symbolic_batch_through_the_pipeline():
    n = symbol("N")
    original = trace(lambda x, w, y: grad(lambda w: ((x @ w - y) ** 2.0).sum())(w), (n, 3), (3, 4), (n, 4))
    assert_same(original, run_pipeline(original, check=True), tolerance=1e-5)


def test_dense_gradient_golden():
    final = run_pipeline(trace(lambda x, w: grad(lambda w: (nn.relu(x @ w) ** 2.0).sum())(w), (8, 3), (3, 4)))
    assert str(final) == str(parse_graph(str(final)))
    assert [n.op for n in final.nodes].count("contract") + [n.op for n in final.nodes].count("matmul") == 2
    assert "pow(" not in str(final)
    assert "constant" not in str(final)


def test_a_pass_that_breaks_a_rule_is_named(monkeypatch):
    def broken(graph: Graph) -> Graph:
        return Graph(graph.inputs, (), graph.outputs)

    monkeypatch.setattr(passes, "PIPELINE", (Pass("broken", broken, "to be found out"),))
    with pytest.raises(GraphError, match=r"^after broken: outputs must be values of the graph"):
        run_pipeline(graph_of("%0: f32[3]", "%1: f32[3] = exp(%0)", "%1"), check=True)


def test_tables_name_each_rule_once_with_its_reason():
    rows = [(r.name, r.reason) for r in (*FOLD_RULES, *SIMPLIFY_RULES, *PIPELINE)] + [
        (n, why) for n, _, why in EXPR_RULES
    ]
    assert len({n for n, _ in rows}) == len(rows)
    assert all(why for _, why in rows)


def test_tensors_are_not_needed_to_trace_constants():
    graph = run_pipeline(trace(lambda x: x * Tensor(np.float32(2)) * 0.5, (3,)))
    assert str(graph) == str(
        graph_of(
            "%0: f32[3]",
            "%2: f32[3] = map(%0) {body={mul(a0:f32, 2.0:f32)}}",
            "%4: f32[3] = map(%2) {body={mul(a0:f32, 0.5:f32)}}",
            "%4",
        )
    )

"""`export` and `load`: what a file gives back, in which process, and what it can not do."""

import copy
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import brickwork.tensor as bt
from brickwork.graph import GraphError, export, function, load, spec
from brickwork.graph.exporting import VERSION
from brickwork.graph.safety import GraphLimits
from brickwork.tensor import bundle, tree
from brickwork.tensor.errors import BrickworkError, DTypeError, ShapeError, TraceError

GOLDEN = Path(__file__).parent / "golden" / "program_v1.brick"


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


W = normal(4, 4, seed=1)


def network(x):
    return bt.nn.softmax(bt.nn.relu(x @ bt.asarray(W)) - bt.mean(x, axis=-1, keepdims=True))


def with_opaque(x):
    """Linear algebra, Fourier transforms, sorting and gathering: ops that run by their own eval."""
    square = bt.matrix_transpose(x) @ x + bt.eye(4) * 8.0
    spectrum = bt.abs(bt.fft.rfft(x, axis=-1))
    places = bt.argsort(x, axis=-1)
    return bt.linalg.inv(square), spectrum, bt.sort(x, axis=0), bt.take(x, bt.asarray([2, 0]), axis=1), places


def with_regions(x):
    total, rows = bt.scan(lambda c, r: (bt.tanh(c + r @ bt.asarray(W)), c * 2.0), bt.zeros(4), x)
    halved = bt.while_loop(lambda v: bt.max(bt.abs(v)) > 0.1, lambda v: v * 0.5, total)
    chosen = bt.cond(bt.sum(x) > 0.0, lambda v: v + 1.0, lambda v: v - 1.0, halved)
    return {"rows": rows, "chosen": chosen}


def with_loops(x):
    total, rows = bt.scan(lambda c, r: (bt.tanh(c + r @ bt.asarray(W)), c * 2.0), bt.zeros(4), x)
    return rows, bt.cond(bt.sum(x) > 0.0, lambda v: v + 1.0, lambda v: v * v, total)


def attention(x):
    q = bt.reshape(x, (1, 1, -1, 4))
    return bt.nn.dot_product_attention(q, q, q) if hasattr(bt.nn, "dot_product_attention") else bt.nn.softmax(q, -1)


PROGRAMS = [network, with_opaque, with_regions, with_loops, attention]


@pytest.mark.parametrize("fn", PROGRAMS, ids=lambda f: f.__name__)
def test_what_is_loaded_computes_what_was_exported(fn, tmp_path):
    x = normal(6, 4)
    export(fn, [spec((6, 4))], tmp_path / "f.brick")
    found, want = load(tmp_path / "f.brick")(x), fn(bt.asarray(x))
    assert type(found) is type(want)
    for a, b in zip(tree.leaves(found), tree.leaves(want), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)


def test_axis_0_stays_open(tmp_path):
    export(network, [spec((None, 4))], tmp_path / "f.brick")
    program = load(tmp_path / "f.brick")
    for n in (1, 2, 7, 33, 0):
        x = normal(n, 4, seed=n)
        np.testing.assert_allclose(program(x).numpy(), network(bt.asarray(x)).numpy(), rtol=1e-5, atol=1e-6)
    with pytest.raises(ShapeError, match=r"network: argument 0 must be f32\[N, 4\] with N=3; got \(3, 5\)"):
        program(normal(3, 5))
    with pytest.raises(DTypeError, match=r"argument 0 must be .*; got float64"):
        program(normal(3, 4).astype("float64"))


def test_two_open_sizes(tmp_path):
    export(lambda a, b: (bt.sum(a, axis=0), b * 2.0), [spec(("N", 3)), spec(("M", 2))], tmp_path / "f.brick")
    program = load(tmp_path / "f.brick")
    total, twice = program(normal(5, 3), normal(2, 2))
    np.testing.assert_allclose(total.numpy(), normal(5, 3).sum(0), rtol=1e-5)
    assert twice.shape == (2, 2)
    export(lambda a, b: a + b, [spec(("N", 3)), spec(("N", 3))], tmp_path / "g.brick")
    with pytest.raises(ShapeError, match=r"argument 1 must be f32\[N, 3\] with N=5; got \(4, 3\)"):
        load(tmp_path / "g.brick")(normal(5, 3), normal(4, 3))


def test_variables_go_along_and_are_the_programs_own(tmp_path):
    count = bt.Variable(np.zeros((), "int64"), name="count")
    scale = bt.Variable(np.full(3, 2.0, "f"), name="scale", trainable=False)

    def step(x):
        count.assign_add(1)
        return x * scale.value + count.value.astype("float32")

    export(step, [spec((3,))], tmp_path / "f.brick")
    program, other = load(tmp_path / "f.brick"), load(tmp_path / "f.brick")
    assert [program(np.ones(3, "f")).tolist() for _ in range(2)] == [[3.0] * 3, [4.0] * 3]
    assert other(np.ones(3, "f")).tolist() == [3.0] * 3
    assert count.item() == 0
    assert {v.name: v.trainable for v in program.variables} == {"count": True, "scale": False}
    assert next(v for v in program.variables if v.name == "count").item() == 2


def test_no_rows_assign_as_any_number_does(tmp_path):
    seen = bt.Variable(np.zeros(2, "f"), name="seen")

    def step(x):
        seen.assign(seen.value + bt.sum(x, axis=0) + 1.0)
        return x * 2.0

    export(step, [spec((None, 2))], tmp_path / "f.brick")
    program = load(tmp_path / "f.brick")
    assert program(np.zeros((0, 2), "f")).shape == (0, 2)
    assert program.variables[0].tolist() == [1.0, 1.0]
    program(np.ones((3, 2), "f"))
    assert program.variables[0].tolist() == [5.0, 5.0]


def test_trees_and_static_arguments(tmp_path):
    @function(static_argnames=("power",))
    def fn(batch, power, *, mode, shift):
        return {"out": [batch["x"] ** float(power) + shift, batch["more"][0]], "mode": (batch["x"],)}

    takes = {"x": spec((None, 3)), "more": (spec(()),), "note": "plain"}
    export(fn, [takes, 2], tmp_path / "f.brick", kwargs={"mode": None, "shift": spec(())})
    program = load(tmp_path / "f.brick")
    given_tree = {"x": normal(4, 3), "more": [5.0], "note": "plain"}
    out = program(given_tree, mode=None, shift=1)
    np.testing.assert_allclose(out["out"][0].numpy(), normal(4, 3) ** 2 + 1, rtol=1e-5)
    assert type(out["out"]) is list and type(out["mode"]) is tuple and out["out"][1].item() == 5.0
    with pytest.raises(
        BrickworkError, match=r"fn: arguments\['args'\]\[0\]\['note'\] must be 'plain', which is compiled"
    ):
        program({**given_tree, "note": "other"}, mode=None, shift=1)
    with pytest.raises(BrickworkError, match=r"must be a dict of mode, shift; got"):
        program(given_tree, mode=None)
    with pytest.raises(BrickworkError, match=r"\['args'\] must be 1 parts; got 2"):
        program(given_tree, 2, mode=None, shift=1)


def test_what_can_not_be_exported_says_why(tmp_path):
    with pytest.raises(TraceError, match=r"export: specs must be a list .* Write \[spec\]"):
        export(network, spec((3, 4)), tmp_path / "f.brick")
    with pytest.raises(ShapeError, match="only axis 0 may be open"):
        spec((3, None))
    with pytest.raises(TraceError, match=r"got frozenset\. Name it in static_argnames"):
        export(lambda x, s: x, [spec((3,)), frozenset()], tmp_path / "f.brick")
    assert list(tmp_path.iterdir()) == []


def test_a_new_process_needs_neither_layers_nor_the_function(tmp_path):
    layers = pytest.importorskip("brickwork.layers", reason="a model to export")
    model = layers.Sequential([layers.Dense(8, activation="gelu"), layers.LayerNormalization(), layers.Dense(2)])
    x = normal(5, 4)
    want = model(x).numpy()
    export(model, [spec((None, 4))], tmp_path / "model.brick")
    np.save(tmp_path / "x.npy", x)
    code = """
        import sys
        for name in ("layers", "prep", "gpu", "cli"):
            sys.modules[f"brickwork.{name}"] = None  # importing it is an error from here on
        import numpy as np
        from brickwork.graph import load
        program = load("model.brick")
        np.save("out.npy", program(np.load("x.npy")).numpy())
        np.save("one.npy", program(np.load("x.npy")[:1]).numpy())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and not done.stdout and not done.stderr, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), want, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.load(tmp_path / "one.npy"), want[:1], rtol=1e-5, atol=1e-6)


def test_the_file_names_no_folder_of_its_maker(tmp_path):
    export(network, [spec((2, 4))], tmp_path / "f.brick")
    assert b".py" not in (tmp_path / "f.brick").read_bytes()


def test_the_same_function_gives_the_same_bytes(tmp_path):
    for name in "ab":
        export(with_regions, [spec((3, 4))], tmp_path / name, metadata={"rows": 3})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert bundle.inspect(tmp_path / "a").metadata == {"rows": 3}


# ---- the format ------------------------------------------------------------------------------------------------------


def golden(x, y):
    seen = golden.seen
    seen.assign_add(1.0)
    rows = bt.scan(lambda c, r: (c + r, c * 0.5), bt.zeros(3), x)[1]
    return {
        "y": bt.nn.softmax(rows @ bt.asarray(np.arange(6, dtype="f").reshape(3, 2) / 4)) * seen.value,
        "s": bt.sort(y),
    }


golden.seen = bt.Variable(np.float32(1.0), name="seen")


def test_files_of_version_1_are_read():
    """Made by `export(golden, [spec((None, 3)), spec((4,), "int32")], GOLDEN)` when the version was new."""
    assert VERSION == 1, "keep this file readable, and add one of the new version"
    program = load(GOLDEN)
    x = np.array([[1, 2, 3], [4, 5, 6]], "f")
    out = program(x, np.array([3, 1, 2, 0], "int32"))
    np.testing.assert_allclose(out["y"].numpy(), [[1.0, 1.0], [0.6416426, 1.3583574]], rtol=1e-5)
    assert out["s"].tolist() == [0, 1, 2, 3] and program.variables[0].item() == 2.0


def test_a_newer_version_is_told_apart_from_damage(tmp_path):
    state = bundle.load(GOLDEN)["program"]
    bundle.save(tmp_path / "f", {"program": {**state, "version": 2, "news": 1}})
    with pytest.raises(GraphError, match=r"format 1 is known here; got 2\. Upgrade brickwork-graph-exec"):
        load(tmp_path / "f")


# ---- files from elsewhere --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def monkeypatch_session():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def loaded_with(tmp_path, **changes):
    state = bundle.load(GOLDEN)["program"]
    bundle.save(tmp_path / "f", {"program": {**state, **changes}})
    return load(tmp_path / "f")


def from_text(tmp_path, text, arguments=1, results=1, **more):
    takes = {"dict": {"args": {"list": [{"array": k} for k in range(arguments)]}, "kwargs": {"dict": {}}}}
    gives = {"tuple": [{"array": k} for k in range(results)]}
    changes = {"captured": [], "variables": [], "assigned": [], "takes": takes, "gives": gives, **more}
    lines = textwrap.dedent(text).strip().split("\n")
    return loaded_with(tmp_path, graph=lines, arguments=arguments, results=results, **changes)


HOSTILE = {
    "a slice beyond its axis": """
        graph(%0: f32[4]) {
          %1: f32[4] = slice(%0) {size=(4,), start=(1000000,), step=(1,)}
          return %1
        }""",
    "a window that leaves its axis": """
        graph(%0: f32[4]) {
          %1: f32[3, 4] = sliding_window(%0) {axes=(0,), dilations=(100,), sizes=(4,), strides=(100,)}
          return %1
        }""",
    "an axis of negative sizes": """
        graph(%0: f32[4]) {
          %1: f32[2, 2] = reshape(%0) {shape=(-2, -2)}
          return %1
        }""",
    "more than fits in memory": """
        graph(%0: f32[]) {
          %1: f32[1000000, 1000000, 1000000] = broadcast_to(%0) {shape=(1000000, 1000000, 1000000)}
          return %1
        }""",
    "a body that reads an operand too many": """
        graph(%0: f32[4]) {
          %1: f32[4] = map(%0) {body={add(a0:f32, a7:f32)}}
          return %1
        }""",
    "a body that reads an operand as another dtype": """
        graph(%0: f32[4]) {
          %1: f64[4] = map(%0) {body={add(a0:f64, 1.0:f64)}}
          return %1
        }""",
    "a body that reads an axis that is not there": """
        graph(%0: i64[4]) {
          %1: i64[4] = map(%0) {body={add(a0:i64, $3)}}
          return %1
        }""",
    "an open size that no argument has": """
        graph(%0: f32[N]) {
          %1: f32[M] = broadcast_to(%0) {shape=(M,)}
          return %1
        }""",
    "a sum of two thousand million phases": """
        graph(%0: f32[4]) {
          %1: f32[4] = contract(%0) {form=form(4, 4; [($0-$1)/200000000]; 0)}
          return %1
        }""",
    "a form whose result is no loop": """
        graph(%0: f32[4]) {
          %1: f32[4] = contract(%0) {form=form(4; [affine(3: $2)]; 0)}
          return %1
        }""",
    "a scan over more rows than there are": """
        graph(%0: f32[4], %1: f32[]) {
          %2: f32[], %3: f32[4000] = scan(%1, %0) {body=graph(%0: f32[], %1: f32[]) {
            %2: f32[] = add(%0, %1)
            return %2, %2
          }, carries=1, constants=0, length=4000, reverse=false}
          return %2
        }""",
    "a loop that writes more than it carries": """
        graph(%0: i64[4], %1: i64[]) {
          %2: i64[4000] = while_loop(%0) {body=graph(%0: i64[4]) {
            %1: i64[4000] = iota() {shape=(4000,)}
            return %1
          }, constants=0, test=graph(%0: i64[4]) {
            %1: b1[] = constant() {value=false:b1}
            return %1
          }}
          return %2
        }""",
    "a result in place of an argument": """
        graph(%0: f32[4]) {
          %1: f32[4] = add(%0, %0)
          return %1 alias(0->0)
        }""",
    "an op that is not there": """
        graph(%0: f32[4]) {
          %1: f32[4] = os.system(%0)
          return %1
        }""",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_graphs_are_refused(name, tmp_path):
    with pytest.raises(BrickworkError):
        from_text(tmp_path, HOSTILE[name], arguments=2 if "%1: f32[])" in HOSTILE[name] else 1)


def test_limits_can_be_narrowed(tmp_path):
    for limits in (GraphLimits(nodes=3), GraphLimits(elements=2), GraphLimits(bytes=20), GraphLimits(axes=0)):
        with pytest.raises(GraphError, match=r"load: .* may have"):
            load(GOLDEN, limits=limits)


def test_arrays_must_be_those_of_the_graph(tmp_path):
    state = bundle.load(GOLDEN)["program"]
    for changes in (
        {"captured": [a[:-1] for a in state["captured"]]},
        {"captured": [*state["captured"], np.zeros(3)]},
        {"variables": []},
        {"assigned": []},
        {"assigned": [5]},
        {"arguments": 1},
        {"takes": {"dict": {}}},
        {"gives": {"value": None}},
        {"name": 3},
        {"kind": "other"},
        {"graph": "graph() { return }"},
        {"graph": [1]},
    ):
        with pytest.raises(BrickworkError):
            loaded_with(tmp_path, **changes)


def places(tree_, path=()):
    """Where the values of a tree stand."""
    yield path
    children = tree_.items() if isinstance(tree_, dict) else enumerate(tree_) if isinstance(tree_, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_other_values_anywhere_are_refused_or_run(monkeypatch_session, data):
    """Any value of a file, but for the lines of its graph, may be any other."""
    state = copy.deepcopy(bundle.load(GOLDEN)["program"])
    others = [None, 0, 1, -1, 7, 1 << 40, "", "x", [], {}, {"array": 0}, {"list": []}, np.zeros(3, "f"), True, 1.5]
    for _ in range(data.draw(st.integers(1, 2))):
        *way, last = data.draw(st.sampled_from([p for p in places(state) if p and (p[0] != "graph" or len(p) == 1)]))
        inner = state
        for key in way:
            inner = inner[key]
        inner[last] = data.draw(st.sampled_from(others))
    monkeypatch_session.setattr("brickwork.graph.exporting.bundle.load", lambda *a, **k: {"program": state})
    try:
        load("any")(np.ones((2, 3), "f"), np.arange(4, dtype="int32"))
    except BrickworkError:
        pass
    finally:
        monkeypatch_session.undo()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_text_is_refused_or_runs(tmp_path_factory, data):
    """Edits of the graph's text give a `BrickworkError`, or a program that runs: never anything else."""
    folder = tmp_path_factory.mktemp("damaged")
    state = bundle.load(GOLDEN)["program"]
    text = "\n".join(state["graph"])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        piece = data.draw(
            st.sampled_from(["", "0", "7", "-1", "%0", "%3", "N", "f64", "99999999999", ",", "(", "$1", "add", "2*N"])
        )
        cut = data.draw(st.integers(0, 3))
        text = text[:at] + piece + text[at + cut :]
    bundle.save(folder / "f", {"program": {**state, "graph": text.split("\n")}})
    try:
        program = load(folder / "f", limits=GraphLimits(elements=1 << 20, bytes=1 << 24))
        program(np.ones((2, 3), "f"), np.arange(4, dtype="int32"))
    except BrickworkError:
        pass


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 255), st.booleans())
def test_damaged_bytes_are_refused(tmp_path_factory, at, byte, cut):
    raw = bytearray(GOLDEN.read_bytes())
    at %= len(raw)
    if not cut and raw[at] == byte:
        return
    raw = raw[:at] if cut else raw[:at] + bytes([byte]) + raw[at + 1 :]
    path = tmp_path_factory.mktemp("bytes") / "f.brick"
    path.write_bytes(raw)
    try:
        load(path)(np.ones((2, 3), "f"), np.arange(4, dtype="int32"))
    except BrickworkError:
        pass


# ---- inside other traces ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fn", [network, with_opaque, with_loops], ids=lambda f: f.__name__)
def test_a_loaded_program_differentiates_maps_and_compiles(fn, tmp_path):
    export(fn, [spec((6, 4))], tmp_path / "f.brick")
    program = load(tmp_path / "f.brick")
    x = normal(6, 4)

    def total(f):
        return lambda v: sum(bt.sum(y * y) for y in tree.leaves(f(v)) if y.dtype.kind == "f")

    want = bt.grad(total(fn))(bt.asarray(x)).numpy()
    np.testing.assert_allclose(bt.grad(total(program))(x).numpy(), want, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(function(bt.grad(total(program)))(x).numpy(), want, rtol=1e-4, atol=1e-4)
    batch = np.stack([x, x * 0.5])
    for a, b in zip(tree.leaves(bt.vmap(program)(batch)), tree.leaves(bt.vmap(fn)(bt.asarray(batch))), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-4, atol=1e-5)


def test_a_loaded_program_is_trained_further(tmp_path):
    w = bt.Variable(np.ones((3, 1), "f"), name="w")
    export(lambda x: x @ w, [spec((None, 3))], tmp_path / "f.brick")
    program = load(tmp_path / "f.brick")
    mine = program.variables[0]

    @function
    def step(x, y):
        value, (slope,) = bt.value_and_grad(lambda: bt.mean((program(x) - y) ** 2.0), variables=[mine])()
        mine.assign_sub(0.1 * slope)
        return value

    losses = [
        step(normal(n, 3, seed=n), normal(n, 3, seed=n) @ np.array([[1.0], [2.0], [3.0]], "f")).item()
        for n in [8, 9, 8] * 30
    ]
    assert losses[-1] < 1e-3 * losses[0] and any(v.symbolic for v in step.explain())
    np.testing.assert_allclose(program(np.eye(3, dtype="f")).numpy(), [[1.0], [2.0], [3.0]], atol=0.1)
    assert w.tolist() == [[1.0]] * 3

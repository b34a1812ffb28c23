"""Models: in a row, drawn as graphs, written as classes; their data forms and summaries."""

from __future__ import annotations

import json

import numpy as np
import pytest

from brickwork import layers as L
from brickwork.layers import LayerError
from brickwork.tensor import ShapeError

X = np.random.default_rng(0).normal(size=(10, 4)).astype("float32")


def test_sequential_builds_from_input_from_shape_or_from_data() -> None:
    early = L.Sequential([L.Input((4,)), L.Dense(3), L.Dense(1)])
    assert early.built
    assert early.output_shape == (None, 1)
    assert early.layers[0].kernel.path == "sequential/dense/kernel"
    old_way = L.Sequential([L.Dense(3, input_shape=(4,))])
    assert old_way.input_shape == (None, 4)
    late = L.Sequential([L.Dense(3), L.Dense(1)])
    assert not late.built
    assert late(X).shape == (10, 1)
    assert [w.path.split("/")[1] for w in late.weights] == ["dense_3", "dense_3", "dense_4", "dense_4"]
    shaped = L.Sequential([L.Dense(3)])
    shaped.build((None, 4))
    assert shaped.count_params() == 15
    assert shaped.compute_output_shape((7, 4)) == (7, 3)


def test_sequential_add_and_pop() -> None:
    model = L.Sequential()
    model.add(L.Input((4,)))
    model.add(L.Dense(3))
    model.add(L.Dense(2))
    assert model.output_shape == (None, 2)
    assert model.pop().units == 2
    assert model.output_shape == (None, 3)
    with pytest.raises(LayerError, match="got 'dense' twice"):
        model.add(L.Dense(1, name="dense"))
    with pytest.raises(LayerError, match="takes layers; got 3"):
        model.add(3)


def branches() -> L.Model:
    a, b = L.Input((4,), name="a"), L.Input((2,), name="b")
    shared = L.Dense(3, name="shared")
    joined = L.Concatenate()([shared(a), shared(L.Dense(4, name="lift")(b))])
    return L.Model([a, b], [L.Dense(1, name="one")(joined), L.Dense(2, name="two")(L.Add()([shared(a), shared(a)]))])


def test_graph_with_shared_layers_and_several_inputs() -> None:
    model = branches()
    b = X[:, :2]
    one, two = model([X, b])
    assert (one.shape, two.shape) == ((10, 1), (10, 2))
    by_name = model({"b": b, "a": X})
    np.testing.assert_array_equal(by_name[0].numpy(), one.numpy())
    assert model.input_names == ["a", "b"]
    assert model.output_names == ["one", "two"]
    assert len(model.weights) == 8
    shared, lift = model.get_layer("shared"), model.get_layer("lift")
    left = np.concatenate([shared(X).numpy(), shared(lift(b)).numpy()], -1)
    np.testing.assert_allclose(one.numpy(), model.get_layer("one")(left).numpy(), rtol=1e-6)


def test_graph_config_comes_back_through_json() -> None:
    model = branches()
    again = L.Model.from_config(json.loads(json.dumps(model.get_config())))
    again.set_weights(model.get_weights())
    for ours, theirs in zip(again([X, X[:, :2]]), model([X, X[:, :2]]), strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    assert [w.path for w in again.weights] == [w.path for w in model.weights]


def test_nested_models() -> None:
    inner = L.Sequential([L.Input((4,)), L.Dense(3, name="core")], name="inner")
    x = L.Input((4,))
    model = L.Model(x, L.Dense(1)(inner(x)))
    assert model(X).shape == (10, 1)
    data = L.serialize(L.Sequential([L.Input((4,)), inner, L.Dense(1)], name="outer"))
    again = L.deserialize(json.loads(json.dumps(data)))
    assert [layer.name for layer in again.layers] == ["inner", data["config"]["layers"][2]["config"]["name"]]
    assert again(X).shape == (10, 1)


def test_trees_of_inputs_and_outputs() -> None:
    x = {"u": L.Input((4,), name="u"), "v": L.Input((4,), name="v")}
    model = L.Model(x, {"sum": L.Add()([x["u"], x["v"]]), "u": L.Dense(1)(x["u"])})
    out = model({"v": X, "u": X})
    np.testing.assert_allclose(out["sum"].numpy(), 2 * X)
    assert model.predict({"v": X, "u": X})["u"].shape == (10, 1)


def test_open_sizes_and_a_missing_last_axis() -> None:
    x = L.Input((None, 3))
    model = L.Model(x, L.Dense(2)(x))
    assert model.output_shape == (None, None, 2)
    assert model(np.ones((2, 5, 3))).shape == (2, 5, 2)
    assert model(np.ones((2, 7, 3))).shape == (2, 7, 2)
    column = L.Sequential([L.Input((1,)), L.Dense(2)])
    assert column(np.ones(6)).shape == (6, 2)


def test_arithmetic_draws_into_the_graph() -> None:
    x, y = L.Input((4,)), L.Input((4,))
    out = (2 * x + y / 4.0 - 1)[:, 1:3]
    model = L.Model([x, y], [out, abs(-x), x > y])
    again = L.Model.from_config(json.loads(json.dumps(model.get_config())))
    for m in (model, again):
        first, second, third = m([X, X**2])
        np.testing.assert_allclose(first.numpy(), (2 * X + X**2 / 4 - 1)[:, 1:3], rtol=1e-5)
        np.testing.assert_array_equal(second.numpy(), abs(X))
        np.testing.assert_array_equal(third.numpy(), X**2 < X)


def test_a_model_can_be_cut_at_a_layer() -> None:
    model = L.Sequential([L.Input((4,)), L.Dense(3, name="features"), L.Dense(1)])
    model.add(L.Dense(2, name="last"))
    cut = L.Model(model.input, model.get_layer("features").output)
    np.testing.assert_allclose(cut(X).numpy(), model.get_layer("features")(X).numpy())
    assert model.get_layer("last").input.shape == (None, 1)
    with pytest.raises(LayerError, match="got 0 calls"):
        L.Dense(1).output  # noqa: B018


def test_graph_errors() -> None:
    a, b = L.Input((4,), name="a"), L.Input((4,), name="b")
    with pytest.raises(LayerError, match="got outputs that need 'b'"):
        L.Model(a, L.Add()([a, b]))
    with pytest.raises(LayerError, match="got 'same' twice"):
        L.Model(a, L.Dense(1, name="same")(L.Dense(2, name="same")(a)))
    with pytest.raises(LayerError, match="Start from Input"):
        L.Model(np.ones(3), L.Dense(1)(a))
    model = L.Model([a, b], L.Add()([a, b]), name="net")
    with pytest.raises(LayerError, match=r"^net: inputs: the model takes 2 tensors"):
        model(X)
    with pytest.raises(LayerError, match="input 'b': must have shape \\(None, 4\\); got \\(10, 3\\)"):
        model([X, X[:, :3]])
    with pytest.raises(LayerError, match="'b' is missing"):
        model({"a": X, "bb": X})
    with pytest.raises(ShapeError, match="add: shapes must broadcast"):
        L.Add()([a, L.Input((3,))])
    with pytest.raises(LayerError, match="Did you mean 'a'"):
        model.get_layer("aa")


class Two(L.Model):
    def __init__(self, units=3):
        super().__init__()
        self.first, self.second = L.Dense(units, activation="relu"), L.Dense(1)

    def call(self, inputs):
        return self.second(self.first(inputs))


def test_subclass_builds_from_a_shape() -> None:
    model = Two()
    assert model.weights == []
    model.build((None, 4))
    assert model.count_params() == 15 + 4
    assert model(X).shape == (10, 1)
    assert Two.from_config(Two(5).get_config()).first.units == 5


def summary(model: L.Model, **options) -> str:
    lines: list[str] = []
    model.summary(print_fn=lines.append, **options)
    return "\n".join(lines)


def test_summary_of_each_kind() -> None:
    model = L.Sequential([L.Input((4,)), L.Dense(3), L.BatchNormalization(), L.Dense(1)], name="net")
    text = summary(model)
    for part in (
        "Model: net",
        "dense (Dense)",
        "(None, 3)",
        "15",
        "Total parameters: 31",
        "Trainable parameters: 25",
        "Non-trainable parameters: 6",
    ):
        assert part in text
    assert "Connected to" not in text
    text = summary(branches(), line_length=140, show_trainable=True)
    assert "Connected to" in text
    assert "shared, lift" in text or "lift" in text
    assert "yes" in text
    subclass = Two()
    subclass(X)
    assert "(None, 3)" in summary(subclass)
    assert "Total parameters: 19" in summary(subclass)
    assert "unbuilt" in summary(Two())
    assert "core (Dense)" in summary(L.Sequential([L.Sequential([L.Dense(1, name="core")])]), expand_nested=True)


def test_summary_goes_to_stdout_without_escapes(capsys) -> None:
    L.Sequential([L.Input((4,)), L.Dense(3)]).summary()
    out = capsys.readouterr()
    assert "Total parameters: 15" in out.out
    assert "\x1b" not in out.out
    assert out.err == ""


def test_uncompiled_and_call_less_models_say_so() -> None:
    model = L.Sequential([L.Dense(1)])
    with pytest.raises(LayerError, match="fit: the model must be compiled first"):
        model.fit(X, X[:, 0])
    assert model.predict(X).shape == (10, 1)
    with pytest.raises(LayerError, match="define call"):
        L.Model()(X)

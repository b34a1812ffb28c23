"""Models in files: what comes back, and what is refused."""

import json
import os
import zipfile

import numpy as np
import pytest

from brickwork import layers
from brickwork.layers import LayerError, load_model, register_serializable
from brickwork.layers.saving import model_from_state, model_state
from brickwork.tensor import bundle

X = np.random.default_rng(0).normal(size=(48, 8, 8, 2)).astype(np.float32)
Y = (X[:, 0, 0, 0] > 0).astype(np.int64)


def sequential() -> layers.Model:
    parts = [
        layers.Input((8, 8, 2)),
        layers.Conv2D(4, 3, activation="relu", kernel_regularizer="l2"),
        layers.BatchNormalization(),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(2, activation="softmax"),
    ]
    return layers.Sequential(parts)


def functional() -> layers.Model:
    x = layers.Input((8, 8, 2))
    flat = layers.Flatten()(x)
    shared = layers.Dense(6, activation="tanh", name="shared")
    left, right = shared(flat), shared(layers.LayerNormalization()(flat))
    return layers.Model(x, layers.Dense(2, activation="softmax")(layers.Concatenate()([left, right])))


@register_serializable("tests")
class Residual(layers.Layer):
    def __init__(self, units: int, **other):
        super().__init__(**other)
        self.units = units
        self.inner = layers.Dense(units, activation="relu")

    def call(self, inputs):
        return inputs + self.inner(inputs)


@register_serializable("tests")
class Subclassed(layers.Model):
    def __init__(self, units: int = 5, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.flat = layers.Flatten()
        self.blocks = [layers.Dense(units), Residual(units)]
        self.last = layers.Dense(2, activation="softmax")

    def call(self, inputs, training=None):
        x = self.flat(inputs)
        for block in self.blocks:
            x = block(x)
        return self.last(x)


MODELS = [sequential, functional, Subclassed]


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_a_saved_model_goes_on_as_if_nothing_had_happened(make, tmp_path) -> None:
    layers.set_random_seed(0)
    model = make()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, Y, epochs=2, verbose=0)
    model.save(tmp_path / "model.brick")
    loaded = load_model(tmp_path / "model.brick")
    assert type(loaded) is type(model) and loaded is not model
    assert (loaded.predict(X, verbose=0) == model.predict(X, verbose=0)).all()
    assert loaded.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    for one in (model, loaded):
        one.fit(X, Y, epochs=2, verbose=0)
    # The optimizer's slots, the order of rows and the masks of dropout all go on from the same place.
    assert loaded.history.history == model.history.history
    for one, two in zip(model.get_weights(), loaded.get_weights(), strict=True):
        assert one.tobytes() == two.tobytes()


def test_weights_have_names_a_person_can_read(tmp_path) -> None:
    net = layers.Sequential([layers.Input((3,)), layers.Dense(4, name="first"), layers.Dense(1, name="last")])
    net.save(tmp_path / "net.brick")
    names = [tensor.name for tensor in bundle.inspect(tmp_path / "net.brick").tensors]
    assert names == [f"model/weights/{w}" for w in ("first~1bias", "first~1kernel", "last~1bias", "last~1kernel")]


def test_a_model_stands_in_any_bundle_beside_other_things(tmp_path) -> None:
    model = functional()
    bundle.save(tmp_path / "all.brick", {"model": model, "threshold": 0.5, "also": [sequential()]})
    found = bundle.load(tmp_path / "all.brick")
    assert (found["model"].predict(X, verbose=0) == model.predict(X, verbose=0)).all()
    assert isinstance(found["also"][0], layers.Sequential) and found["threshold"] == 0.5
    assert bundle.inspect(tmp_path / "all.brick").types == {"model": "layers.Model", "also/0": "layers.Sequential"}
    assert isinstance(load_model(tmp_path / "all.brick"), layers.Model)


@register_serializable("tests")
def weighted_error(y_true, y_pred):
    return (y_true - y_pred) ** 2 * 3.0


COMPILED = [
    {"loss": "mse", "metrics": ["mae"]},
    {"loss": layers.losses.MeanSquaredError(reduction="sum"), "metrics": [layers.metrics.MeanAbsoluteError()]},
    {"loss": layers.losses.mean_squared_error},
    {"loss": weighted_error, "weighted_metrics": ["mse"]},
    {"loss": {"out": "mse"}, "loss_weights": {"out": 0.5}, "run_eagerly": True},
]


@pytest.mark.parametrize("arguments", COMPILED, ids=lambda arguments: str(arguments["loss"])[:24])
def test_how_it_learns_comes_back(arguments, tmp_path) -> None:
    x, y = X.reshape(48, -1), X[:, 0, 0, :1]
    net = layers.Sequential([layers.Input((128,)), layers.Dense(1, name="out")])
    net.compile(layers.optimizers.SGD(0.05, momentum=0.9), **arguments)
    net.fit(x, y, epochs=1, verbose=0)
    net.save(tmp_path / "net.brick")
    loaded = load_model(tmp_path / "net.brick")
    assert loaded.evaluate(x, y, verbose=0) == net.evaluate(x, y, verbose=0)
    assert loaded.run_eagerly == net.run_eagerly and loaded.optimizer.momentum == 0.9
    assert int(loaded.optimizer.iterations.numpy()) == 2
    without = load_model(tmp_path / "net.brick", compile=False)
    assert not without.compiled
    net.save(tmp_path / "small.brick", include_optimizer=False)
    assert not load_model(tmp_path / "small.brick").compiled
    assert os.path.getsize(tmp_path / "small.brick") < os.path.getsize(tmp_path / "net.brick")


def test_frozen_layers_stay_frozen(tmp_path) -> None:
    model = sequential()
    model.layers[0].trainable = False
    model.save(tmp_path / "model.brick")
    loaded = load_model(tmp_path / "model.brick")
    assert [len(loaded.trainable_weights), len(loaded.weights)] == [len(model.trainable_weights), len(model.weights)]


def test_what_cannot_come_back_is_refused_at_save(tmp_path) -> None:
    class Mine(layers.Layer):
        def call(self, inputs):
            return inputs

    net = layers.Sequential([layers.Input((3,)), Mine(), layers.Dense(1)])
    with pytest.raises(LayerError, match=r"must be registered; got Mine. Put @register_serializable\(\) above"):
        net.save(tmp_path / "net.brick")
    net = layers.Sequential([layers.Input((3,)), layers.Dense(1)])
    net.compile("sgd", lambda y, p: y - p)
    with pytest.raises(LayerError, match="loss must be a name, an object of this package or a registered function"):
        net.save(tmp_path / "net.brick")
    with pytest.raises(LayerError, match="must be built to be saved"):
        Subclassed().save(tmp_path / "net.brick")
    assert not (tmp_path / "net.brick").exists()
    net.save(tmp_path / "net.brick", include_optimizer=False)
    with pytest.raises(LayerError, match="exists and overwrite=False"):
        net.save(tmp_path / "net.brick", overwrite=False)


def test_custom_classes_may_be_given_instead_of_registered(tmp_path) -> None:
    net = layers.Sequential([layers.Input((4,)), Residual(4), layers.Dense(1)])
    state = model_state(net)
    state["architecture"]["config"]["layers"][1]["class_name"] = "Gone"
    with pytest.raises(LayerError, match="'Gone'"):
        model_from_state(state)
    x = np.ones((2, 4), np.float32)
    again = model_from_state(state, custom_objects={"Gone": Residual})
    assert (again.predict(x, verbose=0) == net.predict(x, verbose=0)).all()


def damaged(state, *path_and_value):
    *path, last, value = path_and_value
    copy = json.loads(json.dumps(state, default=lambda array: {"array": array.tolist(), "dtype": str(array.dtype)}))

    def arrays(node):
        if isinstance(node, dict):
            if node.keys() == {"array", "dtype"}:
                return np.array(node["array"], node["dtype"])
            return {k: arrays(v) for k, v in node.items()}
        return [arrays(v) for v in node] if isinstance(node, list) else node

    copy = node = arrays(copy)
    for step in path:
        node = node[step]
    node[last] = value
    return copy


@pytest.mark.parametrize(
    "change",
    [
        ("version", 2),
        ("type", "Layer"),
        ("extra", 1),
        ("weights", []),
        ("weights", "first/bias", np.zeros(5, np.float32)),
        ("weights", "first/bias", np.zeros(4, np.float64)),
        ("weights", "first/bias", 3),
        ("weights", "second/bias", np.zeros(4, np.float32)),
        ("architecture", None),
        ("architecture", "class_name", "os.system"),
        ("architecture", "class_name", "Dense"),
        ("architecture", "config", {}),
        ("architecture", "config", {"layers": [1]}),
        ("architecture", "config", "layers", 1, "config", "units", -3),
        ("architecture", "config", "layers", 1, "config", "units", 10**9),
        ("architecture", "config", "layers", 1, "config", "units", 10**15),
        ("architecture", "config", "layers", 1, "config", "unit", 3),
        ("architecture", "config", "layers", 1, "config", "activation", "eval"),
        ("training", {}),
        ("training", "optimizer", {"class_name": "Popen", "config": {}}),
        ("training", "compile", "loss", {"function": "os.system"}),
        ("training", "compile", "loss", {"kind": "module", "class_name": "os", "config": {}}),
        ("training", "slots", {"nowhere/kernel": {}}),
        ("training", "slots", {"first/kernel": {}}),
        ("seeds", [np.zeros(2, np.uint32)]),
    ],
    ids=str,
)
def test_a_damaged_state_is_one_error(change) -> None:
    net = layers.Sequential([layers.Input((3,)), layers.Dense(4, name="first"), layers.Dense(1, name="last")])
    net.compile("adam", "mse")
    net.fit(np.ones((4, 3), np.float32), np.ones((4, 1), np.float32), verbose=0)
    state = model_state(net)
    model_from_state(damaged(state, "version", 1))
    with pytest.raises(LayerError):
        model_from_state(damaged(state, *change))


def test_a_file_without_a_model_is_told(tmp_path) -> None:
    bundle.save(tmp_path / "other.brick", {"numbers": np.ones(3)})
    with pytest.raises(LayerError, match="the file must hold a model; got numbers"):
        load_model(tmp_path / "other.brick")
    with zipfile.ZipFile(tmp_path / "zip.brick", "w") as archive:
        archive.writestr("model.pkl", b"cos\nsystem\n")
    with pytest.raises(bundle.BundleError):
        load_model(tmp_path / "zip.brick")

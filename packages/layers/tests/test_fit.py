"""fit, evaluate, predict and the steps, against the same thing by hand."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from brickwork import layers as L
from brickwork import tensor as bt
from brickwork.layers import LayerError
from brickwork.layers.abstract import abstractly, placeholder
from brickwork.layers.training.arrays import shuffled

R = np.random.default_rng(2)
X = R.normal(size=(50, 3)).astype("float32")
Y = (X @ [[1.0], [-2.0], [0.5]] + 0.3).astype("float32")
LABELS = (X[:, 0] > 0).astype("int64") + (X[:, 1] > 0)


def linear(loss: str = "mse", optimizer=None, **options) -> L.Sequential:
    model = L.Sequential([L.Input((3,)), L.Dense(1, kernel_initializer="zeros")])
    model.compile(optimizer or L.optimizers.SGD(0.1), loss, **options)
    return model


def by_hand(batches, lr=0.1):
    """Gradient descent on the squared error of a linear model, weights counted as in sum_over_batch_size."""
    kernel, bias, losses = np.zeros((3, 1)), np.zeros(1), []
    for x, y, w in batches:
        error = x @ kernel + bias - y
        losses.append(((error**2).mean(1) * w).mean())
        slope = 2 * error * w[:, None] / len(x)
        kernel, bias = kernel - lr * x.T @ slope, bias - lr * slope.sum(0)
    return kernel, bias, losses


def test_fit_is_the_formula_batch_by_batch() -> None:
    model = linear()
    history = model.fit(X, Y, batch_size=16, epochs=1, shuffle=False, verbose=0).history
    ones = np.ones(50)
    kernel, bias, losses = by_hand([(X[s : s + 16], Y[s : s + 16], ones[s : s + 16]) for s in range(0, 50, 16)])
    np.testing.assert_allclose(model.layers[0].kernel.numpy(), kernel, rtol=1e-4)
    np.testing.assert_allclose(model.layers[0].bias.numpy(), bias, rtol=1e-4)
    assert history["loss"] == [pytest.approx(np.average(losses, weights=[16, 16, 16, 2]), rel=1e-5)]


def test_shuffling_visits_every_row_in_the_order_of_seed_epoch_and_step() -> None:
    model = linear()
    model.fit(X, Y, batch_size=10, epochs=2, verbose=0)
    batches = []
    for epoch in range(2):
        order = shuffled(50, model.shuffle_seed, epoch, 5 * epoch)
        assert sorted(order) == list(range(50))
        batches += [(X[order[s : s + 10]], Y[order[s : s + 10]], np.ones(10)) for s in range(0, 50, 10)]
    np.testing.assert_allclose(model.layers[0].kernel.numpy(), by_hand(batches)[0], rtol=1e-4)
    assert (shuffled(50, 1, 0, 0) != shuffled(50, 1, 1, 0)).any()


def test_sample_weight_and_class_weight_are_the_formula() -> None:
    weight = R.uniform(0, 2, 50)
    model = linear(weighted_metrics=["mse"], metrics=["mae"])
    history = model.fit(X, Y, batch_size=50, sample_weight=weight, shuffle=False, verbose=0).history
    kernel, _, losses = by_hand([(X, Y, weight)])
    np.testing.assert_allclose(model.layers[0].kernel.numpy(), kernel, rtol=1e-4)
    assert history["loss"] == [pytest.approx(losses[0], rel=1e-5)]
    assert history["mse"] == [pytest.approx((Y[:, 0] ** 2 * weight).sum() / weight.sum(), rel=1e-5)]
    assert history["mae"] == [pytest.approx(abs(Y).mean(), rel=1e-5)]

    classes = {0: 0.5, 2: 3.0}
    weights = np.select([LABELS == 0, LABELS == 2], [0.5, 3.0], 1.0)
    for y, loss in ((LABELS, "sparse_categorical_crossentropy"), (np.eye(3)[LABELS], "categorical_crossentropy")):
        pair = []
        for options in ({"class_weight": classes}, {"sample_weight": weights}):
            L.set_random_seed(1)
            model = L.Sequential([L.Input((3,)), L.Dense(3, activation="softmax")])
            model.compile("adam", loss)
            pair.append((model.fit(X, y, verbose=0, **options).history["loss"], model.get_weights()[0]))
        assert pair[0][0] == pair[1][0]
        np.testing.assert_array_equal(pair[0][1], pair[1][1])


def test_validation_split_is_the_last_rows_and_is_never_trained_on() -> None:
    x, y = X.copy(), Y.copy()
    x[40:], y[40:] = 0, 100
    model = linear()
    history = model.fit(x, y, validation_split=0.2, epochs=2, verbose=0).history
    assert history["val_loss"][-1] > 5000
    same = linear()
    same._shuffle_seed = model.shuffle_seed
    again = same.fit(x[:40], y[:40], validation_data=(x[40:], y[40:]), epochs=2, verbose=0).history
    assert again == history
    zero = linear()
    weighted = zero.fit(x, y, validation_data=(x[40:], y[40:], np.zeros(10)), verbose=0, validation_freq=1).history
    assert weighted["val_loss"] == [0.0]


def test_same_seed_same_history() -> None:
    def run() -> dict:
        L.set_random_seed(11)
        model = L.Sequential([L.Dense(8, activation="relu"), L.Dropout(0.3), L.Dense(3, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model.fit(X, LABELS, epochs=3, validation_split=0.2, verbose=0).history

    assert run() == run()


def test_a_classifier_learns() -> None:
    model = L.Sequential(
        [L.Dense(32, activation="relu"), L.BatchNormalization(momentum=0.8), L.Dense(3, activation="softmax")]
    )
    model.compile(L.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(X, LABELS, epochs=25, verbose=0).history
    assert history["loss"][-1] < 0.4 * history["loss"][0]
    loss, accuracy = model.evaluate(X, LABELS, verbose=0)
    assert accuracy > 0.9
    assert model.evaluate(X, LABELS, verbose=0, return_dict=True) == {"loss": loss, "accuracy": accuracy}
    assert accuracy == pytest.approx((model.predict(X).argmax(1) == LABELS).mean())


@pytest.mark.parametrize(
    ("y", "units", "metric"),
    [
        ((LABELS > 0).astype(int), 1, "BinaryAccuracy"),
        ((LABELS > 0)[:, None], 1, "BinaryAccuracy"),
        (LABELS, 3, "SparseCategoricalAccuracy"),
        (LABELS[:, None], 3, "SparseCategoricalAccuracy"),
        (np.eye(3)[LABELS], 3, "CategoricalAccuracy"),
    ],
)
def test_accuracy_and_crossentropy_are_chosen_by_shape(y, units, metric) -> None:
    model = L.Sequential([L.Dense(units, activation="sigmoid" if units == 1 else "softmax")])
    model.compile("sgd", "crossentropy", metrics=["accuracy", "ce"])
    logs = model.fit(X, y, verbose=0, batch_size=50).history
    assert list(logs) == ["loss", "accuracy", "ce"]
    assert [type(m).__name__ for m in model.metrics] == ["Mean", metric, metric.replace("Accuracy", "Crossentropy")]
    assert logs["ce"] == [pytest.approx(logs["loss"][0], rel=1e-5)]


def test_predict_in_batches_and_on_one_row() -> None:
    model = L.Sequential([L.Dense(4), L.BatchNormalization(), L.Dense(2)])
    whole = model.predict(X, batch_size=50)
    np.testing.assert_allclose(model.predict(X, batch_size=7), whole, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.predict(X[:1]), whole[:1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.predict_on_batch(X), whole, rtol=1e-5, atol=1e-6)
    assert type(whole) is np.ndarray


def test_data_may_be_lists_tensors_frames_and_float64() -> None:
    model = linear()
    rows = X.tolist()
    results = [model.predict(x) for x in (rows, bt.asarray(X), X.astype("float64"), np.asfortranarray(X))]
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abc"))
    frame["b"] = frame["b"].astype(object)
    np.testing.assert_array_equal(model.predict(frame), results[0])
    assert model.fit(frame, pandas.Series(Y[:, 0]), verbose=0).history["loss"]


def test_several_outputs_each_with_loss_weight_and_metrics() -> None:
    x = L.Input((3,))
    model = L.Model(x, {"a": L.Dense(1)(x), "b": L.Dense(3, activation="softmax")(x)})
    model.compile(
        "sgd", {"a": "mse", "b": "crossentropy"}, loss_weights={"a": 0.5, "b": 2.0}, metrics={"b": ["accuracy"]}
    )
    logs = model.evaluate(X, {"b": LABELS, "a": Y}, return_dict=True)
    assert list(logs) == ["loss", "a_loss", "b_loss", "b_accuracy"]
    assert logs["loss"] == pytest.approx(0.5 * logs["a_loss"] + 2 * logs["b_loss"], rel=1e-5)
    as_list = L.Model(x, [L.Dense(1, name="p")(x), L.Dense(1, name="q")(x)])
    as_list.compile("sgd", ["mse", "mae"], metrics=[["mae"], []])
    weights = {"p": np.zeros(50)}
    assert list(as_list.fit(X, [Y, Y], sample_weight=weights, verbose=0).history) == [
        "loss",
        "p_loss",
        "q_loss",
        "p_mae",
    ]
    assert as_list.evaluate(X, {"p": Y, "q": Y}, sample_weight=weights, return_dict=True)["p_loss"] == 0
    as_list.compile("sgd", "mse")
    assert list(as_list.evaluate(X, [Y, Y], return_dict=True)) == ["loss", "p_loss", "q_loss"]


def test_regularizers_join_the_loss() -> None:
    model = L.Sequential(
        [L.Input((3,)), L.Dense(1, kernel_initializer="ones", kernel_regularizer=L.regularizers.L2(0.5))]
    )
    model.compile("sgd", "mse")
    plain = ((X.sum(1, keepdims=True) - Y) ** 2).mean()
    assert model.evaluate(X, Y) == pytest.approx(plain + 0.5 * 3, rel=1e-5)


def test_constraints_hold_after_each_step() -> None:
    model = L.Sequential([L.Input((3,)), L.Dense(1, kernel_constraint="non_neg")])
    model.compile("sgd", "mse")
    model.fit(X, Y, epochs=3, verbose=0)
    assert model.layers[0].kernel.numpy().min() == 0


def test_train_and_test_on_batch() -> None:
    model = linear(metrics=["mae"])
    first = model.train_on_batch(X, Y, return_dict=True)
    assert first["loss"] == pytest.approx((Y**2).mean(), rel=1e-5)
    assert first["mae"] == pytest.approx(abs(Y).mean(), rel=1e-5)
    model.reset_metrics()
    assert model.test_on_batch(X, Y)[0] < first["loss"]


class Custom(L.Model):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.tracker = L.metrics.Mean(name="twice")

    def train_step(self, data):
        x, y, _ = data
        with bt.GradientTape() as tape:
            loss = bt.mean(bt.square(self(x, training=True) - y))
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        self.tracker.update_state(2.0 * loss)
        return {"twice": self.tracker.result()}

    @property
    def metrics(self):
        return [self.tracker]


def test_own_train_step_learns_alike_and_its_metrics_are_shown() -> None:
    x = L.Input((3,))
    model = Custom(x, L.Dense(1, kernel_initializer="zeros")(x))
    model.compile(L.optimizers.SGD(0.1))
    history = model.fit(X, Y, batch_size=16, shuffle=False, verbose=0).history
    reference = linear()
    wanted = reference.fit(X, Y, batch_size=16, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(model.get_weights()[0], reference.get_weights()[0], rtol=1e-5)
    assert list(history) == ["twice"]
    assert history["twice"][0] == pytest.approx(2 * wanted[0], rel=0.05)


@pytest.mark.parametrize("make", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])  # noqa: S301 - our own bytes
def test_copies_go_on_training_alike_and_apart(make) -> None:
    model = linear(optimizer=L.optimizers.AdamW(0.1), metrics=["mae"])
    model.optimizer.exclude_from_weight_decay([model.layers[0].bias])
    model.fit(X, Y, verbose=0)
    again = make(model)
    before = model.get_weights()
    history = again.fit(X, Y, epochs=2, verbose=0).history
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    assert model.fit(X, Y, epochs=2, verbose=0).history == history
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_own_compute_loss() -> None:
    class Mine(L.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return bt.mean(bt.abs(y - y_pred))

    x = L.Input((3,))
    model = Mine(x, L.Dense(1, kernel_initializer="zeros")(x))
    model.compile("sgd")
    assert model.fit(X, Y, batch_size=50, verbose=0).history["loss"] == [pytest.approx(abs(Y).mean(), rel=1e-5)]


def test_frozen_layers_do_not_move() -> None:
    model = L.Sequential([L.Input((3,)), L.Dense(4, name="kept"), L.Dense(1)])
    model.get_layer("kept").trainable = False
    model.compile("sgd", "mse")
    before = model.get_layer("kept").get_weights()
    model.fit(X, Y, verbose=0)
    for a, b in zip(before, model.get_layer("kept").get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    model.get_layer("kept").trainable = True
    model.fit(X, Y, verbose=0)
    assert (model.get_layer("kept").get_weights()[0] != before[0]).any()


def test_the_whole_step_can_be_traced_for_any_batch() -> None:
    model = L.Sequential(
        [
            L.Conv2D(4, 3, kernel_regularizer="l2"),
            L.BatchNormalization(),
            L.ReLU(),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dropout(0.5),
            L.LayerNormalization(),
            L.Dense(3, activation="softmax", kernel_constraint="max_norm"),
        ]
    )
    model.compile(L.optimizers.AdamW(clipnorm=1.0), "sparse_categorical_crossentropy", metrics=["accuracy"])
    images = R.normal(size=(4, 8, 8, 1)).astype("float32")
    model.train_on_batch(images, np.arange(4) % 3)
    before = model.get_weights()
    batch = (placeholder((None, 8, 8, 1)), placeholder((None,), "int64"), placeholder((None,)))
    logs = abstractly(model.train_step, batch)
    assert {name: t.shape for name, t in logs.items()} == {"loss": (), "accuracy": ()}
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_step_is_one_function_of_tensors(monkeypatch) -> None:
    """What a compiler gets: the same function each step, trees of tensors or None, and None back."""
    import brickwork.layers.training.trainer as trainer

    calls, made = [], []

    def jit(fn):
        made.append(fn.__name__)

        def run(*args):
            calls.append((fn.__name__, args))
            out = fn(*args)
            assert out is None or fn.__name__ == "<lambda>"
            return out

        return run

    monkeypatch.setattr(trainer, "jit", jit)
    monkeypatch.setattr(trainer, "find_compiler", lambda: object())
    model = linear(metrics=["mae"])
    model.fit(X, Y, batch_size=20, epochs=2, validation_split=0.2, verbose=0)
    model.fit(X, Y, batch_size=20, verbose=0, sample_weight=np.ones(50))
    model.evaluate(X, Y)
    model.predict(X)
    assert made == ["train_step", "test_step", "<lambda>"]
    for _, args in calls:
        assert all(a is None or type(a) is bt.Tensor for a in args)
    assert [name for name, _ in calls].count("train_step") == 2 * 2 + 3
    eager = linear(jit_compile=False)
    eager.fit(X, Y, verbose=0)
    assert made == ["train_step", "test_step", "<lambda>"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"y": Y[:49]}, "same number of rows; got x 50, y 49"),
        ({"x": X[:0], "y": Y[:0]}, "at least one row"),
        ({"y": np.array(["a"] * 50)}, "y must be numbers; got <U1"),
        ({"x": np.array([["a", 1, 2]] * 50, dtype=object)}, "x must be numbers; got mixed values"),
        ({"x": None}, "needs data; got x=None"),
        ({"y": None}, "needs targets; got y=None"),
        ({"epochs": 0}, "epochs must be a whole number of at least 1; got 0"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1"),
        ({"validation_split": 1.0}, "validation_split must be above 0 and below 1"),
        ({"validation_data": X}, "validation_data must be"),
        ({"x": X[:, :2]}, "must have shape \\(None, 3\\); got \\(None, 2\\)"),
        (
            {"y": np.ones((50, 4))},
            "must have the shape of the model's output; got y \\(None, 4\\), output \\(None, 1\\)",
        ),
        ({"sample_weight": np.ones((50, 3))}, "sample_weight: must have one weight per example"),
        ({"x": iter([X])}, "x must be arrays; got"),
    ],
)
def test_bad_data(change, text) -> None:
    model = linear()
    with pytest.raises(ValueError, match=text):
        model.fit(**{"x": X, "y": Y, "verbose": 0, **change})
    assert (model.get_weights()[0] == 0).all()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"loss": "mes"}, "Did you mean 'mse'"),
        ({"metrics": ["acuracy"]}, "Did you mean 'accuracy'"),
        ({"metrics": "mse"}, r"Write \['mse'\]"),
        ({"optimizer": "adm"}, "Did you mean 'adam'"),
        ({"jit_compile": True}, "needs a compiler"),
    ],
)
def test_bad_compile(options, text) -> None:
    with pytest.raises(LayerError, match=text):
        L.Sequential([L.Dense(1)]).compile(**options)


def test_a_loss_that_is_not_finite_is_told_once() -> None:
    model = linear(optimizer=L.optimizers.SGD(1e20))
    with pytest.warns(UserWarning, match="the loss must be finite; got") as told:
        model.fit(X, Y, epochs=5, verbose=0)
    assert len(told) == 1


def test_bad_output_names() -> None:
    x = L.Input((3,))
    model = L.Model(x, [L.Dense(1, name="price")(x), L.Dense(1, name="size")(x)])
    model.compile("sgd", {"prise": "mse"})
    with pytest.raises(LayerError, match=r"loss: keys must be names of outputs; got 'prise'. Did you mean 'price'"):
        model.fit(X, [Y, Y])
    model.compile("sgd", "mse")
    with pytest.raises(LayerError, match="y: must be a list of 2 or a dict by output name"):
        model.fit(X, Y)

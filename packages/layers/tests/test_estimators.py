"""Classifier and Regressor: scikit-learn's own checks of an estimator, and what they promise beyond."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from brickwork import layers
from brickwork.layers import Classifier, LayerError, Regressor
from brickwork.tensor import bundle

SMALL = {"hidden": (16,), "learning_rate": 0.02, "epochs": 30, "random_state": 0}


@parametrize_with_checks([Classifier(**SMALL), Regressor(**SMALL)])
def test_scikit_learn_finds_nothing_to_say(estimator, check) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), np.array(["setosa", "versicolor", "virginica"])[y]


@pytest.fixture(scope="module")
def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def test_defaults_learn_real_tables(iris, diabetes) -> None:
    assert cross_val_score(Classifier(random_state=0), *iris, cv=2).mean() > 0.93
    (X, y), half = diabetes, 221
    # A linear model explains 0.48 of the variance of this table.
    assert Regressor(random_state=0).fit(X[:half], y[:half]).score(X[half:], y[half:]) > 0.35


def test_probabilities(iris) -> None:
    X, y = iris
    net = Classifier(**SMALL).fit(X, y)
    chances = net.predict_proba(X)
    assert chances.dtype == np.float64 and chances.shape == (150, 3)
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-12)
    assert (net.classes_[chances.argmax(axis=1)] == net.predict(X)).all()
    # One row is answered as among many, to the last bit.
    assert (net.predict_proba(X[7:8]) == chances[7]).all()


def test_the_same_seed_gives_the_same_network(iris) -> None:
    X, y = iris
    one, two, other = (Classifier(**{**SMALL, "random_state": s}).fit(X, y).predict_proba(X) for s in (3, 3, 4))
    assert (one == two).all() and (one != other).any()


def test_fitting_leaves_the_seed_of_the_process_alone(iris) -> None:
    from brickwork.layers.seeds import next_seed

    layers.set_random_seed(5)
    drawn = [next_seed(), next_seed()]
    layers.set_random_seed(5)
    state = np.random.get_state()[1].copy()  # noqa: NPY002 - the state that must not move
    first = next_seed()
    Classifier(**{**SMALL, "epochs": 1, "dropout": 0.5}).fit(*iris)
    assert [first, next_seed()] == drawn
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002


def test_the_order_of_rows_means_nothing(iris) -> None:
    X, y = iris
    order = np.random.default_rng(0).permutation(len(X))
    one, two = Classifier(**SMALL).fit(X, y), Classifier(**SMALL).fit(X[order], y[order])
    assert (one.predict_proba(X) == two.predict_proba(X)).all()


def test_a_weight_is_a_number_of_rows(diabetes) -> None:
    X, y = diabetes[0][:120], diabetes[1][:120]
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    one = Regressor(**SMALL).fit(X, y, sample_weight=weight)
    two = Regressor(**SMALL).fit(X.repeat(weight, axis=0), y.repeat(weight))
    assert (one.predict(X) == two.predict(X)).all()
    scaled = Regressor(**SMALL).fit(X, y, sample_weight=weight * 8.0)
    assert (one.predict(X) == scaled.predict(X)).all()


def test_class_weights(iris) -> None:
    X, y = iris
    kept = np.r_[0:50, 50:60, 100:150]  # few of versicolor
    recall = {}
    for weights in (None, "balanced", {"versicolor": 20.0}):
        net = Classifier(**SMALL, class_weight=weights).fit(X[kept], y[kept])
        recall[str(weights)] = (net.predict(X[60:100]) == "versicolor").mean()
    assert recall["balanced"] > recall["None"] and recall["{'versicolor': 20.0}"] > recall["None"]


def test_training_stops_and_keeps_the_best(iris) -> None:
    X, y = iris
    net = Classifier(**{**SMALL, "epochs": 400, "patience": 5}).fit(X, y)
    losses = net.history_["val_loss"]
    assert net.n_epochs_ == len(losses) < 400 and losses.index(min(losses)) == len(losses) - 6
    every = Classifier(**{**SMALL, "epochs": 12, "patience": None, "validation_fraction": 0}).fit(X, y)
    assert every.n_epochs_ == 12 and "val_loss" not in every.history_


def test_several_targets(diabetes) -> None:
    X, y = diabetes
    both = np.stack([y, -1000 * y], axis=1)
    net = Regressor(random_state=0).fit(X, both)
    assert net.predict(X).shape == both.shape and net.score(X, both) > 0.4


def test_partial_fit(iris) -> None:
    X, y = iris
    net = Classifier(**SMALL)
    for _ in range(25):
        for start in range(0, 150, 50):  # each part holds a single class
            net.partial_fit(X[start : start + 50], y[start : start + 50], classes=np.unique(y))
    assert net.n_epochs_ == 75 and net.predict(X).shape == (150,)
    mixed = np.random.default_rng(0).permutation(150)
    for _ in range(30):
        net.partial_fit(X[mixed], y[mixed])
    assert net.score(X, y) > 0.9
    with pytest.raises(LayerError, match=r"y must hold the classes of the first call; got \['rosa'\]"):
        net.partial_fit(X[:1], ["rosa"])


def build(features: int, outputs: int) -> layers.Model:
    parts = [layers.Input((features,)), layers.Dense(24, activation="tanh"), layers.Dense(outputs)]
    return layers.Sequential(parts)


def test_a_network_of_ones_own(iris) -> None:
    net = Classifier(**{**SMALL, "learning_rate": 0.01}, model=build).fit(*iris)
    assert net.score(*iris) > 0.9 and net.model_.layers[0].units == 24
    assert clone(net).model is build
    with pytest.raises(LayerError, match="must give a Model; got int"):
        Classifier(**SMALL, model=lambda features, outputs: 3).fit(*iris)


def test_search_and_pipelines(iris) -> None:
    net = make_pipeline(StandardScaler(), Classifier(**SMALL))
    search = GridSearchCV(net, {"classifier__hidden": [(8,), (16, 8)]}, cv=2)
    search.fit(*iris)
    assert search.best_score_ > 0.85 and search.predict_proba(iris[0]).shape == (150, 3)


@pytest.mark.parametrize("name", ["iris", "diabetes"])
def test_pickles_and_bundles_answer_alike(name: str, request, tmp_path) -> None:
    X, y = request.getfixturevalue(name)
    kind = Classifier if name == "iris" else Regressor
    net = kind(**SMALL, dropout=0.1).fit(X, y)
    bundle.save(tmp_path / "net.brick", {"net": net})
    loaded = bundle.load(tmp_path / "net.brick")["net"]
    for other in (pickle.loads(pickle.dumps(net)), loaded, kind.from_state(net.to_state())):  # noqa: S301
        assert type(other) is kind and other.get_params() == net.get_params()
        assert (other.predict(X) == net.predict(X)).all() and other.history_ == net.history_
        assert other.predict(X).dtype == net.predict(X).dtype
        assert other.score(X, y) == net.score(X, y)
    # What was loaded can learn on.
    assert loaded.partial_fit(X, y).n_epochs_ == net.n_epochs_ + 1


@pytest.mark.parametrize(
    "labels", [[True, False], [3, 7], [1.0, 2.0], ["a", "b"], np.array(["a", "bc"], dtype=object)], ids=str
)
def test_labels_of_every_kind_come_back(labels) -> None:
    X = np.array([[-1.0], [1.0]] * 4)
    y = np.array(labels)[[0, 1] * 4]
    net = Classifier(hidden=(4,), epochs=30, learning_rate=0.1, random_state=0).fit(X, y)
    again = Classifier.from_state(net.to_state())
    assert again.predict(X).tolist() == y.tolist() and again.classes_.dtype == net.classes_.dtype


def test_what_no_file_can_say_is_refused(iris) -> None:
    net = Classifier(**SMALL, model=build).fit(*iris)
    with pytest.raises(LayerError, match="model must be plain data or a registered function to be saved"):
        net.to_state()
    state = Classifier(**SMALL).fit(*iris).to_state()
    for broken in (
        None,
        {},
        {**state, "type": "Regressor"},
        {**state, "parameters": {"hiden": 3}},
        {**state, "learned": {}},
    ):
        with pytest.raises(LayerError):
            Classifier.from_state(broken)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"hidden": 64}, "hidden must be a tuple of whole numbers of at least 1; got 64"),
        ({"epochs": 0}, "epochs must be a whole number of at least 1; got 0"),
        ({"validation_fraction": 1.0}, "validation_fraction must be a number from 0 to below 1; got 1.0"),
        ({"learning_rate": -1}, "learning_rate must be None or a number above 0; got -1"),
        ({"activation": "rleu"}, "Did you mean 'relu'"),
        ({"optimizer": "adm"}, "Did you mean 'adam'"),
    ],
)
def test_a_wrong_parameter_is_told_at_fit(parameters, words: str, iris) -> None:
    with pytest.raises(LayerError) as caught:
        Classifier(**parameters).fit(*iris)
    assert words in str(caught.value)

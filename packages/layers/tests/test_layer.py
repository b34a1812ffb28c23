"""`Layer`: weights, tracking, names, flags, subclasses and their errors."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from brickwork import layers as L
from brickwork.layers import LayerError
from brickwork.layers.abstract import abstractly, placeholder
from brickwork.tensor import ShapeError, TraceError, Variable, matmul, mean

ONES = np.ones((2, 3), "float32")


class Linear(L.Layer):
    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight((input_shape[-1], self.units), "ones", name="w")
        self.count = self.add_weight((), "zeros", trainable=False, name="count")
        self.b = self.add_weight((self.units,), "zeros", name="b")

    def call(self, inputs):
        self.count.assign(self.count.value + 1.0)
        return matmul(inputs, self.w) + self.b


class Block(L.Layer):
    def __init__(self, widths=(2, 3), **kwargs):
        super().__init__(**kwargs)
        self.parts = [Linear(n) for n in widths]
        self.extra = {"drop": L.Dropout(0.5, seed=1)}
        self.scale = Variable(np.float32(2), name="scale")

    def call(self, inputs, training=False):
        for part in self.parts:
            inputs = part(inputs)
        return self.extra["drop"](inputs) * self.scale


def test_weights_come_learned_first_then_those_of_sublayers() -> None:
    layer = Block()
    layer(ONES)
    assert [w.name for w in layer.weights] == ["scale", "w", "b", "count", "w", "b", "count"]
    assert [w.name for w in layer.trainable_variables] == ["scale", "w", "b", "w", "b"]
    assert len(layer.non_trainable_variables) == 3  # two counts, one seed
    assert layer.parts[1].w.path == "block/linear_1/w"
    assert layer.count_params() == 1 + (6 + 2 + 1) + (6 + 3 + 1)


def test_trainable_switches_everything_below_and_back() -> None:
    layer = Block()
    layer(ONES)
    layer.trainable = False
    assert layer.trainable_variables == []
    assert not any(w.trainable for w in layer.weights)
    layer.trainable = True
    assert [w.name for w in layer.trainable_variables] == ["scale", "w", "b", "w", "b"]
    layer.parts[0].trainable = False
    assert [w.name for w in layer.trainable_variables] == ["scale", "w", "b"]


def test_a_layer_frozen_before_it_is_built_stays_frozen() -> None:
    layer = Linear(trainable=False)
    layer(ONES)
    assert layer.trainable_variables == []
    layer.trainable = True
    assert [w.name for w in layer.trainable_variables] == ["w", "b"]


def test_training_reaches_sublayers_and_their_own_flag_wins() -> None:
    seen = []

    class Probe(L.Layer):
        def call(self, inputs, training=None):
            seen.append(training)
            return inputs

    class Outer(L.Layer):
        def __init__(self):
            super().__init__()
            self.a, self.b = Probe(), Probe()

        def call(self, inputs):
            return self.b(self.a(inputs), training=False)

    Outer()(ONES, training=True)
    Outer()(ONES)
    assert seen == [True, False, None, False]


def test_config_of_plain_arguments_needs_no_method() -> None:
    layer = Block((5, 1), name="mine")
    config = layer.get_config()
    assert config["widths"] == [5, 1]
    assert config["name"] == "mine"
    assert [p.units for p in Block.from_config(config).parts] == [5, 1]


def test_unregistered_classes_can_not_be_saved_and_registered_ones_can() -> None:
    with pytest.raises(LayerError, match="@register_serializable\\(\\) above `class Linear`"):
        L.serialize(Linear(2))

    @L.register_serializable("mine")
    class Kept(Linear):
        pass

    data = L.serialize(Kept(2))
    assert data["class_name"] == "mine>Kept"
    assert L.deserialize(data).units == 2


def test_set_weights_checks() -> None:
    layer = Linear(2)
    layer(ONES)
    with pytest.raises(LayerError, match="needs 3 arrays; got 1"):
        layer.set_weights([np.ones(3)])
    with pytest.raises(LayerError, match="weight w must keep shape \\(3, 2\\); got \\(2, 3\\)"):
        layer.set_weights([np.ones((2, 3)), np.ones(2), np.ones(())])


def test_names() -> None:
    assert [L.Dense(1).name, L.Dense(1).name, L.MaxPooling2D().name, L.ReLU().name] == [
        "dense",
        "dense_1",
        "max_pooling2d",
        "re_lu",
    ]
    with pytest.raises(LayerError, match="name must be text without '/'"):
        L.Dense(1, name="a/b")


def test_forgotten_super_init() -> None:
    class Bad(L.Layer):
        def __init__(self):
            self.x = 1

    with pytest.raises(LayerError, match=r"super\(\).__init__\(\)"):
        Bad()(ONES)


def test_unknown_argument() -> None:
    with pytest.raises(LayerError, match="Dense: unknown arguments; got unit"):
        L.Dense(3, unit=4)


def test_errors_name_the_path_of_the_layer() -> None:
    model = L.Sequential([L.Dense(4), L.Dense(2)], name="net")
    model(ONES)
    with pytest.raises(ShapeError, match=r"^net/dense: axis -1 of the input must have size 3; got 5"):
        L.Sequential([model.layers[0]], name="net")(np.ones((2, 5)))
    with pytest.raises(ShapeError, match=r"^outer/dense_2: input must have at least 2 axes; got 1"):
        L.Sequential([L.Dense(1)], name="outer")(np.ones(3))


def test_other_errors_keep_their_class_and_say_where() -> None:
    class Odd(L.Layer):
        def call(self, inputs):
            raise KeyError("lost")

    with pytest.raises(KeyError) as caught:
        L.Sequential([Odd()], name="net")(ONES)
    assert caught.value.__notes__ == ["In layer net/odd."]


def test_symbolic_tensors_have_no_values() -> None:
    x = L.Input((3,))
    for use in (np.asarray, bool, list):
        with pytest.raises(TraceError, match="SymbolicTensor"):
            use(x)


def test_numpy_inside_call_is_explained_when_traced() -> None:
    class Eager(L.Layer):
        def call(self, inputs):
            return inputs * float(mean(inputs).numpy())

    assert Eager()(ONES).shape == (2, 3)
    with pytest.raises(TraceError, match=r"^eager_1: numpy"):
        abstractly(Eager(), placeholder((None, 3)))


def test_losses_of_layers() -> None:
    class Adds(L.Layer):
        def call(self, inputs):
            self.add_loss(mean(inputs))
            return inputs

    layer = L.Dense(2, kernel_regularizer="l2", activity_regularizer="l1", kernel_initializer="ones")
    out = layer(ONES)
    assert sum(float(loss) for loss in layer.losses) == pytest.approx(0.01 * 6 + 0.01 * abs(out.numpy()).sum() / 2)
    model = L.Sequential([Adds(), layer])
    model(ONES)
    model(ONES)
    assert len(model.losses) == 3


def test_weights_take_values_in_their_own_dtype() -> None:
    layer = L.Dense(2)
    layer(ONES)
    layer.kernel.assign(np.ones((3, 2)))
    assert layer.kernel.dtype == "float32"


def test_drawing_a_graph_leaves_no_losses() -> None:
    layer = L.Dense(2, activity_regularizer="l1")
    layer(L.Input((3,)))
    assert layer.losses == []


def test_build_may_ask_for_the_shapes_of_several_arguments() -> None:
    class Pair(L.Layer):
        def build(self, query_shape, value_shape, mask_shape):
            self.shapes = query_shape, value_shape, mask_shape

        def call(self, query, value, mask=None):
            return query

    pair = Pair()
    pair(ONES, value=np.ones((2, 7)))
    assert pair.shapes == ((2, 3), (2, 7), None)


def test_sublayer_called_twice_shares_weights_and_losses() -> None:
    class Twice(L.Layer):
        def __init__(self):
            super().__init__()
            self.inner = L.Dense(3, activity_regularizer="l2")

        def call(self, inputs):
            return self.inner(self.inner(inputs))

    layer = Twice()
    layer(ONES)
    assert len(layer.weights) == 2
    assert len(layer.losses) == 2


def test_copies_are_their_own() -> None:
    layer = L.Dense(2, kernel_regularizer="l2")
    layer(ONES)
    for again in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):  # noqa: S301 - our own bytes
        np.testing.assert_array_equal(again(ONES).numpy(), layer(ONES).numpy())
        again.kernel.assign(again.kernel * 0)
        assert layer.kernel.numpy().any()
        assert again.kernel.path == layer.kernel.path
        assert [id(w) for w in again.weights] == [id(again.kernel), id(again.bias)]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: L.Dense(0), "units must be a positive whole number; got 0"),
        (lambda: L.Dense(2, "rleu"), "activation: .* got 'rleu'. Did you mean 'relu'"),
        (lambda: L.Dense(2, kernel_initializer="glorot"), "initializer: .* Did you mean 'glorot_"),
        (lambda: L.Dense(2, kernel_regularizer="l3"), "regularizer: .* got 'l3'"),
        (lambda: L.Conv2D(2, (3, 3, 3)), "kernel_size must be a whole number of at least 1, or 2 of them"),
        (lambda: L.Conv2D(2, 3, padding="sane"), "Did you mean 'same'"),
        (lambda: L.Conv2D(3, 3, groups=2), "filters must divide by groups"),
        (lambda: L.Dropout(1.5), "rate must be between 0 and 1"),
        (lambda: L.Input(), "needs shape or batch_shape"),
        (lambda: L.Input(3), r"Write \(3,\)"),
        (lambda: L.Reshape((-1, -1)), "at most -1"),
        (lambda: L.Reshape((5,))(ONES[None]), "must hold as many elements"),
        (lambda: L.Add()(ONES), r"Call it on \[a, b\]"),
        (lambda: L.Dense(2)(L.Input((None,))), "the last axis of its input must have a known size"),
    ],
)
def test_bad_arguments(make, text) -> None:
    with pytest.raises(ValueError, match=text):
        make()

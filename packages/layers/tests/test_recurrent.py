"""Recurrent layers against their formulas in NumPy, step by step."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork import layers as L
from brickwork.layers import LayerError
from brickwork.tensor import concat, matmul, tanh
from brickwork.tensor.tree import leaves

X = np.random.default_rng(1).normal(size=(3, 6, 4))
MASK = np.array([[1, 1, 1, 1, 1, 1], [0, 0, 1, 0, 1, 0], [0, 0, 0, 0, 0, 0]], bool)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def simple_rnn(x, states, w):
    h = np.tanh(x @ w[0] + states[0] @ w[1] + w[2])
    return h, [h]


def lstm(x, states, w):
    h, c = states
    i, f, g, o = np.split(x @ w[0] + h @ w[1] + w[2], 4, -1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return h, [h, c]


def gru(x, states, w):
    (h,) = states
    xz, xr, xg = np.split(x @ w[0] + w[2][0], 3, -1)
    hz, hr, hg = np.split(h @ w[1] + w[2][1], 3, -1)
    z = sigmoid(xz + hz)
    h = z * h + (1 - z) * np.tanh(xg + sigmoid(xr + hr) * hg)
    return h, [h]


def gru_before(x, states, w):
    (h,) = states
    xz, xr, xg = np.split(x @ w[0] + w[2], 3, -1)
    kz, kr, kg = np.split(w[1], 3, -1)
    z, r = sigmoid(xz + h @ kz), sigmoid(xr + h @ kr)
    h = z * h + (1 - z) * np.tanh(xg + (r * h) @ kg)
    return h, [h]


KINDS = {
    "SimpleRNN": (L.SimpleRNN, {}, simple_rnn, 1),
    "LSTM": (L.LSTM, {}, lstm, 2),
    "GRU": (L.GRU, {}, gru, 1),
    "GRU, reset before": (L.GRU, {"reset_after": False}, gru_before, 1),
}


def walk(step, x, states, w, mask=None, backwards=False):
    """(outputs in the order they were made, last states)."""
    out, last = [], np.zeros_like(states[0])
    for t in reversed(range(x.shape[1])) if backwards else range(x.shape[1]):
        new, after = step(x[:, t], states, w)
        seen = np.ones((len(x), 1), bool) if mask is None else mask[:, t, None]
        last = np.where(seen, new, last)
        states = [np.where(seen, a, b) for a, b in zip(after, states)]
        out.append(last)
    return np.stack(out, 1), states


def start(layer, rng):
    """Weights that are nowhere zero, also for biases."""
    layer(X)
    weights = [rng.normal(size=w.shape) * 0.5 for w in layer.weights]
    layer.set_weights(weights)
    return weights


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("unroll", [False, True])
def test_against_the_formula(rng, kind, masked, backwards, unroll) -> None:
    cls, args, step, count = KINDS[kind]
    args = {**args, "go_backwards": backwards, "unroll": unroll, "return_state": True, "dtype": "float64"}
    layer = cls(5, return_sequences=True, **args)
    w = start(layer, rng)
    mask = MASK if masked else None
    first = [rng.normal(size=(3, 5)) for _ in range(count)]
    outputs, states = walk(step, X, first, w, mask, backwards)
    got = layer(X, initial_state=first, mask=mask)
    np.testing.assert_allclose(got[0].numpy(), outputs, rtol=1e-9, atol=1e-12)
    for a, b in zip(got[1:], states, strict=True):
        np.testing.assert_allclose(a.numpy(), b, rtol=1e-9, atol=1e-12)
    last = cls(5, **args)
    last(X)
    last.set_weights(w)
    np.testing.assert_allclose(
        last(X, initial_state=first, mask=mask)[0].numpy(), outputs[:, -1], rtol=1e-9, atol=1e-12
    )


def test_lstm_starts_as_keras_does() -> None:
    layer = L.LSTM(3)
    layer(X)
    kernel, recurrent, bias = layer.get_weights()
    np.testing.assert_array_equal(bias, [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(3), atol=1e-5)
    assert abs(kernel).max() <= np.sqrt(6 / (4 + 12))
    assert [w.path for w in layer.weights] == [f"lstm/lstm_cell/{n}" for n in ("kernel", "recurrent_kernel", "bias")]
    assert layer.recurrent_activation is L.activations.sigmoid


def test_stacked_cells_are_layers_on_one_another(rng) -> None:
    stack = L.RNN([L.LSTMCell(5), L.GRUCell(3)], return_sequences=True, return_state=True)
    one, two = L.LSTM(5, return_sequences=True, return_state=True), L.GRU(3, return_sequences=True, return_state=True)
    out, *states = stack(X)
    middle, *first = one(X)
    two(middle)
    one.set_weights(stack.get_weights()[:3])
    two.set_weights(stack.get_weights()[3:])
    middle, *first = one(X)
    wanted, *second = two(middle)
    np.testing.assert_allclose(out.numpy(), wanted.numpy(), rtol=1e-5, atol=1e-6)
    for a, b in zip(leaves(states), [*first, *second], strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("cell", [L.SimpleRNNCell(3), L.LSTMCell(3), L.GRUCell(3), L.StackedRNNCells([L.GRUCell(3)])])
def test_a_cell_is_one_step_of_its_layer(cell) -> None:
    layer = L.RNN(cell, return_state=True)
    out, *states = layer(X[:, :1])
    got, after = cell(X[:, 0], cell.get_initial_state(batch_size=3))
    np.testing.assert_allclose(got.numpy(), out.numpy(), rtol=1e-6, atol=1e-7)
    for a, b in zip(leaves(after), leaves(states), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6, atol=1e-7)


class Minimal(L.Layer):
    """A cell as a person writes one; it says nothing of its output or of how it starts."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")
        self.recurrent = self.add_weight((self.units, self.units), name="recurrent")

    def call(self, inputs, states):
        out = tanh(matmul(inputs, self.kernel) + matmul(states[0], self.recurrent))
        return out, [out]


@pytest.mark.parametrize("sequences", [False, True])
def test_a_cell_of_ones_own(sequences) -> None:
    layer = L.RNN(Minimal(5), return_sequences=sequences)
    own = L.SimpleRNN(5, use_bias=False, return_sequences=sequences)
    got = layer(X)
    own(X)
    own.set_weights(layer.get_weights())
    np.testing.assert_allclose(got.numpy(), own(X).numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave", None])
def test_bidirectional(mode) -> None:
    layer = L.Bidirectional(L.GRU(5, return_sequences=True, name="g"), merge_mode=mode)
    got = layer(X)
    assert [p.name for p in (layer.forward_layer, layer.backward_layer)] == ["forward_g", "backward_g"]
    one, other = layer.forward_layer(X).numpy(), layer.backward_layer(X).numpy()[:, ::-1]
    assert (one != other).any()
    wanted = {
        "concat": np.concatenate([one, other], -1),
        "sum": one + other,
        "mul": one * other,
        "ave": (one + other) / 2,
    }
    for a, b in zip(leaves(got), [one, other] if mode is None else [wanted[mode]], strict=True):
        np.testing.assert_allclose(a.numpy(), b, rtol=1e-5, atol=1e-6)


def test_bidirectional_gives_states_of_both() -> None:
    layer = L.Bidirectional(L.LSTM(5, return_state=True))
    out, *states = layer(X)
    assert out.shape == (3, 10)
    assert [s.shape for s in states] == [(3, 5)] * 4
    np.testing.assert_array_equal(np.concatenate([states[0].numpy(), states[2].numpy()], -1), out.numpy())
    again = layer(X, initial_state=states)[0].numpy()
    assert (again != out.numpy()).any()


def test_time_distributed_is_the_layer_on_each_step() -> None:
    dense = L.Dense(2, activation="tanh")
    got = L.TimeDistributed(dense)(X).numpy()
    for t in range(6):
        np.testing.assert_allclose(got[:, t], dense(X[:, t]).numpy(), rtol=1e-5, atol=1e-6)


def test_dropout_is_the_same_at_every_step_and_scaled() -> None:
    layer = L.SimpleRNN(
        400, activation="linear", kernel_initializer="ones", recurrent_initializer="zeros", dropout=0.5,
        return_sequences=True, seed=2,
    )  # fmt: skip
    out = layer(np.ones((2, 5, 64)), training=True).numpy()
    assert (out[:, :1] == out).all()
    assert 40 < out[0, 0, 0] < 90
    np.testing.assert_array_equal(layer(np.ones((2, 5, 64))).numpy(), np.full((2, 5, 400), 64))
    cell = L.SimpleRNN(1, activation="linear", kernel_initializer="zeros", recurrent_initializer="ones",
                       recurrent_dropout=0.5, seed=4)  # fmt: skip
    out = cell(np.zeros((500, 3, 1)), initial_state=np.ones((500, 1)), training=True).numpy()
    assert set(np.unique(out)) == {0.0, 8.0}
    assert 150 < (out == 0).sum() < 350


def test_stateful_goes_on_where_it_stopped() -> None:
    whole = L.LSTM(5)
    x = X.astype("f")
    wanted = whole(x).numpy()
    layer = L.LSTM(5, stateful=True)
    layer(x[:, :2])
    layer.set_weights(whole.get_weights())
    layer.reset_state()
    layer(x[:, :2])
    np.testing.assert_allclose(layer(x[:, 2:]).numpy(), wanted, rtol=1e-5, atol=1e-6)
    layer.reset_state()
    np.testing.assert_allclose(layer(x).numpy(), wanted, rtol=1e-5, atol=1e-6)
    assert len(layer.weights) == 3


def test_models_learn_save_and_come_back(rng, tmp_path) -> None:
    words = rng.integers(1, 20, (64, 7))
    y = (words[:, 3] > 9).astype("f")
    i = L.Input((7,), dtype="int32")
    h = L.Bidirectional(L.LSTM(8, return_sequences=True))(L.Embedding(20, 6, mask_zero=True)(i))
    out, state = L.GRU(4, return_state=True, dropout=0.1)(h)
    model = L.Model(i, L.Dense(1, activation="sigmoid")(L.Concatenate()([out, state])))
    model.compile(L.optimizers.Adam(0.02), "binary_crossentropy")
    losses = model.fit(words, y, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    model.save(tmp_path / "m.brick")
    again = L.load_model(tmp_path / "m.brick")
    np.testing.assert_array_equal(again.predict(words, verbose=0), model.predict(words, verbose=0))
    again.fit(words, y, verbose=0)


def test_encoder_and_decoder(rng) -> None:
    i, j = L.Input((6, 4)), L.Input((None, 3))
    _, *states = L.LSTM(5, return_state=True)(i)
    out = L.LSTM(5, return_sequences=True)(j, initial_state=states)
    model = L.Model([i, j], out)
    assert model.output_shape == (None, None, 5)
    z = rng.normal(size=(3, 2, 3)).astype("f")
    got = model([X.astype("f"), z])
    again = L.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again([X.astype("f"), z]).numpy(), got.numpy())
    assert (got.numpy() != model([0 * X.astype("f"), z]).numpy()).any()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: L.LSTM(0), "units must be a positive whole number; got 0"),
        (lambda: L.GRU(3, dropout=1.5), "dropout must be between 0 and 1; got 1.5"),
        (lambda: L.RNN(L.Dense(3)), "must be a Layer that has state_size"),
        (lambda: L.StackedRNNCells([]), "needs cells"),
        (lambda: L.Bidirectional(L.Dense(3)), "takes a recurrent layer"),
        (lambda: L.Bidirectional(L.LSTM(3), merge_mode="cat"), "cat"),
        (lambda: L.Bidirectional(L.LSTM(3), backward_layer=L.LSTM(3)), "must go the other way"),
        (lambda: L.TimeDistributed(np.tanh), "takes a layer"),
        (lambda: L.TimeDistributed(L.Dense(2))(X[0]), "at least 3 axes"),
        (lambda: L.LSTM(3)(X, initial_state=np.zeros((3, 3))), "initial_state must hold 2 states; got 1"),
        (lambda: L.LSTM(3, stateful=True)(L.Input((6, 4))), "stateful needs to know"),
        (lambda: L.initializers.Orthogonal()((3,)), "at least two axes"),
    ],
)
def test_errors(make, text) -> None:
    with pytest.raises(LayerError, match=text):
        make()


def test_orthogonal() -> None:
    for shape in ((4, 7), (7, 4), (2, 3, 5)):
        q = L.initializers.Orthogonal(2.0, seed=3)(shape, "float64").numpy().reshape(-1, shape[-1])
        few = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
        np.testing.assert_allclose(few, 4 * np.eye(len(few)), atol=1e-9)
    assert (L.initializers.get("orthogonal")((3, 3)).numpy() != L.initializers.Orthogonal()((3, 3)).numpy()).any()


def test_rows_of_the_last_output_do_not_need_all(rng) -> None:
    """A layer that gives its last output gives the last of all outputs."""
    layer = L.LSTM(4, return_sequences=True)
    all_of_them = layer(X).numpy()
    layer.return_sequences = False
    np.testing.assert_array_equal(layer(X).numpy(), all_of_them[:, -1])
    both = concat([layer(X), layer(X)], 0)
    assert both.shape == (6, 4)

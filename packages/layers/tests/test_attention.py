"""Attention layers against the formula in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork import layers as L
from brickwork.layers import LayerError

R = np.random.default_rng(2)
Q, V, K = R.normal(size=(3, 6, 4)), R.normal(size=(3, 5, 7)), R.normal(size=(3, 5, 2))
SEES = R.random((3, 6, 5)) > 0.4
SEES[1, 2] = False  # one query that sees nothing


def formula(layer, q, k, v, sees):
    """(output, weights) from einsum, with softmax over the keys that are seen."""
    w = [x.numpy() for x in layer.weights]
    q, k, v = (np.einsum("btd,dhk->bhtk", x, w[2 * i]) + w[2 * i + 1][:, None] for i, x in enumerate((q, k, v)))
    scores = np.einsum("bhtk,bhsk->bhts", q, k) / np.sqrt(q.shape[-1])
    e = np.exp(scores) * sees
    total = e.sum(-1, keepdims=True)
    weights = e / np.where(total == 0, 1, total)
    return np.einsum("bhts,bhsv,hvo->bto", weights, v, w[6]) + w[7], weights


def started(layer, *inputs):
    layer(*inputs)
    layer.set_weights([R.normal(size=w.shape) * 0.5 for w in layer.weights])
    return layer


@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_multi_head_attention(scores, causal, masked) -> None:
    layer = started(L.MultiHeadAttention(2, 3, value_dim=4, dtype="float64"), Q, V, K)
    sees = np.ones((3, 1, 6, 5), bool)
    sees &= np.tril(np.ones((6, 5), bool)) if causal else True
    sees = sees & SEES[:, None] if masked else sees
    wanted, weights = formula(layer, Q, K, V, sees)
    got = layer(Q, V, K, attention_mask=SEES if masked else None, use_causal_mask=causal,
                return_attention_scores=scores)  # fmt: skip
    if scores:
        np.testing.assert_allclose(got[1].numpy(), weights, rtol=1e-9, atol=1e-12)
        got = got[0]
    np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-9, atol=1e-12)
    names = [w.path.partition("/")[2] for w in layer.weights]
    assert names == [f"{n}/{w}" for n in ("query", "key", "value", "attention_output") for w in ("kernel", "bias")]


def test_masks_of_inputs_and_window() -> None:
    layer = started(L.MultiHeadAttention(2, 3, sliding_window=2, dtype="float64"), Q, V, V)
    rows, columns = np.arange(6)[:, None], np.arange(5)
    query_mask, value_mask = R.random((3, 6)) > 0.3, R.random((3, 5)) > 0.3
    sees = (abs(rows - columns) < 2) & query_mask[:, None, :, None] & value_mask[:, None, None, :]
    wanted, _ = formula(layer, Q, V, V, sees)
    got = layer(Q, V, query_mask=query_mask, value_mask=value_mask)
    np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-9, atol=1e-12)


def test_heads_may_have_masks_of_their_own() -> None:
    layer = started(L.MultiHeadAttention(2, 3, dtype="float64"), Q, V)
    sees = R.random((3, 2, 6, 5)) > 0.4
    np.testing.assert_allclose(
        layer(Q, V, attention_mask=sees).numpy(), formula(layer, Q, V, V, sees)[0], rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("scores", [False, True])
def test_grouped_queries_share_keys(scores) -> None:
    layer = started(L.GroupQueryAttention(3, 4, 2, dtype="float64"), Q, V)
    whole = started(L.MultiHeadAttention(4, 3, dtype="float64"), Q, V)
    whole.set_weights([
        np.repeat(w.numpy(), 2, axis=-2) if 2 <= k < 6 else w.numpy() for k, w in enumerate(layer.weights)
    ])  # fmt: skip
    options = {"attention_mask": SEES, "return_attention_scores": scores}
    got, wanted = layer(Q, V, **options), whole(Q, V, **options)
    for a, b in zip(got, wanted) if scores else [(got, wanted)]:
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-12)


def test_axes_of_pictures() -> None:
    x = R.normal(size=(2, 3, 4, 5))
    whole = started(L.MultiHeadAttention(2, 3, dtype="float64"), x, x)
    flat = started(L.MultiHeadAttention(2, 3, dtype="float64"), x[:, 0], x[:, 0])
    flat.set_weights(whole.get_weights())
    lines = x.reshape(2, 12, 5)
    mask = R.random((2, 12, 12)) > 0.3
    got = whole(x, x, attention_mask=mask.reshape(2, 3, 4, 3, 4), return_attention_scores=True)
    wanted = flat(lines, lines, attention_mask=mask, return_attention_scores=True)
    np.testing.assert_allclose(got[0].numpy().reshape(2, 12, 5), wanted[0].numpy(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(got[1].numpy().reshape(2, 2, 12, 12), wanted[1].numpy(), rtol=1e-9, atol=1e-12)
    rows = L.MultiHeadAttention(2, 3, attention_axes=2, dtype="float64")
    rows(x, x)
    rows.set_weights(whole.get_weights())
    for k in range(3):
        np.testing.assert_allclose(rows(x, x).numpy()[:, k], flat(x[:, k], x[:, k]).numpy(), rtol=1e-9, atol=1e-12)


def test_gate() -> None:
    layer = started(L.MultiHeadAttention(2, 3, use_gate=True, dtype="float64"), Q, Q)
    weights = layer.get_weights()
    assert len(weights) == 10
    shut = [*weights[:4], 0 * weights[4], 0 * weights[5] - 1e3, *weights[6:]]
    layer.set_weights(shut)
    np.testing.assert_allclose(layer(Q, Q).numpy(), np.broadcast_to(weights[-1], Q.shape), atol=1e-12)


def test_dropout_only_while_training() -> None:
    layer = L.MultiHeadAttention(2, 3, dropout=0.5, seed=1)
    quiet = layer(Q, Q).numpy()
    np.testing.assert_array_equal(layer(Q, Q, training=False).numpy(), quiet)
    assert (layer(Q, Q, training=True).numpy() != quiet).any()
    many = np.mean([layer(Q, Q, training=True).numpy() for _ in range(400)], 0)
    np.testing.assert_allclose(many, quiet, atol=0.25)


def test_queries_and_keys_do_not_start_alike() -> None:
    layer = L.MultiHeadAttention(2, 3)
    layer(Q, Q)
    assert (layer.query_dense.kernel.numpy() != layer.key_dense.kernel.numpy()).any()


def test_in_a_model_that_is_saved(tmp_path) -> None:
    i, j = L.Input((6, 4)), L.Input((None, 7))
    out, scores = L.MultiHeadAttention(2, 3)(i, j, return_attention_scores=True)
    model = L.Model([i, j], [L.Add()([out, i]), scores])
    q, v = Q.astype("f"), V.astype("f")
    model.save(tmp_path / "m.brick")
    again = L.load_model(tmp_path / "m.brick")
    for a, b in zip(model([q, v]), again([q, v])):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert model([q, v])[1].shape == (3, 2, 6, 5)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: L.MultiHeadAttention(0, 3), "num_heads must be a positive whole number; got 0"),
        (lambda: L.MultiHeadAttention(2, 3, dropout=2), "dropout must be between 0 and 1; got 2"),
        (lambda: L.MultiHeadAttention(2, 3, sliding_window=0), "sliding_window must be a positive"),
        (lambda: L.GroupQueryAttention(3, 4, 3), "must divide num_query_heads; got 3 and 4"),
        (lambda: L.MultiHeadAttention(2, 3)(Q, V, K[:, :2]), "must have the same places"),
        (lambda: L.MultiHeadAttention(2, 3)(L.Input((6, None)), V), "must have a known size"),
    ],
)
def test_errors(make, text) -> None:
    with pytest.raises(LayerError, match=text):
        make()

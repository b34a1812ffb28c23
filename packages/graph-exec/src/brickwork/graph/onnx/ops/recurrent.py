"""Recurrent networks: a scan over time for each direction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import brickwork.tensor as bt
from brickwork.tensor import Tensor, nn

from ..errors import ModelError
from ..registry import translator

Function = Callable[[Tensor], Tensor]
Cell = Callable[[tuple[Tensor, ...], Tensor], tuple[Tensor, ...]]

_ACTIVATIONS: dict[str, tuple[Callable[..., Tensor], tuple[float, ...]]] = {
    "relu": (nn.relu, ()),
    "tanh": (bt.tanh, ()),
    "sigmoid": (nn.sigmoid, ()),
    "softsign": (nn.softsign, ()),
    "softplus": (nn.softplus, ()),
    "affine": (lambda x, a, b: a * x + b, (1.0, 0.0)),
    "leakyrelu": (lambda x, a: nn.leaky_relu(x, a), (0.01,)),
    "thresholdedrelu": (lambda x, a: bt.where(x > a, x, 0.0), (1.0,)),
    "scaledtanh": (lambda x, a, b: a * bt.tanh(b * x), (1.0, 1.0)),
    "hardsigmoid": (lambda x, a, b: bt.clip(a * x + b, 0.0, 1.0), (0.2, 0.5)),
    "elu": (lambda x, a: nn.elu(x, a), (1.0,)),
}
"""By name in lower case: the function, and the defaults of its alpha and beta."""


def _functions(
    names: Sequence[str], alphas: Sequence[float], betas: Sequence[float], clip: float, unbounded: int | None = None
) -> list[Function]:
    """Activations in order; those that have an alpha or a beta take the next of the list. ``unbounded``: the one of
    each direction that does not clip."""
    settings = iter(alphas), iter(betas)
    out = []
    for place, name in enumerate(names):
        if name.lower() not in _ACTIVATIONS:
            raise ModelError(f"onnx: an activation must be one of {', '.join(_ACTIVATIONS)}; got {name!r}")
        function, defaults = _ACTIVATIONS[name.lower()]
        given = [next(values, default) for values, default in zip(settings, defaults, strict=False)]
        free = unbounded is not None and place % (unbounded + 1) == unbounded
        out.append(_clipped(function, given, 0.0 if free else clip))
    return out


def _clipped(function: Callable[..., Tensor], settings: Sequence[float], clip: float) -> Function:
    return lambda x: function(bt.clip(x, -clip, clip) if clip else x, *settings)


def _states(
    x: Tensor, lengths: Tensor | None, starts: tuple[Tensor, ...], reverse: bool, cell: Cell
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The first state at every step (time, batch, hidden), zero past the end of a sequence; and the last states.

    Backwards a sequence begins at its own end, since nothing moves before.
    """
    times = bt.iota((x.shape[0],))

    def step(states: tuple[Tensor, ...], row: tuple[Tensor, Tensor]) -> tuple[tuple[Tensor, ...], Tensor]:
        now, t = row
        moved = cell(states, now)
        if lengths is None:
            return moved, moved[0]
        runs = bt.expand_dims(t < lengths, -1)
        kept = tuple(bt.where(runs, new, old) for new, old in zip(moved, states, strict=True))
        return kept, bt.where(runs, moved[0], 0.0)

    last, rows = bt.scan(step, starts, (x, times), reverse=reverse)
    return rows, last


def _run(
    make: Callable[..., tuple[Tensor, Cell]],
    x: Tensor,
    weights: Sequence[Tensor | None],
    lengths: Tensor | None,
    initial: Sequence[Tensor | None],
    functions: Sequence[Function],
    direction: str,
    layout: int,
) -> tuple[Tensor, ...]:
    """All directions. ``make(x, weights of a direction, functions)`` gives what the cell takes a step, and the cell."""
    ways = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}
    if direction not in ways:
        raise ModelError(f"onnx: the direction is forward, reverse or bidirectional; got {direction!r}")
    if layout:
        x = bt.permute_dims(x, (1, 0, 2))
        initial = [None if h is None else bt.permute_dims(h, (1, 0, 2)) for h in initial]
    hidden = weights[1].shape[2]  # type: ignore[union-attr]
    each = len(functions) // len(ways[direction])
    rows, lasts = [], []
    for k, reverse in enumerate(ways[direction]):
        own = [None if w is None else w[k] for w in weights]
        entering, cell = make(x, own, functions[k * each : (k + 1) * each])
        starts = tuple(bt.zeros((x.shape[1], hidden), x.dtype) if h is None else h[k] for h in initial)
        out, last = _states(entering, lengths, starts, reverse, cell)
        rows.append(out)
        lasts.append(last)
    y = bt.stack(rows, 1)
    ends = [bt.stack(list(states)) for states in zip(*lasts, strict=True)]
    if layout:
        return bt.permute_dims(y, (2, 0, 1, 3)), *(bt.permute_dims(h, (1, 0, 2)) for h in ends)
    return y, *ends


def _entering(x: Tensor, w: Any, bias: Tensor | None, hidden: int, gates: int) -> tuple[Tensor, Any]:
    """``x @ w.T`` and the bias on that side, for all steps at once; and the bias on the recurrent side."""
    out = x @ bt.matrix_transpose(w)
    if bias is None:
        return out, 0.0
    return out + bias[: gates * hidden], bias[gates * hidden :]


@translator("RNN")
def rnn(
    x: Tensor,
    w: Tensor,
    r: Tensor,
    bias: Tensor | None = None,
    lengths: Tensor | None = None,
    h: Tensor | None = None,
    *,
    activation_alpha: Sequence[float] = (),
    activation_beta: Sequence[float] = (),
    activations: Sequence[str] = (),
    clip: float = 0.0,
    direction: str = "forward",
    hidden_size: int = 0,
    layout: int = 0,
    output_sequence: int = 0,
) -> tuple[Tensor, ...]:
    functions = _functions(activations or ("Tanh",) * w.shape[0], activation_alpha, activation_beta, clip)

    def make(x: Tensor, own: Sequence[Any], f: Sequence[Function]) -> tuple[Tensor, Cell]:
        w, r, bias = own
        entering, back = _entering(x, w, bias, r.shape[1], 1)
        turned = bt.matrix_transpose(r)
        return entering, lambda states, now: (f[0](now + states[0] @ turned + back),)

    return _run(make, x, (w, r, bias), lengths, (h,), functions, direction, layout)


@translator("GRU")
def gru(
    x: Tensor,
    w: Tensor,
    r: Tensor,
    bias: Tensor | None = None,
    lengths: Tensor | None = None,
    h: Tensor | None = None,
    *,
    activation_alpha: Sequence[float] = (),
    activation_beta: Sequence[float] = (),
    activations: Sequence[str] = (),
    clip: float = 0.0,
    direction: str = "forward",
    hidden_size: int = 0,
    layout: int = 0,
    linear_before_reset: int = 0,
    output_sequence: int = 0,
) -> tuple[Tensor, ...]:
    """Gates update, reset, new (Cho et al. 2014). ``linear_before_reset``: the reset gate takes the product, not the
    state."""
    functions = _functions(activations or ("Sigmoid", "Tanh") * w.shape[0], activation_alpha, activation_beta, clip)

    def make(x: Tensor, own: Sequence[Any], f: Sequence[Function]) -> tuple[Tensor, Cell]:
        w, r, bias = own
        n = r.shape[1]
        entering, back = _entering(x, w, bias, n, 3)
        turned = bt.matrix_transpose(r)
        of_gates, of_new = (0.0, 0.0) if bias is None else (back[: 2 * n], back[2 * n :])

        def cell(states: tuple[Tensor, ...], now: Tensor) -> tuple[Tensor]:
            (h,) = states
            gates = f[0](now[:, : 2 * n] + h @ turned[:, : 2 * n] + of_gates)
            update, reset = gates[:, :n], gates[:, n:]
            if linear_before_reset:
                new = f[1](now[:, 2 * n :] + reset * (h @ turned[:, 2 * n :] + of_new))
            else:
                new = f[1](now[:, 2 * n :] + (reset * h) @ turned[:, 2 * n :] + of_new)
            return ((1.0 - update) * new + update * h,)

        return entering, cell

    return _run(make, x, (w, r, bias), lengths, (h,), functions, direction, layout)


@translator("LSTM")
def lstm(
    x: Tensor,
    w: Tensor,
    r: Tensor,
    bias: Tensor | None = None,
    lengths: Tensor | None = None,
    h: Tensor | None = None,
    c: Tensor | None = None,
    peepholes: Tensor | None = None,
    *,
    activation_alpha: Sequence[float] = (),
    activation_beta: Sequence[float] = (),
    activations: Sequence[str] = (),
    clip: float = 0.0,
    direction: str = "forward",
    hidden_size: int = 0,
    input_forget: int = 0,
    layout: int = 0,
    output_sequence: int = 0,
) -> tuple[Tensor, ...]:
    """Gates input, output, forget, cell (Hochreiter and Schmidhuber 1997), with peepholes (Gers 2000) where given.
    ``input_forget``: what enters is forgotten. ``clip`` bounds what enters gates and cell, not the cell itself where
    it is read, as onnxruntime has it."""
    names = activations or ("Sigmoid", "Tanh", "Tanh") * w.shape[0]
    functions = _functions(names, activation_alpha, activation_beta, clip, unbounded=2)

    def make(x: Tensor, own: Sequence[Any], f: Sequence[Function]) -> tuple[Tensor, Cell]:
        w, r, bias, peeps = own
        n = r.shape[1]
        entering, back = _entering(x, w, bias, n, 4)
        turned = bt.matrix_transpose(r)
        peep = (0.0,) * 3 if peeps is None else (peeps[:n], peeps[n : 2 * n], peeps[2 * n :])

        def cell(states: tuple[Tensor, ...], now: Tensor) -> tuple[Tensor, ...]:
            h, c = states
            gates = now + h @ turned + back
            enter, leave, stay, new = (gates[:, k * n : (k + 1) * n] for k in range(4))
            entry = f[0](enter + peep[0] * c)
            kept = 1.0 - entry if input_forget else f[0](stay + peep[2] * c)
            c = kept * c + entry * f[1](new)
            return f[0](leave + peep[1] * c) * f[2](c), c

        return entering, cell

    return _run(make, x, (w, r, bias, peepholes), lengths, (h, c), functions, direction, layout)

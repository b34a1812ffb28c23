"""`RNN`: a cell along the steps of sequences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from brickwork import tensor as bt
from brickwork.tensor import Variable, asarray, flip, stack, transpose, where, zeros
from brickwork.tensor.tree import leaves, map_tree

from ..errors import LayerError
from ..layer import Layer
from ..serialization import deserialize, serialize
from .cell import Parts, parts_of
from .stacked_rnn_cells import StackedRNNCells, output_size_of

__all__ = ["RNN"]

FLAGS = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll", "zero_output_for_mask")


@dataclass(frozen=True, slots=True)
class Kept:
    """States from one batch to the next, out of sight of the walk that finds weights."""

    states: Any = None


class RNN(Layer):
    """A cell (or a list of them, stacked) along the second axis: (batch, steps, ...) to its last output (batch,
    units), or to all of them, (batch, steps, units), with ``return_sequences``.

    ``return_state``: the last states follow the output. ``go_backwards``: from the last step to the first, outputs in
    that order. ``stateful``: a batch starts from the states at the end of the one before. ``unroll``: the steps are
    written out, not looped over. Where a ``mask`` (batch, steps) is False, states and output stay as they were;
    with ``zero_output_for_mask`` the output there is 0.

    A cell has ``state_size`` (a whole number, or one per state) and ``call(inputs, states)``, which gives (output,
    states); it may have ``output_size`` and ``get_initial_state(batch_size)``.
    """

    def __init__(
        self, cell: Any, return_sequences: bool = False, return_state: bool = False, go_backwards: bool = False,
        stateful: bool = False, unroll: bool = False, zero_output_for_mask: bool = False, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell, dtype=self.dtype)
        if not isinstance(cell, Layer) or not hasattr(cell, "state_size"):
            raise LayerError(
                f"{type(self).__name__}: the cell must be a Layer that has state_size; got {cell!r}. Set it in __init__"
            )
        self.cell = cell
        self.return_sequences, self.return_state, self.go_backwards = return_sequences, return_state, go_backwards
        self.stateful, self.unroll, self.zero_output_for_mask = stateful, unroll, zero_output_for_mask
        self._kept = Kept()

    @property
    def states(self) -> Any:
        """Where the next batch of a ``stateful`` layer starts: variables, which are no weights."""
        return self._kept.states

    @property
    def state_size(self) -> list[Any]:
        """The size of each state."""
        size = self.cell.state_size
        return list(size) if isinstance(size, (list, tuple)) else [size]

    # building
    def build(self, sequences_shape: Any) -> None:
        batch = sequences_shape[0]
        if not self.cell.built:
            self.cell.build((batch, *sequences_shape[2:]))
        if self.stateful:
            if batch is None:
                raise LayerError(f"{type(self).__name__}: stateful needs to know how many examples a batch has; got "
                                 f"{tuple(sequences_shape)}. Give Input() a batch_size")  # fmt: skip
            first = self.get_initial_state(batch)
            self._kept = Kept(map_tree(lambda s: Variable(s, name="rnn_state", trainable=False), first))

    def get_initial_state(self, batch_size: Any) -> list[Any]:
        """The states before the first step."""
        if hasattr(self.cell, "get_initial_state"):
            made = self.cell.get_initial_state(batch_size=batch_size)
            return list(made) if isinstance(made, (list, tuple)) else [made]
        return [zeros((batch_size, n), self.cell.compute_dtype) for n in self.state_size]

    def reset_state(self) -> None:
        """A ``stateful`` layer starts from zeros again."""
        for state in leaves(self.states):
            state.assign(zeros(state.shape, state.dtype))

    reset_states = reset_state

    # calling
    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        batch = sequences.shape[0]
        states = self._first_states(batch, initial_state)
        parts = parts_of(self.cell, batch, sequences.shape[-1], training)
        turned = transpose(_as(self.cell.compute_dtype, sequences), (1, 0, *range(2, sequences.ndim)))
        seen = None if mask is None else transpose(asarray(_one(mask)).astype("bool"), (1, 0))[..., None]
        states, last, outputs = self._loop(parts, (parts.project(turned), seen), states)
        if self.stateful:
            for own, state in zip(leaves(self.states), leaves(states), strict=True):
                own.assign(state)
        if self.return_sequences:
            if self.zero_output_for_mask and seen is not None:
                outputs = where(seen, outputs, 0.0)
            last = transpose(flip(outputs, axis=0) if self.go_backwards else outputs, (1, 0, 2))
        last, states = _as(self.compute_dtype, (last, states))
        return (last, *states) if self.return_state else last

    def _first_states(self, batch: Any, given: Any) -> Any:
        if given is None:
            given = self.states if self.stateful else self.get_initial_state(batch)
        given = list(given) if isinstance(given, (list, tuple)) else [given]
        states = _as(self.cell.compute_dtype, given)
        wanted, got = len(self.state_size), len(states)
        if got != wanted:
            raise LayerError(f"{type(self).__name__}: initial_state must hold {wanted} states; got {got}")
        return states

    def _loop(self, parts: Parts, rows: Any, states: Any) -> tuple[Any, Any, Any]:
        """(states, last output, outputs): the last output only where it is asked for or kept for masked steps."""
        masked = rows[1] is not None
        batch = leaves(states)[0].shape[0]
        kept = masked or (parts.output is None and not self.return_sequences)
        last = zeros((batch, output_size_of(self.cell)), self.cell.compute_dtype) if kept else None

        def body(carry: Any, row: Any) -> tuple[Any, Any]:
            before, last = carry
            x, seen = row
            output, after = parts.step(x, before)
            if masked:
                output = where(seen, output, last)
                after = map_tree(lambda new, old: where(seen, new, old), after, before)
            return (after, output if kept else None), output if self.return_sequences else None

        run = _written_out if self.unroll else bt.scan  # a room that loads late
        (states, last), outputs = run(body, (states, last), rows, reverse=self.go_backwards)
        if last is None and parts.output is not None:
            last = parts.output(states)
        return states, last, outputs

    # shapes and masks
    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        batch, steps = sequences_shape[:2]
        size = output_size_of(self.cell)
        out = (batch, steps, size) if self.return_sequences else (batch, size)
        if not self.return_state:
            return out
        return (out, *(_state_shapes(batch, n) for n in self.state_size))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return _one(previous_mask) if self.return_sequences else None

    makes_masks = False

    # data
    def get_config(self) -> dict[str, Any]:
        flags = {name: getattr(self, name) for name in FLAGS}
        return {**super().get_config(), **flags, "cell": serialize(self.cell)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        rest = {k: v for k, v in config.items() if k != "cell"}
        return cls(deserialize(config["cell"], "layer", custom_objects), **rest)


def _one(mask: Any) -> Any:
    """The mask of the sequences, where there are those of states too."""
    return mask[0] if isinstance(mask, (list, tuple)) else mask


def _as(dtype: str, tree: Any) -> Any:
    return map_tree(lambda x: x if getattr(x, "dtype", None) == dtype else asarray(x).astype(dtype), tree)


def _state_shapes(batch: Any, size: Any) -> Any:
    return [_state_shapes(batch, n) for n in size] if isinstance(size, (list, tuple)) else (batch, size)


def _written_out(body: Any, carry: Any, rows: Any, reverse: bool) -> tuple[Any, Any]:
    """`scan` by a loop in Python."""
    count = leaves(rows)[0].shape[0]
    if not isinstance(count, int):
        raise LayerError("RNN: unroll needs to know the number of steps; got an open size. Give Input() one")
    outputs: list[Any] = [None] * count
    for t in reversed(range(count)) if reverse else range(count):
        carry, outputs[t] = body(carry, map_tree(lambda r, t=t: r[t], rows))
    return carry, None if outputs[:1] in ([], [None]) else stack(outputs)

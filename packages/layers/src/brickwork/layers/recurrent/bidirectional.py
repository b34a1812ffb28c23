"""A recurrent layer in both directions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from brickwork.tensor import asarray, concat, flip

from ..errors import LayerError, unknown
from ..layer import Layer
from ..serialization import deserialize, serialize

__all__ = ["Bidirectional"]

MERGES = ("sum", "mul", "concat", "ave", None)
ALIKE = ("stateful", "return_sequences", "return_state")


class Bidirectional(Layer):
    """A recurrent layer, and one like it that goes backwards; their outputs together (Schuster and Paliwal 1997).

    ``merge_mode``: "concat" (along the last axis), "sum", "mul", "ave", or None for both. Outputs of all steps are in
    the order of the input. The layers are new ones of the configuration given. With ``return_state`` the states of
    both follow; ``initial_state`` holds those of the forward layer, then of the backward one.
    """

    def __init__(
        self, layer: Any, merge_mode: str | None = "concat", weights: Any = None, backward_layer: Any = None,
        **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        for one in (layer, *([] if backward_layer is None else [backward_layer])):
            if not isinstance(one, Layer) or not hasattr(one, "go_backwards"):
                raise LayerError(f"Bidirectional: takes a recurrent layer; got {one!r}. Use LSTM(...), say")
        if merge_mode not in MERGES:
            raise unknown("Bidirectional merge_mode", merge_mode, (m for m in MERGES if m))
        self.merge_mode = merge_mode
        self._given_backward = backward_layer is not None
        self.forward_layer = _copy(layer, "forward")
        self.backward_layer = backward_layer or _copy(layer, "backward", go_backwards=not layer.go_backwards)
        one, other = self.forward_layer, self.backward_layer
        if one.go_backwards == other.go_backwards or any(getattr(one, n) != getattr(other, n) for n in ALIKE):
            raise LayerError(f"Bidirectional: backward_layer must go the other way, with the same {', '.join(ALIKE)}; "
                             f"got {one!r} and {other!r}")  # fmt: skip
        for part in (one, other):
            if hasattr(part, "zero_output_for_mask"):
                part.zero_output_for_mask = part.return_sequences
        self.return_sequences, self.return_state, self.stateful = (getattr(layer, n) for n in ALIKE[1:] + ALIKE[:1])
        self.input_spec = layer.input_spec
        self._first_weights = weights

    def build(self, sequences_shape: Any) -> None:
        self.forward_layer.build(sequences_shape)
        self.backward_layer.build(sequences_shape)
        if self._first_weights is not None:
            self.set_weights(self._first_weights)

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        states: tuple[Any, Any] = (None, None)
        if initial_state is not None:
            half = len(initial_state) // 2
            states = initial_state[:half], initial_state[half:]
        one = self.forward_layer(sequences, initial_state=states[0], mask=mask, training=training)
        other = self.backward_layer(sequences, initial_state=states[1], mask=mask, training=training)
        after: tuple[Any, ...] = ()
        if self.return_state:
            after, one, other = (*one[1:], *other[1:]), one[0], other[0]
        one, other = (asarray(t, self.compute_dtype) for t in (one, other))
        if self.return_sequences:
            other = flip(other, axis=1)
        out = self._merged(one, other)
        if not self.return_state:
            return out
        return (*out, *after) if self.merge_mode is None else (out, *after)

    def _merged(self, one: Any, other: Any) -> Any:
        if self.merge_mode is None:
            return one, other
        if self.merge_mode == "concat":
            return concat([one, other], -1)
        out = one * other if self.merge_mode == "mul" else one + other
        return out / 2.0 if self.merge_mode == "ave" else out

    def reset_state(self) -> None:
        """Both layers start from zeros again."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        whole = self.forward_layer.compute_output_shape(sequences_shape)
        shape, states = (whole[0], whole[1:]) if self.return_state else (whole, ())
        if self.merge_mode is None:
            return (shape, shape, *states, *states)
        if self.merge_mode == "concat":
            shape = (*shape[:-1], 2 * shape[-1])
        return (shape, *states, *states) if self.return_state else shape

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        mask = self.forward_layer.compute_mask(inputs, previous_mask)
        return [mask, mask] if self.merge_mode is None else mask

    makes_masks = False

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "merge_mode": self.merge_mode, "layer": serialize(self.forward_layer)}
        return {**config, "backward_layer": serialize(self.backward_layer)} if self._given_backward else config

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        layers = {
            k: deserialize(config[k], "layer", custom_objects) for k in ("layer", "backward_layer") if k in config
        }
        return cls(**{**config, **layers})


def _copy(layer: Any, prefix: str, **changes: Any) -> Any:
    """A new layer of the same configuration, named after its direction."""
    data = serialize(layer)
    name = f"{prefix}_{layer.name.removeprefix(prefix + '_')}"
    return deserialize({**data, "config": {**data["config"], "name": name, **changes}}, "layer")

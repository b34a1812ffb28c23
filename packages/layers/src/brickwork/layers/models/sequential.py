"""A model whose layers follow one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from ..context import build_scope
from ..core.input_layer import InputLayer
from ..errors import LayerError
from ..layer import Layer
from ..serialization import deserialize, serialize
from ..symbolic import SymbolicTensor
from .graph import Graph
from .model import Model

__all__ = ["Sequential"]


class Sequential(Model):
    """Each layer takes what the one before gives. Weights are made when the shape of the input is known: from `Input`,
    or from the first data.

    Example:
        >>> model = Sequential([Input((4,)), Dense(8, activation="relu"), Dense(1)])
    """

    def __init__(
        self, layers: Sequence[Any] | None = None, trainable: bool = True, name: str | None = None, **kwargs: Any
    ):
        super().__init__(name=name, trainable=trainable, **kwargs)
        self._layers: list[Layer] = []
        self._entry: InputLayer | None = None
        for layer in layers or ():
            self._append(layer)
        self._rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer at the end."""
        self._append(layer)
        if rebuild:
            self._rebuild()

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the last layer off."""
        if not self._layers:
            raise LayerError(f"{self.name}: pop needs a layer; got a model without any")
        layer = self._layers.pop()
        if rebuild:
            self._rebuild()
        return layer

    def _append(self, layer: Any) -> None:
        if isinstance(layer, SymbolicTensor) and layer.node is not None and isinstance(layer.node.layer, InputLayer):
            layer = layer.node.layer
        if isinstance(layer, InputLayer):
            if self._layers or self._entry:
                raise LayerError(
                    f"{self.name}: Input must be the first and only one; got it after {len(self._layers)} layers"
                )
            self._entry = layer
            return
        if not isinstance(layer, Layer):
            raise LayerError(
                f"{self.name}: takes layers; got {layer!r}. Wrap a function with Activation, or subclass Layer"
            )
        if any(layer.name == other.name for other in self._layers):
            raise LayerError(
                f"{self.name}: layers must have names of their own; got {layer.name!r} twice. Give one another name="
            )
        if not self._layers and self._entry is None and layer._input_shape is not None:
            self._entry = InputLayer(batch_shape=layer._input_shape)
        if (
            not self._layers
            and self._entry is None
            and isinstance(layer, Model)
            and layer._graph is not None
            and isinstance(layer._graph.inputs, SymbolicTensor)
        ):
            self._entry = InputLayer(batch_shape=layer.input_shape, dtype=layer._graph.inputs.dtype)
        self._layers.append(layer)

    def _rebuild(self) -> None:
        """Follow the input through the layers, where its shape is known."""
        for node in self._graph.nodes if self._graph is not None else ():
            node.layer._state.nodes.remove(node)
        self._graph, self.built = None, False
        self.__dict__.pop("_functions", None)
        if self._entry is not None and self._layers:
            with build_scope(self.name):
                x: Any = self._entry.output
                for layer in self._layers:
                    x = layer(x)
            self._graph = Graph.between(self._entry.output, x)
            self.output_names = self._graph.output_names
            self.built = True

    def build(self, input_shape: Any = None) -> None:
        if input_shape is None or not self._layers:
            raise LayerError(
                f"{self.name}: build needs a shape and at least one layer; got {input_shape} and {len(self._layers)} "
                "layers. Use build((None, columns))"
            )
        self._entry = InputLayer(batch_shape=(None, *tuple(input_shape)[1:]), dtype=self.dtype)
        self._rebuild()

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if self._graph is not None:
            return self._graph.run(inputs)
        for layer in self._layers:
            inputs = layer(inputs)
        return inputs

    def _computes(self) -> bool:
        return True

    def _sublayers(self) -> list[Layer]:
        return list(self._layers)

    @property
    def layers(self) -> list[Layer]:
        return list(self._layers)

    def compute_output_shape(self, input_shape: Any) -> Any:
        for layer in self._layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        entry = [serialize(self._entry)] if self._entry is not None else []
        return {
            "name": self.name,
            "trainable": self._trainable,
            "layers": entry + [serialize(layer) for layer in self._layers],
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        layers = [deserialize(d, "layer", custom_objects) for d in config["layers"]]
        return cls(layers, name=config.get("name"), trainable=config.get("trainable", True))

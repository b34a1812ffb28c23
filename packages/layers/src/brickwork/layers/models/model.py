"""`Model`: a layer that learns, drawn as a graph or written as a class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from .. import tracking
from ..errors import LayerError, nearest
from ..layer import Layer
from ..symbolic import SymbolicTensor
from ..training.trainer import Trainer
from .graph import Graph
from .graph_config import graph_from_config, graph_to_config

__all__ = ["Model"]


class Model(Trainer, Layer):
    """``Model(inputs, outputs)`` from symbolic tensors (trees of them), or a subclass with ``call``.

    Example:
        >>> x = Input((4,))
        >>> model = Model(x, Dense(3, activation="softmax")(x))
        >>> model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    """

    _graph: Graph | None = None

    def __init__(self, *args: Any, inputs: Any = None, outputs: Any = None, name: str | None = None, **kwargs: Any):
        given = list(args)
        inputs = given.pop(0) if given and inputs is None else inputs
        outputs = given.pop(0) if given and outputs is None else outputs
        name = given.pop(0) if given and name is None else name
        if given or (inputs is None) != (outputs is None):
            raise LayerError(
                f"{type(self).__name__}: takes inputs and outputs, or neither; got {len(args)} positional arguments. "
                "Write Model(inputs=x, outputs=y)"
            )
        super().__init__(name=name, **kwargs)
        if inputs is not None:
            self._set_graph(inputs, outputs)

    def _set_graph(self, inputs: Any, outputs: Any) -> None:
        self._state.nodes.clear()
        self._graph = Graph.between(inputs, outputs)
        self.output_names = self._graph.output_names
        self.built = True

    # what it is made of
    def _sublayers(self) -> list[Layer]:
        drawn = list(self._graph.layers) if self._graph is not None else []
        return tracking.distinct([*drawn, *tracking.sublayers(self, Layer)])

    def _all_layers(self) -> list[Layer]:
        return tracking.tree_layers(self, Layer)

    @property
    def layers(self) -> list[Layer]:
        """The layers right below the model."""
        return self._sublayers()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by name or place."""
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise LayerError(f"{self.name}: get_layer index must be below {len(self.layers)}; got {index}")
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise LayerError(
            f"{self.name}: no layer has the name {name!r}. {nearest(name, (layer.name for layer in self.layers))}"
        )

    @property
    def inputs(self) -> list[SymbolicTensor] | None:
        """The symbolic inputs, of a model that was drawn."""
        return None if self._graph is None else tracking.distinct(tracking.inside(self._graph.inputs))

    @property
    def outputs(self) -> list[SymbolicTensor] | None:
        return None if self._graph is None else list(tracking.inside(self._graph.outputs))

    @property
    def input(self) -> Any:
        return self._drawn().inputs

    @property
    def output(self) -> Any:
        return self._drawn().outputs

    @property
    def input_shape(self) -> Any:
        return _shapes(self._drawn().inputs)

    @property
    def output_shape(self) -> Any:
        return _shapes(self._drawn().outputs)

    @property
    def input_names(self) -> list[str]:
        return self._drawn().input_names

    def _drawn(self) -> Graph:
        if self._graph is None:
            raise LayerError(
                f"{self.name}: has symbolic inputs and outputs only when it is drawn; got {type(self).__name__}. "
                "Start it with Input()"
            )
        return self._graph

    # what it does
    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if self._graph is None:
            raise LayerError(f"{type(self).__name__}: define call(self, inputs), or make it from inputs and outputs")
        return self._graph.run(inputs)

    def _computes(self) -> bool:
        return self._graph is not None or type(self).call is not Model.call

    def compute_output_shape(self, input_shape: Any) -> Any:
        return Layer.compute_output_shape(self, input_shape)

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Show the layers with their output shapes and numbers of weights. ``print_fn``: takes the text instead."""
        from .summary import show_summary  # noqa: PLC0415 - rich is only paid for where something is shown

        show_summary(self, line_length, print_fn, expand_nested, show_trainable)

    def say(self, text: str) -> None:
        """Print a line, as callbacks do."""
        from .summary import say  # noqa: PLC0415 - as above

        say(text)

    def save(self, filepath: Any, overwrite: bool = True, **options: Any) -> None:
        """Write the model to one data-only file; see `brickwork.layers.save`."""
        from ..saving import save  # noqa: PLC0415 - a model that is never saved does not pay for it

        save(self, filepath, overwrite=overwrite, **options)

    # data
    def to_state(self) -> dict[str, Any]:
        """Architecture, weights and how it learns, as plain data and arrays: what a bundle holds of a model."""
        from ..saving import model_state  # noqa: PLC0415 - as above

        return model_state(self)

    @classmethod
    def from_state(cls, state: Any) -> Model:
        """The model of a state. Raises `LayerError` where it is damaged, or names what is not registered."""
        from ..saving import model_from_state  # noqa: PLC0415 - as above

        return model_from_state(state)

    def get_config(self) -> dict[str, Any]:
        base = super().get_config()
        if self._graph is None:
            return base
        return {k: v for k, v in base.items() if k in ("name", "trainable", "dtype")} | graph_to_config(self._graph)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """A new model of the same architecture, with weights of its own."""
        if "layers" in config and "inputs" in config:
            inputs, outputs = graph_from_config(config, custom_objects)
            model = cls(inputs=inputs, outputs=outputs, name=config.get("name"))
            if not config.get("trainable", True):
                model.trainable = False
            return model
        return cls(**config)


def _shapes(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {k: _shapes(v) for k, v in tree.items()}
    return [_shapes(v) for v in tree] if isinstance(tree, (list, tuple)) else tree.shape

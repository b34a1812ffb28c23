"""`Layer`: weights and a function of tensors, called on arrays, inside a trace, or on symbolic tensors."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from typing import Any, Self

import numpy as np

from brickwork.tensor import Tensor, Variable, as_dtype, asarray
from brickwork.tensor.dtypes import is_floating
from brickwork.tensor.eager import EagerTrace
from brickwork.tensor.trace import use

from . import budget, constraints, initializers, regularizers, tracking
from .abstract import abstractly, open_shape, placeholder
from .call import call_on_symbols, call_on_tensors
from .context import build_scope, current_path
from .errors import LayerError
from .naming import auto_name
from .serialization import Configurable, serialize
from .symbolic import Node, is_symbolic
from .weight import Weight

__all__ = ["Layer"]


@dataclass(slots=True)
class LayerState:
    """What a layer keeps for itself: the constructor's arguments, the weights made by `add_weight`, its calls in
    graphs, and the shapes of the inputs that it was built for, which a saved model is built for again.
    """

    arguments: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})
    weights: list[Variable] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    losses: list[Tensor] = field(default_factory=list)
    output_shape: Any = None
    built_for: tuple[Any, ...] | None = None
    ready: bool = False
    run: object = None

    def begin(self, run: object) -> None:
        """A call that is part of ``run`` begins: what runs before it added to the loss is over."""
        if self.run is not run:
            self.run = run
            self.losses.clear()


@lru_cache(maxsize=1024)
def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


class Layer(Configurable):
    """Base of layers and models.

    Subclasses make weights in ``build(input_shape)`` with `add_weight` and compute in ``call(inputs)``, which may take
    ``training``.
    ``dtype``: of the weights and of the computation; floating inputs are cast to it.
    """

    kind = "layer"
    _state: LayerState
    input_spec: Any = None
    built = False
    supports_masking = makes_masks = False

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        self._state = LayerState((args, kwargs))
        return self

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "compute_mask" in cls.__dict__:
            cls.supports_masking = cls.makes_masks = True
        if "build" in cls.__dict__:
            cls.build = _build_once(cls.__dict__["build"])  # type: ignore[method-assign]

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ):
        shape = kwargs.pop("input_shape", None)
        self._input_shape = (None, *shape) if shape is not None else kwargs.pop("batch_input_shape", None)
        if kwargs:
            raise LayerError(
                f"{type(self).__name__}: unknown arguments; got {', '.join(kwargs)}. It takes "
                f"{', '.join(_parameters(type(self).__init__)[1:])}"
            )
        self.name = auto_name(type(self).__name__) if name is None else _checked_name(name)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.autocast = autocast
        self._dtype = as_dtype("float32" if dtype is None else dtype).name
        self._trainable = bool(trainable)
        self._state.ready = True

    # what it is
    @property
    def dtype(self) -> str:
        """The name of the dtype of the weights."""
        return self._dtype

    variable_dtype = compute_dtype = dtype

    @property
    def path(self) -> str:
        """The names of the layers around this one and its own, where it is being called."""
        around = current_path()
        return f"{around}/{self.name}" if around else self.name

    # weights
    def add_weight(
        self, shape: Sequence[int] | None = None, initializer: Any = None, dtype: Any = None, trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None, constraint: Any = None, aggregation: str = "none", name: str | None = None,
    ) -> Weight:  # fmt: skip
        """A new variable of the layer. Floats default to "glorot_uniform", other dtypes to "zeros"."""
        self._check_ready()
        kind = as_dtype(dtype or self.dtype)
        make = initializers.get(initializer or ("glorot_uniform" if is_floating(kind) else "zeros"))
        sizes = () if shape is None else tuple(shape)
        if not all(isinstance(n, (int, np.integer)) for n in sizes):
            raise LayerError(
                f"{self.name}: the shape of weight {name!r} must be known; got {sizes}. Give Input() a size for that "
                "axis"
            )
        label = name or "variable"
        budget.spend(label, sizes)
        path = current_path() if current_path().endswith(self.name) else self.path
        with use(EagerTrace()):
            value = asarray(make(sizes, dtype=kind.name))
        weight = Weight(
            value,
            name=label,
            path=f"{path}/{label}",
            trainable=trainable,
            regularizer=regularizers.get(regularizer),
            constraint=constraints.get(constraint),
        )
        if not self._trainable:
            weight.trainable = False
        self._state.weights.append(weight)
        return weight

    def _sublayers(self) -> list[Layer]:
        return tracking.sublayers(self, Layer)

    @property
    def weights(self) -> list[Variable]:
        """Of this layer (learned ones first), then of the layers in it."""
        return tracking.tree_weights(self, Layer)

    @property
    def trainable_weights(self) -> list[Variable]:
        """Those that training changes."""
        return [w for w in self.weights if w.trainable] if self._trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """Those that training leaves alone, or that change otherwise, such as moving averages."""
        learned = {id(w) for w in self.trainable_weights}
        return [w for w in self.weights if id(w) not in learned]

    trainable_variables = trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """As the weights, with the states of random generators."""
        return [*self.non_trainable_weights, *tracking.seed_states(self, Layer)]

    @property
    def variables(self) -> list[Variable]:
        """The weights and the states of random generators."""
        return [*self.weights, *tracking.seed_states(self, Layer)]

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; set it for a layer and all in it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for weight in tracking.own_weights(self):
            weight.trainable = self._trainable and getattr(weight, "learned", True)
        for layer in self._sublayers():
            layer.trainable = value

    def get_weights(self) -> list[np.ndarray]:
        """The values of `weights`, as arrays."""
        return [w.numpy() for w in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Give `weights` new values, in order. Raises `LayerError` where number or shapes differ."""
        own = self.weights
        if len(own) != len(weights):
            raise LayerError(
                f"{self.name}: set_weights needs {len(own)} arrays; got {len(weights)}. Build the layer first, or use "
                "the same architecture"
            )
        for variable, value in zip(own, weights, strict=True):
            if tuple(np.shape(value)) != variable.shape:
                raise LayerError(
                    f"{self.name}: weight {variable.name} must keep shape {variable.shape}; got {np.shape(value)}"
                )
            variable.assign(asarray(value, variable.dtype))

    def count_params(self) -> int:
        """How many numbers the weights hold."""
        return sum(int(w.size) for w in self.weights)

    # its place in a graph
    @property
    def input(self) -> Any:
        """What it was called on, where it stands once in a graph: ``Model(model.input, layer.output)`` cuts a model
        there.
        """
        args = self._only_call().args
        return args[0] if args else self.output

    @property
    def output(self) -> Any:
        """What it gave, where it stands once in a graph."""
        return self._only_call().outputs

    def _only_call(self) -> Node:
        nodes = self._state.nodes
        if len(nodes) != 1:
            raise LayerError(
                f"{self.name}: has an input and an output where it was called once on symbolic tensors; got "
                f"{len(nodes)} calls. Start the model with Input()"
            )
        return nodes[0]

    # losses
    def add_loss(self, loss: Any) -> None:
        """Add a number to the loss of the model, for the call that is running."""
        self._state.losses.append(loss)

    @property
    def losses(self) -> list[Tensor]:
        """What the last call added, and the penalties of regularizers, of this layer and all in it."""
        parts = tracking.tree_layers(self, Layer)
        added = [loss for part in parts if part._state.run is self._state.run for loss in part._state.losses]
        return added + [
            w.regularizer(w.value) for w in self.trainable_weights if getattr(w, "regularizer", None) is not None
        ]

    def _clear_losses(self) -> None:
        self._state.begin(object())

    # building and calling
    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of a shape. The default makes those of sublayers, by following the shapes through
        `call`.
        """
        if self._sublayers() and type(self).call is not Layer.call:
            abstractly(self.call, _placeholders(input_shape, self.compute_dtype))
        self.built = True

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The computation, on tensors."""
        raise NotImplementedError(f"{type(self).__name__}: define call(self, inputs)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._check_ready()
        return (
            call_on_symbols(self, args, kwargs) if is_symbolic((args, kwargs)) else call_on_tensors(self, args, kwargs)
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for a shape of the input; None where a size is open."""
        out = abstractly(call_on_tensors, self, (_placeholders(input_shape, self.compute_dtype),), {})
        return _map_tensors(lambda t: open_shape(t.shape), out)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The mask of the output, where ``supports_masking``: that of the input, by default."""
        return previous_mask

    def _check_ready(self) -> None:
        if not self._state.ready:
            raise LayerError(
                f"{type(self).__name__}: __init__ must call the parent's first; got a layer without it. Put "
                "super().__init__() at its top"
            )

    # data
    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments. A subclass whose arguments are plain data needs no get_config of its own."""
        base = {"name": self.name, "trainable": self._trainable, "dtype": self.dtype}
        if self.activity_regularizer is not None:
            base["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        own = type(self).__init__
        if type(self).__module__.startswith("brickwork.layers") or own is Layer.__init__:
            return base
        args, kwargs = self._state.arguments
        signature = inspect.signature(own)
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        rest = {p.name for p in signature.parameters.values() if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
        given = {k: v for k, v in list(bound.arguments.items())[1:] if k not in rest}
        open_ended = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
        return {
            **{k: v for k, v in base.items() if open_ended or k in signature.parameters},
            **{k: _plain(self, k, v) for k, v in given.items() if k not in base},
        }

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _plain(layer: Layer, name: str, value: Any) -> Any:
    """An argument as data, for a class that does not say how."""
    if isinstance(value, Configurable):
        return serialize(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(layer, name, v) for v in value]
    if isinstance(value, dict):
        return {k: _plain(layer, name, v) for k, v in value.items()}
    raise LayerError(
        f"{type(layer).__name__}: get_config must be defined, since argument {name!r} is no plain data; got "
        f"{type(value).__name__}"
    )


def _build_once(build: Callable[..., Any]) -> Callable[..., Any]:
    """``build`` that makes real weights also inside a trace, and marks the layer as built."""
    if getattr(build, "builds_once", False):
        return build

    @wraps(build)
    def built(self: Layer, *args: Any, **kwargs: Any) -> None:
        if self.built:
            return
        self._check_ready()
        self._state.built_for = self._state.built_for or (*args, *kwargs.values())
        with use(EagerTrace()), build_scope(self.name):
            build(self, *args, **kwargs)
        self.built = True

    built.builds_once = True  # type: ignore[attr-defined]
    return built


def _is_shape(shape: Any) -> bool:
    return isinstance(shape, (tuple, list)) and all(n is None or isinstance(n, (int, np.integer)) for n in shape)


def _placeholders(shape: Any, dtype: str) -> Any:
    if _is_shape(shape):
        return placeholder(tuple(shape), dtype)
    if isinstance(shape, dict):
        return {k: _placeholders(v, dtype) for k, v in shape.items()}
    return [_placeholders(s, dtype) for s in shape]


def _map_tensors(fn: Callable[[Tensor], Any], tree: Any) -> Any:
    if isinstance(tree, dict):
        return {k: _map_tensors(fn, v) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(_map_tensors(fn, v) for v in tree)
    return fn(tree)


def _checked_name(name: Any) -> str:
    if not isinstance(name, str) or not name or "/" in name:
        raise LayerError(
            f"layer: name must be text without '/'; got {name!r}. Choose another, or None for a numbered one"
        )
    return name


Layer.build = _build_once(Layer.build)  # type: ignore[method-assign]

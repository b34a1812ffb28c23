"""How a layer is called: inputs become tensors, weights are made, flags are handed down, and errors say where."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from brickwork.tensor import BrickworkError, Dim, Tensor, as_dtype, asarray, size_of
from brickwork.tensor.dtypes import is_floating
from brickwork.tensor.tree import leaves

from .abstract import abstractly, open_shape, placeholder
from .context import call_scope, current_path, current_run, current_training
from .errors import LayerError
from .input_spec import check_inputs
from .masks import hand_on, is_masked, mask_arguments, mask_of, masks_of, with_mask
from .symbolic import Node, SymbolicTensor

if TYPE_CHECKING:
    from .layer import Layer

__all__ = ["call_on_symbols", "call_on_tensors", "map_leaves"]


@lru_cache(maxsize=1024)
def _signature(function: Callable[..., Any]) -> tuple[tuple[str, ...], bool]:
    """Names of the positional parameters after self, and whether it takes ``training``."""
    parameters = inspect.signature(function).parameters
    return tuple(parameters)[1:], "training" in parameters


def map_leaves(fn: Callable[[Any], Any], tree: Any) -> Any:
    """``fn`` on what is not a list, tuple or dict; None stays."""
    if isinstance(tree, dict):
        return {k: map_leaves(fn, v) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(map_leaves(fn, v) for v in tree)
    return None if tree is None else fn(tree)


def call_on_tensors(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result on arrays, tensors, or trees of them."""
    names, takes_training = _signature(type(layer).call)
    masked = is_masked((args, kwargs))
    if masked:
        kwargs = {**kwargs, **mask_arguments(names, args, kwargs)}
    previous = kwargs.get("mask") if kwargs.get("mask") is not None else masks_of(args[0]) if masked and args else None
    args, kwargs = _prepare(layer, args, kwargs)
    flag = kwargs.pop("training", None)
    training = current_training() if flag is None else bool(flag)
    if takes_training and training is not None and "training" not in names[: len(args)]:
        kwargs["training"] = training
    with call_scope(layer.name, training):
        try:
            layer._state.begin(current_run())
            if args:
                check_inputs(layer.input_spec, args[0])
            if not layer.built:
                _build_for(layer, args, kwargs, names)
            out = layer.call(*args, **kwargs)
            layer._state.output_shape = map_leaves(_example_shape, out)
            if layer.activity_regularizer is not None:
                for t in leaves(out):
                    rows = t.shape[0]
                    layer.add_loss(
                        layer.activity_regularizer(t) / size_of(rows if isinstance(rows, Dim) else max(rows, 1))
                    )
            if layer.makes_masks or previous is not None:
                return hand_on(layer, args[0] if args else None, out, previous)
            return out
        except BrickworkError as error:
            raise located(error, current_path()) from error.__cause__
        except Exception as error:
            _note(error, current_path())
            raise


def _example_shape(t: Any) -> Any:
    return (None, *open_shape(t.shape[1:])) if hasattr(t, "shape") else None


def located(error: BrickworkError, path: str) -> BrickworkError:
    """The error with the path of the innermost layer in front, once."""
    if getattr(error, "layer_path", None) is not None:
        return error
    out = type(error)(f"{path}: {error}").with_traceback(error.__traceback__)
    out.layer_path = path  # type: ignore[attr-defined]
    return out


def _note(error: Exception, path: str) -> None:
    if getattr(error, "layer_path", None) is None:
        try:
            error.layer_path = path  # type: ignore[attr-defined]
            error.add_note(f"In layer {path}.")
        except AttributeError:  # an exception class with slots
            pass


def _prepare(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arrays as tensors, floating ones in the layer's dtype; of the first argument also nested lists of numbers."""
    dtype = as_dtype(layer.compute_dtype) if layer.autocast else None

    def cast(x: Any) -> Any:
        if not isinstance(x, Tensor):
            if not (hasattr(x, "shape") and hasattr(x, "dtype")):
                return x
            x = asarray(x)
        if dtype is None or x.dtype == dtype or not is_floating(x.dtype):
            return x
        return with_mask(x.astype(dtype), mask_of(x))

    if args and _is_numbers(args[0]):
        args = (np.asarray(args[0], dtype=dtype), *args[1:])
    return tuple(map_leaves(cast, x) for x in args), {k: map_leaves(cast, v) for k, v in kwargs.items()}


def _is_numbers(x: Any) -> bool:
    """Whether this is data that is no array yet: a number, nested lists of them, or what NumPy can take as such."""
    if isinstance(x, (list, tuple)):
        return bool(x) and all(isinstance(v, (int, float)) for v in leaves(x))
    return isinstance(x, (int, float)) or (
        not isinstance(x, (Tensor, dict)) and not hasattr(x, "dtype") and hasattr(x, "__array__")
    )


def _build_for(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any], names: tuple[str, ...]) -> None:
    shapes = [map_leaves(lambda t: open_shape(t.shape), x) for x in args if _has_tensors(x)]
    wanted = [p for p in _signature(inspect.unwrap(type(layer).build))[0] if p not in ("args", "kwargs")]
    default = _is_default(layer)
    layer._state.built_for = tuple(shapes)
    if default or not wanted:
        layer.built = True
        return
    if len(wanted) == 1 or not shapes:
        layer.build(*shapes[:1])
        return
    named = {**dict.fromkeys(names), **dict(zip(names, args)), **kwargs}
    given = {f"{n}_shape": map_leaves(_shape_of, x) for n, x in named.items()}
    if not all(p in given for p in wanted):
        raise LayerError(
            f"build: takes shapes named after the arguments of call; got {', '.join(wanted)} for {', '.join(names)}. "
            "Rename them"
        )
    layer.build(**{p: given[p] for p in wanted})


def _shape_of(x: Any) -> Any:
    return open_shape(x.shape) if hasattr(x, "shape") else None


def _map_shapes(fn: Callable[[Any], Any], shapes: Any) -> Any:
    """``fn`` of a shape, or of each in a tree of them."""
    if isinstance(shapes, (tuple, list)) and all(n is None or isinstance(n, int) for n in shapes):
        return fn(tuple(shapes))
    return type(shapes)(_map_shapes(fn, shape) for shape in shapes)


def _is_default(layer: Layer) -> bool:
    """Whether `build` is the base's, whose work the call that follows does by itself."""
    return type(layer).build.__qualname__ == "Layer.build"


def _has_tensors(tree: Any) -> bool:
    return any(isinstance(leaf, Tensor) for leaf in leaves(tree))


def call_on_symbols(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result on symbolic tensors, and a `Node` that remembers the call."""

    def stand_in(x: Any) -> Any:
        return placeholder(x.shape, x.dtype) if isinstance(x, SymbolicTensor) else x

    flat = [x for x in leaves((args, kwargs)) if isinstance(x, SymbolicTensor)]
    if any(None in x.shape[1:] for x in flat) and _knows_shapes(layer):
        outputs = _by_rule(layer, args, kwargs)
    else:
        out = abstractly(call_on_tensors, layer, map_leaves(stand_in, args), map_leaves(stand_in, kwargs))
        layer._clear_losses()
        outputs = map_leaves(
            lambda t: SymbolicTensor(open_shape(t.shape), t.dtype) if isinstance(t, Tensor) else t, out
        )
    node = Node(layer, args, dict(kwargs), outputs)
    for t in leaves(outputs):
        t.node = node
    layer._state.nodes.append(node)
    return outputs


def _knows_shapes(layer: Layer) -> bool:
    return type(layer).compute_output_shape.__qualname__ != "Layer.compute_output_shape"


def _by_rule(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Sizes that stay open inside the example go through the layer's own rule: a stride need not divide them."""
    names = _signature(type(layer).call)[0]
    given = {**dict(zip(names, args)), **kwargs}
    known = {**given, **{f"{n}_shape": map_leaves(_shape_of, x) for n, x in given.items()}}

    def shapes_for(method: Callable[..., Any]) -> dict[str, Any]:
        wanted = _signature(inspect.unwrap(method))[0]
        return {wanted[0]: known[f"{names[0]}_shape"], **{n: known[n] for n in wanted[1:] if n in known}}

    with call_scope(layer.name, None):
        try:
            check_inputs(layer.input_spec, args[0])
            if not layer.built:
                layer.build(**shapes_for(type(layer).build))
            shapes = layer.compute_output_shape(**shapes_for(type(layer).compute_output_shape))
            return _map_shapes(lambda shape: SymbolicTensor(shape, layer.compute_dtype), shapes)
        except BrickworkError as error:
            raise located(error, current_path()) from error.__cause__

"""Models as data, and as files: the architecture as names and numbers, the weights by their place in it.

A file can only name classes of this package and classes and functions that this process has registered with
`register_serializable`; nothing in it is imported, evaluated or run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from brickwork.tensor import Variable, bundle

from . import budget, losses, metrics, optimizers, tracking
from .abstract import abstractly, placeholder
from .call import call_on_tensors
from .errors import LayerError, nearest, unknown
from .layer import Layer
from .models import Model, Sequential
from .serialization import Configurable, deserialize, known, registered_function, registered_name, serialize

__all__ = ["load_model", "model_from_state", "model_state", "save"]

VERSION = 1
FIELDS = {"type", "version", "architecture", "input_shapes", "weights", "seeds", "training"}
COMPILE = ("loss", "loss_weights", "metrics", "weighted_metrics")
KINDS = ("loss", "metric", "layer", "regularizer", "initializer", "constraint")


def save(model: Model, filepath: str | PathLike[str], overwrite: bool = True, include_optimizer: bool = True) -> None:
    """Write a model to one data-only file: architecture, weights and, with ``include_optimizer``, how it learns.

    The optimizer keeps its slots and its count of steps, so training goes on where it stopped. The file is written
    whole or not at all. Raises `LayerError` for a class, loss or metric that no registry holds, and `BundleError` where
    the file can not be written.
    """
    if not overwrite and Path(filepath).exists():
        raise LayerError(f"save: {fspath(filepath)!r} exists and overwrite=False. Name another file")
    bundle.save(filepath, {"model": model_state(model, include_optimizer)})


def load_model(
    filepath: str | PathLike[str], custom_objects: Mapping[str, Any] | None = None, compile: bool = True
) -> Model:
    """The model of a file that `save` wrote, or of any bundle that holds one under the name "model".

    ``custom_objects``: layer classes by name, beside the registered ones. ``compile``: take up loss, metrics and
    optimizer. Raises `BundleError` for a file that is damaged or not a bundle, `LayerError` for what does not make a
    model.
    """
    found = bundle.load(filepath)
    if "model" not in found:
        raise LayerError(f"load_model: the file must hold a model; got {', '.join(found) or 'nothing'} in {filepath!s}")
    model = found["model"]
    return model if isinstance(model, Model) else model_from_state(model, custom_objects, compile)


def model_state(model: Model, include_optimizer: bool = True) -> dict[str, Any]:
    """A model as a tree of plain data and arrays, from which `model_from_state` makes an equal one."""
    if model._graph is None and not model.built:
        raise LayerError(
            f"{model.name}: must be built to be saved; got no weights yet. Call it on data, or start with Input()"
        )
    state = {
        "type": "Model",
        "version": VERSION,
        "architecture": serialize(model),
        "input_shapes": _input_shapes(model),
        "weights": {path: weight.numpy() for path, weight in weight_paths(model)},
        "seeds": [seed.numpy() for seed in tracking.seed_states(model, Layer)],
        "training": _training_state(model) if model.compiled and include_optimizer else None,
    }
    return state


def model_from_state(state: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True) -> Model:
    """The model of a state. Raises `LayerError` where the state is damaged, or names what no registry holds."""
    _check(state)
    with budget.at_most(sum(getattr(value, "size", 0) for value in state["weights"].values())):
        model = _from_architecture(state["architecture"], custom_objects)
        if state["input_shapes"] is not None:
            _build(model, [_shape(shape) for shape in state["input_shapes"]])
    _assign("weights", dict(weight_paths(model)), state["weights"])
    seeds = tracking.seed_states(model, Layer)
    _assign("seeds", dict(enumerate(seeds)), dict(enumerate(state["seeds"])))
    if compile and state["training"] is not None:
        _resume(model, state["training"])
    return model


def weight_paths(model: Layer) -> Iterator[tuple[str, Variable]]:
    """Each weight with its place: ``dense/kernel``. Layers that no graph names stand under their number."""
    seen: set[int] = set()
    yield from _walk(model, "", seen)


def _walk(layer: Any, prefix: str, seen: set[int]) -> Iterator[tuple[str, Variable]]:
    if id(layer) in seen:
        return
    seen.add(id(layer))
    taken: set[str] = set()
    for weight in tracking.own_weights(layer):
        name = weight.name if weight.name not in taken else f"{weight.name}_{len(taken)}"
        taken.add(name)
        if id(weight) not in seen:
            seen.add(id(weight))
            yield f"{prefix}{name}", weight
    # The names of layers made by a subclass are numbered anew in every process, so there only their order is kept.
    named = isinstance(layer, Sequential) or getattr(layer, "_graph", None) is not None
    for k, part in enumerate(layer._sublayers()):
        yield from _walk(part, f"{prefix}{part.name if named else k}/", seen)


# ---- architecture and weights ---------------------------------------------------------------------------------------


def _input_shapes(model: Model) -> list[Any] | None:
    """The shapes that a model which is not drawn was built for, one for each argument of its call."""
    return None if model._graph is not None else list(model._state.built_for or ())


def _build(model: Model, shapes: list[Any]) -> None:
    """Make the weights of a model that is not drawn, as the call that first made them did."""
    inputs = tuple(_placeholders(shape, model.compute_dtype) for shape in shapes)
    try:
        abstractly(call_on_tensors, model, inputs, {})
    except (LayerError, MemoryError):
        raise
    except Exception as error:  # a registered model's own code, on shapes that a file gave
        cause = f"{type(error).__name__}: {error}"
        raise LayerError(f"model: must be built by a call on inputs of shape {shapes}; got {cause}") from error


def _placeholders(shape: Any, dtype: str) -> Any:
    if isinstance(shape, dict):
        return {k: _placeholders(v, dtype) for k, v in shape.items()}
    return placeholder(shape, dtype) if isinstance(shape, tuple) else [_placeholders(v, dtype) for v in shape]


def _shape(value: Any) -> Any:
    """A shape or a tree of them, tuples again after a file."""
    if isinstance(value, Mapping):
        return {k: _shape(v) for k, v in value.items()}
    if all(n is None or isinstance(n, int) for n in value):
        return tuple(value)
    return [_shape(v) for v in value]


def _from_architecture(data: Any, custom_objects: Mapping[str, Any] | None) -> Model:
    if not isinstance(data, Mapping) or not isinstance(data.get("config"), Mapping):
        raise LayerError(f"model: the architecture must be a class name and a config; got {str(data)[:80]!r}")
    table = {**known("layer"), **(custom_objects or {})}
    cls = table.get(data.get("class_name"))
    if cls is None:
        raise unknown("layer", data.get("class_name"), table)
    if not issubclass(cls, Model):
        raise LayerError(f"model: the architecture must be that of a model; got {data['class_name']!r}")
    options = {"custom_objects": custom_objects} if custom_objects else {}
    try:
        return cls.from_config(data["config"], **options)
    except (LayerError, MemoryError):
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        cause = f"{type(error).__name__}: {error}"
        raise LayerError(
            f"model: the config of {data['class_name']} must be what get_config gives; got {cause}"
        ) from error


def _assign(what: str, variables: Mapping[Any, Variable], values: Mapping[Any, Any]) -> None:
    """Give variables the values of a state, where both have the same places, shapes and dtypes."""
    if variables.keys() != values.keys():
        odd = next(iter(variables.keys() ^ values.keys()))
        side = "the architecture" if odd in variables else "the state"
        raise LayerError(f"model: {what} must be those of the architecture; got {odd!r} only in {side}")
    for place, variable in variables.items():
        value = values[place]
        if not isinstance(value, np.ndarray) or value.shape != variable.shape or value.dtype != variable.dtype:
            got = f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
            raise LayerError(f"model: {what} {place!r} must be {variable.dtype} {variable.shape}; got {got}")
        variable.assign(value)


def _check(state: Any) -> None:
    if not isinstance(state, Mapping) or state.get("type") != "Model":
        raise LayerError(f"model: a state must be a dict of type 'Model'; got {str(state)[:80]!r}")
    if state.get("version") != VERSION:
        raise LayerError(
            f"model: the version must be {VERSION}; got {state.get('version')!r}. Upgrade brickwork-layers"
        )
    if state.keys() != FIELDS:
        raise LayerError(f"model: a state must have the fields {', '.join(sorted(FIELDS))}; got {', '.join(state)}")
    kinds: tuple[tuple[str, Any], ...] = (
        ("weights", Mapping),
        ("seeds", (list, tuple)),
        ("training", (Mapping, type(None))),
    )
    for field, kind in kinds:
        if not isinstance(state[field], kind):
            raise LayerError(f"model: {field} has the wrong type; got {type(state[field]).__name__}")


# ---- how it learns --------------------------------------------------------------------------------------------------


def _training_state(model: Model) -> dict[str, Any]:
    """The arguments of compile as data, and all that the optimizer has gathered."""
    optimizer = model.optimizer
    places = {id(weight): path for path, weight in weight_paths(model)}
    slots = {
        places[id(weight)]: {name: slot.numpy() for name, slot in zip(optimizer.slots, own, strict=True)}
        for weight, own in optimizer._slots.values()
        if id(weight) in places
    }
    return {
        "compile": {name: _described(name, model._compile_arguments[name]) for name in COMPILE},
        "run_eagerly": model.run_eagerly,
        "jit_compile": False
        if model.jit_compile is False
        else "auto",  # whether there is a compiler is the machine's matter
        "optimizer": serialize(optimizer),
        "iterations": int(optimizer.iterations.numpy()),
        "slots": slots,
        "shuffle_seed": int(model.shuffle_seed),
    }


def _resume(model: Model, training: Mapping[str, Any]) -> None:
    try:
        arguments = {name: _restored(value) for name, value in training["compile"].items()}
        optimizer = optimizers.deserialize(training["optimizer"])
        model.compile(optimizer, **arguments, run_eagerly=training["run_eagerly"], jit_compile=training["jit_compile"])
        model._shuffle_seed = int(training["shuffle_seed"])
        optimizer.iterations.assign(np.int64(training["iterations"]))
        slots = dict(training["slots"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, LayerError):
            raise
        raise LayerError(f"model: the training state is damaged; got {type(error).__name__}: {error}") from error
    places = dict(weight_paths(model))
    stray = next((path for path in slots if path not in places), None)
    if stray is not None:
        raise LayerError(f"model: slots must belong to weights; got {stray!r}. {nearest(stray, places)}")
    optimizer.build([places[path] for path in slots])
    for path, values in slots.items():
        own = optimizer._slots[id(places[path])][1]
        _assign(f"slots of {path}", dict(zip(optimizer.slots, own, strict=True)), values)


def _described(what: str, value: Any) -> Any:
    """A loss, a metric, or a list or dict of them, as data."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, Configurable):
        return serialize(value)
    if isinstance(value, Mapping):
        return {"by_output": {k: _described(what, v) for k, v in value.items()}}
    if isinstance(value, (list, tuple)):
        return [_described(what, v) for v in value]
    name = registered_name(value) if isinstance(value, type) or callable(value) else None
    if name is not None and isinstance(value, type):
        return {"kind": value.kind, "class_name": name, "config": {}}
    if name is not None:
        return {"function": name}
    home = next(
        (room for room in (losses, metrics) if getattr(room, getattr(value, "__name__", ""), None) is value), None
    )
    if home is not None:
        return value.__name__
    got = getattr(value, "__name__", type(value).__name__)
    raise LayerError(
        f"save: {what} must be a name, an object of this package or a registered function; got {got!r}. "
        "Put @register_serializable() above its definition, or save with include_optimizer=False"
    )


def _restored(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_restored(v) for v in value]
    if not isinstance(value, Mapping):
        return value
    if value.keys() == {"by_output"}:
        return {k: _restored(v) for k, v in value["by_output"].items()}
    if value.keys() == {"function"}:
        function: Callable[..., Any] | None = registered_function(value["function"])
        if function is None:
            raise LayerError(
                f"model: the function {value['function']!r} must be registered before the model is loaded; got none of "
                "that name. Run the module that defines it first"
            )
        return function
    if value.get("kind") not in KINDS:
        raise LayerError(f"model: a part of compile must be of a known kind; got {value.get('kind')!r}")
    return deserialize(value)

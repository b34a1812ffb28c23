"""The interface that the ONNX project asks of a backend: `prepare` a model, `run_model`, `run_node`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from brickwork.tensor import BrickworkError, Tensor, backend_names
from brickwork.tensor.random import SeedGenerator

from . import proto
from .compiling import CompiledModel
from .errors import UnsupportedError
from .folding import obstacle
from .foreign import value_of
from .model import Model, from_onnx
from .reader import read_node
from .runner import Scope
from .runner import run_node as _run_record

__all__ = ["BrickworkBackend", "BrickworkRep", "is_compatible", "prepare", "run_model", "run_node", "supports_device"]

Backend, BackendRep = proto.onnx_backend.Backend, proto.onnx_backend.BackendRep


_FEW = 16
"""A model of no more nodes runs sooner op by op than it compiles."""


class BrickworkRep(BackendRep):
    """A model that is ready to run: ``compiled``, as native calls, or op by op; ``obstacle`` says what keeps it from
    being compiled."""

    def __init__(self, model: Model, device: str = "cpu", compile: bool | None = None):
        self.model, self.device, self.obstacle = model, device, obstacle(model.graph)
        if compile and device != "cpu":
            raise UnsupportedError(f"onnx: compiled models run on the CPU; got {device!r}. Leave compile out")
        wanted = compile is None and device == "cpu" and len(model.graph.nodes) > _FEW and self.obstacle is None
        self.compiled = wanted if compile is None else compile
        self._call = CompiledModel(model).run if self.compiled else model.run

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        """The outputs as NumPy arrays; lists of them for sequences. ``inputs``: one array, or one for each input."""
        given = inputs if isinstance(inputs, (list, tuple)) else (inputs,)
        return tuple(_out(v) for v in self._call(*(_in(v, self.device) for v in given)))


class BrickworkBackend(Backend):
    """`onnx.backend.base.Backend` of Brickwork."""

    @classmethod
    def is_compatible(cls, model: Any, device: str = "CPU", **kwargs: Any) -> bool:
        """Whether `prepare` takes the model."""
        try:
            from_onnx(model)
        except BrickworkError:
            return False
        return cls.supports_device(device)

    @classmethod
    def prepare(cls, model: Any, device: str = "CPU", *, compile: bool | None = None, **kwargs: Any) -> BrickworkRep:
        """A model (path, bytes or `ModelProto`), ready to run.

        ``compile``: True for one native call per set of shapes, False for op by op, None for the first where the model
        has more than a few nodes and no ``obstacle``.
        """
        return BrickworkRep(from_onnx(model), _device(device), compile)

    @classmethod
    def run_model(cls, model: Any, inputs: Any, device: str = "CPU", **kwargs: Any) -> tuple[Any, ...]:
        """The outputs of a model for some inputs."""
        return cls.prepare(model, device, **kwargs).run(inputs)

    @classmethod
    def run_node(
        cls, node: Any, inputs: Sequence[Any], device: str = "CPU", outputs_info: Any = None, **kwargs: Any
    ) -> tuple[Any, ...]:
        """The outputs of one node. ``opset_version``: of which op set; the newest by default."""
        record, where = read_node(node, kwargs.get("opset_version")), _device(device)
        scope = Scope(seeds=SeedGenerator(0))
        for name, value in zip([n for n in record.inputs if n], inputs, strict=True):
            scope.put(name, _in(value, where), True)
        _run_record(record, scope)
        return tuple(_out(scope[name]) for name in record.outputs if name)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Whether models run there: ``CPU``, and ``CUDA`` where brickwork-gpu-kernels is installed."""
        return device.partition(":")[0].lower() in backend_names()


def _device(device: str) -> str:
    if not BrickworkBackend.supports_device(device):
        known = ", ".join(n.upper() for n in backend_names())
        raise UnsupportedError(f"onnx: a device must be one of {known}; got {device!r}. Use CPU")
    return device.lower()


def _in(value: Any, device: str) -> Any:
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return [_in(v, device) for v in value]
    found = value_of(value if isinstance(value, Tensor) else np.asarray(value))
    return found.to(device) if isinstance(found, Tensor) and device != "cpu" else found


def _out(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_out(v) for v in value]
    return value.numpy() if isinstance(value, Tensor) else value


is_compatible = BrickworkBackend.is_compatible
prepare = BrickworkBackend.prepare
run_model = BrickworkBackend.run_model
run_node = BrickworkBackend.run_node
supports_device = BrickworkBackend.supports_device

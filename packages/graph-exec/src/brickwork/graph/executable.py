"""A plan that runs: memory, addresses, and one native call."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from brickwork.tensor.dim import evaluate
from brickwork.tensor.eager import explain
from brickwork.tensor.errors import BrickworkError
from brickwork.tensor.memory import ledger
from brickwork.tensor.tensor import Tensor

from .addresses import address_of, array_at, in_host
from .batches import BatchTable
from .cache import cached_object
from .ir import Graph, Node
from .llvm.library import Library
from .planned import Planned
from .pool import pool

if TYPE_CHECKING:
    from .plan import Plan

__all__ = ["Executable"]

STAGED_BYTES = 1 << 16
"""Arguments up to this size are copied to a place of their own, which is quicker than asking NumPy for an address."""

_ENTRY = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * 6)
_QUESTION = ctypes.CFUNCTYPE(ctypes.c_int64)
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)


def _evaluated(node: Node, arrays: list[np.ndarray]) -> Any:
    """What an op gives by its own eval, with the errors that it gives when it runs eagerly."""
    try:
        with np.errstate(all="ignore"):
            return node.definition.eval(np, *arrays, **node.settings)
    except BrickworkError:
        raise
    except (ValueError, TypeError, IndexError, OverflowError, MemoryError) as error:
        raise explain(node.definition, arrays, node.settings, error) from error


class Executable:
    """A compiled plan. ``found``: whether its code came from the cache."""

    def __init__(self, planned: Planned):
        self.planned, self.traced = planned, planned.traced
        entry = planned.entry
        self.symbols = entry.symbols
        code, self.found = cached_object("plan", planned.key, self.text)
        self._library = Library(code)
        self._entry = self._library.address("brickwork_run")
        self._run = _ENTRY(self._entry)
        self._shares = bool(_QUESTION(self._library.address("brickwork_shares"))())
        self._lock = threading.Lock()
        self._sizes = entry.results
        self._inputs = len(self.traced.graph.inputs)
        self._static = not self.symbols
        self._calls = [(c.node, [(v.spec, c.constants.get(v.id)) for v in c.node.inputs]) for c in entry.calls]
        self._callback = _CALLBACK(self._call_back) if self._calls else None
        self._callback_address = ctypes.cast(self._callback, ctypes.c_void_p).value if self._callback else None
        self._error: BaseException | None = None
        self._values: dict[str, int] = {}
        self._arena = np.empty(0, np.uint8)
        self._prepare()

    @property
    def graph(self) -> Graph:
        """The graph after all passes."""
        return self.planned.graph

    @property
    def plan(self) -> Plan:
        """The plan that runs."""
        return self.planned.plan

    def text(self) -> str:
        """The LLVM module of the plan."""
        from .llvm.engine import host  # noqa: PLC0415 - as below
        from .llvm.module import build_module  # noqa: PLC0415 - what writes code is not needed where code is cached

        return build_module(self.plan, host())

    def _prepare(self) -> None:
        """Everything about a call that does not change from one to the next."""
        traced = self.traced
        self._buffers = (ctypes.c_void_p * max(1, self._inputs + len(self._sizes)))()
        self._table = ctypes.addressof(self._buffers)
        self._dims = (ctypes.c_int64 * max(1, len(self.symbols)))()
        self._dims_address = ctypes.addressof(self._dims)
        specs = [v.spec for v in traced.graph.inputs[: traced.arguments]]
        taken = set(self.planned.entry.taken)  # donated arguments, which are written where they are
        self._staged: list[np.ndarray | None] = []
        for k, spec in enumerate(specs):
            small = self._static and k not in taken and spec.size * spec.dtype.itemsize <= STAGED_BYTES
            stage = np.zeros(spec.shape, spec.dtype) if small else None
            self._staged.append(stage)
            if stage is not None:
                self._buffers[k] = address_of(stage)
        self._held = [in_host(a) for a in traced.captured]
        for k, array in enumerate(self._held):
            self._buffers[traced.arguments + k] = address_of(array)
        self._first_variable = traced.arguments + len(traced.captured)
        self._seen: list[Any] = [None] * len(traced.variables)
        self._owned: list[np.ndarray | None] = []
        for k, spec in enumerate(self._sizes):
            small = self._static and spec.size * spec.dtype.itemsize <= STAGED_BYTES
            place = np.zeros(spec.shape, spec.dtype) if small else None
            self._owned.append(place)
            if place is not None:
                self._buffers[self._inputs + k] = address_of(place)
        if self._static:
            self._reserve(self.planned.entry.arena)  # type: ignore[arg-type]

    def _reserve(self, size: int) -> None:
        if self._arena.size < size + 64:
            ledger.ask("function (working memory)", size + 64)
            self._arena = ledger.made(np.empty(size + 64, np.uint8))
        base = self._arena.ctypes.data
        self._arena_address = base + (-base % 64)

    def __call__(self, arrays: Sequence[np.ndarray], values: dict[str, int] | None = None) -> list[Tensor]:
        """Run on argument arrays of the planned shapes (``values`` of symbolic sizes); gives the results and updates
        variables."""
        with self._lock:
            held = self._bind_arguments(arrays)  # noqa: F841 - alive while the plan runs
            results = self._bind(values)
            return self._made(results, self._enter(self._run, self._table))

    def many(self, rows: BatchTable, count: int, values: dict[str, int] | None) -> list[Tensor]:
        """Run ``count`` times in one native call, on the batches that ``rows`` tells of; gives the last results."""
        with self._lock:
            results = self._bind(values)
            ctypes.memmove(rows.buffers, self._table, ctypes.sizeof(self._buffers))
            return self._made(results, self._enter(rows.run, rows.address, self._entry, *rows.take(count)))

    def repeat(
        self, calls: Sequence[tuple[Callable[..., int] | None, tuple[Any, ...]]], arrays: Sequence[np.ndarray],
        values: dict[str, int] | None, around: Callable[[Callable[[], None], int], None],
    ) -> None:  # fmt: skip
        """Run on one set of arguments by several entry points (None: the plan's own), each with what it takes beyond;
        ``around(run, k)`` is asked to make the run of call ``k``. Assigned variables are left as they were."""
        with self._lock:
            held = self._bind_arguments(arrays)  # noqa: F841 - alive while the plan runs
            results = self._bind(values)
            before = [(v.data, v.data.copy()) for v in self.traced.assigned]
            try:
                for k, (entry, more) in enumerate(calls):
                    around(lambda e=entry, m=more: self._checked(self._enter(e or self._run, self._table, *m)), k)  # type: ignore[misc]
            finally:
                for data, old in before:
                    np.copyto(data, old)
            del results

    @property
    def places(self) -> int:
        """How many addresses a call passes: of inputs and results."""
        return len(self._buffers)

    def _bind(self, values: dict[str, int] | None) -> list[np.ndarray | None]:
        """Addresses of all but the arguments; gives the places of the results."""
        self._bind_variables()
        if values:
            for k, s in enumerate(self.symbols):
                self._dims[k] = values[s]
            self._reserve(evaluate(self.planned.entry.arena, values))
        self._values = values or {}
        if ledger.limit is not None:
            sizes = [evaluate(v.size, self._values) * v.dtype.itemsize for v in self._sizes]
            ledger.ask("function (results)", sum(sizes))
        return self._bind_results(self._values)

    def _checked(self, status: int) -> None:
        """Raises the error of an op that ran by Python."""
        if status:
            error, self._error = self._error, None
            assert error is not None
            raise error

    def _made(self, results: list[np.ndarray | None], status: int) -> list[Tensor]:
        """The results as tensors, or the error of an op that ran by Python."""
        self._checked(status)
        made = [Tensor(r if o is None else o.copy()) for r, o in zip(results, self._owned, strict=True)]
        if ledger.limit is not None:
            for out in made:
                ledger.hold(out.data)
        return made

    def _enter(self, run: Callable[..., int], table: int, *more: Any) -> int:
        """Into native code, with the pool where that is free; ``more``: what it takes beyond an entry point, since it
        makes many calls."""
        workers = pool() if self._shares else None
        arena, dims, callback = self._arena_address, self._dims_address, self._callback_address
        if workers is not None and workers.busy.acquire(blocking=False):
            try:
                workers.wake(keep=bool(more))
                return run(table, arena, dims, workers.address, workers.parallel, callback, *more)
            finally:
                workers.rest()
                workers.busy.release()
        return run(table, arena, dims, None, None, callback, *more)

    def _bind_arguments(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        held = []
        for k, (array, stage) in enumerate(zip(arrays, self._staged, strict=True)):
            if stage is not None:
                stage[...] = array if type(array) is np.ndarray else in_host(array)
                held.append(stage)
            else:
                solid = in_host(array)
                self._buffers[k] = address_of(solid)
                held.append(solid)
        return held

    def _bind_variables(self) -> None:
        """Addresses of variables, again where one has a new array. One that was handed out is copied before it is
        written in place."""
        for k, variable in enumerate(self.traced.variables):
            data = variable.data
            if data is self._seen[k] and not variable.shared:
                continue
            if variable.shared or not data.flags.c_contiguous or not data.flags.writeable:
                data = np.array(in_host(data), order="C")
                variable.data, variable.shared = data, False
            self._seen[k] = data
            self._buffers[self._first_variable + k] = address_of(data)

    def _bind_results(self, values: dict[str, int]) -> list[np.ndarray | None]:
        results: list[np.ndarray | None] = []
        for k, (spec, place) in enumerate(zip(self._sizes, self._owned, strict=True)):
            if place is not None:
                results.append(place)
                continue
            fresh = np.empty(tuple(evaluate(n, values) for n in spec.shape), spec.dtype)
            self._buffers[self._inputs + k] = address_of(fresh)
            results.append(fresh)
        return results

    # ops that run by their own eval
    def _call_back(self, number: int, addresses: int) -> int:
        try:
            node, operands = self._calls[number]
            table = (ctypes.c_void_p * (len(operands) + len(node.outputs))).from_address(addresses)
            places = iter(table)
            arrays = [array_at(next(places), spec, self._values) if c is None else c for spec, c in operands]
            made = _evaluated(node, arrays)
            for v, array in zip(node.outputs, made if isinstance(made, tuple) else (made,), strict=True):
                array_at(next(places), v.spec, self._values)[...] = array
        except BaseException as error:
            self._error = error
            return 1
        return 0

"""`function`: a Python function of tensors, compiled per signature."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brickwork.tensor import tree
from brickwork.tensor.dim import symbol
from brickwork.tensor.dtypes import as_dtype
from brickwork.tensor.eager import EagerTrace
from brickwork.tensor.errors import BrickworkError, TraceError
from brickwork.tensor.spec import TensorSpec
from brickwork.tensor.tensor import Tensor, asarray
from brickwork.tensor.trace import current, use

from .executable import Executable
from .ir import Graph
from .passes import run_pipeline
from .plan import make_plan
from .tracing import GraphTrace

__all__ = ["Function", "RetraceError", "Variant", "function"]

_ARRAYS = (Tensor, np.ndarray, np.generic)


class RetraceError(BrickworkError, RuntimeError):
    """A function would be compiled more often than ``max_variants`` allows."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One compiled version: ``signature`` of its arguments, ``cause`` of its compilation, and what it cost.

    Times in milliseconds: ``trace_ms`` from Python to plan, ``compile_ms`` from plan to code. ``cached``: the code was
    on disk. ``kernels``: steps of the plan; ``calls``: those that run by Python; ``arena_bytes``: memory for what is
    neither input nor result.
    """

    signature: str
    cause: str
    symbolic: bool
    trace_ms: float
    compile_ms: float
    cached: bool
    kernels: int
    calls: int
    arena_bytes: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """``out``: the tree that the function returned, to be filled again; ``single``: it is one tensor."""

    run: Executable
    out: Any
    single: bool
    variant: Variant
    graph: Graph
    symbolic: tuple[bool, ...]


class Function:
    """The compiled function. Call it as the original; `explain` tells what was compiled and why."""

    def __init__(
        self,
        fn: Callable[..., Any],
        *,
        static_argnames: Sequence[str] = (),
        max_variants: int | None = None,
        dynamic_batch: bool = True,
    ):
        functools.update_wrapper(self, fn)
        self.fn, self.max_variants, self.dynamic_batch = fn, max_variants, dynamic_batch
        self.name = getattr(fn, "__name__", type(fn).__name__)
        self.static_argnames = frozenset(static_argnames)
        self._exact: dict[Any, Compiled] = {}
        self._variants: list[Compiled] = []
        self._keys: list[tuple[Any, tuple[Any, ...]]] = []
        self._closed: set[Any] = set()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(current(), EagerTrace):
            return self.fn(*args, **kwargs)
        arrays, layout, specs = self._arguments(args, kwargs)
        compiled = self._exact.get((layout, specs))
        values = None
        if compiled is None:
            compiled, values = self._find(args, kwargs, arrays, layout, specs)
        elif any(compiled.symbolic):
            values = _batch(compiled, arrays)
        results = compiled.run(arrays, values)
        return results[0] if compiled.single else tree.unflatten(compiled.out, results)

    def explain(self) -> list[Variant]:
        """Every compiled variant in order of birth: what it takes, why it was made, and what it cost."""
        return [c.variant for c in self._variants]

    def graph(self, variant: int = 0) -> Graph:
        """The optimised graph of a variant."""
        return self._variants[variant].graph

    def llvm(self, variant: int = 0) -> str:
        """The LLVM text of a variant, as code generation writes it for this CPU, before LLVM's own passes."""
        return self._variants[variant].run.text()

    def lower(self, *args: Any, **kwargs: Any) -> Graph:
        """The graph for arguments like these, before any pass."""
        _, _, specs = self._arguments(args, kwargs)
        return self._trace(args, kwargs, specs, (False,) * len(specs))[0].graph

    # arguments
    def _arguments(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[list[np.ndarray], Any, tuple[Any, ...]]:
        """Arrays of the dynamic leaves, what is static, and shape and dtype of the arrays."""
        arrays: list[np.ndarray] = []
        layout: list[Any] = []
        for a in args:
            if isinstance(a, Tensor):
                arrays.append(a.data)
                layout.append(1)
            elif type(a) is np.ndarray:
                arrays.append(a)
                layout.append(1)
            else:
                layout.append(self._leaves(a, arrays))
        for name, a in kwargs.items():
            layout.append((name, self._static(a) if name in self.static_argnames else self._leaves(a, arrays)))
        return arrays, tuple(layout), tuple([(a.shape, a.dtype) for a in arrays])

    def _leaves(self, value: Any, arrays: list[np.ndarray]) -> Any:
        """Append the arrays of a tree and give its structure, static leaves included."""
        if isinstance(value, (bool, str, bytes)) or value is None:
            return ("static", value)
        structure: list[Any] = []
        for path, leaf in tree.flatten(value):
            if isinstance(leaf, (*_ARRAYS, int, float, complex)) and not isinstance(leaf, bool):
                arrays.append(np.asarray(asarray(leaf).data))
                structure.append(path)
            else:
                structure.append((path, self._static(leaf)))
        return (type(value).__name__, tuple(structure))

    def _static(self, leaf: Any) -> Any:
        try:
            hash(leaf)
        except TypeError:
            raise TraceError(
                f"{self.name}: arguments must be arrays, numbers, trees of them, or hashable; "
                f"got {type(leaf).__name__}. Turn it into an array, or close over it"
            ) from None
        return leaf

    # variants
    def _find(
        self, args: Any, kwargs: Any, arrays: list[np.ndarray], layout: Any, specs: tuple[Any, ...]
    ) -> tuple[Compiled, dict[str, int] | None]:
        """A variant whose first axes are open, or a new one."""
        for found, (old_layout, old) in zip(self._variants, self._keys, strict=True):
            if any(found.symbolic) and old_layout == layout and len(old) == len(specs):
                alike = _masked(old, found.symbolic) == _masked(specs, found.symbolic)
                if alike and (values := _batch(found, arrays)) is not None:
                    self._exact[layout, specs] = found
                    return found, values
        if self.max_variants is not None and len(self._variants) >= self.max_variants:
            raise RetraceError(
                f"{self.name}: compiles at most {self.max_variants} variants; got one more: "
                f"{self._cause(layout, specs)}. "
                "Pad to a common shape, pass numbers as arrays, or raise max_variants"
            )
        open_axes = self._open_axes(layout, specs)
        cause = self._cause(layout, specs)
        if open_axes is not None:
            try:
                made = self._compile(args, kwargs, specs, open_axes, cause)
            except Exception:
                # A function that needs to know its batch size can fail in any way; what is wrong at any size is
                # raised again below.
                self._closed.add((layout, _masked(specs, open_axes)))
            else:
                self._exact[layout, specs] = made
                self._remember(made, layout, specs)
                return made, _batch(made, arrays)
        made = self._compile(args, kwargs, specs, (False,) * len(specs), cause)
        self._exact[layout, specs] = made
        self._remember(made, layout, specs)
        return made, None

    def _remember(self, made: Compiled, layout: Any, specs: tuple[Any, ...]) -> None:
        self._variants.append(made)
        self._keys.append((layout, specs))

    def _open_axes(self, layout: Any, specs: tuple[Any, ...]) -> tuple[bool, ...] | None:
        """Which arguments differ from an earlier call in the size of axis 0 alone, all from one size to another."""
        if not self.dynamic_batch:
            return None
        for old_layout, old in self._keys:
            if old_layout != layout or len(old) != len(specs):
                continue
            differs = tuple(a != b for a, b in zip(old, specs, strict=True))
            pairs = {(a[0][:1], b[0][:1]) for a, b, d in zip(old, specs, differs, strict=True) if d}
            alike = all(
                a[1] == b[1] and a[0][1:] == b[0][1:] and len(a[0]) == len(b[0]) > 0
                for a, b, d in zip(old, specs, differs, strict=True)
                if d
            )
            positive = all(b[0] >= 1 for _, b in pairs if b)
            if alike and len(pairs) == 1 and positive and (layout, _masked(specs, differs)) not in self._closed:
                return differs
        return None

    def _cause(self, layout: Any, specs: tuple[Any, ...]) -> str:
        if not self._keys:
            return "first call"
        old_layout, old = self._keys[-1]
        if old_layout != layout:
            return "other structure or static arguments than before"
        for k, ((shape, dtype), (before, kind)) in enumerate(zip(specs, old, strict=True)):
            name = self._argument_name(k)
            if dtype != kind:
                return f"{name}: dtype {dtype} where it was {kind}"
            if shape != before:
                if len(shape) != len(before):
                    return f"{name}: {len(shape)} axes where it had {len(before)}"
                axis = next(a for a, (m, n) in enumerate(zip(shape, before, strict=True)) if m != n)
                return f"{name}: axis {axis} of size {shape[axis]} where it was {before[axis]}"
        return "arguments as before, on another device"

    def _argument_name(self, k: int) -> str:
        names = self.fn.__code__.co_varnames if hasattr(self.fn, "__code__") else ()
        return f"argument {names[k]}" if k < len(names) else f"array {k}"

    def _trace(self, args: Any, kwargs: Any, specs: tuple[Any, ...], open_axes: tuple[bool, ...]) -> tuple[Any, Any]:
        trace = GraphTrace()
        batch = symbol("N")
        tensors = [
            trace.argument(TensorSpec((batch, *shape[1:]) if is_open else shape, as_dtype(dtype)))
            for (shape, dtype), is_open in zip(specs, open_axes, strict=True)
        ]
        source = iter(tensors)

        def replace(value: Any) -> Any:
            if isinstance(value, _ARRAYS):
                return next(source)
            if isinstance(value, (bool, str, bytes)) or value is None:
                return value
            flat = tree.leaves(value)
            return tree.unflatten(
                value,
                [
                    next(source) if isinstance(x, (*_ARRAYS, int, float, complex)) and not isinstance(x, bool) else x
                    for x in flat
                ],
            )

        moved = [replace(a) for a in args]
        named = {k: v if k in self.static_argnames else replace(v) for k, v in kwargs.items()}
        with use(trace):
            out = self.fn(*moved, **named)
            results = [asarray(x) for x in tree.leaves(out)]
        return trace.finish(results), out

    def _compile(
        self, args: Any, kwargs: Any, specs: tuple[Any, ...], open_axes: tuple[bool, ...], cause: str
    ) -> Compiled:
        start = time.perf_counter()
        traced, out = self._trace(args, kwargs, specs, open_axes)
        graph = run_pipeline(traced.graph)
        plan = make_plan(graph)
        middle = time.perf_counter()
        run = Executable(traced, plan, str(graph))
        end = time.perf_counter()
        signature = ", ".join(
            str(TensorSpec((symbol("N"), *shape[1:]) if o else shape, as_dtype(dtype)))
            for (shape, dtype), o in zip(specs, open_axes, strict=True)
        )
        variant = Variant(
            signature=f"{self.name}({signature})",
            cause=cause,
            symbolic=any(open_axes),
            trace_ms=(middle - start) * 1e3,
            compile_ms=(end - middle) * 1e3,
            cached=run.found,
            kernels=len(plan.kernels),
            calls=len(plan.calls),
            arena_bytes=str(plan.arena),
        )
        return Compiled(run, out, isinstance(out, Tensor), variant, graph, open_axes)


def _masked(specs: tuple[Any, ...], open_axes: tuple[bool, ...]) -> tuple[Any, ...]:
    return tuple(
        (shape[1:], dtype, True) if o else (shape, dtype, False)
        for (shape, dtype), o in zip(specs, open_axes, strict=True)
    )


def _batch(compiled: Compiled, arrays: Sequence[np.ndarray]) -> dict[str, int] | None:
    """The size of the open axis, where all arguments agree on one of at least 1."""
    sizes = {a.shape[0] for a, o in zip(arrays, compiled.symbolic, strict=True) if o}
    size = sizes.pop() if len(sizes) == 1 else 0
    return {"N": size} if size > 0 else None


def function(fn: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Compile a function of tensors. Also a decorator, with or without options.

    The first call with a signature (shapes, dtypes, structure, static values) traces and compiles; later ones run one
    native call. When only the size of axis 0 changes, a variant with that axis open is compiled, once. Variables that
    the function reads are inputs; those it assigns are updated in place. ``static_argnames``: keyword arguments that
    are compiled in. ``max_variants``: raise `RetraceError` rather than compile more. ``dynamic_batch=False``: never
    open axis 0. Nothing falls back to eager; see `Function.explain`.
    """
    if fn is None:
        return lambda f: Function(f, **options)
    return Function(fn, **options)

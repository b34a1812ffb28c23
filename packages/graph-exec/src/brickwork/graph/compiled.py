"""`function`: a Python function of tensors, compiled per signature."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from brickwork.tensor import tree
from brickwork.tensor.dim import symbol
from brickwork.tensor.eager import EagerTrace
from brickwork.tensor.errors import BrickworkError, TraceError
from brickwork.tensor.tensor import Tensor
from brickwork.tensor.trace import current, use

from .arguments import Arguments
from .batches import Batches, checked_rows
from .donation import donate, with_taken
from .executable import Executable
from .ir import Graph
from .planned import Planned
from .tracing import trace_function
from .uncollected import uncollected

if TYPE_CHECKING:
    from .lowered import Lowered
    from .memory import Memory
    from .profile import Profile
    from .variant import Variant

__all__ = ["Function", "RetraceError", "function"]


class RetraceError(BrickworkError, RuntimeError):
    """A function would be compiled more often than ``max_variants`` allows."""


class Birth(NamedTuple):
    """Of a compiled version: shapes and dtypes, why it was made, and milliseconds (see `Variant`)."""

    specs: Sequence[tuple[Any, Any]]
    cause: str
    trace_ms: float
    compile_ms: float


@dataclass(frozen=True, slots=True)
class Compiled:
    """``out``: the tree that the function returned, to be filled again; ``single``: it is one tensor; ``taken``: of
    each result, the donated argument whose memory it takes."""

    run: Executable
    out: Any
    single: bool
    birth: Birth
    symbolic: tuple[bool, ...]
    taken: tuple[int | None, ...]


class Function:
    """The compiled function. Call it as the original; `explain` tells what was compiled and why."""

    def __init__(
        self,
        fn: Callable[..., Any],
        *,
        static_argnums: int | Sequence[int] = (),
        static_argnames: str | Sequence[str] = (),
        donate_argnums: int | Sequence[int] = (),
        donate_argnames: str | Sequence[str] = (),
        max_variants: int | None = None,
        dynamic_batch: bool = True,
        debug: bool | str = False,
    ):
        functools.update_wrapper(self, fn)
        self.fn, self.max_variants, self.dynamic_batch = fn, max_variants, dynamic_batch
        self.name = getattr(fn, "__name__", type(fn).__name__)
        self.arguments = Arguments(fn, self.name, static_argnums, static_argnames, donate_argnums, donate_argnames)
        if debug not in (False, True, "nan"):
            raise TraceError(f'{self.name}: debug must be True, False or "nan"; got {debug!r}. Use True for both kinds')
        self.debug = debug
        self._exact: dict[Any, Compiled] = {}
        self._variants: list[Compiled] = []
        self._keys: list[tuple[Any, tuple[Any, ...]]] = []
        self._closed: set[Any] = set()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(current(), EagerTrace):
            return self.fn(*args, **kwargs)
        arrays, layout, specs = self.arguments.read(args, kwargs)
        if self.debug:
            return self._debugged(args, kwargs, arrays)
        compiled, values = self._ready(args, kwargs, arrays, layout, specs)
        if self.arguments.gives:
            leaves = self.arguments.given(args, kwargs)
            arrays = donate(self.name, leaves, arrays, compiled.taken, [x is not None for x in leaves])
        results = with_taken(compiled.run(arrays, values), arrays, compiled.taken)
        return results[0] if compiled.single else tree.unflatten(compiled.out, results)

    def in_batches(self, *args: Any, rows: int, order: Any = None) -> Batches:
        """The function over successive batches of ``rows`` rows of its arguments, many calls in one native call.

        All arguments are arrays with one number of rows, or trees of them; a batch is cut from each along axis 0, as
        the rows lie or in an ``order`` of row numbers. `Batches.run` makes so many of the calls, and gives what the
        last of them returned; variables are as after that call. Rows that do not fill a batch are left. The same bits
        as call by call. Raises `ValueError` where the arrays do not agree or a batch has no row.

            steps = step.in_batches(x, y, rows=32, order=rng.permutation(len(x)))
            while steps.done < steps.count:
                loss = steps.run(min(100, steps.count - steps.done))
        """
        if not isinstance(current(), EagerTrace):
            raise TraceError(f"{self.name}: in_batches is no op; got a call inside a trace. Write a scan there")
        if self.arguments.gives or self.debug:
            raise TraceError(
                f"{self.name}: in_batches reads rows where they lie; got a function that donates arguments or is "
                "debugged. Compile it without"
            )
        arrays, layout, _ = self.arguments.read(args, {})
        order = checked_rows(self.name, arrays, rows, order)
        first = [np.broadcast_to(a[:1], (rows, *a.shape[1:])) for a in arrays]
        specs = tuple([(a.shape, a.dtype) for a in first])
        compiled, values = self._ready(args, {}, first, layout, specs)
        return Batches(compiled, arrays, rows, order, values)

    def explain(self) -> list[Variant]:
        """Every compiled variant in order of birth: what it takes, why it was made, and what it cost."""
        from .variant import variant_of  # noqa: PLC0415 - for who looks at it

        return [variant_of(self.name, c) for c in self._variants]

    def graph(self, variant: int = 0) -> Graph:
        """The optimised graph of a variant."""
        return self._variant(variant).run.graph

    def llvm(self, variant: int = 0) -> str:
        """The LLVM text of a variant, as code generation writes it for this CPU, before LLVM's own passes."""
        return self._variant(variant).run.text()

    def memory(self, variant: int = 0) -> Memory:
        """What a call of a variant takes, by kind."""
        from .memory import memory_of  # noqa: PLC0415 - for who looks at it

        planned = self._variant(variant).run.planned
        return memory_of(planned.traced, planned.entry)

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """The function for arguments like these, on its way to machine code: ``text()``, ``kernels()``, ``llvm()``,
        ``compile()``. Any array may be a `TensorSpec`, as `spec` makes it, with axis 0 open."""
        from .lowered import lower  # noqa: PLC0415 - for who looks at it

        return lower(self.fn, self.arguments, args, kwargs)

    def profile(self, *args: Any, runs: int = 10, **kwargs: Any) -> Profile:
        """Time (median of ``runs``), operations and bytes of each kernel, on these arguments.

        Compiles where that is needed. Variables are left as they were.
        """
        arrays, layout, specs = self.arguments.read(args, kwargs)
        compiled, values = self._ready(args, kwargs, arrays, layout, specs)
        from .profile import profile_of  # noqa: PLC0415 - for who looks at it

        return profile_of(self.name, compiled.run, arrays, values or {}, runs)

    def to_dot(self, variant: int = 0, *, plan: bool = True) -> str:
        """The plan of a variant (or its graph) in the language of Graphviz."""
        run = self._variant(variant).run
        return run.plan.to_dot() if plan else run.graph.to_dot()

    def to_svg(self, variant: int = 0, *, plan: bool = True) -> str:
        """The plan of a variant (or its graph) drawn."""
        run = self._variant(variant).run
        return run.plan.to_svg() if plan else run.graph.to_svg()

    def _debugged(self, args: Any, kwargs: Any, arrays: list[np.ndarray]) -> Any:
        """The function op by op, its results looked at."""
        from .debug import DebugTrace  # noqa: PLC0415 - for who looks for a NaN

        trace = DebugTrace(self.name, self.debug != "nan")
        tensors = [Tensor(a) for a in arrays]
        for k, tensor in enumerate(tensors):
            trace.check(self._argument_name(k), tensor)
        moved, named = self.arguments.filled(args, kwargs, iter(tensors))
        with use(trace):
            return self.fn(*moved, **named)

    def _variant(self, k: int) -> Compiled:
        if not -len(self._variants) <= k < len(self._variants):
            raise TraceError(
                f"{self.name}: a variant must have been compiled; got number {k} of {len(self._variants)}. Call the "
                "function first, or use lower"
            )
        return self._variants[k]

    # variants
    def _ready(
        self, args: Any, kwargs: Any, arrays: list[np.ndarray], layout: Any, specs: tuple[Any, ...]
    ) -> tuple[Compiled, dict[str, int] | None]:
        """The variant for a call, and the sizes of what is open in it."""
        compiled = self._exact.get((layout, specs))
        if compiled is None:
            return self._find(args, kwargs, arrays, layout, specs)
        return compiled, _batch(compiled, arrays) if any(compiled.symbolic) else None

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

    @uncollected()
    def _compile(
        self, args: Any, kwargs: Any, specs: tuple[Any, ...], open_axes: tuple[bool, ...], cause: str
    ) -> Compiled:
        start = time.perf_counter()
        batch = symbol("N")
        wanted = [
            ((batch, *shape[1:]) if o else shape, dtype) for (shape, dtype), o in zip(specs, open_axes, strict=True)
        ]
        traced, out = trace_function(self.fn, self.arguments, args, kwargs, wanted)
        donated = [x is not None for x in self.arguments.given(args, kwargs)] if self.arguments.gives else ()
        planned = Planned(traced, donated)
        entry = planned.entry
        middle = time.perf_counter()
        run = Executable(planned)
        end = time.perf_counter()
        birth = Birth(wanted, cause, (middle - start) * 1e3, (end - middle) * 1e3)
        return Compiled(run, out, isinstance(out, Tensor), birth, open_axes, entry.taken)


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
    the function reads are inputs; those it assigns are updated in place. Nothing falls back to eager; see
    `Function.explain`.

    ``static_argnums``, ``static_argnames``: arguments that are compiled in, by position or name; they must be hashable,
    and each value is a variant. ``donate_argnums``, ``donate_argnames``: arguments whose memory may be used for
    results; such a tensor must not be used after the call (`DonatedError`), and memory that something else holds is
    copied first. ``max_variants``: raise `RetraceError` rather than compile more. ``dynamic_batch=False``: never open
    axis 0. ``debug=True``: compile nothing, run op by op, and raise `NonFiniteError` at the first NaN or infinity,
    naming op, layer and line; ``debug="nan"``: at the first NaN.
    """
    if fn is None:
        return lambda f: Function(f, **options)
    return Function(fn, **options)

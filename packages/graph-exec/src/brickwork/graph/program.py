"""A compiled function for one signature: what `Lowered.compile` and `load` give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from brickwork.tensor import tree
from brickwork.tensor.dim import Dim, Size, evaluate
from brickwork.tensor.eager import EagerTrace
from brickwork.tensor.errors import DTypeError, ShapeError
from brickwork.tensor.tensor import Tensor, asarray
from brickwork.tensor.trace import current
from brickwork.tensor.variable import Variable

from .donation import Donated, donate, with_taken
from .executable import Executable
from .ir import Graph
from .lowered import Lowered
from .memory import Memory
from .planned import Planned
from .replaying import recording_of
from .structure import matched
from .uncollected import uncollected

if TYPE_CHECKING:
    from .profile import Profile
    from .work import Work

__all__ = ["Program"]


class Program:
    """A compiled function: call it with the arguments it was lowered for, less the static ones.

    An open axis 0 takes any size. ``variables``: those it reads, which it updates where it assigns them. Numbers and
    nested lists take the dtype of their place; arrays must have it. Inside another trace (a gradient, `vmap`, another
    compiled function) its ops are applied one by one, so that it differentiates, maps and fuses.
    """

    @uncollected()
    def __init__(self, lowered: Lowered):
        self.lowered, self.name = lowered, lowered.name
        self._planned = Planned(lowered.traced, lowered.donated)
        self._run = Executable(self._planned)
        self._taken = self._planned.entry.taken
        self._specs = [v.spec for v in lowered.graph.inputs[: lowered.traced.arguments]]
        self._sizes = _open_sizes(self._planned.graph) if self._planned.entry.symbols else ()
        self._sound: set[tuple[tuple[str, int], ...]] = set()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves, arrays, values = self._bound(args, kwargs)
        if not isinstance(current(), EagerTrace) or 0 in values.values():
            return self._filled(self._replayed(arrays, values))
        self._check_sizes(values)
        if any(self.lowered.donated):
            arrays = donate(self.name, leaves, arrays, self._taken, self.lowered.donated)
        return self._filled(with_taken(self._run(arrays, values or None), arrays, self._taken))

    @property
    def variables(self) -> tuple[Variable, ...]:
        return self.lowered.traced.variables

    @property
    def graph(self) -> Graph:
        """The graph after all passes."""
        return self.lowered.optimized

    def text(self) -> str:
        """The graph after all passes, as text."""
        return str(self.graph)

    def kernels(self) -> tuple[Work, ...]:
        """What runs, in order."""
        from .work import works  # noqa: PLC0415 - for who looks at it

        return works(self._planned.plan)

    def llvm(self) -> str:
        """The LLVM text, before LLVM's own passes."""
        return self._run.text()

    def memory(self) -> Memory:
        """What a call takes, by kind."""
        return self.lowered.memory()

    def profile(self, *args: Any, runs: int = 10, **kwargs: Any) -> Profile:
        """Time, operations and bytes of each kernel, on these arguments; variables are left as they were."""
        _, arrays, values = self._bound(args, kwargs)
        self._check_sizes(values)
        from .profile import profile_of  # noqa: PLC0415 - for who looks at it

        return profile_of(self.name, self._run, arrays, values, runs)

    def to_dot(self, *, plan: bool = True) -> str:
        """The plan (or the graph) in the language of Graphviz."""
        return self._planned.plan.to_dot() if plan else self.graph.to_dot()

    def to_svg(self, *, plan: bool = True) -> str:
        """The plan (or the graph) drawn."""
        return self._planned.plan.to_svg() if plan else self.graph.to_svg()

    def __repr__(self) -> str:
        return f"<program {self.name}({', '.join(map(str, self._specs))})>"

    # a call
    def _bound(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[list[Any], list[np.ndarray], dict[str, int]]:
        """Leaves and their arrays, each found to fit, and the open sizes."""
        given = {"args": list(args), "kwargs": kwargs}
        leaves = list(matched(self.name, self.lowered.takes, given))
        values: dict[str, int] = {}
        return leaves, [self._fitting(k, leaf, values) for k, leaf in enumerate(leaves)], values

    def _check_sizes(self, values: dict[str, int]) -> None:
        """Raises `ShapeError` where a size that follows from open ones would be negative."""
        key = tuple(sorted(values.items()))
        if key not in self._sound:
            for size in self._sizes:
                if evaluate(size, values) < 0:
                    raise ShapeError(
                        f"{self.name}: sizes must not be negative; got {size} for {values}. Give more rows"
                    )
            if len(self._sound) < 1024:
                self._sound.add(key)

    def _fitting(self, k: int, leaf: Any, values: dict[str, int]) -> np.ndarray:
        spec = self._specs[k]
        if isinstance(leaf, Tensor) and isinstance(leaf.data, Donated):
            np.asarray(leaf.data)  # raises
        if not hasattr(leaf, "dtype"):
            leaf = asarray(leaf, spec.dtype)
        array: np.ndarray = leaf.data if isinstance(leaf, Tensor) else np.asarray(leaf)
        fits = len(array.shape) == spec.ndim
        for n, size in zip(array.shape, spec.shape):
            if isinstance(size, Dim):
                name = size.terms[0][0][0]
                fits = fits and values.setdefault(name, n) == n
            else:
                fits = fits and n == size
        if not fits:
            raise ShapeError(
                f"{self.name}: argument {k} must be {spec}{_sizes_text(values)}; got {array.shape}. "
                "Give it that shape, or lower for this one"
            )
        if array.dtype != spec.dtype:
            raise DTypeError(
                f"{self.name}: argument {k} must be {spec}; got {array.dtype}. Use .astype({str(spec.dtype)!r})"
            )
        return array

    def _replayed(self, data: Sequence[Any], values: dict[str, Any]) -> list[Tensor]:
        """The results op by op under the current trace: for another trace than the one that computes, and for no rows,
        since kernels are made for at least one."""
        traced = self.lowered.traced
        given = [*map(Tensor, (*data, *traced.captured)), *(v.value for v in traced.variables)]
        out = recording_of(traced.graph, values).replay(given)
        for variable, new in zip(traced.assigned, out[traced.results :], strict=True):
            variable.assign(new)
        return out[: traced.results]

    def _filled(self, results: list[Tensor]) -> Any:
        return tree.unflatten(self.lowered.out, results)


def _sizes_text(values: dict[str, int]) -> str:
    return f" with {', '.join(f'{k}={n}' for k, n in values.items())}" if values else ""


def _open_sizes(graph: Graph) -> tuple[Size, ...]:
    """The symbolic sizes of all values of a graph."""
    sizes: dict[Size, None] = {}

    def visit(graph: Graph) -> None:
        for v in graph.values():
            sizes.update((n, None) for n in v.spec.shape if isinstance(n, Dim))
        for node in graph.nodes:
            for body in node.bodies:
                visit(body)

    visit(graph)
    return tuple(sizes)

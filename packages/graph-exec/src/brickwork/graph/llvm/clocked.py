"""The module of a plan with a clock read before and after each kernel and call: what `profile` runs.

``i64 brickwork_clocked(<as brickwork_run>, clock, marks)``: ``i32 clock(i32 id, ptr timespec)`` is C's `clock_gettime`,
or what stands for it; ``marks`` are two numbers for each step of `Plan.every`: nanoseconds in it so far, and how often
it ran.
"""

from __future__ import annotations

from brickwork.tensor.kernel import Kernel

from ..plan import Call, Plan
from .module import Module
from .nests import Frame
from .strategy import Machine

__all__ = ["build_clocked"]


def build_clocked(plan: Plan, machine: Machine, clock: int) -> str:
    """The module. ``clock``: the number of the clock that is asked."""
    return _Clocked(plan, machine, clock).run()


class _Clocked(Module):
    entry = "brickwork_clocked"
    arguments = (*Module.arguments, "clock", "marks")

    def __init__(self, plan: Plan, machine: Machine, clock: int):
        super().__init__(plan, machine)
        self.clock = clock
        self.places = {id(step): k for k, step in enumerate(plan.every())}

    def run(self) -> str:
        for name in ("%began", "%ended"):
            self.w.stack(name, "i64", 2)
        return super().run()

    def _call(self, call: Call, frame: Frame) -> None:
        self._ask("%began")
        super()._call(call, frame)
        self._mark(self.places[id(call)])

    def _kernel(self, step: Kernel, frame: Frame) -> None:
        self._ask("%began")
        super()._kernel(step, frame)
        self._mark(self.places[id(step)])

    def _ask(self, place: str) -> None:
        self.w.let(f"call i32 %clock(i32 {self.clock}, ptr {place})")

    def _mark(self, k: int) -> None:
        """Add what passed since ``%began`` to the marks of step ``k``."""
        w = self.w
        self._ask("%ended")
        now, then = (self._nanoseconds(place) for place in ("%ended", "%began"))
        for offset, more in ((2 * k, w.let(f"sub i64 {now}, {then}")), (2 * k + 1, "1")):
            at = w.let(f"getelementptr i64, ptr %marks, i64 {offset}")
            so_far = w.let(f"load i64, ptr {at}")
            w.put(f"store i64 {w.let(f'add i64 {so_far}, {more}')}, ptr {at}")

    def _nanoseconds(self, place: str) -> str:
        w = self.w
        seconds = w.let(f"load i64, ptr {place}")
        rest = w.let(f"load i64, ptr {w.let(f'getelementptr i64, ptr {place}, i64 1')}")
        return w.let(f"add i64 {w.let(f'mul i64 {seconds}, 1000000000')}, {rest}")

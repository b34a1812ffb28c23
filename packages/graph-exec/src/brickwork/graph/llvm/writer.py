"""Writes one function of LLVM text: names, blocks, loops, sizes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from brickwork.tensor.dim import Dim, Size

from .types import vector

__all__ = ["Writer"]

Carried = list[tuple[str, str]]
"""Values that go round a loop: (type, value) pairs."""
NAMES = re.compile(r"%[a-z]\w*")


@dataclass(slots=True)
class Loop:
    """A loop that is being written. ``before``: instructions in front of it, which it does not change; ``made``: the
    value of each, by its text."""

    before: list[str] = field(default_factory=list)
    made: dict[str, str] = field(default_factory=dict)


class Writer:
    """Appends instructions to the current block. Values are names or constants, as text; integers are i64.

    ``dims``: the value of each symbolic size in this function. ``half``: whether the CPU converts float16 itself.
    ``patterns``: of float32 values, the 16-bit float that they were made of: its dtype and bits.
    """

    def __init__(self, dims: dict[str, str] | None = None, declared: set[str] | None = None, half: bool = False):
        self.lines: list[str | list[str]] = []
        self.loops: list[Loop] = []
        self.depths: dict[str, int] = {}
        self.count = 0
        self.block = "entry"
        self.dims = dims or {}
        self.half = half
        self.declared = set() if declared is None else declared
        self.offsets: dict[str, tuple[str, int]] = {}
        self.made: dict[str, str] = {}
        self.reserved: dict[str, str] = {}
        self.patterns: dict[str, tuple[str, str]] = {}

    def name(self, stem: str = "t") -> str:
        self.count += 1
        return f"%{stem}{self.count}"

    def put(self, text: str) -> None:
        self.lines.append(f"  {text}")

    def let(self, text: str) -> str:
        """``%new = text``."""
        out = self.name()
        self.put(f"{out} = {text}")
        self.depths[out] = len(self.loops)
        return out

    def same(self, text: str) -> str:
        """As `let`, in front of the loops that do not change it, or the value that is there for the same text: only for
        what reads no memory."""
        depth = max((self.depths.get(n, 0) for n in NAMES.findall(text)), default=0)
        if depth >= len(self.loops):
            if text not in self.made:
                self.made[text] = self.let(text)
            return self.made[text]
        loop = self.loops[depth]
        if text not in loop.made:
            loop.made[text] = out = self.name()
            loop.before.append(f"  {out} = {text}")
            self.depths[out] = depth
        return loop.made[text]

    def is_still(self, value: str) -> bool:
        """Whether the innermost loop does not change a value."""
        return self.depths.get(value, 0) < len(self.loops)

    def stack(self, name: str, kind: str, count: int) -> str:
        """A place on the stack for so many values, reserved once per name."""
        self.reserved[name] = f"  {name} = alloca {kind}, i64 {count}, align 64"
        return name

    def text(self) -> str:
        """The function's blocks."""
        parts = [[line] if isinstance(line, str) else line for line in self.lines]
        return "\n".join([*self.reserved.values(), *(line for part in parts for line in part)])

    def call(self, result: str, function: str, *args: tuple[str, str]) -> str:
        """Call an intrinsic or function with (type, value) arguments, declaring it."""
        self.declared.add(f"declare {result} {function}({', '.join(t for t, _ in args)})")
        text = f"call {result} {function}({', '.join(f'{t} {v}' for t, v in args)})"
        if result == "void":
            self.put(text)
            return ""
        return self.let(text)

    def pure(self, kind: str, function: str, *args: str) -> str:
        """As `call`, of a function of its arguments alone, which all have the type of the result."""
        self.declared.add(f"declare {kind} {function}({', '.join([kind] * len(args))})")
        return self.same(f"call {kind} {function}({', '.join(f'{kind} {a}' for a in args)})")

    def splat(self, value: str, scalar: str, lanes: int) -> str:
        """A vector of one value."""
        if _number(value):
            return f"splat ({scalar} {value})"
        one = self.same(f"insertelement {vector(scalar, lanes)} poison, {scalar} {value}, i64 0")
        kind = vector(scalar, lanes)
        return self.same(f"shufflevector {kind} {one}, {kind} poison, <{lanes} x i32> zeroinitializer")

    # blocks
    def start(self, label: str) -> None:
        self.lines.append(f"{label}:")
        self.block = label
        self.made = {}

    def label(self, stem: str) -> str:
        self.count += 1
        return f"{stem}{self.count}"

    def loop(
        self,
        low: str,
        high: str,
        step: int,
        body: Callable[[str, list[str]], list[str]],
        carried: Carried | None = None,
    ) -> list[str]:
        """``for i in range(low, high, step)``; ``body(i, values)`` gives the values for the next round; gives the
        last ones. A single round is written without a loop."""
        if _number(low) and _number(high) and int(high) <= int(low) + step:
            values = [v for _, v in carried or []]
            return body(low, values) if int(low) < int(high) else values
        _, last = self._rounds(low, step, lambda i: self.let(f"icmp slt i64 {i}, {high}"), body, carried or [])
        return last

    def each(self, low: str, high: str, step: int, body: Callable[[str], None]) -> None:
        """As `loop`, with nothing that goes round."""

        def one(i: str, _: list[str]) -> list[str]:
            body(i)
            return []

        self.loop(low, high, step, one)

    def repeat(self, test: Callable[[str], str], body: Callable[[str], None]) -> str:
        """Rounds i = 0, 1, ... of ``body(i)`` while ``test(i)``, a boolean, is true; gives the number of rounds."""

        def one(i: str, _: list[str]) -> list[str]:
            body(i)
            return []

        count, _ = self._rounds("0", 1, test, one, [])
        return count

    def _rounds(
        self, low: str, step: int, test: Callable[[str], str], body: Callable[[str, list[str]], list[str]],
        carried: Carried,
    ) -> tuple[str, list[str]]:  # fmt: skip
        """The blocks of a loop; gives its index and its values where ``test`` of the index first fails."""
        head, inside, done = (self.label(s) for s in ("head", "body", "done"))
        loop, before, top = Loop(), self.block, list[str]()
        self.lines.append(loop.before)
        self.put(f"br label %{head}")
        self.start(head)
        self.lines.append(top)
        self.loops.append(loop)
        i, after = self.name("i"), self.name("n")
        phis = [self.name("c") for _ in carried]
        self.depths.update(dict.fromkeys((i, *phis), len(self.loops)))
        self.put(f"br i1 {test(i)}, label %{inside}, label %{done}")
        self.start(inside)
        results = body(i, phis)
        self.put(f"{after} = add nsw i64 {i}, {step}")
        latch = self.block
        self.put(f"br label %{head}")
        top.append(f"  {i} = phi i64 [ {low}, %{before} ], [ {after}, %{latch} ]")
        top += [
            f"  {p} = phi {t} [ {v}, %{before} ], [ {r}, %{latch} ]"
            for p, (t, v), r in zip(phis, carried, results, strict=True)
        ]
        self.loops.pop()
        self.start(done)
        return i, phis

    def branch(
        self, condition: str, yes: Callable[[], list[str]], no: Callable[[], list[str]], types: Sequence[str]
    ) -> list[str]:
        """``yes() if condition else no()``, each giving values of these types."""
        labels = [self.label(s) for s in ("yes", "no", "join")]
        self.put(f"br i1 {condition}, label %{labels[0]}, label %{labels[1]}")
        ends = []
        for label, make in zip(labels[:2], (yes, no), strict=True):
            self.start(label)
            values = make()
            ends.append((values, self.block))
            self.put(f"br label %{labels[2]}")
        self.start(labels[2])
        (first, a), (second, b) = ends
        return [self.let(f"phi {t} [ {x}, %{a} ], [ {y}, %{b} ]") for t, x, y in zip(types, first, second, strict=True)]

    # integers
    def size(self, size: Size) -> str:
        """A size as an i64 value."""
        if not isinstance(size, Dim):
            return str(size)
        total = "0"
        for mono, coeff in size.terms:
            term = str(coeff)
            for symbol in mono:
                term = self.mul(self.dims[symbol], term)
            total = self.add(total, term)
        return total

    def add(self, a: str, b: str) -> str:
        if a == "0" or b == "0":
            return b if a == "0" else a
        if _number(a) and _number(b):
            return str(int(a) + int(b))
        out = self.same(f"add nsw i64 {a}, {b}")
        if _number(a) or _number(b):
            name, constant = (b, a) if _number(a) else (a, b)
            base, offset = self.offsets.get(name, (name, 0))
            self.offsets[out] = base, offset + int(constant)
        return out

    def mul(self, a: str, b: str) -> str:
        if "0" in (a, b):
            return "0"
        if a == "1" or b == "1":
            return b if a == "1" else a
        if _number(a) and _number(b):
            return str(int(a) * int(b))
        return self.same(f"mul nsw i64 {a}, {b}")

    def sub(self, a: str, b: str) -> str:
        if b == "0":
            return a
        if _number(a) and _number(b):
            return str(int(a) - int(b))
        return self.same(f"sub nsw i64 {a}, {b}")

    def min(self, a: str, b: str) -> str:
        if _number(a) and _number(b):
            return str(min(int(a), int(b)))
        return self.pure("i64", "@llvm.smin.i64", a, b)

    def max(self, a: str, b: str) -> str:
        if _number(a) and _number(b):
            return str(max(int(a), int(b)))
        return self.pure("i64", "@llvm.smax.i64", a, b)

    def ceil_div(self, a: str, b: int) -> str:
        """``ceil(a / b)`` for any sign of a and positive b."""
        if b == 1:
            return a
        if _number(a):
            return str(-(-int(a) // b))
        top = self.add(a, str(b - 1))
        quotient, remainder = (self.same(f"{op} i64 {top}, {b}") for op in ("sdiv", "srem"))
        negative = self.same(f"icmp slt i64 {remainder}, 0")
        return self.sub(quotient, self.same(f"zext i1 {negative} to i64"))

    def affine(self, start: str, terms: Sequence[tuple[str, Size]]) -> str:
        """``start + sum(i * stride)``. Constants are added last, so that neighbours in a tile share what comes
        before."""
        total, constant = self.apart(start, terms)
        return self.add(total, str(constant))

    def apart(self, start: str, terms: Sequence[tuple[str, Size]]) -> tuple[str, int]:
        """As `affine`, with the constants apart."""
        constant, total = (int(start), "0") if _number(start) else (0, start)
        for i, stride in terms:
            if isinstance(stride, int) and _number(i):
                constant += int(i) * stride
            elif isinstance(stride, int) and stride:
                base, offset = self.offsets.get(i, (i, 0))
                constant += offset * stride
                total = self.add(total, self.mul(base, str(stride)))
            elif stride != 0:
                total = self.add(total, self.mul(i, self.size(stride)))
        return total, constant


def _number(text: str) -> bool:
    return not text.startswith("%")

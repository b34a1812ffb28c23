"""Expressions to instructions, for one point of the loops: scalar, or a vector along one axis."""

from __future__ import annotations

import numpy as np

from brickwork.tensor.dtypes import class_of
from brickwork.tensor.expr import ATOMS, Atom, Expr, expand
from brickwork.tensor.kernel import Kernel

from .instructions import SPECIAL
from .memory import Memory
from .narrow import narrow, spread, widen
from .point import Point
from .types import constant, is_narrow, memory_type, register_type, suffix, vector
from .writer import Writer

__all__ = ["Values", "lowered"]

SINGLE = np.dtype("float32")


def lowered(expr: Expr) -> Expr:
    """The expression with atoms that LLVM has no instruction for replaced by their bodies."""
    return expand(expr, _has_instruction)


def _has_instruction(atom: Atom, dtype: np.dtype) -> bool:
    return class_of(dtype) in atom.llvm or (class_of(dtype) == "b" and "b" in atom.llvm)


class Values:
    """Emits the values of a kernel's bodies."""

    def __init__(self, writer: Writer, kernel: Kernel, memory: Memory):
        self.w, self.kernel, self.memory = writer, kernel, memory
        self.kept: list[Expr] = []

    def of(self, expr: Expr, point: Point) -> tuple[str, bool]:
        """(value, is vector) of an expression at a point. What does not vary along the lanes stays scalar."""
        self.kept.append(expr)
        for node, _ in expr.program:
            if id(node) not in point.memo:
                point.memo[id(node)] = self._node(node, point)
        return point.memo[id(expr)]

    def vector_of(self, expr: Expr, point: Point) -> str:
        """The value as a vector of the point's lanes (a scalar at a scalar point)."""
        value, wide = self.of(expr, point)
        return value if wide or not point.lanes else self._spread(value, expr.dtype, point.lanes)

    def _spread(self, value: str, dtype: np.dtype, lanes: int) -> str:
        """A scalar in every lane."""
        scalar = register_type(dtype)
        return spread(self.w, value, lanes) if scalar == "float" else self.w.splat(value, scalar, lanes)

    def _node(self, node: Expr, point: Point) -> tuple[str, bool]:
        match node.head:
            case "const":
                return constant(node.value, node.dtype), False
            case "arg":
                return self.memory.read(self.kernel.reads[node.value], point)
            case "acc":
                return point.accs[node.value]
            case "index":
                return self._index(node.value, point)
            case "size":
                return self.w.size(node.value), False
        args = [point.memo[id(a)] for a in node.args]
        wide = any(v for _, v in args)
        if wide:
            args = [
                (v if w else self._spread(v, a.dtype, point.lanes), True)
                for a, (v, w) in zip(node.args, args, strict=True)
            ]
        operands = [v for v, _ in args]
        return self._apply(node, operands, point.lanes if wide else 0), wide

    def _index(self, axis: int, point: Point) -> tuple[str, bool]:
        if axis != point.axis or not point.lanes:
            return point.at[axis], False
        return self._lane_positions(point), True

    def _lane_positions(self, point: Point) -> str:
        steps = "<" + ", ".join(f"i64 {k}" for k in range(point.lanes)) + ">"
        assert point.axis is not None
        base = self.w.splat(point.at[point.axis], "i64", point.lanes)
        return self.w.let(f"add <{point.lanes} x i64> {base}, {steps}")

    def _apply(self, node: Expr, args: list[str], lanes: int) -> str:
        source = node.args[-1].dtype
        scalar = register_type(source)
        kind = vector(scalar, lanes)
        if node.head == "cast":
            return self._cast(args[0], source, node.dtype, lanes)
        if node.head == "bitcast":
            return self._bitcast(args[0], source, node.dtype, lanes)
        if node.head == "where":
            return self.w.let(f"select {vector('i1', lanes)} {args[0]}, {kind} {args[1]}, {kind} {args[2]}")
        return self._atom(ATOMS[node.head], args, source, kind, scalar, lanes)

    def _bitcast(self, value: str, source: np.dtype, target: np.dtype, lanes: int) -> str:
        bits = narrow(self.w, value, source, lanes) if is_narrow(source) else value
        if is_narrow(target):
            return widen(self.w, bits, target, lanes)
        a, b = memory_type(source), register_type(target)
        return bits if a == b else self.w.let(f"bitcast {vector(a, lanes)} {bits} to {vector(b, lanes)}")

    def _atom(self, atom: Atom, args: list[str], dtype: np.dtype, kind: str, scalar: str, lanes: int) -> str:
        text = atom.llvm[class_of(dtype)]
        if text.startswith("@"):
            return self.w.call(kind, f"{text}.{suffix(scalar, lanes)}", *[(kind, a) for a in args])
        if text in SPECIAL:
            return SPECIAL[text](self.w, args, kind, scalar, lanes, class_of(dtype))
        if text == "fcmp uno":
            return self.w.let(f"fcmp uno {kind} {args[0]}, {args[0]}")
        return self.w.let(f"{text} {kind} {', '.join(args)}")

    def _cast(self, value: str, source: np.dtype, target: np.dtype, lanes: int) -> str:
        source = SINGLE if is_narrow(source) else source
        if is_narrow(target):
            single = value if source == SINGLE else self._cast(value, source, SINGLE, lanes)
            return widen(self.w, narrow(self.w, single, target, lanes), target, lanes)
        a, b = register_type(source), register_type(target)
        ka, kb = vector(a, lanes), vector(b, lanes)
        ca, cb = class_of(source), class_of(target)
        if cb == "b":
            zero = _zero(ka, a, lanes, source)
            return self.w.let(f"{'fcmp une' if ca == 'f' else 'icmp ne'} {ka} {value}, {zero}") if ca != "b" else value
        if ca == "f" and cb == "f":
            if source == target:
                return value
            return self.w.let(f"{'fpext' if source.itemsize < target.itemsize else 'fptrunc'} {ka} {value} to {kb}")
        if cb == "f":
            return self.w.let(f"{'sitofp' if ca == 'i' else 'uitofp'} {ka} {value} to {kb}")
        if ca == "f":
            name = f"@llvm.fpto{'si' if cb == 'i' else 'ui'}.sat.{suffix(b, lanes)}.{suffix(a, lanes)}"
            return self.w.call(kb, name, (ka, value))
        if ca == "b" or source.itemsize < target.itemsize:
            return self.w.let(f"{'sext' if ca == 'i' else 'zext'} {ka} {value} to {kb}")
        return value if source.itemsize == target.itemsize else self.w.let(f"trunc {ka} {value} to {kb}")


def _zero(kind: str, scalar: str, lanes: int, dtype: np.dtype) -> str:
    return "zeroinitializer" if lanes else constant(0, dtype)

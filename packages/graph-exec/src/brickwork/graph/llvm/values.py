"""Expressions to instructions, for one point of the loops: scalar, or a vector along one axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from brickwork.tensor.dim import Size
from brickwork.tensor.dtypes import class_of
from brickwork.tensor.expr import ATOMS, Atom, Expr, expand
from brickwork.tensor.kernel import Guard, Kernel, Read, Write

from .types import constant, memory_type, register_type, suffix, vector
from .writer import Writer

__all__ = ["Point", "Values", "lowered"]


@dataclass(slots=True)
class Point:
    """Where a body is evaluated.

    ``at``: the value of each loop axis. ``lanes``: 0 for a scalar, else the width of a vector along ``axis``, whose lane k is at
    ``at[axis] + k``; ``mask``: which lanes exist (None: all). ``accs``: results of stages, (value, is vector). ``guarded``: whether guards must be tested.
    """

    at: dict[int, str]
    axis: int | None = None
    lanes: int = 0
    mask: str | None = None
    accs: dict[int, tuple[str, bool]] = field(default_factory=dict)
    memo: dict[int, tuple[str, bool]] = field(default_factory=dict)
    proven: frozenset[Guard] = frozenset()


def lowered(expr: Expr) -> Expr:
    """The expression with atoms that LLVM has no instruction for replaced by their bodies."""
    return expand(expr, _has_instruction)


def _has_instruction(atom: Atom, dtype: np.dtype) -> bool:
    return class_of(dtype) in atom.llvm or (class_of(dtype) == "b" and "b" in atom.llvm)


class Values:
    """Emits the values of a kernel's bodies. ``pointers``: the base address of each buffer."""

    def __init__(self, writer: Writer, kernel: Kernel, pointers: Mapping[int, str]):
        self.w, self.kernel, self.pointers = writer, kernel, pointers
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
        return value if wide or not point.lanes else self.splat(value, register_type(expr.dtype), point.lanes)

    def splat(self, value: str, scalar: str, lanes: int) -> str:
        one = self.w.let(f"insertelement {vector(scalar, lanes)} poison, {scalar} {value}, i64 0")
        return self.w.let(
            f"shufflevector {vector(scalar, lanes)} {one}, {vector(scalar, lanes)} poison, <{lanes} x i32> zeroinitializer"
        )

    def _node(self, node: Expr, point: Point) -> tuple[str, bool]:
        match node.head:
            case "const":
                return constant(node.value, node.dtype), False
            case "arg":
                return self.read(self.kernel.reads[node.value], point)
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
                (v if w else self.splat(v, register_type(a.dtype), point.lanes), True)
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
        base = self.splat(point.at[point.axis], "i64", point.lanes)
        return self.w.let(f"add <{point.lanes} x i64> {base}, {steps}")

    def _apply(self, node: Expr, args: list[str], lanes: int) -> str:
        source = node.args[-1].dtype
        scalar = register_type(source)
        kind = vector(scalar, lanes)
        if node.head == "cast":
            return self._cast(args[0], source, node.dtype, lanes)
        if node.head == "bitcast":
            return self.w.let(f"bitcast {kind} {args[0]} to {vector(register_type(node.dtype), lanes)}")
        if node.head == "where":
            return self.w.let(f"select {vector('i1', lanes)} {args[0]}, {kind} {args[1]}, {kind} {args[2]}")
        return self._atom(ATOMS[node.head], args, source, kind, scalar, lanes)

    def _atom(self, atom: Atom, args: list[str], dtype: np.dtype, kind: str, scalar: str, lanes: int) -> str:
        text = atom.llvm[class_of(dtype)]
        if text.startswith("@"):
            return self.w.call(kind, f"{text}.{suffix(scalar, lanes)}", *[(kind, a) for a in args])
        if text in _SPECIAL:
            return _SPECIAL[text](self, args, kind, scalar, lanes, class_of(dtype))
        if text == "fcmp uno":
            return self.w.let(f"fcmp uno {kind} {args[0]}, {args[0]}")
        return self.w.let(f"{text} {kind} {', '.join(args)}")

    def _cast(self, value: str, source: np.dtype, target: np.dtype, lanes: int) -> str:
        a, b = register_type(source), register_type(target)
        ka, kb = vector(a, lanes), vector(b, lanes)
        ca, cb = class_of(source), class_of(target)
        if cb == "b":
            zero = _zero(ka, a, lanes, source)
            return self.w.let(f"{'fcmp une' if ca == 'f' else 'icmp ne'} {ka} {value}, {zero}") if ca != "b" else value
        if ca == "f" and cb == "f":
            if source.itemsize == target.itemsize:
                single = vector("float", lanes)
                wide = self.w.let(f"fpext {ka} {value} to {single}")
                return self.w.let(f"fptrunc {single} {wide} to {kb}")
            return self.w.let(f"{'fpext' if source.itemsize < target.itemsize else 'fptrunc'} {ka} {value} to {kb}")
        if cb == "f":
            return self.w.let(f"{'sitofp' if ca == 'i' else 'uitofp'} {ka} {value} to {kb}")
        if ca == "f":
            name = f"@llvm.fpto{'si' if cb == 'i' else 'ui'}.sat.{suffix(b, lanes)}.{suffix(a, lanes)}"
            return self.w.call(kb, name, (ka, value))
        if ca == "b" or source.itemsize < target.itemsize:
            return self.w.let(f"{'sext' if ca == 'i' else 'zext'} {ka} {value} to {kb}")
        return value if source.itemsize == target.itemsize else self.w.let(f"trunc {ka} {value} to {kb}")

    # memory
    def address(self, source: int, dtype: np.dtype, offset: Size, strides: tuple[Size, ...], point: Point) -> str:
        place = self.w.affine(self.w.size(offset), [(i, strides[a]) for a, i in point.at.items()])
        return self.w.let(f"getelementptr {memory_type(dtype)}, ptr {self.pointers[source]}, i64 {place}")

    def read(self, read: Read, point: Point) -> tuple[str, bool]:
        """An element, or a vector of them where the read moves along the lanes."""
        guards = [g for g in read.guards if g not in point.proven]
        step = read.strides[point.axis] if point.lanes and point.axis is not None else 0
        wide = step != 0 or any(point.lanes and g.coeffs[point.axis] for g in guards)  # type: ignore[index]
        kind, scalar = memory_type(read.dtype), register_type(read.dtype)
        if not wide:
            value = self._read_scalar(read, guards, point, kind)
            return (self.w.let(f"trunc i8 {value} to i1"), False) if scalar == "i1" else (value, False)
        mask = self._mask(guards, point)
        value = self._read_vector(read, step, mask, point, kind)
        return (
            (self.w.let(f"trunc {vector('i8', point.lanes)} {value} to {vector('i1', point.lanes)}"), True)
            if scalar == "i1"
            else (value, True)
        )

    def _read_scalar(self, read: Read, guards: list[Guard], point: Point, kind: str) -> str:
        if not guards:
            return self.w.let(
                f"load {kind}, ptr {self.address(read.source, read.dtype, read.offset, read.strides, point)}"
            )
        inside = self._inside(guards, point)
        place = self.w.affine(self.w.size(read.offset), [(i, read.strides[a]) for a, i in point.at.items()])
        safe = self.w.let(f"select i1 {inside}, i64 {place}, i64 0")
        pointer = self.w.let(f"getelementptr {kind}, ptr {self.pointers[read.source]}, i64 {safe}")
        value = self.w.let(f"load {kind}, ptr {pointer}")
        return self.w.let(f"select i1 {inside}, {kind} {value}, {kind} {_memory_constant(read)}")

    def _inside(self, guards: list[Guard], point: Point) -> str:
        """Whether all guards hold, at a scalar point."""
        total = ""
        for g in guards:
            place = self.w.affine(str(g.const), [(i, g.coeffs[a]) for a, i in point.at.items()])
            ok = self.w.let(f"icmp ult i64 {place}, {self.w.size(g.extent)}")
            total = ok if not total else self.w.let(f"and i1 {total}, {ok}")
        return total

    def _mask(self, guards: list[Guard], point: Point) -> str | None:
        """The lanes that exist and that the guards admit; None for all."""
        mask, lanes = point.mask, point.lanes
        for g in guards:
            assert point.axis is not None
            place = self.w.affine(str(g.const), [(i, g.coeffs[a]) for a, i in point.at.items()])
            if g.coeffs[point.axis]:
                steps = "<" + ", ".join(f"i64 {k * g.coeffs[point.axis]}" for k in range(lanes)) + ">"
                spread = self.w.let(f"add <{lanes} x i64> {self.splat(place, 'i64', lanes)}, {steps}")
                limit = self.splat(self.w.size(g.extent), "i64", lanes)
                ok = self.w.let(f"icmp ult <{lanes} x i64> {spread}, {limit}")
            else:
                one = self.w.let(f"icmp ult i64 {place}, {self.w.size(g.extent)}")
                ok = self.splat(one, "i1", lanes)
            mask = ok if mask is None else self.w.let(f"and <{lanes} x i1> {mask}, {ok}")
        return mask

    def _read_vector(self, read: Read, step: Size, mask: str | None, point: Point, kind: str) -> str:
        lanes, wide = point.lanes, vector(kind, point.lanes)
        pointer = self.address(read.source, read.dtype, read.offset, read.strides, point)
        fill = self.splat(_memory_constant(read), kind, lanes) if read.guards else "zeroinitializer"
        if step == 1:
            if mask is None:
                return self.w.let(f"load {wide}, ptr {pointer}, align {read.dtype.itemsize}")
            args = (("ptr", pointer), ("i32", str(read.dtype.itemsize)), (f"<{lanes} x i1>", mask), (wide, fill))
            return self.w.call(wide, f"@llvm.masked.load.{suffix(kind, lanes)}.p0", *args)
        stride = self.splat(self.w.size(step), "i64", lanes)
        steps = "<" + ", ".join(f"i64 {k}" for k in range(lanes)) + ">"
        places = self.w.let(f"mul <{lanes} x i64> {stride}, {steps}")
        pointers = self.w.let(f"getelementptr {kind}, ptr {pointer}, <{lanes} x i64> {places}")
        args = (
            (f"<{lanes} x ptr>", pointers),
            ("i32", str(read.dtype.itemsize)),
            (f"<{lanes} x i1>", mask or _all(lanes)),
            (wide, fill),
        )
        return self.w.call(wide, f"@llvm.masked.gather.{suffix(kind, lanes)}.v{lanes}p0", *args)

    def write(self, write: Write, value: tuple[str, bool], point: Point) -> None:
        """Store a value at a point."""
        text, wide = value
        kind, scalar = memory_type(write.dtype), register_type(write.dtype)
        lanes = point.lanes
        if lanes and not wide:
            text = self.splat(text, scalar, lanes)
        if scalar == "i1":
            text = self.w.let(f"zext {vector('i1', lanes)} {text} to {vector('i8', lanes)}")
        pointer = self.address(write.target, write.dtype, write.offset, write.strides, point)
        if not lanes:
            self.w.put(f"store {kind} {text}, ptr {pointer}")
            return
        assert point.axis is not None
        step, many = write.strides[point.axis], vector(kind, lanes)
        if step == 1 and point.mask is None:
            self.w.put(f"store {many} {text}, ptr {pointer}, align {write.dtype.itemsize}")
        elif step == 1:
            args = (
                (many, text),
                ("ptr", pointer),
                ("i32", str(write.dtype.itemsize)),
                (f"<{lanes} x i1>", point.mask or ""),
            )
            self.w.call("void", f"@llvm.masked.store.{suffix(kind, lanes)}.p0", *args)
        else:
            stride = self.splat(self.w.size(step), "i64", lanes)
            steps = "<" + ", ".join(f"i64 {k}" for k in range(lanes)) + ">"
            places = self.w.let(f"mul <{lanes} x i64> {stride}, {steps}")
            pointers = self.w.let(f"getelementptr {kind}, ptr {pointer}, <{lanes} x i64> {places}")
            args = (
                (many, text),
                (f"<{lanes} x ptr>", pointers),
                ("i32", str(write.dtype.itemsize)),
                (f"<{lanes} x i1>", point.mask or _all(lanes)),
            )
            self.w.call("void", f"@llvm.masked.scatter.{suffix(kind, lanes)}.v{lanes}p0", *args)


def _all(lanes: int) -> str:
    return "<" + ", ".join(["i1 true"] * lanes) + ">"


def _memory_constant(read: Read) -> str:
    if class_of(read.dtype) == "b":
        return str(int(bool(read.fill)))
    return constant(read.fill, read.dtype)


def _zero(kind: str, scalar: str, lanes: int, dtype: np.dtype) -> str:
    return "zeroinitializer" if lanes else constant(0, dtype)


def _neg(v: Values, args: list[str], kind: str, scalar: str, lanes: int, cls: str) -> str:
    return v.w.let(f"sub {kind} {'zeroinitializer' if lanes else '0'}, {args[0]}")


def _fneg(v: Values, args: list[str], kind: str, scalar: str, lanes: int, cls: str) -> str:
    return v.w.let(f"fneg {kind} {args[0]}")


def _not(v: Values, args: list[str], kind: str, scalar: str, lanes: int, cls: str) -> str:
    ones = "true" if scalar == "i1" else "-1"
    return v.w.let(f"xor {kind} {args[0]}, {'<' + ', '.join([f'{scalar} {ones}'] * lanes) + '>' if lanes else ones}")


def _shift(name: str) -> object:
    """A shift that is 0 (or the sign) past the width, as NumPy's is; LLVM leaves it open."""

    def emit(v: Values, args: list[str], kind: str, scalar: str, lanes: int, cls: str) -> str:
        bits = int(scalar[1:])
        limit = v.splat(str(bits - 1), scalar, lanes) if lanes else str(bits - 1)
        over = v.w.let(f"icmp ugt {kind} {args[1]}, {limit}")
        amount = v.w.let(f"select {vector('i1', lanes)} {over}, {kind} {limit}, {kind} {args[1]}")
        out = v.w.let(f"{name} {kind} {args[0]}, {amount}")
        if name == "ashr":
            return out
        return v.w.let(
            f"select {vector('i1', lanes)} {over}, {kind} {'zeroinitializer' if lanes else '0'}, {kind} {out}"
        )

    return emit


def _mulhi(v: Values, args: list[str], kind: str, scalar: str, lanes: int, cls: str) -> str:
    bits = int(scalar[1:])
    double = vector(f"i{2 * bits}", lanes)
    a, b = (v.w.let(f"zext {kind} {x} to {double}") for x in args)
    shift = v.splat(str(bits), f"i{2 * bits}", lanes) if lanes else str(bits)
    high = v.w.let(f"lshr {double} {v.w.let(f'mul {double} {a}, {b}')}, {shift}")
    return v.w.let(f"trunc {double} {high} to {kind}")


def _idiv(v: Values, args: list[str], kind: str, scalar: str, lanes: int, cls: str) -> str:
    """Floor division; by zero gives 0 as NumPy does, and the one overflow wraps, where the machine would trap."""
    zero, one = ("zeroinitializer", v.splat("1", scalar, lanes)) if lanes else ("0", "1")
    boolean = vector("i1", lanes)
    by_zero = v.w.let(f"icmp eq {kind} {args[1]}, {zero}")
    if cls == "u":
        safe = v.w.let(f"select {boolean} {by_zero}, {kind} {one}, {kind} {args[1]}")
        out = v.w.let(f"udiv {kind} {args[0]}, {safe}")
        return v.w.let(f"select {boolean} {by_zero}, {kind} {zero}, {kind} {out}")
    ones = v.splat("-1", scalar, lanes) if lanes else "-1"
    by_minus = v.w.let(f"icmp eq {kind} {args[1]}, {ones}")
    odd = v.w.let(f"or {boolean} {by_zero}, {by_minus}")
    safe = v.w.let(f"select {boolean} {odd}, {kind} {one}, {kind} {args[1]}")
    quotient = v.w.let(f"sdiv {kind} {args[0]}, {safe}")
    rest = v.w.let(f"srem {kind} {args[0]}, {safe}")
    inexact = v.w.let(f"icmp ne {kind} {rest}, {zero}")
    signs = v.w.let(f"icmp slt {kind} {v.w.let(f'xor {kind} {rest}, {safe}')}, {zero}")
    down = v.w.let(f"and {boolean} {inexact}, {signs}")
    floored = v.w.let(f"sub {kind} {quotient}, {v.w.let(f'zext {boolean} {down} to {kind}')}")
    negated = v.w.let(f"sub {kind} {zero}, {args[0]}")
    out = v.w.let(f"select {boolean} {by_minus}, {kind} {negated}, {kind} {floored}")
    return v.w.let(f"select {boolean} {by_zero}, {kind} {zero}, {kind} {out}")


_SPECIAL = {
    "neg": _neg,
    "fneg": _fneg,
    "not": _not,
    "mulhi": _mulhi,
    "idiv": _idiv,
    "shl": _shift("shl"),
    "ashr": _shift("ashr"),
    "lshr": _shift("lshr"),
}

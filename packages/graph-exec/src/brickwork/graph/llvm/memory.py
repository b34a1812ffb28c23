"""Loads and stores at a point: scalar, contiguous vector, masked, gathered and scattered."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from brickwork.tensor.dim import Size
from brickwork.tensor.dtypes import class_of
from brickwork.tensor.kernel import Guard, Read, Write

from .narrow import narrow, widen
from .point import Point
from .types import first_lanes, is_narrow, memory_constant, memory_type, register_type, suffix, vector
from .writer import Writer

__all__ = ["Memory"]


class Memory:
    """The buffers of a kernel. ``pointers``: the base address of each."""

    def __init__(self, writer: Writer, pointers: Mapping[int, str]):
        self.w, self.pointers = writer, dict(pointers)

    def address(self, source: int, dtype: np.dtype, offset: Size, strides: tuple[Size, ...], point: Point) -> str:
        """Of the element at a point: what the innermost loop leaves as it is, what it adds, and the constant by which
        neighbours differ. The first is frozen, which says nothing of it to LLVM: its analysis of loops would go through
        all of them for every address."""
        w, kind = self.w, memory_type(dtype)
        terms = [(i, strides[a]) for a, i in point.at.items()]
        still, constant = w.apart("0", [t for t in terms if w.is_still(t[0])])
        moving, more = w.apart("0", [t for t in terms if not w.is_still(t[0])])
        still, pointer = w.add(still, w.size(offset)), self.pointers[source]
        if still != "0":
            pointer = w.same(f"getelementptr {kind}, ptr {pointer}, i64 {still}")
        if still != "0" and moving != "0":
            pointer = w.same(f"freeze ptr {pointer}")
        for step in (moving, str(constant + more)):
            if step != "0":
                pointer = w.same(f"getelementptr {kind}, ptr {pointer}, i64 {step}")
        return pointer

    def read(self, read: Read, point: Point) -> tuple[str, bool]:
        """An element, or a vector of them where the read moves along the lanes."""
        guards = [g for g in read.guards if g not in point.proven]
        step = read.strides[point.axis] if point.lanes and point.axis is not None else 0
        wide = step != 0 or any(point.lanes and g.coeffs[point.axis] for g in guards)  # type: ignore[index]
        kind = memory_type(read.dtype)
        if not wide:
            value = self._read_scalar(read, guards, point, kind)
            return self._to_register(value, read.dtype, 0), False
        mask = self._mask(guards, point)
        value = self._read_vector(read, step, mask, point, kind)
        return self._to_register(value, read.dtype, point.lanes), True

    def _to_register(self, value: str, dtype: np.dtype, lanes: int) -> str:
        """A value as it is computed with, of one as it stands in memory."""
        if is_narrow(dtype):
            return widen(self.w, value, dtype, lanes)
        if class_of(dtype) == "b":
            return self.w.let(f"trunc {vector('i8', lanes)} {value} to {vector('i1', lanes)}")
        return value

    def _to_memory(self, value: str, dtype: np.dtype, lanes: int) -> str:
        """The other way round."""
        if is_narrow(dtype):
            return narrow(self.w, value, dtype, lanes)
        if class_of(dtype) == "b":
            return self.w.let(f"zext {vector('i1', lanes)} {value} to {vector('i8', lanes)}")
        return value

    def _read_scalar(self, read: Read, guards: list[Guard], point: Point, kind: str) -> str:
        if not guards:
            return self.w.let(
                f"load {kind}, ptr {self.address(read.source, read.dtype, read.offset, read.strides, point)}"
            )
        inside = self._inside(guards, point)
        pointer = self.address(read.source, read.dtype, read.offset, read.strides, point)
        # chosen among pointers, of which one is to the fill: then the multiply-add can take it from memory as it stands
        there = self.w.let(f"select i1 {inside}, ptr {pointer}, ptr {self._fill(read, kind)}")
        return self.w.let(f"load {kind}, ptr {there}")

    def _fill(self, read: Read, kind: str) -> str:
        """A pointer to what a read gives outside of its guards."""
        value = memory_constant(read.fill, read.dtype)
        name = f"@fill_{kind}_{value.replace('-', 'm')}"
        self.w.declared.add(f"{name} = private unnamed_addr constant {kind} {value}")
        return name

    def _inside(self, guards: list[Guard], point: Point) -> str:
        """Whether all guards hold, at a scalar point."""
        total = ""
        for g in guards:
            place = self.w.affine(str(g.const), [(i, g.coeffs[a]) for a, i in point.at.items()])
            ok = self.w.same(f"icmp ult i64 {place}, {self.w.size(g.extent)}")
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
                spread = self.w.let(f"add <{lanes} x i64> {self.w.splat(place, 'i64', lanes)}, {steps}")
                limit = self.w.splat(self.w.size(g.extent), "i64", lanes)
                ok = self.w.same(f"icmp ult <{lanes} x i64> {spread}, {limit}")
            else:
                one = self.w.same(f"icmp ult i64 {place}, {self.w.size(g.extent)}")
                ok = self.w.splat(one, "i1", lanes)
            mask = ok if mask is None else self.w.let(f"and <{lanes} x i1> {mask}, {ok}")
        return mask

    def _read_vector(self, read: Read, step: Size, mask: str | None, point: Point, kind: str) -> str:
        lanes, wide = point.lanes, vector(kind, point.lanes)
        pointer = self.address(read.source, read.dtype, read.offset, read.strides, point)
        fill = self.w.splat(memory_constant(read.fill, read.dtype), kind, lanes) if read.guards else "zeroinitializer"
        if step == 1:
            if mask is None:
                return self.w.let(f"load {wide}, ptr {pointer}, align {read.dtype.itemsize}")
            args = (("ptr", pointer), ("i32", str(read.dtype.itemsize)), (f"<{lanes} x i1>", mask), (wide, fill))
            return self.w.call(wide, f"@llvm.masked.load.{suffix(kind, lanes)}.p0", *args)
        stride = self.w.splat(self.w.size(step), "i64", lanes)
        steps = "<" + ", ".join(f"i64 {k}" for k in range(lanes)) + ">"
        places = self.w.let(f"mul <{lanes} x i64> {stride}, {steps}")
        pointers = self.w.same(f"getelementptr {kind}, ptr {pointer}, <{lanes} x i64> {places}")
        args = (
            (f"<{lanes} x ptr>", pointers),
            ("i32", str(read.dtype.itemsize)),
            (f"<{lanes} x i1>", mask or _all(lanes)),
            (wide, fill),
        )
        return self.w.call(wide, f"@llvm.masked.gather.{suffix(kind, lanes)}.v{lanes}p0", *args)

    def copy(self, read: Read, place: Read, point: Point) -> None:
        """Store what a read gives at a point where another read will look for it, as it stands in memory."""
        kind, lanes = memory_type(read.dtype), point.lanes
        assert point.axis is not None
        text = self._read_vector(read, read.strides[point.axis], point.mask, point, kind)
        pointer = self.address(place.source, place.dtype, place.offset, place.strides, point)
        self.w.put(f"store {vector(kind, lanes)} {text}, ptr {pointer}, align {read.dtype.itemsize}")

    def write(self, write: Write, value: tuple[str, bool], point: Point) -> None:
        """Store a value at a point."""
        text, wide = value
        kind, scalar = memory_type(write.dtype), register_type(write.dtype)
        lanes = point.lanes
        if lanes and not wide:
            text = self.w.splat(text, scalar, lanes)
        text = self._to_memory(text, write.dtype, lanes)
        pointer = self.address(write.target, write.dtype, write.offset, write.strides, point)
        if not lanes:
            self.w.put(f"store {kind} {text}, ptr {pointer}")
            return
        assert point.axis is not None
        step, many = write.strides[point.axis], vector(kind, lanes)
        if step == 1 and point.mask == first_lanes(1, lanes):
            # LLVM 22 makes one lane of a masked store that narrows integers a store of the wide type, which overruns.
            one = self.w.let(f"extractelement {many} {text}, i64 0")
            self.w.put(f"store {kind} {one}, ptr {pointer}")
        elif step == 1 and point.mask is None:
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
            stride = self.w.splat(self.w.size(step), "i64", lanes)
            steps = "<" + ", ".join(f"i64 {k}" for k in range(lanes)) + ">"
            places = self.w.let(f"mul <{lanes} x i64> {stride}, {steps}")
            pointers = self.w.same(f"getelementptr {kind}, ptr {pointer}, <{lanes} x i64> {places}")
            args = (
                (many, text),
                (f"<{lanes} x ptr>", pointers),
                ("i32", str(write.dtype.itemsize)),
                (f"<{lanes} x i1>", point.mask or _all(lanes)),
            )
            self.w.call("void", f"@llvm.masked.scatter.{suffix(kind, lanes)}.v{lanes}p0", *args)


def _all(lanes: int) -> str:
    return "<" + ", ".join(["i1 true"] * lanes) + ">"

"""Scalar expressions as straight-line CUDA C: one fold over `Expr`, one variable per distinct node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from brickwork.tensor.dim import Dim, Size
from brickwork.tensor.dtypes import NAMES
from brickwork.tensor.errors import DTypeError
from brickwork.tensor.expr import ATOMS, Expr, const, expand
from brickwork.tensor.kernel import Kernel, Read, Write

from .c_types import NARROW, bitcast, c_type, cast, literal, load, rounded, store

__all__ = ["Statements", "affine", "atom_text", "size_text"]

# Signed overflow is undefined in C++, and narrow integers grow when computed with: these work in the unsigned type and
# wrap.
MODULAR = {"neg", "add", "sub", "mul", "shl"}
# What gives one of its operands, or an integer no wider than it, fits the type as it is.
EXACT = {"neg", "maximum", "minimum", "relu", "abs", "sign", "floor", "ceil", "trunc", "rint", "where"}


def atom_text(name: str, operand: np.dtype, result: np.dtype, args: Sequence[str]) -> str:
    """An atom on operands that are written in C already.

    Raises `DTypeError` for ``mulhi`` on other integers than uint32, the one width that has an instruction on every
    machine.
    """
    c = c_type(operand)
    if name == "mulhi" and operand != NAMES["uint32"]:
        raise DTypeError(f"mulhi: is the upper half of a product of uint32; got {operand.name}. Cast with astype first")
    if name in MODULAR and c.modular:
        return f"({c.register})({ATOMS[name].cuda.format(*(f'({c.modular}){a}' for a in args))})"
    text = ATOMS[name].cuda.format(*args)
    if result in NARROW:
        return text if name in EXACT else rounded(text, result)
    return text if c.register in ("float", "double") else f"({c_type(result).register}){text}"


def size_text(size: Size, symbols: Mapping[str, str]) -> str:
    """A size as a C expression of type ``long long``; ``symbols`` names the parameters that hold the symbolic ones."""
    if not isinstance(size, Dim):
        return f"{size}ll" if size >= 0 else f"({size}ll)"
    terms = [
        " * ".join([*([f"{k}ll"] if k != 1 or not names else []), *(symbols[s] for s in names)])
        for names, k in size.terms
    ]
    return terms[0] if len(terms) == 1 else f"({' + '.join(terms)})"


def affine(offset: Size, strides: Sequence[Size], symbols: Mapping[str, str]) -> str:
    """``offset + sum(strides[a] * i<a>)`` as a C expression of type ``long long``, axes of stride 0 left out."""
    terms = [f"i{a}" if s == 1 else f"{size_text(s, symbols)} * i{a}" for a, s in enumerate(strides) if s != 0]
    if offset != 0 or not terms:
        terms.insert(0, size_text(offset, symbols))
    return " + ".join(terms)


class Statements:
    """Code of one scope under construction: ``lines`` so far, and the C name of each node that is computed already.

    Names in scope: ``i<a>`` indices, ``acc<k>`` results of stages, ``b<n>`` buffers; it adds ``x<k>`` for reads and
    ``t<n>`` for values.
    """

    def __init__(self, kernel: Kernel, symbols: Mapping[str, str]):
        self.kernel, self.symbols = kernel, symbols
        self.lines: list[str] = []
        self._names: dict[Expr, str] = {}

    def value(self, expr: Expr) -> str:
        """The C name of an expression's value, after the lines that compute what was not computed yet."""
        lowered = expand(expr, lambda atom, _: bool(atom.cuda))
        for node, _ in lowered.program:
            if node not in self._names:
                self._names[node] = self._name(node)
        return self._names[lowered]

    def write(self, write: Write, name: str) -> None:
        """A line that puts a value where a writing stage wants it."""
        self.lines.append(
            f"b{write.target}[{affine(write.offset, write.strides, self.symbols)}] = {store(name, write.dtype)};"
        )

    def _name(self, node: Expr) -> str:
        match node.head:
            case "const":
                return literal(node.value)
            case "size":
                return size_text(node.value, self.symbols)
            case "index":
                return f"i{node.value}"
            case "acc":
                return f"acc{node.value}"
            case "arg":
                return self._define(f"x{node.value}", node.dtype, self._read(self.kernel.reads[node.value]))
        return self._define(f"t{len(self.lines)}", node.dtype, self._computed(node))

    def _define(self, name: str, dtype: np.dtype, text: str) -> str:
        self.lines.append(f"const {c_type(dtype).register} {name} = {text};")
        return name

    def _read(self, read: Read) -> str:
        element = load(f"b{read.source}[{affine(read.offset, read.strides, self.symbols)}]", read.dtype)
        if not read.guards:
            return element
        inside = []
        for guard in read.guards:
            place = affine(guard.const, guard.coeffs, self.symbols)
            inside.append(f"{place} >= 0 && {place} < {size_text(guard.extent, self.symbols)}")
        return f"({' && '.join(inside)}) ? {element} : {literal(const(read.fill, read.dtype).value)}"

    def _computed(self, node: Expr) -> str:
        args = [self._names[a] for a in node.args]
        source = node.args[-1].dtype
        if node.head == "cast":
            return cast(args[0], source, node.dtype)
        if node.head == "bitcast":
            return bitcast(args[0], source, node.dtype)
        return atom_text(node.head, source, node.dtype, args)

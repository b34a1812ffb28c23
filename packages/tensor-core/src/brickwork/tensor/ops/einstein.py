"""`einsum`: the equation, and its sum of products as contractions of two operands at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..contraction_paths import EinsumPath, Letters, measured, path_of, without_lone
from ..dim import Dim
from ..dtypes import promote, wide_of
from ..errors import ShapeError
from ..op import OPS
from ..spec import as_ints
from ..tensor import Tensor, asarray, beside
from ..trace import bind
from ..view import Affine, Form
from .contraction import contract
from .elementwise import astype
from .movement import reshape, transpose

__all__ = ["einsum", "einsum_path"]

BROADCAST = [chr(n) for n in range(0x2460, 0x24A0)]
"""Letters for the axes of an ellipsis, the last axis first."""
NOMINAL = 64
"""What a symbolic size counts for in the search of a path."""


@lru_cache(maxsize=512)
def _parse(equation: str, ranks: tuple[int, ...]) -> tuple[tuple[str, ...], str]:
    """A letter per axis of each operand, the axes of an ellipsis among them, and the letters of the result."""
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    given = left.split(",")
    if not ranks:
        raise ShapeError(
            f"einsum: at least one operand; got none for {equation!r}. Pass the operands after the equation"
        )
    if len(given) != len(ranks):
        raise ShapeError(
            f"einsum: one term per operand; got {len(given)} terms in {equation!r} for {len(ranks)} operands. "
            "Part the terms with commas"
        )
    terms = tuple(_with_axes(equation, term, rank) for term, rank in zip(given, ranks, strict=True))
    letters = "".join(terms)
    wide = max((rank - len(t) + 3 for t, rank in zip(given, ranks, strict=True) if "..." in t), default=0)
    ellipsis = "".join(reversed(BROADCAST[:wide]))
    if not arrow:
        named = {c for c in letters if c not in BROADCAST}
        right = ellipsis + "".join(sorted(c for c in named if letters.count(c) == 1))
    else:
        if right.count("...") > 1 or (wide and "..." not in right):
            raise ShapeError(f"einsum: the output must have the axes of the ellipsis, once; got {equation!r}. Add ...")
        right = right.replace("...", ellipsis)
    if any(not (c.isalpha() or c in BROADCAST) for c in letters + right) or len(set(right)) != len(right):
        raise ShapeError(
            f"einsum: terms must be letters, each once in the output; got {equation!r}. Write for example 'ij,jk->ik'"
        )
    if not set(right) <= set(letters):
        raise ShapeError(
            f"einsum: output letters must come from the operands; got {equation!r}. Leave it out, or name it in a term"
        )
    return terms, right


def _with_axes(equation: str, term: str, rank: int) -> str:
    """A term with letters for the axes that its ellipsis stands for."""
    head, dots, tail = term.partition("...")
    missing = rank - len(head) - len(tail)
    if "." in head + tail or missing < 0 or (missing and not dots) or missing > len(BROADCAST):
        raise ShapeError(
            f"einsum: a letter per axis, or ...; got {term!r} for {rank} axes in {equation!r}. Name every axis"
        )
    return head + "".join(reversed(BROADCAST[:missing])) + tail


def _sizes(equation: str, terms: Sequence[str], shapes: Sequence[Any]) -> dict[str, Any]:
    """The size of each letter, in order of appearance; axes of an ellipsis stretch from 1."""
    sizes: dict[str, Any] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, size in zip(term, shape, strict=True):
            known = sizes.setdefault(letter, size)
            if known == size or (letter in BROADCAST and size == 1):
                continue
            if letter in BROADCAST and known == 1:
                sizes[letter] = size
                continue
            raise ShapeError(
                f"einsum: sizes of a letter must match; got {'...' if letter in BROADCAST else repr(letter)} of sizes "
                f"{known} and {size} in {equation!r}. "
                "Give one of them another letter"
            )
    return sizes


def _diagonal(x: Tensor, term: str) -> tuple[Tensor, str]:
    """An operand without repeated letters: of two axes of one letter, every n + 1-st element of both as one."""
    for letter in dict.fromkeys(term):
        while term.count(letter) > 1:
            i, j = term.index(letter), term.rindex(letter)
            n = x.shape[i]
            if isinstance(n, Dim):
                raise ShapeError(
                    f"einsum: a diagonal needs a known size; got {n} for {letter!r} of {x.shape}. "
                    "Compile for a fixed size"
                )
            rest = [a for a in range(x.ndim) if a not in (i, j)]
            lead = tuple(x.shape[a] for a in rest)
            flat = reshape(transpose(x, (*rest, i, j)), (*lead, n * n))
            places = {"start": (0,) * (len(rest) + 1), "size": (*lead, n), "step": (*(1,) * len(rest), n + 1)}
            x, term = bind(OPS["slice"], (flat,), places), "".join(term[a] for a in rest) + letter
    return x, term


def _prepared(x: Tensor, term: str, plain: str) -> Tensor:
    """An operand with just the axes of its plain term: of diagonals one, of stretched axes of size 1 none."""
    if term == plain:
        return x
    x, term = _diagonal(x, term)
    return reshape(x, tuple(n for n, c in zip(x.shape, term, strict=True) if c in plain))


def _plain(term: str, shape: Sequence[Any], sizes: dict[str, Any]) -> str:
    """The letters of a term once each, those of diagonals last, less axes of size 1 that another ellipsis stretches."""
    once = [c for c in term if term.count(c) == 1]
    letters = [*once, *dict.fromkeys(c for c in term if c not in once)]
    stretched = {c for c, n in zip(term, shape, strict=True) if c in BROADCAST and n == 1 and sizes[c] != 1}
    return "".join(c for c in letters if c not in stretched)


def _form(terms: Sequence[str], out: str, sizes: dict[str, Any]) -> Form:
    """One contraction: the product of the operands, summed over the letters that the result has not."""
    order = out + "".join(dict.fromkeys(c for term in terms for c in term if c not in out))
    n = len(order)
    maps = tuple(tuple(Affine.axis(order.index(c), n) for c in term) for term in terms)
    return Form(tuple(sizes[c] for c in order), maps, tuple(range(len(out))))


def _choice(optimize: Any, terms: tuple[Letters, ...], out: Letters, sizes: dict[str, Any]) -> EinsumPath:
    """The path that is asked for."""
    lengths = tuple((c, NOMINAL if isinstance(n, Dim) else int(n)) for c, n in sizes.items())
    if isinstance(optimize, str):
        return path_of(terms, out, lengths, optimize)
    left = len(terms)
    for step in optimize:
        if len(set(step)) != len(step) or not step or max(step) >= left:
            raise ShapeError(
                f"einsum: a step must name different operands of {left}; got {step} in {optimize!r}. "
                "Take the path that einsum_path gives"
            )
        left -= len(step) - 1
    if left != 1:
        raise ShapeError(
            f"einsum: a path must leave one result; got {left} after {optimize!r}. Take the path that einsum_path gives"
        )
    return measured(optimize, terms, out, dict(lengths))


def _wish(optimize: Any) -> Any:
    """What `optimize` asks for: a word, or steps."""
    if isinstance(optimize, EinsumPath):
        return optimize.steps
    if isinstance(optimize, (tuple, list)):
        return tuple(as_ints("einsum", "a step of the path", step, least=0) for step in optimize)
    word = {True: "auto", False: "none"}[optimize] if isinstance(optimize, bool) else optimize
    if not isinstance(word, str) or word not in ("auto", "optimal", "greedy", "none"):
        raise ShapeError(f'einsum: optimize must be "auto", "optimal", "greedy", a bool or a path; got {optimize!r}')
    return word


@dataclass(frozen=True, slots=True)
class Plan:
    """What an equation means for operands of these shapes: their terms, as given and plain; letters that are summed
    before (operand, form); the contractions in order (operands, form); and the path that these follow."""

    terms: tuple[str, ...]
    plain: tuple[str, ...]
    first: tuple[tuple[int, Form], ...]
    steps: tuple[tuple[tuple[int, ...], Form], ...]
    path: EinsumPath


@lru_cache(maxsize=1024)
def _plan(equation: str, shapes: tuple[Any, ...], optimize: Any) -> Plan:
    terms, right = _parse(equation, tuple(map(len, shapes)))
    sizes = _sizes(equation, terms, shapes)
    plain = tuple(_plain(t, s, sizes) for t, s in zip(terms, shapes, strict=True))
    path = _choice(optimize, tuple(map(frozenset, plain)), frozenset(right), sizes)
    present, first, steps = list(plain), [], []
    if len(plain) > 1:
        for n, kept in enumerate(without_lone(list(map(frozenset, plain)), frozenset(right))):
            if len(kept) != len(plain[n]):
                present[n] = "".join(c for c in plain[n] if c in kept)
                first.append((n, _form([plain[n]], present[n], sizes)))
    for number, step in enumerate(path.steps):
        chosen = [present[k] for k in step]
        present = [t for k, t in enumerate(present) if k not in step]
        wanted = set(right).union(*present)
        shared = [c for c in chosen[0] if all(c in t for t in chosen)]
        last = number == len(path.steps) - 1
        out = right if last else "".join(c for c in dict.fromkeys([*shared, *"".join(chosen)]) if c in wanted)
        steps.append((step, _form(chosen, out, sizes)))
        present.append(out)
    return Plan(terms, plain, tuple(first), tuple(steps), path)


def einsum(equation: str, *operands: Any, optimize: Any = "auto") -> Tensor:
    """Einstein summation, ``einsum("bij,bjk->bik", a, b)``: letters name axes, those not in the result are summed over.

    ``...`` stands for further axes, which broadcast. A letter twice in a term takes the diagonal. Without ``->`` the
    result has the axes of the ellipsis, then the letters that occur once, sorted. The dtype is the promoted one; three
    or more float16 or bfloat16 operands are multiplied in float32.

    ``optimize``: how to order the products of several operands: "auto" (the best order of all for up to eight operands,
    else greedily), "optimal", "greedy", False for one loop over all letters, or a path as `einsum_path` gives it.
    Raises `ShapeError` when terms do not fit the operands or sizes of a letter differ.
    """
    if not isinstance(equation, str):
        raise ShapeError(f"einsum: the equation must be text; got {equation!r}. The operands come after it")
    tensors = [x if isinstance(x, Tensor) else asarray(x) for x in operands]
    plan = _plan(equation, tuple([x.shape for x in tensors]), _wish(optimize))
    whole = promote(*[x.dtype for x in tensors])
    work = wide_of(whole) if len(tensors) > 2 else whole
    tensors = [
        _prepared(x if x.dtype == work else astype(beside(x, tensors[0]), work), term, plain)
        for x, term, plain in zip(tensors, plan.terms, plan.plain, strict=True)
    ]
    for n, form in plan.first:
        tensors[n] = bind(contract, (tensors[n],), {"form": form})
    for step, form in plan.steps:
        product = bind(contract, tuple([tensors[k] for k in step]), {"form": form})
        tensors = [*(x for k, x in enumerate(tensors) if k not in step), product]
    return tensors[0] if work is whole else astype(tensors[0], whole)


def einsum_path(equation: str, *shapes: Any, optimize: Any = "auto") -> EinsumPath:
    """The order in which `einsum` multiplies its operands, and what it costs, as an `EinsumPath`.

    ``shapes``: of each operand its shape, or the operand. The result may be given to ``einsum(optimize=...)``. Raises
    as `einsum`.
    """
    if not isinstance(equation, str):
        raise ShapeError(f"einsum: the equation must be text; got {equation!r}. The operands come after it")
    known = tuple(as_ints("einsum", "a shape", getattr(s, "shape", s), least=0) for s in shapes)
    return _plan(equation, known, _wish(optimize)).path

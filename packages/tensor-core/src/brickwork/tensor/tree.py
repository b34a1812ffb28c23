"""Trees: nested dicts, lists, tuples and dataclasses of leaves, in one order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from .errors import BrickworkError

__all__ = ["flatten", "leaves", "map_tree", "unflatten"]

Path = tuple[str | int, ...]


def flatten(tree: Any) -> list[tuple[Path, Any]]:
    """(path, leaf) pairs; dicts in the order of their sorted keys. None is an empty tree."""
    return list(_walk(tree, ()))


def _children(tree: Any) -> list[tuple[str | int, Any]] | None:
    if isinstance(tree, dict):
        try:
            return [(k, tree[k]) for k in sorted(tree)]
        except TypeError:
            kinds = ", ".join(sorted({type(k).__name__ for k in tree}))
            raise BrickworkError(
                f"tree: keys of a dict must have one order; got keys of types {kinds}. Use strings"
            ) from None
    if isinstance(tree, (list, tuple)):
        return list(enumerate(tree))
    if is_dataclass(tree) and not isinstance(tree, type):
        return [(f.name, getattr(tree, f.name)) for f in fields(tree)]
    return None


def _walk(tree: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if tree is None:
        return
    children = _children(tree)
    if children is None:
        yield path, tree
    else:
        for key, child in children:
            yield from _walk(child, (*path, key))


def leaves(tree: Any) -> list[Any]:
    """The leaves in order."""
    return [leaf for _, leaf in _walk(tree, ())]


def unflatten(like: Any, values: Iterable[Any]) -> Any:
    """A tree of the structure of ``like`` with other leaves. Raises `BrickworkError` when their number differs."""
    source = iter(values)
    try:
        out = _rebuild(like, source)
    except StopIteration:
        raise BrickworkError(
            f"tree: as many values as leaves; got too few for {len(leaves(like))}. Give one to each leaf"
        ) from None
    if next(source, source) is not source:
        raise BrickworkError(
            f"tree: as many values as leaves; got too many for {len(leaves(like))}. Give one to each leaf"
        )
    return out


def _rebuild(like: Any, source: Iterator[Any]) -> Any:
    if like is None:
        return None
    children = _children(like)
    if children is None:
        return next(source)
    built = {key: _rebuild(child, source) for key, child in children}
    if isinstance(like, dict):
        return {k: built[k] for k in like}
    if isinstance(like, tuple) and hasattr(like, "_fields"):
        return type(like)(*built.values())
    make: Callable[..., Any] = type(like)
    return make(**{str(k): v for k, v in built.items()}) if is_dataclass(like) else make(built.values())


def map_tree(fn: Callable[..., Any], tree: Any, *rest: Any) -> Any:
    """``fn`` on the leaves of trees of one structure: a tree like the first. Raises `BrickworkError` when their numbers
    of leaves differ."""
    values = [leaves(t) for t in (tree, *rest)]
    if len({len(v) for v in values}) > 1:
        raise BrickworkError(
            f"tree: trees to map over must have as many leaves each; got {', '.join(str(len(v)) for v in values)}. "
            "Give trees of one structure"
        )
    return unflatten(tree, [fn(*leaf) for leaf in zip(*values, strict=True)])

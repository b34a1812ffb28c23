"""The closed registry: which types may stand in a bundle.

A package declares its types with an entry point of the group `brickwork.bundles`,

    [project.entry-points."brickwork.bundles"]
    prep = "brickwork.prep.bundles:TYPES"

where `TYPES` maps names to types; the tag in a file is then `prep.TablePrep`. A file can only choose among tags that
an installed package declared: nothing read from a file is ever imported, called or looked up as an attribute.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from ..entry_points import EntryPoint, entry_points
from .records import BundleError

GROUP = "brickwork.bundles"

_types: dict[str, Mapping[str, Any]] = {}


def register(prefix: str, types: Mapping[str, Any]) -> None:
    """Let objects of these types stand in bundles, in this process, under the tags `prefix.name`.

    A type has `to_state() -> tree` and a classmethod `from_state(tree)` that gives an equal object back. In place of a
    type of another library stands an object with `of` (that type), `to_state(object) -> tree` and `from_state(tree)`.

    Raises:
        BundleError: a name is not an identifier, a type lacks one of the two methods, or the prefix is taken.
    """
    if not (type(prefix) is str and prefix.isidentifier()):
        raise BundleError(f"bundle.register: the prefix must be an identifier; got {prefix!r}.")
    for name, cls in types.items():
        if not (type(name) is str and name.isidentifier()):
            raise BundleError(f"bundle.register: {prefix}: names must be identifiers; got {name!r}.")
        missing = [m for m in ("to_state", "from_state") if not callable(getattr(cls, m, None))]
        if not isinstance(_described(cls), type) or missing:
            raise BundleError(
                f"bundle.register: {prefix}.{name} must be a type with to_state and from_state; got {cls!r}"
                + (f" without {' and '.join(missing)}." if missing else ".")
            )
    if prefix in _types and dict(_types[prefix]) != dict(types):
        raise BundleError(f"bundle.register: the prefix {prefix!r} is taken by other types. Choose another.")
    _types[prefix] = dict(types)


def tag_of(cls: type) -> str | None:
    """The tag of a type, or None where no package declares it."""
    if tag := _known_tag(cls):
        return tag
    able = hasattr(cls, "to_state") and hasattr(cls, "from_state")
    home = cls.__module__.split(".")[:2]
    for point in sorted(_entry_points(), key=lambda point: (point.value.split(".")[:2] != home, point.name)):
        # A type that can not write itself is declared by another package, in use wherever there are objects to save.
        if point.name not in _types and (able or point.value.partition(":")[0] in sys.modules):
            _declare(point.name, [point])
            if tag := _known_tag(cls):
                return tag
    return None


def type_of(tag: str) -> Any:
    """What writes and reads the objects of a tag, or None; imports only the package that declares the tag's prefix."""
    prefix, _, name = tag.partition(".")
    if prefix not in _types:
        _declare(prefix, (point for point in _entry_points() if point.name == prefix))
    return _types.get(prefix, {}).get(name)


def version_of(entry: Any) -> tuple[str, str] | None:
    """`(package, version)` of the innermost package around what writes a type that states a `__version__`."""
    name = (entry if isinstance(entry, type) else type(entry)).__module__
    while name:
        version = getattr(sys.modules.get(name), "__version__", None)
        if type(version) is str:
            return name, version
        name = name.rpartition(".")[0]
    return None


def _known_tag(cls: type) -> str | None:
    tags = (f"{p}.{name}" for p, types in _types.items() for name, entry in types.items() if _described(entry) is cls)
    return next(tags, None)


def _described(entry: Any) -> Any:
    """The type whose objects an entry writes and reads: itself, or the `of` of one that stands in for another's."""
    return entry if isinstance(entry, type) else getattr(entry, "of", None)


def _entry_points() -> Iterable[EntryPoint]:
    return entry_points(GROUP)


def _declare(prefix: str, points: Iterable[EntryPoint]) -> None:
    by_value = {point.value: point for point in points}
    if not by_value:
        return
    if len(by_value) > 1:
        raise BundleError(f"the types {prefix!r} are declared twice; got {sorted(by_value)}. Uninstall one package.")
    ((value, point),) = by_value.items()
    try:
        types = point.load()
    except Exception as error:  # a foreign package may fail in any way
        raise BundleError(
            f"the package that declares the types {prefix!r} must import; {value} raised "
            f"{type(error).__name__}: {error}. Reinstall it."
        ) from error
    register(prefix, types)

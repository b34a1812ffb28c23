"""What mkdocstrings reads of the packages: their source, and for what is made at run time the object itself.

The source shows `add = _binary("add", ...)` where a person calls a function with a docstring. And a name between
backticks in a docstring becomes a link where it is a name of the reference.
"""

import inspect
import re
from typing import Any

import griffe

from scripts.site.links import linked
from scripts.site.reference import module_at, public


class RunTime(griffe.Extension):
    """Puts functions that are made at run time where their source shows an assignment, and links between docstrings."""

    def on_package(self, *, pkg: griffe.Module, loader: griffe.GriffeLoader, **_: Any) -> None:
        if pkg.path != "brickwork":
            return
        loader.resolve_aliases()
        for identifier, module in public().items():
            value = getattr(module_at(module), name := identifier.rpartition(".")[2])
            place = pkg[module.partition(".")[2]]
            if not _shows(member := _resolved(place.members.get(name))):
                member = _at_run_time(name, value, pkg)
                if member is None:
                    continue
                place.set_member(name, griffe.Alias(name, target=member, parent=place) if member.parent else member)
            _tell_base(member, value)
            _as_markdown(member, module)


def _resolved(member: Any) -> Any:
    """What an alias stands for; None where the source does not show it."""
    try:
        return member.final_target if member is not None and member.is_alias else member
    except griffe.GriffeError:
        return None


def _shows(member: Any) -> bool:
    """Whether this is the source of a function or class: no assignment, and no room of the same name."""
    return member is not None and not member.is_attribute and not member.is_module


def _at_run_time(name: str, value: Any, pkg: griffe.Module) -> Any:
    """Where the source defines what a name stands for; else, of a function, what it says of itself."""
    home = f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}".partition(".")[2]
    try:
        found = _resolved(pkg[home])
    except (KeyError, ValueError, griffe.GriffeError):
        found = None
    if _shows(found):
        return found
    return _function(name, value) if inspect.isfunction(value) else None


def _function(name: str, value: Any) -> griffe.Function:
    signature = inspect.signature(value)
    parameters = griffe.Parameters(
        *(
            griffe.Parameter(
                p.name,
                annotation=None if p.annotation is p.empty else str(p.annotation),
                kind=griffe.ParameterKind[p.kind.name.lower()],
                default=None if p.default is p.empty else repr(p.default),
            )
            for p in signature.parameters.values()
        )
    )
    returns = None if signature.return_annotation is signature.empty else str(signature.return_annotation)
    doc = griffe.Docstring(inspect.getdoc(value) or "")
    return griffe.Function(name, parameters=parameters, returns=returns, docstring=doc)


def _tell_base(member: Any, value: Any) -> None:
    """Where a docstring says "see `Base`" of a base class, what that says of the arguments comes below it."""
    for base in inspect.getmro(value)[1:] if inspect.isclass(value) else ():
        if member.docstring is not None and f"see `{base.__name__}`" in member.docstring.value and base.__doc__:
            member.docstring.value += f"\n\n`{base.__name__}`: {inspect.cleandoc(base.__doc__)}"


def _as_markdown(member: Any, module: str) -> None:
    """The docstrings of a name and of its members as Markdown: `name` as a link to the reference, `>>>` as code."""
    for found in (member, *(m for m in member.members.values() if not m.is_alias)):
        if found.docstring is not None:
            text = found.docstring.value.replace("\nExample:\n", "\nExamples:\n")
            text = re.sub(r"::$", ":", text, flags=re.MULTILINE)
            sections = "\n----" in text  # of NumPy's style, where the types of a table take no links
            found.docstring.value = text if sections else linked(text, (module, "brickwork.tensor", "brickwork"))

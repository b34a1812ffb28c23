"""Names between backticks as links to the reference."""

import re
from collections.abc import Sequence
from functools import cache

from scripts.site.reference import module_at, public

NAME = re.compile(r"(?<![`\w\[])`(?:bt\.)?([A-Za-z_][\w.]*)`(?![`\]])")


def linked(text: str, modules: Sequence[str]) -> str:
    """`name` as a link where one of the modules has it, in that order."""
    return NAME.sub(lambda match: _target(match, modules), text)


def _target(match: re.Match[str], modules: Sequence[str]) -> str:
    for module in modules:
        if (identifier := f"{module}.{match[1]}") in _known():
            return f"[{match[0]}][{identifier}]"
    return match[0]


@cache
def _known() -> frozenset[str]:
    """Names with a paragraph of their own: values (dtypes, constants) stand in a table."""
    return frozenset(i for i, module in public().items() if callable(getattr(module_at(module), i.rpartition(".")[2])))

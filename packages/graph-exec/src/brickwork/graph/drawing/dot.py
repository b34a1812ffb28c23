"""A picture in the language of Graphviz."""

from __future__ import annotations

from .picture import Box, Picture

__all__ = ["dot_of"]

_STYLE = {
    "input": 'shape=box, style="rounded,filled", fillcolor="#e8f0fe"',
    "result": 'shape=box, style="rounded,filled", fillcolor="#e6f4ea"',
    "kernel": 'shape=box, style=filled, fillcolor="#fff4d6"',
    "call": 'shape=box, style=filled, fillcolor="#fde3e0"',
    "region": 'shape=box, style="filled,dashed", fillcolor="#f1e8fb"',
    "op": 'shape=box, style=filled, fillcolor="#ffffff"',
}


def dot_of(picture: Picture) -> str:
    """The text; ``dot -Tsvg`` and its kin draw it."""
    fonts = [f'  {part} [fontname="monospace", fontsize={size}]' for part, size in (("node", 10), ("edge", 9))]
    lines = ["digraph brickwork {", *fonts]
    lines += [f"  {_quoted(box.name)} [{_label(box)}, {_STYLE[box.kind]}]" for box in picture.boxes]
    for arrow in picture.arrows:
        label = f" [label={_quoted(arrow.label)}]" if arrow.label else ""
        lines.append(f"  {_quoted(arrow.source)} -> {_quoted(arrow.target)}{label}")
    return "\n".join([*lines, "}"])


def _label(box: Box) -> str:
    text = "\n".join((box.title, *box.lines))
    note = f", tooltip={_quoted(box.note)}" if box.note else ""
    return f"label={_quoted(text)}{note}"


def _quoted(text: str) -> str:
    """A string of the language: a backslash, a quote and a line's end are escaped."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

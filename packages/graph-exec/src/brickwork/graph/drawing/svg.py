"""A picture drawn as SVG: text and shapes alone, no script; colours follow the reader's light or dark scheme."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from .layered import Layout, layered
from .picture import Box, Picture

__all__ = ["svg_of"]

LETTER, LINE, PAD = 6.7, 15.0, 10.0
"""Pixels: of a letter at 11 px in a monospaced face, from line to line, and around the text."""
BETWEEN = 42.0
LONGEST = 46
_CSS = """
text { font: 11px ui-monospace, Menlo, Consolas, monospace; fill: #1f2328; }
.title { font-weight: 600; } .more { fill: #59636e; } .label { font-size: 9px; fill: #59636e; }
rect { stroke: #8c959f; stroke-width: 1; fill: #ffffff; } path { fill: none; stroke: #8c959f; stroke-width: 1.2; }
.back { fill: #ffffff; stroke: none; } .head { fill: #8c959f; stroke: none; }
.input rect { fill: #e8f0fe; } .result rect { fill: #e6f4ea; } .kernel rect { fill: #fff4d6; }
.call rect { fill: #fde3e0; } .region rect { fill: #f1e8fb; stroke-dasharray: 4 3; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .more, .label { fill: #9198a1; }
  rect { stroke: #6e7681; fill: #161b22; } path { stroke: #6e7681; } .back { fill: #0d1117; } .head { fill: #6e7681; }
  .input rect { fill: #16263f; } .result rect { fill: #12301d; } .kernel rect { fill: #3a2f10; }
  .call rect { fill: #43201c; } .region rect { fill: #2b2140; }
}
"""


def svg_of(picture: Picture) -> str:
    """The SVG document."""
    width = {box.name: _width(box) for box in picture.boxes}
    layout = layered(width, [(a.source, a.target) for a in picture.arrows])
    tops = _tops(picture.boxes, layout)
    left = min((layout.x[n] - w / 2 for n, w in width.items()), default=0.0)
    left = min([left, *(x for bends in layout.bends.values() for _, x in bends)]) - 2 * PAD
    right = max((layout.x[n] + w / 2 for n, w in width.items()), default=0.0)
    right = max([right, *(x for bends in layout.bends.values() for _, x in bends)]) + 2 * PAD
    bottom = (tops[-1] if tops else 0.0) - BETWEEN + 2 * PAD
    size = f'width="{right - left:.0f}" height="{bottom:.0f}" viewBox="{left:.0f} 0 {right - left:.0f} {bottom:.0f}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<style>{_CSS}</style>",
            '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            'orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>',
            f'<rect class="back" x="{left:.0f}" y="0" width="100%" height="100%"/>',
            *_arrows(picture, layout, tops),
            *(_drawn(box, layout.x[box.name], tops[layout.layer[box.name]], width[box.name]) for box in picture.boxes),
            "</svg>",
        ]
    )


def _lines(box: Box) -> list[str]:
    return [_cut(t) for t in (box.title, *box.lines)]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _width(box: Box) -> float:
    return max(len(t) for t in _lines(box)) * LETTER + 2 * PAD


def _height(box: Box) -> float:
    return len(_lines(box)) * LINE + 2 * PAD - 4


def _tops(boxes: Sequence[Box], layout: Layout) -> list[float]:
    """The top of each layer, and where one more would be."""
    heights = [0.0] * (1 + max(layout.layer.values(), default=-1))
    for box in boxes:
        k = layout.layer[box.name]
        heights[k] = max(heights[k], _height(box))
    tops = [2 * PAD]
    for h in heights:
        tops.append(tops[-1] + h + BETWEEN)
    return tops


def _arrows(picture: Picture, layout: Layout, tops: Sequence[float]) -> list[str]:
    """The arrows, each straight down past its own layer and the layers on its way, and curved in between."""
    height = {box.name: _height(box) for box in picture.boxes}
    out = []
    labels: dict[tuple[str, str], int] = {}
    for arrow in picture.arrows:
        key = arrow.source, arrow.target
        if key not in layout.bends:
            continue
        first = layout.layer[arrow.source]
        x, y = layout.x[arrow.source], tops[first + 1] - BETWEEN
        start = tops[first] + height[arrow.source]
        path = [f"M{x:.1f} {start:.1f}L{x:.1f} {y:.1f}"]
        last = tops[layout.layer[arrow.target]]
        stops = [(bx, tops[k], tops[k + 1] - BETWEEN) for k, bx in layout.bends[key]]
        for px, top, low in [*stops, (layout.x[arrow.target], last, last)]:
            middle = (y + top) / 2
            path.append(f"C{x:.1f} {middle:.1f} {px:.1f} {middle:.1f} {px:.1f} {top:.1f}")
            if low != top:
                path.append(f"L{px:.1f} {low:.1f}")
            x, y = px, low
        out.append(f'<path d="{"".join(path)}" marker-end="url(#head)"/>')
        if arrow.label and (arrow.source, arrow.label) not in labels:
            above = sum(source == arrow.source for source, _ in labels)
            labels[arrow.source, arrow.label] = above
            at = f'x="{layout.x[arrow.source] + 5:.1f}" y="{start + 11 + 10 * above:.1f}"'
            out.append(f'<text class="label" {at}>{escape(arrow.label)}</text>')
    return out


def _drawn(box: Box, x: float, top: float, width: float) -> str:
    left, lines = x - width / 2, _lines(box)
    rounded = 8 if box.kind in ("input", "result") else 2
    kinds = ("title", *["more"] * len(lines))
    places = [f'x="{left + PAD:.1f}" y="{top + PAD + 9 + k * LINE:.1f}"' for k in range(len(lines))]
    texts = "".join(
        f'<text class="{kind}" {at}>{escape(t)}</text>' for kind, at, t in zip(kinds, places, lines, strict=False)
    )
    note = f"<title>{escape(box.note)}</title>" if box.note else ""
    shape = f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{_height(box):.1f}" rx="{rounded}"/>'
    return f'<g class="{box.kind}">{note}{shape}{texts}</g>'

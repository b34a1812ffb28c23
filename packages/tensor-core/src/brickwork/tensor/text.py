"""Tensors as text: for a terminal, and for a notebook."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["html", "summary"]

EDGE = 5
"""Rows and columns shown at each end of a table that is too long."""


def summary(values: np.ndarray, device: str) -> str:
    """``Tensor([[1., 2.]], dtype=float32)``: as NumPy prints, by its print options; the shape where no number shows it,
    the device where it is not the CPU."""
    body = np.array2string(values, separator=", ", prefix="Tensor(")
    shape = f", shape={values.shape}" if values.size == 0 and values.shape != (0,) else ""
    place = "" if device == "cpu" else f", device={device!r}"
    return f"Tensor({body}{shape}, dtype={values.dtype.name}{place})"


def html(values: np.ndarray, device: str) -> str:
    """Shape, dtype and device above the values: a table of one or two axes, else text."""
    head = f"Tensor {values.dtype.name}[{', '.join(map(str, values.shape))}] on {device}"
    if values.ndim in (1, 2) and values.size:
        body = _table(values.reshape(-1, values.shape[-1]))
    else:
        body = f"<pre>{np.array2string(values, separator=', ')}</pre>"
    return f"<div><div><code>{head}</code></div>{body}</div>"


def _table(values: np.ndarray) -> str:
    rows, columns = _shown(values.shape[0]), _shown(values.shape[1])
    digits = np.get_printoptions()["precision"]
    lines = []
    for r in rows:
        cells = ["…" if r is None or c is None else _number(values[r, c], digits) for c in columns]
        lines.append("".join(f'<td style="text-align: right">{cell}</td>' for cell in cells))
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def _number(x: Any, digits: int) -> str:
    x = x.item()
    return f"{x:.{digits}g}" if isinstance(x, (float, complex)) else str(x)


def _shown(size: int) -> list[int | None]:
    """The positions to show; None stands for those between."""
    if size <= 2 * EDGE:
        return list(range(size))
    return [*range(EDGE), None, *range(size - EDGE, size)]

"""The table of a model's layers; with `training.live` the only room that imports rich."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from brickwork.tensor.tree import leaves

from ..symbolic import SymbolicTensor
from .graph import Graph

if TYPE_CHECKING:
    from ..layer import Layer
    from .model import Model

__all__ = ["say", "show_summary"]


def show_summary(
    model: Model, width: int | None, print_fn: Callable[[str], Any] | None, nested: bool, trainable: bool
) -> None:
    """Print the table, or hand its text to ``print_fn``."""
    text = summary_text(model, width, nested, trainable, colour=print_fn is None and sys.stdout.isatty())
    if print_fn is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        print_fn(text.rstrip("\n"))


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")


def summary_text(
    model: Model, width: int | None = None, nested: bool = False, trainable: bool = False, colour: bool = False
) -> str:
    """The table as text."""
    table = Table(box=box.SQUARE, show_lines=False, header_style="bold")
    table.add_column("Layer (type)")
    table.add_column("Output shape")
    table.add_column("Parameters", justify="right")
    drawn = model._graph
    joined = drawn is not None and not _is_chain(drawn)
    if joined:
        table.add_column("Connected to")
    if trainable:
        table.add_column("Trainable", justify="center")
    for layer, depth in _rows(model, nested, 0):
        cells = [
            f"{'  ' * depth}{escape(layer.name)} ({type(layer).__name__})",
            _shape(layer),
            f"{layer.count_params():,}" if layer.built else "0 (unbuilt)",
        ]
        cells += [escape(", ".join(_sources(layer, drawn)))] if joined else []
        table.add_row(*cells, *(["yes" if layer.trainable else "no"] if trainable else []))
    out = io.StringIO()
    console = Console(
        file=out,
        width=width or 100,
        force_terminal=colour,
        color_system="auto" if colour else None,
        legacy_windows=False,
    )
    console.print(f"[bold]Model: {escape(model.name)}[/bold]")
    console.print(table)
    for line in _totals(model):
        console.print(line, highlight=False)
    return out.getvalue()


def _totals(model: Model) -> list[str]:
    """How many weights there are, and how many bytes they take."""
    groups = {"Trainable": model.trainable_weights, "Non-trainable": model.non_trainable_weights}
    counts = {
        name: (sum(int(w.size) for w in own), sum(int(w.size) * w.dtype.itemsize for w in own))
        for name, own in groups.items()
    }
    optimizer = model.optimizer.variables if getattr(model.optimizer, "built", False) else []
    if optimizer:
        counts["Optimizer"] = (
            sum(int(v.size) for v in optimizer),
            sum(int(v.size) * v.dtype.itemsize for v in optimizer),
        )
    total = tuple(map(sum, zip(*counts.values(), strict=True)))
    return [f" {name} parameters: {n:,} ({_bytes(size)})" for name, (n, size) in {"Total": total, **counts}.items()]


def _bytes(size: int) -> str:
    amount, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            break
        amount /= 1024
    return f"{amount:.2f} {unit}"


def _rows(model: Any, nested: bool, depth: int) -> list[tuple[Layer, int]]:
    out = []
    for layer in model._sublayers():
        out.append((layer, depth))
        if nested:
            out += _rows(layer, nested, depth + 1)
    return out


def _is_chain(graph: Graph) -> bool:
    return (
        all(len(node.inputs) == 1 for node in graph.nodes)
        and len(graph.layers) == len(graph.nodes) + len(leaves(graph.inputs))
        and len(leaves(graph.outputs)) == 1
    )


def _shape(layer: Layer) -> str:
    """The shape of the last call in a graph; of a layer called on data only, what its weights tell."""
    nodes = layer._state.nodes
    if nodes:
        shapes = [t.shape for t in leaves(nodes[-1].outputs) if isinstance(t, SymbolicTensor)]
        return ", ".join(map(str, shapes))
    shape = layer._state.output_shape
    return "?" if shape is None else str(shape)


def _sources(layer: Layer, graph: Graph | None) -> list[str]:
    inside = {id(node) for node in graph.nodes} if graph is not None else set()
    return [x.node.layer.name for node in layer._state.nodes if id(node) in inside for x in node.inputs if x.node]

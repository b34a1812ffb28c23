"""`brickwork describe`: what a model file holds, without running any of it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator

from .errors import DONE, counted
from .report import Report, told
from .saved import Saved, open_saved


def run(options: Namespace) -> int:
    """Print what the model was trained on, how well it did, its columns, its network and the versions that wrote it."""
    saved, report = open_saved(options.model), Report()
    facts = saved.facts
    report.title(str(options.model), f"predicts {facts['target']!r}: {facts['task']}")
    report.console.print()
    for name, value in _summary(saved):
        report.line(f"{name:<12}{value}")
    report.heading("columns")
    report.columns(facts["columns"], whole=True)
    report.heading("network")
    report.rows(("layer", "kind", "gives", ">weights"), _layers(saved))
    return DONE


def _summary(saved: Saved) -> list[tuple[str, str]]:
    facts = saved.facts
    found = saved.target.describe()
    if saved.classes is None:
        target = f"numbers around {found.mean:.5g}, standard deviation {found.scale:.5g}"
    else:
        target = f"{counted(len(saved.classes), 'class', 'classes')}: {', '.join(saved.classes)}"
    rows = f"{counted(facts['rows'], 'row')} of {facts['table']}, {facts['valid_rows']} of them held out"
    stopped = ", interrupted" if facts["interrupted"] else ""
    epochs = f"{counted(facts['epochs'], 'epoch')}{stopped}, the best was {facts['best_epoch']}"
    return [
        ("target", target),
        ("trained on", rows),
        ("training", f"{epochs}, seed {facts['seed']}, batches of {facts['batch_size']}"),
        ("validation", told(facts["measures"]) or "none"),
        ("written by", ", ".join(f"{name} {version}" for name, version in sorted(facts["versions"].items()))),
    ]


def _layers(saved: Saved) -> Iterator[tuple[str, ...]]:
    shape = (None, saved.prep.n_features_out_)
    for layer in saved.model.layers:
        shape = layer.compute_output_shape(shape)
        gives = " x ".join("rows" if size is None else str(size) for size in shape)
        yield layer.name, type(layer).__name__, gives, f"{layer.count_params():,}"

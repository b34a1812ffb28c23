"""`hatch run bench:cpu`: workloads are what they say, a side takes orders, and the tables tell what was measured."""

import sys

import numpy as np
import pytest

from benchmarks.cpu import __main__ as bench
from benchmarks.cpu.measure import Result, Settings, Turns, agree, measure
from benchmarks.cpu.models import inputs_and_outputs
from benchmarks.cpu.peers import HOMES, Missing, Process, interpreter
from benchmarks.cpu.sides import SIDES, filled
from benchmarks.cpu.workloads import BY_KEY, WORKLOADS
from brickwork import layers


@pytest.mark.parametrize("work", WORKLOADS, ids=list(BY_KEY))
def test_arithmetic_is_that_of_the_model(work):
    """Counted from the weights: each takes part once per place that its layer gives."""
    x, y = inputs_and_outputs(work, layers, 0.5)
    model = filled(layers.Model(x, y))
    rows, targets = work.rows(2)
    assert rows.shape == (2 * work.batch, *work.x) and len(targets) == len(rows)
    assert model(rows[:2]).shape == (2, max(work.classes, 1))
    macs = 0
    for layer in model.layers:
        if "attention" in layer.name:
            macs += 128 * layer.count_params() - 128 * 4 * 128 + 2 * 128 * 128 * 128
            continue
        kernels = [w.numpy() for w in layer.weights if "kernel" in w.name]
        steps = 80 if layer.name == "lstm" else np.prod(layer.output.shape[1:-1], dtype=int)
        macs += sum(steps * k.size for k in kernels)
    assert macs == sum(n for n, _ in work.macs)
    again = filled(layers.Model(*inputs_and_outputs(work, layers, 0.5)))
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_side_is_a_process_that_takes_orders(tmp_path):
    with Process("ours", sys.executable, "tabular", 1, str(tmp_path)) as side:
        losses = side.ask("losses", count=3)["losses"]
        assert len(losses) == 3 and losses[2] < losses[0]
        assert side.ask("start")["first"] > 0
        assert side.ask("step", count=3)["seconds"] > 0
        assert side.ask("fit", count=3)["seconds"] > 0
        assert 0 < side.ask("predict", count=5)["seconds"] < 1
        assert side.ask("memory")["bytes"] > 10e6 or sys.platform == "win32"
        with pytest.raises(Missing, match=r"stopped at 'dance'.*dance"):
            side.ask("dance")
    assert list(tmp_path.iterdir()), "objects are kept where the run says"


def test_whole_run_without_peers(capsys, tmp_path):
    bench.main(["--workloads", "tabular", "--peers", "--rounds", "1", "--json", str(tmp_path / "out.json")])
    out = capsys.readouterr().out
    assert "| tabular MLP 13-64-64-1 | step |" in out and "| tabular MLP 13-64-64-1 | fit |" in out
    assert "Measured peak" in out and "To reach: ours 60" in out
    assert '"cold"' in (tmp_path / "out.json").read_text()


def test_what_is_not_there_is_said():
    assert {*HOMES} == {*SIDES}
    with pytest.raises(Missing, match="keras and jax not installed; `hatch env create bench-keras`"):
        interpreter("keras-jax", {"bench-keras": "/no/such/python"})
    settings = Settings(1, 1, ("step",), {"ours": "/no/such/python"})
    with pytest.raises(FileNotFoundError):
        measure(BY_KEY["tabular"], ["ours"], settings, [])


def test_other_losses_stop_the_run():
    agree(BY_KEY["mlp"], [1.0, 0.5], [1.0, 0.5004], "torch")
    for theirs in ([1.0, 0.6], [1.0, float("nan")]):
        with pytest.raises(SystemExit, match="losses must agree"):
            agree(BY_KEY["mlp"], [1.0, 0.5], theirs, "torch")


def test_tables():
    turns = Turns({"ours": 2.0, "torch": 5.0, "keras-jax": 4.0}, {"torch": 2.5, "keras-jax": 2.1})
    result = Result("work", 1.5, 10**9, {"step": turns}, {"cold": 1.0, "warm": 0.1, "torch": 3.0},
                    {"ours": 10**8, "torch": 4 * 10**8}, {"ours": 15.0}, {"torch-compile": "no compiler"})  # fmt: skip
    sides = ["ours", "torch", "torch-compile", "keras-jax"]
    assert turns.best == "keras-jax"
    row = bench.steps_table([result], sides, 1000.0)[-1]
    assert row == "| work | step | 2.000 | 5.000 |  | 4.000 | keras-jax | 2.10 | 1.5 | 50% |"
    row = bench.first_table([result], sides)[-1]
    assert row == "| work | 1.00 | 0.10 | 3.00 |  |  | 100 | 400 | 0.25 |"
    said = bench.notes([result], {"ours": "this tree", "torch": "torch 2.13"}, {"keras-jax": "not there"})
    assert said[0].endswith("ours 15. To reach: ours 60.")
    assert said[1:] == [
        "torch: torch 2.13.",
        "keras-jax: not run, not there.",
        "work: without torch-compile, no compiler.",
    ]

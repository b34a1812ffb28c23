"""The way from a table to answers: train, evaluate, predict, describe, demo."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brickwork.cli import network
from brickwork.cli.main import main
from brickwork.cli.saved import open_saved
from brickwork.tensor import bundle


def test_train_tells_what_it_does_and_saves(trained: Path, penguins, here: Path, capsys) -> None:
    penguins.to_csv("penguins.csv", index=False)
    assert main(["train", "penguins.csv", "--target", "species"]) == 0
    told = capsys.readouterr().out
    for words in ("344 rows", "bill_length_mm", "categorical", "Biscoe, Dream, Torgersen", "275 rows to learn from"):
        assert words in told
    assert "Saved in penguins.brick" in told
    # The same table, seed and options give the same file, byte for byte.
    assert Path("penguins.brick").read_bytes() == trained.read_bytes()
    assert float(re.search(r"accuracy +([\d.]+)\n", told)[1]) >= 0.97


def test_what_a_file_holds(trained: Path) -> None:
    info = bundle.inspect(trained)
    assert info.types == {"model": "layers.Sequential", "prep": "prep.TablePrep", "target": "prep.TargetPrep"}
    facts = info.metadata
    assert (facts["task"], facts["target"], facts["seed"], facts["rows"]) == ("classification", "species", 0, 344)
    assert [column["name"] for column in facts["columns"]][:2] == ["island", "bill_length_mm"]
    assert facts["measures"]["accuracy"] >= 0.97 and facts["versions"]["brickwork.cli"]
    assert len(facts["history"]["val_loss"]) == facts["epochs"] >= facts["best_epoch"]


def test_describe(trained: Path, capsys) -> None:
    assert main(["describe", str(trained)]) == 0
    told = capsys.readouterr().out
    for words in ("predicts 'species'", "3 classes: Adelie, Chinstrap, Gentoo", "penguins.csv", "rows x 64", "1,216"):
        assert words in told


def test_evaluate(trained: Path, penguins, here: Path, capsys) -> None:
    penguins.assign(extra=1).iloc[::-1, ::-1].to_csv("t.csv", index=False)
    assert main(["evaluate", str(trained), "t.csv"]) == 0
    told = capsys.readouterr().out
    assert "column 'extra' was not there in training and is ignored" in told and "log loss" in told
    penguins.loc[:4, "species"] = None
    penguins.to_csv("t.csv", index=False)
    assert main(["evaluate", str(trained), "t.csv"]) == 0
    assert "5 rows without a value of 'species' left out" in capsys.readouterr().out


def test_predict_to_a_pipe_and_to_a_file(trained: Path, penguins, here: Path, capsys) -> None:
    penguins.drop(columns="species").to_csv("raw.csv", index=False)
    assert main(["predict", str(trained), "raw.csv"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    lines = told.out.splitlines()
    assert lines[0] == "prediction,probability_Adelie,probability_Chinstrap,probability_Gentoo" and len(lines) == 345
    assert main(["predict", str(trained), "raw.csv", "--out", "answers.csv"]) == 0
    assert Path("answers.csv").read_text() == told.out
    answers = pd.read_csv("answers.csv")
    assert (answers["prediction"] == penguins["species"]).mean() > 0.97
    np.testing.assert_allclose(answers.filter(like="probability").sum(axis=1), 1, atol=2e-6)
    assert "344 predictions in answers.csv" in capsys.readouterr().err
    assert sorted(os.listdir()) == ["answers.csv", "raw.csv"]


def test_the_order_of_columns_means_nothing_and_strangers_are_ignored(trained: Path, penguins, here, capsys) -> None:
    raw = penguins.drop(columns="species").head(5)
    raw.to_csv("a.csv", index=False)
    raw.assign(weather="fine").iloc[:, ::-1].to_csv("b.csv", index=False)
    assert main(["predict", str(trained), "a.csv"]) == 0
    one = capsys.readouterr()
    assert main(["predict", str(trained), "b.csv"]) == 0
    two = capsys.readouterr()
    assert one.out == two.out and "column 'weather' was not there in training and is ignored" in two.err


def test_names_beyond_the_code_page(here: Path, small) -> None:
    small["kind"] = small["kind"].map({"up": "上", "down": "néant"})
    small.rename(columns={"x": "größe"}).to_csv("t.csv", index=False)
    run = [sys.executable, "-m", "brickwork.cli"]
    environ = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    train = [*run, "train", "t.csv", "--target", "kind", "--epochs", "2"]
    done = subprocess.run(train, env=environ, capture_output=True, check=False)
    assert done.returncode == 0 and done.stderr == b"" and b"gr\\xf6\\xdfe" in done.stdout
    predict = [*run, "predict", "t.brick", "t.csv"]
    done = subprocess.run(predict, env=environ, capture_output=True, check=False)
    assert done.stdout.decode().splitlines()[0] == "prediction,probability_néant,probability_上"


def test_one_row_answers_as_among_many(trained: Path, penguins, here: Path, capsys) -> None:
    raw = penguins.drop(columns="species")
    raw.to_csv("all.csv", index=False)
    raw.iloc[[3]].to_csv("one.csv", index=False)
    main(["predict", str(trained), "all.csv"])
    every = capsys.readouterr().out.splitlines()
    main(["predict", str(trained), "one.csv"])
    assert capsys.readouterr().out.splitlines() == [every[0], every[4]]


def test_parquet_goes_in_too(trained: Path, penguins, here: Path, capsys) -> None:
    penguins.to_parquet("p.parquet")
    assert main(["evaluate", str(trained), "p.parquet"]) == 0
    assert main(["train", "p.parquet", "--target", "body_mass_g", "--epochs", "3", "--out", "m.brick"]) == 0
    assert main(["predict", "m.brick", "p.parquet"]) == 0


def test_regression(here: Path, penguins, capsys) -> None:
    penguins.to_csv("p.csv", index=False)
    assert main(["train", "p.csv", "--target", "body_mass_g", "--seed", "3"]) == 0
    told = capsys.readouterr().out
    assert "2 rows without a value of 'body_mass_g' left out" in told and "mean absolute error" in told
    facts = open_saved(Path("p.brick")).facts
    assert facts["task"] == "regression" and facts["measures"]["r2"] > 0.75
    assert 100 < facts["measures"]["mean_absolute_error"] < 350  # grams
    assert main(["evaluate", "p.brick", "p.csv"]) == 0
    assert main(["describe", "p.brick"]) == 0
    capsys.readouterr()
    assert main(["predict", "p.brick", "p.csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "prediction" and 2500 < float(lines[1]) < 6500


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        (["0", "1"], "auto", [0, 1]),
        (["1.0", ""], "auto", None),
        (["01", "02"], "auto", ["01", "02"]),
        (["true", "false"], "auto", ["false", "true"]),
        (["3.5", "4.5"], "classification", [3.5, 4.5]),
    ],
)
def test_labels_come_back_as_they_were(here: Path, small, values, task, classes, capsys) -> None:
    small["kind"] = [values[i % 2] for i in range(60)]
    small.to_csv("t.csv", index=False)
    code = main(["train", "t.csv", "--target", "kind", "--task", task, "--epochs", "2"])
    if classes is None:
        assert code == 2
        return
    assert code == 0 and open_saved(Path("t.brick")).target.classes_.tolist() == classes
    assert main(["evaluate", "t.brick", "t.csv"]) == 0
    capsys.readouterr()
    main(["predict", "t.brick", "t.csv"])
    assert {line.split(",")[0] for line in capsys.readouterr().out.splitlines()[1:]} <= {str(c) for c in classes}


def test_demo(here: Path, capsys) -> None:
    start = time.perf_counter()
    assert main(["demo"]) == 0
    assert time.perf_counter() - start < 50
    told = capsys.readouterr().out
    for words in ("11", "Biscoe, Dream, Torgersen", "true \\ predicted", "Saved in penguins.brick", "new process"):
        assert words in told
    assert float(re.search(r"accuracy +([\d.]+)\n", told)[1]) >= 0.97
    assert open_saved(Path("penguins.brick")).facts["table"] == "penguins.csv"
    for words in ("three values missing", "an island never seen"):
        assert words in told
    assert len(re.findall(r"Adelie [01]\.\d{3} +Chinstrap [01]\.\d{3} +Gentoo [01]\.\d{3}", told)) == 3


def test_progress_in_a_log_is_few_lines(here: Path, penguins, capsys, monkeypatch) -> None:
    from brickwork.cli import report

    monkeypatch.setattr(report, "QUIET_SECONDS", 1e9)
    penguins.to_csv("p.csv", index=False)
    assert main(["train", "p.csv", "--target", "species", "--epochs", "30"]) == 0
    told = capsys.readouterr().out
    assert [line for line in told.splitlines() if "epoch" in line and "loss" in line and "kept" not in line] == [
        line for line in told.splitlines() if line.strip().startswith("epoch 30/30")
    ]
    assert "\r" not in told and "\x1b" not in told


def test_progress_on_a_terminal_moves(here: Path, small, monkeypatch) -> None:
    import io

    from rich.console import Console

    from brickwork.cli import report

    sink = io.StringIO()
    with report._LiveTraining(Console(file=sink, force_terminal=True, width=80), 4) as live:
        live.step(0, 0.5)
        live.epoch(0, {"loss": 0.5, "accuracy": 0.25})
        live.finish(1)
    assert "epoch 1/4" in sink.getvalue() and "accuracy 0.2500" in sink.getvalue()


# ---- interrupts -----------------------------------------------------------------------------------------------------


@pytest.fixture
def interrupt_after(monkeypatch):
    """Ctrl-C in the epoch after this many."""

    def arrange(epochs: int) -> None:
        whole = network._Watch.on_epoch_begin

        def begin(self, epoch, logs=None) -> None:
            whole(self, epoch, logs)
            if epoch == epochs:
                signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(network._Watch, "on_epoch_begin", begin)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield arrange
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_keeps_what_was_learned(here: Path, penguins, interrupt_after, capsys) -> None:
    penguins.to_csv("p.csv", index=False)
    interrupt_after(12)
    assert main(["train", "p.csv", "--target", "species"]) == 130
    told = capsys.readouterr().out
    assert "Interrupted after 12 epochs: what was learned is saved in p.brick" in told
    facts = open_saved(Path("p.brick")).facts
    assert facts["interrupted"] and facts["epochs"] == 12 and facts["measures"]["accuracy"] > 0.9
    assert main(["describe", "p.brick"]) == 0 and "12 epochs, interrupted" in capsys.readouterr().out
    assert main(["predict", "p.brick", "p.csv"]) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_an_interrupt_from_outside(here: Path) -> None:
    rng = np.random.default_rng(0)
    n = 40_000
    frame = pd.DataFrame({f"x{i}": rng.normal(size=n).round(2) for i in range(4)})
    frame["y"] = np.where(rng.random(n) > 0.5, "a", "b")
    frame.to_csv("noise.csv", index=False)
    command = [sys.executable, "-m", "brickwork.cli", "train", "noise.csv", "--target", "y", "--batch-size", "2"]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    for line in child.stdout:
        if "rows to learn from" in line:
            break
    time.sleep(1.5)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 130 and "what was learned is saved in noise.brick" in out and err == ""
    assert open_saved(Path("noise.brick")).facts["interrupted"]

"""Every mistake of a person's gives one sentence that names the column, row or field, exit code 2 and no traceback."""

import errno
import json
import os
import re
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brickwork.cli.main import main


def told(capsys, *arguments: str) -> str:
    """The one line on stderr of a command that must fail as a mistake."""
    code = main([*arguments])
    err = capsys.readouterr().err
    assert code == 2, err
    assert err.count("\n") == 1 and "Traceback" not in err
    assert err.startswith(f"brickwork {arguments[0]}: ")
    return err


# ---- training -------------------------------------------------------------------------------------------------------


def with_cell(frame: pd.DataFrame, column: str, row: int, value: object) -> pd.DataFrame:
    frame = frame.astype({column: object})
    frame.loc[row, column] = value
    return frame


TRAINING = {
    "target not there": (
        lambda t: t.rename(columns={"kind": "kinds"}),
        r"t.csv: there is no column 'kind' for a target; got 'x', 'z', 'kinds'. Did you mean 'kinds'\?",
    ),
    "target all missing": (lambda t: t.assign(kind=None), "every value of the target 'kind' is missing"),
    "target of one class": (
        lambda t: t.assign(kind="up"),
        "target 'kind': two or more classes are needed; got one class, 'up'",
    ),
    "target of one number": (lambda t: t.assign(kind=1.5), "target 'kind': .*got only 1.5"),
    "target all different": (
        lambda t: t.assign(kind=[f"name {i}" for i in range(60)]),
        "target 'kind': a class needs rows to learn from; got 60 rows, all different",
    ),
    "target infinite": (
        lambda t: with_cell(t.assign(kind=t["x"]), "kind", 7, "inf"),
        "the target 'kind' must hold finite numbers; got 'inf' in line 9",
    ),
    "infinity in numbers": (
        lambda t: with_cell(t, "z", 3, "-inf"),
        r"t.csv: column 'z' must be finite; got -inf in row 3\..*line 5 of the file",
    ),
    "mixed types in a column": (
        lambda t: with_cell(t, "z", 41, "n.a.?"),
        r"t.csv: column 'z' mixes numbers with other text; got 'n.a.\?' in row 41\..*line 43 of the file",
    ),
    "duplicate columns": (
        lambda t: t.set_axis(["x", "x", "kind"], axis=1),
        "column names must differ; 'x' stands there twice. Rename or drop one",
    ),
    "nothing but the target": (lambda t: t[["kind"]], "a column beside the target 'kind' is needed"),
    "nothing to learn from": (
        lambda t: t.assign(x="same", z=None),
        "a column to learn from is needed; .*'x': constant.*'z': empty",
    ),
    "one row": (lambda t: t.head(1), "target 'kind': two or more classes are needed"),
    "two rows": (lambda t: pd.DataFrame({"x": [1, 2], "kind": ["a", "b"]}), "--valid 0.2: every part needs a row"),
    "empty": (lambda t: t.head(0), "the table has no rows; got only the columns 'x', 'z', 'kind'"),
}


@pytest.mark.parametrize("name", TRAINING)
def test_a_table_that_cannot_be_learned_from(name: str, small, here: Path, capsys) -> None:
    spoil, words = TRAINING[name]
    spoil(small).to_csv("t.csv", index=False)
    line = told(capsys, "train", "t.csv", "--target", "kind")
    assert re.search(words, line), line
    assert os.listdir() == ["t.csv"]


def test_numbers_asked_for_where_there_is_text(small, here: Path, capsys) -> None:
    small.to_csv("t.csv", index=False)
    line = told(capsys, "train", "t.csv", "--target", "kind", "--task", "regression")
    assert "the target 'kind' must hold finite numbers; got 'up', 'down' in line 2 and 59 more" in line


def test_a_column_all_missing_is_left_out_and_said_so(small, here: Path, capsys) -> None:
    small.assign(nothing=None, number=np.nan).to_csv("t.csv", index=False)
    assert main(["train", "t.csv", "--target", "kind", "--epochs", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in ("nothing", "number"):
        assert [line for line in lines if re.search(rf"{name} +empty +60 +left out: every value is missing", line)]


def test_missing_numbers_are_no_mistake(small, here: Path, capsys) -> None:
    small.loc[::3, "z"] = np.nan
    small.to_csv("t.csv", index=False)
    assert main(["train", "t.csv", "--target", "kind", "--epochs", "2"]) == 0
    assert re.search(r"z +numeric +20 +scaled; missing take the median", capsys.readouterr().out)


@pytest.mark.parametrize("command", ["train", "evaluate", "predict"])
def test_a_missing_file(command: str, model: Path, here: Path, capsys) -> None:
    arguments = ["gone.csv", "--target", "y"] if command == "train" else [str(model), "gone.csv"]
    assert "gone.csv: no such file." in told(capsys, command, *arguments)


def test_places_where_nothing_can_be_written(small, here: Path, capsys) -> None:
    small.to_csv("t.csv", index=False)
    train = ("train", "t.csv", "--target", "kind", "--out")
    assert "there is no folder" in told(capsys, *train, "nowhere/m.brick")
    assert "would overwrite the table" in told(capsys, *train, "./t.csv")
    os.mkdir("folder")
    assert "cannot be written there" in told(capsys, *train, "folder")


@pytest.mark.parametrize("device", ["cuda", "cuda:1", "abacus"])
def test_a_device_that_is_not_there(device: str, small, here: Path, capsys, monkeypatch) -> None:
    import brickwork.cli.train
    from brickwork.tensor import DeviceError

    if device != "abacus":  # a machine of the tests may have one

        def refuse(name: str):
            raise DeviceError(f"device: {name!r} can not be used here; no driver. Install one")

        monkeypatch.setattr(brickwork.cli.train, "get_backend", refuse)
    small.to_csv("t.csv", index=False)
    line = told(capsys, "train", "t.csv", "--target", "kind", "--device", device)
    assert "device: " in line and repr(device) in line


# ---- predicting -----------------------------------------------------------------------------------------------------


RAW = {
    "missing column": (
        lambda t: t.drop(columns="bill_depth_mm"),
        "t.csv: column 'bill_depth_mm' was there at fit and is missing",
    ),
    "renamed column": (
        lambda t: t.rename(columns={"island": "Islands"}),
        "column 'island' was there at fit and is missing; got columns .*nearest: 'Islands'",
    ),
    "retyped column": (
        lambda t: t.assign(body_mass_g=["heavy", *t["body_mass_g"].astype(str)[1:]]),
        r"column 'body_mass_g' must hold numbers; got 'heavy' in row 0.*line 2 of the file",
    ),
    "infinity": (
        lambda t: with_cell(t, "flipper_length_mm", 2, "inf"),
        "column 'flipper_length_mm' must be finite; got inf in row 2",
    ),
    "duplicate": (lambda t: t.set_axis(["year", *t.columns[1:]], axis=1), "column names must differ; 'year'"),
    "empty": (lambda t: t.head(0), "the table has no rows"),
}


@pytest.mark.parametrize("name", RAW)
@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_table_that_does_not_fit_the_model(command, name, model, penguins, here, capsys) -> None:
    spoil, words = RAW[name]
    frame = penguins.head(20) if command == "evaluate" else penguins.drop(columns="species").head(20)
    columns = ["island", *(c for c in frame.columns if c != "island")]
    spoil(frame[columns]).to_csv("t.csv", index=False)
    line = told(capsys, command, str(model), "t.csv")
    assert re.search(words, line), line


def test_answers_that_do_not_fit_the_model(model, penguins, here, capsys) -> None:
    penguins.drop(columns="species").to_csv("t.csv", index=False)
    assert "there is no column 'species'" in told(capsys, "evaluate", str(model), "t.csv")
    penguins.loc[6, "species"] = "Emperor"
    penguins.loc[3, "species"] = None
    penguins.to_csv("t.csv", index=False)
    line = told(capsys, "evaluate", str(model), "t.csv")
    words = "the target 'species' holds a label not seen at fit; got 'Emperor' in row 6"
    assert words in line and "line 8 of the file" in line


def test_predictions_do_not_overwrite_what_is_read(model, penguins, here, capsys) -> None:
    penguins.to_csv("t.csv", index=False)
    for out in ("t.csv", str(model)):
        assert "would overwrite what is read" in told(capsys, "predict", str(model), "t.csv", "--out", out)


# ---- model files ----------------------------------------------------------------------------------------------------


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 3] ^= 1
    path.write_bytes(raw)


def rewrite(path: Path, change) -> None:
    """The members of a bundle changed, in a zip that is whole."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def tamper(path: Path) -> None:
    def change(members) -> None:
        members["bundle.json"] = members["bundle.json"].replace(b"Gentoo", b"Gentle")

    rewrite(path, change)


def ask_for_a_trillion(path: Path) -> None:
    def change(members) -> None:
        raw = members["tensors.safetensors"]
        (length,) = struct.unpack("<Q", raw[:8])
        header = json.loads(raw[8 : 8 + length])
        name = next(key for key in header if key.endswith("kernel"))
        header[name]["shape"] = [10**6, 10**6]
        text = json.dumps(header).encode()
        members["tensors.safetensors"] = struct.pack("<Q", len(text)) + text + raw[8 + length :]

    rewrite(path, change)


def pickle(path: Path) -> None:
    path.write_bytes(b"\x80\x04cos\nsystem\n.")


FILES = {
    truncate: "Is it a .brick file, and whole?",
    flip: "",
    tamper: "bundle.json",
    ask_for_a_trillion: "elements",
    pickle: "Is it a .brick file, and whole?",
    Path.unlink: "cannot be opened: No such file or directory",
}


@pytest.mark.parametrize("spoil", FILES, ids=lambda spoil: spoil.__name__)
@pytest.mark.parametrize("command", ["predict", "evaluate", "describe"])
def test_a_spoilt_model_file(command: str, spoil, model: Path, penguins, here: Path, capsys) -> None:
    penguins.head(3).to_csv("t.csv", index=False)
    spoil(model)
    line = told(capsys, command, str(model), *(["t.csv"] if command != "describe" else []))
    assert str(model) in line and FILES[spoil] in line


def test_a_bundle_of_something_else(here: Path, model: Path, capsys) -> None:
    from brickwork.tensor import bundle

    bundle.save("other.brick", {"numbers": np.ones(3)})
    line = told(capsys, "describe", "other.brick")
    assert "must be a file that `brickwork train` wrote, with prep, target, model; got 'numbers'" in line
    parts, facts = bundle.load(model), dict(bundle.inspect(model).metadata)
    for name, value in (
        ("target", 3),
        ("columns", [{"name": 3}]),
        ("measures", {"accuracy": "high"}),
        ("versions", {"brickwork.cli": 1}),
        ("epochs", None),
    ):
        bundle.save("odd.brick", parts, metadata={**facts, name: value})
        assert f"the metadata field {name!r} is not what" in told(capsys, "describe", "odd.brick")
    with_other = {**parts, "prep": parts["target"]}
    bundle.save("odd.brick", with_other, metadata=facts)
    assert "must be a file that `brickwork train` wrote" in told(capsys, "describe", "odd.brick")


# ---- full disks -----------------------------------------------------------------------------------------------------


@pytest.fixture
def full_disk(monkeypatch):
    """No byte fits on the disk any more, which is found out when files are synced."""

    def fsync(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return lambda: monkeypatch.setattr(os, "fsync", fsync)


def test_a_full_disk_leaves_the_old_model(small, model, here, full_disk, capsys) -> None:
    small.to_csv("t.csv", index=False)
    before = model.read_bytes()
    full_disk()
    line = told(capsys, "train", "t.csv", "--target", "kind", "--epochs", "2", "--out", str(model))
    assert "model.brick: cannot be written: No space left on device; nothing was changed" in line
    assert model.read_bytes() == before and sorted(os.listdir()) == ["model.brick", "t.csv"]


def test_a_full_disk_leaves_the_old_predictions(model, penguins, here, full_disk, capsys) -> None:
    penguins.to_csv("t.csv", index=False)
    Path("answers.csv").write_text("old")
    full_disk()
    line = told(capsys, "predict", str(model), "t.csv", "--out", "answers.csv")
    assert "answers.csv: cannot be written: No space left on device; nothing was changed" in line
    assert Path("answers.csv").read_text() == "old" and sorted(os.listdir()) == ["answers.csv", "model.brick", "t.csv"]


# ---- as a process ---------------------------------------------------------------------------------------------------


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "brickwork.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_process_ends_with_the_code_and_the_sentence(small, here: Path) -> None:
    small.to_csv("t.csv", index=False)
    done = run("train", "t.csv", "--target", "knid")
    assert (done.returncode, done.stdout) == (2, "\nTraining  on t.csv, 60 rows, to predict 'knid'\n")
    assert done.stderr == (
        "brickwork train: t.csv: there is no column 'knid' for a target; got 'x', 'z', 'kind'. Did you mean 'kind'?\n"
    )
    done = run("predict", "m.brick", "t.csv", "--debug")
    assert done.returncode == 2 and "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("brickwork predict: m.brick: cannot be opened")


@pytest.mark.skipif(sys.platform == "win32", reason="a closed pipe is another error there")
def test_a_reader_that_goes_away_is_no_fault(model, penguins, here) -> None:
    pd.concat([penguins] * 60).to_csv("t.csv", index=False)
    command = f"{sys.executable} -m brickwork.cli predict {model} t.csv | head -1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("prediction,") and done.stderr == ""


def test_columns_that_hold_no_plain_values_are_left_out_and_said_so(small, here, capsys, recwarn) -> None:
    small.assign(tags=[["a", "b"]] * 60).to_parquet("t.parquet")
    assert main(["train", "t.parquet", "--target", "kind", "--epochs", "2"]) == 0
    shown = capsys.readouterr()
    assert re.search(r"tags +unsupported +0 +left out: ", shown.out) and shown.err == "" and not recwarn.list

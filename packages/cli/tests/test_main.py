"""The command line itself: quick to answer, brief when it complains."""

import subprocess
import sys

import pytest

from brickwork.cli import __version__
from brickwork.cli.main import main


def python(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, **options)


def test_help_loads_nothing_that_is_slow() -> None:
    code = """
import sys
from brickwork.cli.main import main
try:
    main(["--help"])
except SystemExit:
    print(sorted(sys.modules), file=sys.stderr)
"""
    done = python("-c", code)
    assert "train" in done.stdout and "demo" in done.stdout
    assert [
        name for name in ("numpy", "pandas", "rich", "sklearn", "brickwork.tensor") if f"'{name}'" in done.stderr
    ] == []


def test_version() -> None:
    assert python("-m", "brickwork.cli", "--version").stdout == f"brickwork-cli {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "COMMAND"),
        (["trian"], "'trian'"),
        (["train", "t.csv"], "--target"),
        (
            ["train", "t.csv", "--target", "a", "--epochs", "0"],
            "--epochs: must be a whole number of at least 1; got '0'",
        ),
        (
            ["train", "t.csv", "--target", "a", "--valid", "1.5"],
            "--valid: must be a fraction between 0 and 1; got '1.5'",
        ),
        (["train", "t.csv", "--target", "a", "--task", "clustering"], "'clustering'"),
        (["predict", "m.brick"], "TABLE"),
    ],
)
def test_a_wrong_command_line_is_one_line(arguments: list[str], words: str, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert words in told and told.count("\n") == 1


def test_a_fault_of_ours_is_one_line_unless_debugged(monkeypatch, capsys) -> None:
    from brickwork.cli import doctor

    def fail(options) -> int:
        raise ZeroDivisionError("division by\nzero")

    monkeypatch.setattr(doctor, "run", fail)
    assert main(["doctor"]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "ZeroDivisionError: division by zero" in told and "report" in told
    assert main(["doctor", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_outside_training_says_that_nothing_was_saved(monkeypatch, capsys) -> None:
    from brickwork.cli import doctor

    def interrupted(options) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor, "run", interrupted)
    assert main(["doctor"]) == 130
    assert capsys.readouterr().err == "brickwork doctor: interrupted; nothing was saved.\n"

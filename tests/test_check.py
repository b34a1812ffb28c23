"""The one command that runs every check: its exit status and the sum on its last line."""

import sys
from pathlib import Path

import pytest

from scripts import check
from scripts.check import Section, Tally

MIXED = """
import pytest
def test_good(): pass
@pytest.mark.parametrize("n", range(3))
def test_more(n): pass
def test_bad(): assert 1 == 2
def test_broken(gone): pass
@pytest.mark.skip(reason="to be counted")
def test_left_out(): pass
"""


def suite(name: str, file: Path) -> Section:
    # The rootdir keeps this tree's own configuration out of the inner run.
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(file.parent), str(file))
    return Section(name, "a suite", command, pytest=True)


def run_main(monkeypatch: pytest.MonkeyPatch, *known: Section, argv: tuple[str, ...] = ()) -> int:
    monkeypatch.setattr(check, "sections", lambda: list(known))
    monkeypatch.setattr(sys, "argv", ["check", *argv])
    monkeypatch.setenv("PYTHONUTF8", "1")
    return check.main()


def test_the_last_line_is_the_sum(monkeypatch, tmp_path, capfd) -> None:
    mixed, good = tmp_path / "test_mixed.py", tmp_path / "test_good.py"
    mixed.write_text(MIXED)
    good.write_text("def test_good(): pass\n")
    status = run_main(monkeypatch, suite("unit:mixed", mixed), suite("unit:good", good))
    assert status == 1
    assert capfd.readouterr().out.splitlines()[-1] == "5 passed, 2 failed, 1 skipped"


def test_a_run_without_a_report_is_a_failure(monkeypatch, capfd) -> None:
    dead = Section("unit:dead", "dies", (sys.executable, "-c", "raise SystemExit(0)"), pytest=True)
    assert run_main(monkeypatch, dead) == 1
    assert capfd.readouterr().out.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"


def test_a_run_that_finds_no_test_is_a_failure(monkeypatch, tmp_path, capfd) -> None:
    empty = tmp_path / "test_empty.py"
    empty.write_text("")
    assert run_main(monkeypatch, suite("unit:empty", empty)) == 1
    assert capfd.readouterr().out.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"


@pytest.mark.parametrize(("code", "status"), [("", 0), ("raise SystemExit(3)", 1)])
def test_a_failed_section_fails_the_whole_and_the_rest_still_runs(code, status, monkeypatch, capfd) -> None:
    first = Section("lint", "a linter", (sys.executable, "-c", code))
    second = Section("ranges", "another", (sys.executable, "-c", "print('ran all the same')"))
    assert run_main(monkeypatch, first, second) == status
    assert "ran all the same" in capfd.readouterr().out


def test_sections_are_chosen_by_name(monkeypatch, capfd) -> None:
    first = Section("lint", "a linter", (sys.executable, "-c", "raise SystemExit(1)"))
    second = Section("ranges", "another", (sys.executable, "-c", ""))
    assert run_main(monkeypatch, first, second, argv=("ranges",)) == 0
    with pytest.raises(SystemExit) as stop:
        run_main(monkeypatch, first, second, argv=("lintt",))
    assert stop.value.code == 2
    assert "a section must be one of lint, ranges; got lintt" in capfd.readouterr().err


def test_tallies_add_up() -> None:
    assert Tally(1, 2, 3) + Tally(10, 20, 30) == Tally(11, 22, 33)

"""The Python on the pages of the site and in the READMEs runs as it stands, and prints what its page says."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from scripts.examples import Example, Outcome, examples_of, pages, run_here, run_page

EXAMPLES = [example for page in pages() for example in examples_of(page)]


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, clean_environ: dict[str, str]
) -> dict[Path, Future[dict[int, Outcome]]]:
    """What the blocks of the pages that were asked for do; two pages run at a time, each in a process of its own."""
    asked = dict.fromkeys(
        item.callspec.params["example"].page for item in request.session.items if item.path == request.path
        if hasattr(item, "callspec") and "example" in item.callspec.params
    )  # fmt: skip
    with ThreadPoolExecutor(2) as pool:
        yield {page: pool.submit(run_page, page, tmp_path_factory.mktemp(page.stem), clean_environ) for page in asked}


@pytest.mark.parametrize("example", [pytest.param(example, id=example.name) for example in EXAMPLES])
def test_example(example: Example, outcomes: dict[Path, Future[dict[int, Outcome]]]) -> None:
    outcome = outcomes[example.page].result()[example.line]
    if outcome.missing:
        pytest.skip(f"needs {', '.join(outcome.missing)}, which the tests do without")
    assert not outcome.failure, outcome.failure
    if example.prints is not None:
        assert outcome.printed.rstrip() == example.prints.rstrip()


def test_no_page_is_left_out() -> None:
    found = {example.page.name for example in EXAMPLES}
    assert {"README.md", "index.md", "tensors.md", "derivatives.md"} <= found


@pytest.mark.parametrize(
    ("code", "prints", "printed", "failure"),
    [
        ("print(1)", "1", "1\n", ""),
        ("print(1)", "2", "1\n", ""),
        ("1 / 0", "ZeroDivisionError: other words", "ZeroDivisionError: division by zero\n", ""),
        ("print(1)\n1 / 0", "1", "1\n", "ZeroDivisionError"),
        ("import warnings\nwarnings.warn('old')", "", "", "UserWarning: old"),
    ],
)
def test_what_a_block_does_is_told(tmp_path: Path, code: str, prints: str, printed: str, failure: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\n```python\n{code}\n```\n\n```text\n{prints}\n```\n", encoding="utf-8")
    (example,) = examples_of(page)
    assert (example.line, example.code, example.prints) == (4, f"{code}\n", f"{prints}\n")
    outcome = run_here(page)[4]
    assert outcome.printed == printed
    assert failure in outcome.failure and bool(failure) == bool(outcome.failure)


def test_blocks_of_a_page_build_on_one_another_and_those_of_a_readme_do_not(tmp_path: Path) -> None:
    for name, failure in (("page.md", ""), ("README.md", "NameError")):
        (tmp_path / name).write_text("```python\nx = 1\n```\n\n```python\nprint(x)\n```\n", encoding="utf-8")
        assert failure in run_here(tmp_path / name)[6].failure


def test_a_library_that_is_not_there_is_named(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- needs: sys nowhere_at_all -->\n```python\nimport nowhere_at_all\n```\n", encoding="utf-8")
    assert run_here(page)[3].missing == ("nowhere_at_all",)

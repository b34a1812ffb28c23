"""The Python a person copies from the README runs as it stands."""

import re
import subprocess
import sys

import pytest

from scripts.workspace import ROOT, packages

BLOCKS = [
    pytest.param(block, id=f"{file.relative_to(ROOT).as_posix()}:{number}")
    for file in [ROOT / "README.md", *(package.folder / "README.md" for package in packages())]
    if file.is_file()
    for number, block in enumerate(
        re.findall(r"^```python\n(.*?)^```$", file.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    )
]


@pytest.mark.slow
@pytest.mark.parametrize("block", BLOCKS)
def test_block_runs(block: str, clean_environ: dict[str, str], tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=tmp_path, env=clean_environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""

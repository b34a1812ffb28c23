"""What the tests share: the tables beside this file, and a place for bundles."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # the tables are modules of this folder, however pytest imports the tests


@pytest.fixture
def path(tmp_path):
    """Where a bundle may be written."""
    return tmp_path / "model.brick"


@pytest.fixture
def own_registry(monkeypatch):
    """The types of `bundle_files` may stand in bundles, and no others."""
    import bundle_files

    from brickwork.tensor.bundle import registry

    monkeypatch.setattr(registry, "_types", {})
    registry.register("test", bundle_files.TYPES)

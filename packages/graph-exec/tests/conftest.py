"""Compiled code of the tests is kept for this run only, so that a test never meets what an older tree compiled."""

import os
import sys
import tempfile
from pathlib import Path

_folder = tempfile.TemporaryDirectory(prefix="brickwork-cache-")
os.environ["BRICKWORK_CACHE_DIR"] = _folder.name

sys.path.append(str(Path(__file__).parent))  # `programs` is beside this file

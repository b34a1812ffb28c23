"""Compiled code of the tests is kept for this run only, so that a test never meets what an older tree compiled."""

import os
import tempfile

_folder = tempfile.TemporaryDirectory(prefix="brickwork-cache-")
os.environ["BRICKWORK_CACHE_DIR"] = _folder.name

"""What the tests share: the tables beside this file."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))  # the tables are modules of this folder, however pytest imports the tests

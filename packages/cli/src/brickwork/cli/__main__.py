"""`python -m brickwork.cli` is `brickwork`."""

import sys

from .main import main

sys.exit(main())

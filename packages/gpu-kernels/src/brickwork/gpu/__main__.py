"""``python -m brickwork.gpu``: what of CUDA is here, and what mends what is not.

The exit code is 0 where the GPU can be used, else 1.
"""

import sys

from .backend import CudaBackend
from .probe import probe_machine


def main() -> int:
    """Print the findings and the verdict."""
    for what, finding in probe_machine().lines():
        sys.stdout.write(f"{what:<21} {finding}\n")
    reason = CudaBackend().available()
    sys.stdout.write(f"\ndevice 'cuda' {'is usable' if reason is None else 'can not be used: ' + reason}\n")
    return 0 if reason is None else 1


if __name__ == "__main__":
    sys.exit(main())

"""Settings from the environment, read here and nowhere else in this package."""

from __future__ import annotations

import os
import sys

__all__ = ["cache_folder", "thread_count"]


def thread_count() -> int:
    """How many threads compiled code uses: ``BRICKWORK_NUM_THREADS``, else the processors this process may run on."""
    wanted = os.environ.get("BRICKWORK_NUM_THREADS", "")
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, _quota(allowed)))


def _quota(otherwise: int) -> int:
    """Whole processors of a cgroup limit, where there is one."""
    try:
        with open("/sys/fs/cgroup/cpu.max", encoding="ascii") as file:
            quota, period = file.read().split()
        return max(1, round(int(quota) / int(period)))
    except (OSError, ValueError):
        return otherwise


def cache_folder() -> str | None:
    """Where compiled code is kept: ``BRICKWORK_CACHE_DIR``, else the user's cache folder; None when that is set to
    "" (no cache)."""
    wanted = os.environ.get("BRICKWORK_CACHE_DIR")
    if wanted is not None:
        return wanted or None
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return os.path.join(base, "brickwork", "cache") if base else None
    if sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return None if base.startswith("~") else os.path.join(base, "brickwork")  # a user without a home has no cache

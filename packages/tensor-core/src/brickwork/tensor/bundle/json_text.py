"""Strict JSON: RFC 8259 to the letter, where Python's own reader is lenient; and one spelling for a given value."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from .records import BundleError


def canonical(value: Any) -> bytes:
    """The one ASCII text of a JSON value: sorted keys, no spaces, shortest floats. Digests are taken of it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def parse(data: bytes, who: str) -> Any:
    """The value of UTF-8 JSON text; duplicate keys, NaN, Infinity and floats out of range are refused."""
    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except RecursionError:
        raise BundleError(f"{who} is nested too deeply.") from None
    except BundleError as error:
        raise BundleError(f"{who} must be strict JSON: {error}") from None
    except ValueError as error:  # also UnicodeDecodeError, and ints of thousands of digits
        raise BundleError(f"{who} must be JSON: {error}.") from None


def shown(value: Any) -> str:
    """A value from a file, short enough for an error message."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # ints of thousands of digits, lists in thousands of lists
        return f"a {type(value).__name__} too long to show"
    return text if len(text) <= 120 else text[:117] + "..."


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise BundleError(f"the key {twice[:80]!r} stands twice in one object.")
    return found


def _no_constant(text: str) -> NoReturn:
    raise BundleError(f"{text} is no JSON number.")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise BundleError(f"the number {text[:40]} does not fit a float.")
    return value

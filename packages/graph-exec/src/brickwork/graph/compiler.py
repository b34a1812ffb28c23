"""What the hub finds by entry point: this package as a compiler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["LLVMCompiler"]


def _loads() -> bool:
    from .llvm.engine import host  # noqa: PLC0415 - takes longer than the first step of a small model

    return bool(host().name)


class LLVMCompiler:
    """Compiles for the CPU with LLVM."""

    name = "llvm"

    def available(self) -> str | None:
        """None, or why llvmlite does not load here and what mends it."""
        try:
            from .cache import cached_value  # noqa: PLC0415 - what is needed when a compiler is asked for, not before
            from .llvm.installed import library_state  # noqa: PLC0415 - as above

            cached_value("loads", library_state(), _loads)
        except (ImportError, OSError, RuntimeError) as error:
            return f"llvmlite does not load: {error}. Run: python -m pip install --force-reinstall llvmlite"
        return None

    def function(self, fn: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        """See `brickwork.graph.function`."""
        from .compiled import Function  # noqa: PLC0415 - as above

        return Function(fn, **options)

"""Order among numbered things that need one another: clusters, and the steps of a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

__all__ = ["reaches", "topological"]


def topological(needs: Mapping[int, Iterable[int]]) -> list[int]:
    """Each number after what it needs, otherwise as given."""
    done: dict[int, None] = {}
    for number in needs:
        stack = [(number, iter(sorted(needs[number])))]
        while stack:
            n, rest = stack[-1]
            child = None if n in done else next((c for c in rest if c not in done), None)
            if child is None:
                done[n] = None
                stack.pop()
            else:
                stack.append((child, iter(sorted(needs[child]))))
    return list(done)


def reaches(needs: Callable[[int], Iterable[int]], start: int, goal: int) -> bool:
    """Whether ``start`` needs ``goal``, directly or not."""
    seen: set[int] = set()
    stack = [start]
    while stack:
        n = stack.pop()
        if n == goal:
            return True
        if n not in seen:
            seen.add(n)
            stack.extend(needs(n))
    return False

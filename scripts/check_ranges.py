"""Check that the requirements of every distribution fit the tree, and cap no third party.

`python -m scripts.check_ranges` prints one line for each fault and exits 1 where there is any.
"""

import sys
from collections.abc import Iterator, Sequence

from packaging.requirements import Requirement

from scripts.workspace import Distribution, distributions

# `==` and `~=` cap a version just as `<` does.
CAPS = {"<", "<=", "==", "===", "~="}


def faults(tree: Sequence[Distribution]) -> Iterator[str]:
    """Each requirement that shuts out a version of the tree, or caps a package from elsewhere, as a sentence."""
    versions = {distribution.name: distribution.version for distribution in tree}
    extras = {distribution.name: set(distribution.project.get("optional-dependencies", {})) for distribution in tree}
    for distribution in tree:
        for table, requirement in distribution.requirements():
            where = f"{distribution.name} ({table})"
            if not requirement.name.startswith("brickwork"):
                yield from _cap_fault(where, requirement)
                continue
            if requirement.name not in versions:
                yield f"{where}: a sibling must be in the tree; got {requirement}. The tree has {', '.join(versions)}."
                continue
            version = versions[requirement.name]
            if not requirement.specifier.contains(version, prereleases=True):
                yield (
                    f"{where}: the range must admit the tree; got {requirement}, the tree has {version}. "
                    f"Widen it, or bump {requirement.name}."
                )
            for extra in sorted(requirement.extras - extras[requirement.name]):
                yield f"{where}: an extra must exist; got {requirement}. {requirement.name} has no extra {extra!r}."


def _cap_fault(where: str, requirement: Requirement) -> Iterator[str]:
    caps = [str(part) for part in requirement.specifier if part.operator in CAPS]
    if caps:
        yield f"{where}: no third party may be capped; got {requirement}. Drop {', '.join(caps)}."


def main() -> int:
    """Print the faults of this tree."""
    tree = distributions()
    found = list(faults(tree))
    print("\n".join(found) or f"{len(tree)} distributions: every range admits the tree, no third party is capped")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

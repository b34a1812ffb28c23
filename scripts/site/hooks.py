"""What mkdocs calls: pages that stand elsewhere in the tree, and the reference."""

import re
from functools import cache
from pathlib import PurePosixPath
from posixpath import normpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from scripts.site import reference
from scripts.site.links import linked
from scripts.workspace import ROOT, packages

LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)")


@cache
def elsewhere() -> dict[str, str]:
    """Pages that are files of the repository outside `docs/`: path there to path in the site."""
    inside = "packages/graph-exec/src/brickwork/graph"
    found = {
        f"{inside}/llvm/README.md": "packages/graph-exec/machine-code.md",
        f"{inside}/onnx/README.md": "packages/graph-exec/onnx.md",
    }
    for package in packages():
        folder = package.folder.relative_to(ROOT).as_posix()
        found |= {f"{folder}/README.md": f"{folder}/index.md", f"{folder}/CHANGELOG.md": f"{folder}/changelog.md"}
    return found


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill the entry `Reference` of the menu."""
    assert config.nav is not None
    for entry in config.nav:
        if "Reference" in entry:
            entry["Reference"] = [*entry["Reference"], *reference.menu()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is not under `docs/`."""
    for source, path in elsewhere().items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, path, content=_relinked(text, source, path)))
    for page in reference.pages():
        files.append(File.generated(config, page.path, content=page.body))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """In the guide, and at the head of a page of the reference, names are links to where they are explained."""
    path = PurePosixPath(page.file.src_uri)
    if path.parts[0] == "guide":
        order = [f"brickwork.tensor.{path.stem}", "brickwork.tensor"]
        order += [f"brickwork.tensor.{room}" for room in ("random", "nn", "linalg", "fft")]
        pieces = re.split(r"(^```.*?^```$)", markdown, flags=re.MULTILINE | re.DOTALL)
        return "".join(piece if piece.startswith("```") else linked(piece, order) for piece in pieces)
    if path.parts[0] == "reference" and "\n::: " in markdown:
        head, first, rest = markdown.partition("\n::: ")
        return linked(head, (rest.split()[0].rpartition(".")[0], "brickwork.tensor")) + first + rest
    return markdown


def _relinked(text: str, source: str, path: str) -> str:
    """Links between files of the repository as links between pages of the site."""

    def target(match: re.Match[str]) -> str:
        found = normpath(PurePosixPath(source).parent / match[1])
        page = elsewhere().get(found, found.removeprefix("docs/"))
        return "../" * (len(PurePosixPath(path).parts) - 1) + page

    return LINK.sub(target, text)

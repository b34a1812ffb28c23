"""The site: what `hatch run docs:build` adds to the pages under `docs/`.

`reference` writes the pages of the API reference, `docstrings` lets mkdocstrings see functions that are made at run
time, `hooks` is what mkdocs calls.
"""

"""Graphs written as models of the ONNX standard; importing this registers how each op is written."""

from . import composites, contractions, expressions, indexing, movements, reductions, regions

__all__ = ["composites", "contractions", "expressions", "indexing", "movements", "reductions", "regions"]

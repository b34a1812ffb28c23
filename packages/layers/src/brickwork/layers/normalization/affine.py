"""The gamma and beta that normalization layers share."""

from __future__ import annotations

from typing import Any

from ..weights import roles_config

__all__ = ["affine_config"]


def affine_config(layer: Any) -> dict[str, Any]:
    """What a layer says of its gamma and beta."""
    return {"center": layer.center, "scale": layer.scale, **roles_config(layer, "beta", "gamma")}

"""The gamma and beta that normalization layers share."""

from __future__ import annotations

from typing import Any

from .. import constraints, initializers, regularizers
from ..core.dense import optional

__all__ = ["affine_config"]


def affine_config(layer: Any) -> dict[str, Any]:
    """What a layer says of its gamma and beta."""
    config = {"center": layer.center, "scale": layer.scale}
    for name in ("beta", "gamma"):
        config[f"{name}_initializer"] = initializers.serialize(getattr(layer, f"{name}_initializer"))
        config[f"{name}_regularizer"] = optional(regularizers.serialize, getattr(layer, f"{name}_regularizer"))
        config[f"{name}_constraint"] = optional(constraints.serialize, getattr(layer, f"{name}_constraint"))
    return config

"""Masks of sequences: which steps count, handed from the layer that makes them to those that heed them.

A mask is boolean, (batch, steps), true where a step counts. It rides on the handle of a tensor and not in its data, so
ops leave it behind, and layers whose ``supports_masking`` is true hand it on.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from brickwork.tensor import Tensor, asarray, size_of, sum, where
from brickwork.tensor.tree import leaves

if TYPE_CHECKING:
    from .layer import Layer

__all__ = ["MaskedTensor", "as_weights", "hand_on", "is_masked", "mask_of", "masks_of", "with_mask", "without_mask"]


class MaskedTensor(Tensor):
    """A tensor whose steps have a ``mask``."""

    __slots__ = ("mask",)
    mask: Any

    def __init__(self, data: Any, mask: Any = None):
        super().__init__(data)
        self.mask = mask


def mask_of(x: Any) -> Any:
    """The mask of a tensor, or None."""
    return x.mask if isinstance(x, MaskedTensor) else None


def with_mask(x: Tensor, mask: Any) -> Tensor:
    """The same values, with a mask where one is given."""
    return x if mask is None else MaskedTensor(x.data, mask)


def without_mask(x: Any) -> Any:
    """The same values, without a mask."""
    return Tensor(x.data) if isinstance(x, MaskedTensor) else x


def is_masked(tree: Any) -> bool:
    """Whether a tensor in a tree of arguments has a mask."""
    return any(isinstance(x, MaskedTensor) for x in leaves(tree))


def masks_of(tree: Any) -> Any:
    """The masks of a tensor or of a list of them, or None where none has one."""
    if isinstance(tree, (list, tuple)):
        found = [masks_of(x) for x in tree]
        return found if any(m is not None for m in found) else None
    return mask_of(tree)


def mask_arguments(names: Sequence[str], args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """What ``call`` takes of masks and was not given: ``mask`` for its first argument, ``<name>_mask`` for any."""
    given = {**dict(zip(names, args)), **kwargs}
    out = {}
    for place, (name, value) in enumerate(given.items()):
        for wanted in (f"{name}_mask", *(("mask",) if place == 0 else ())):
            if wanted in names[len(args) :] and given.get(wanted) is None:
                found = masks_of(value)
                if found is not None:
                    out[wanted] = found
    return out


def hand_on(layer: Layer, inputs: Any, out: Any, previous: Any) -> Any:
    """What a layer gave, with the masks that it says they have; one that it gave a mask itself keeps it."""
    if not layer.supports_masking:
        if previous is not None and not layer._sublayers():  # what is made of layers leaves it to them
            warnings.warn(
                f"{layer.name}: hands no mask on; got inputs that have one. The layers after it count every step",
                stacklevel=5,
            )
        return out
    masks = layer.compute_mask(inputs, previous)
    if masks is None:
        return out
    if isinstance(out, Tensor):
        first = masks[0] if isinstance(masks, (list, tuple)) else masks
        return out if mask_of(out) is not None else with_mask(out, first)
    flat = list(masks) if isinstance(masks, (list, tuple)) else [masks]
    parts = [
        with_mask(x, m) if isinstance(x, Tensor) and mask_of(x) is None else x
        for x, m in zip(out, [*flat, *[None] * (len(out) - len(flat))])
    ]
    return type(out)(parts)


def as_weights(mask: Any, values: Tensor, sample_weight: Any, share: bool) -> Any:
    """A mask of predictions as weights of their loss values, times the weights that there are.

    ``share``: what masked steps would weigh goes to the others, so that a mean over all is the mean over those.
    """
    if mask is None:
        return sample_weight
    kept = asarray(mask).astype(values.dtype)
    if share:
        valid = sum(kept)
        whole = size_of(prod(kept.shape), values.dtype)
        kept = kept * where(valid == 0.0, 0.0, whole / where(valid == 0.0, 1.0, valid))
    if sample_weight is None:
        return kept
    weight = asarray(sample_weight).astype(values.dtype)
    while weight.ndim < kept.ndim:
        weight = weight[..., None]
    while kept.ndim < weight.ndim:
        kept = kept[..., None]
    return weight * kept

"""Layers that keep a model from learning its data by heart."""

from .dropout import Dropout

__all__ = ["Dropout"]

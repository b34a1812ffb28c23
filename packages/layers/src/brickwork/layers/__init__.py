"""Layers, models, losses, optimizers and training for Brickwork, in the vocabulary of Keras 3."""

__version__ = "0.1.0"

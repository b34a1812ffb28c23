"""The `brickwork` terminal program: train, evaluate, predict, describe, doctor."""

__version__ = "0.1.0"

"""Layers that most models have."""

from .activation import Activation, ReLU, Softmax
from .dense import Dense
from .embedding import Embedding
from .input_layer import Input, InputLayer
from .masking import Masking
from .operator import GetItem, Operator
from .rescaling import Rescaling

__all__ = [
    "Activation", "Dense", "Embedding", "GetItem", "Input", "InputLayer", "Masking", "Operator", "ReLU", "Rescaling",
    "Softmax",
]  # fmt: skip

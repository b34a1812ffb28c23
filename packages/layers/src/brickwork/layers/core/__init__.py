"""Layers that most models have."""

from .activation import Activation, ReLU, Softmax
from .dense import Dense
from .input_layer import Input, InputLayer
from .operator import GetItem, Operator
from .rescaling import Rescaling

__all__ = ["Activation", "Dense", "GetItem", "Input", "InputLayer", "Operator", "ReLU", "Rescaling", "Softmax"]

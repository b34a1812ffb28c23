"""Layers, models, losses, optimizers and training for Brickwork, in the vocabulary of Keras 3."""

from importlib import import_module
from typing import Any

from . import activations, callbacks, constraints, initializers, losses, metrics, models, optimizers, regularizers
from .attention import GroupQueryAttention, MultiHeadAttention
from .convolutional import (
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
)
from .core import Activation, Dense, Embedding, Input, InputLayer, Masking, ReLU, Rescaling, Softmax
from .errors import LayerError
from .initializers import Initializer
from .input_spec import InputSpec
from .layer import Layer
from .losses import Loss
from .merging import Add, Average, Concatenate, Maximum, Minimum, Multiply, Subtract
from .metrics import Metric
from .models import Model, Sequential
from .naming import clear_session
from .normalization import BatchNormalization, LayerNormalization
from .optimizers import Optimizer
from .pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from .recurrent import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    GRUCell,
    LSTMCell,
    SimpleRNN,
    SimpleRNNCell,
    StackedRNNCells,
    TimeDistributed,
)
from .regularization import Dropout
from .regularizers import Regularizer
from .reshaping import Flatten, Reshape
from .seeds import set_random_seed
from .serialization import deserialize, register_serializable, serialize
from .symbolic import SymbolicTensor

__version__ = "0.1.0"

__all__ = [
    "Activation", "Dense", "Dropout", "Flatten", "Input", "InputLayer", "ReLU", "Rescaling", "Reshape", "Softmax",
    "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "DepthwiseConv1D",
    "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D", "BatchNormalization", "LayerNormalization",
    "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "GlobalMaxPooling3D",
    "Embedding", "Masking", "GroupQueryAttention", "MultiHeadAttention",
    "Bidirectional", "GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "SimpleRNN", "SimpleRNNCell", "StackedRNNCells",
    "TimeDistributed",
    "Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract",
    "Model", "Sequential",
    "Layer", "InputSpec", "Initializer", "Loss", "Metric", "Optimizer", "Regularizer", "SymbolicTensor",
    "activations", "callbacks", "constraints", "initializers", "losses", "metrics", "models", "optimizers",
    "regularizers",
    "LayerError", "clear_session", "deserialize", "register_serializable", "serialize", "set_random_seed",
    "Classifier", "Regressor", "load_model", "save",
]  # fmt: skip

# Paid for by whoever uses them: estimators look for scikit-learn, saving for the bundle format.
_LAZY = {"Classifier": "estimators", "Regressor": "estimators", "load_model": "saving", "save": "saving"}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_LAZY[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})

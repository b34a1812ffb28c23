"""Functions of neural networks, as `brickwork.tensor.nn`: activations, softmax, normalization, convolution, pooling,
attention, resizing, losses.

Pictures and signals are channels last: ``(batch, *space, channels)`` with one, two or three axes of space.
"""

from typing import TYPE_CHECKING

from ..late import late_names
from ..ops.elementwise import tanh
from ..ops.gathering import one_hot
from .activations import (
    celu,
    elu,
    gelu,
    gelu_tanh,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    mish,
    prelu,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    squareplus,
    tanh_shrink,
    threshold,
)
from .convolution import conv, conv_transpose, depthwise_conv, separable_conv
from .normalization import (
    batch_norm,
    cosine_similarity,
    group_norm,
    instance_norm,
    layer_norm,
    moments,
    normalize,
    rms_norm,
    standardize,
)
from .pooling import (
    adaptive_average_pool,
    adaptive_max_pool,
    average_pool,
    global_average_pool,
    global_max_pool,
    max_pool,
)
from .softmax import log_softmax, softmax

if TYPE_CHECKING:
    from .attention import dot_product_attention, scaled_dot_product_attention
    from .lookup import embedding, multi_hot
    from .losses import huber, sigmoid_binary_cross_entropy, softmax_cross_entropy
    from .patches import fold, unfold
    from .regularization import dropout
    from .resizing import depth_to_space, resize, space_to_depth
    from .sparse import sparsemax

swish, hard_swish = silu, hard_silu

_LATER = {
    **dict.fromkeys(("dot_product_attention", "scaled_dot_product_attention"), "attention"),
    "dropout": "regularization",
    **dict.fromkeys(("embedding", "multi_hot"), "lookup"),
    **dict.fromkeys(("huber", "sigmoid_binary_cross_entropy", "softmax_cross_entropy"), "losses"),
    **dict.fromkeys(("depth_to_space", "resize", "space_to_depth"), "resizing"),
    **dict.fromkeys(("fold", "unfold"), "patches"),
    "sparsemax": "sparse",
}
"""The room of each name that loads when it is first asked for."""


if not TYPE_CHECKING:
    __getattr__ = late_names(globals(), _LATER)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


__all__ = [
    # activations
    "celu", "elu", "gelu", "gelu_tanh", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish",
    "hard_tanh", "leaky_relu", "log_sigmoid", "log_softmax", "mish", "prelu", "relu", "relu6", "selu", "sigmoid",
    "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax",
    "squareplus", "swish", "tanh", "tanh_shrink", "threshold",
    # normalization
    "batch_norm", "cosine_similarity", "group_norm", "instance_norm", "layer_norm", "moments", "normalize",
    "rms_norm", "standardize",
    # convolution and windows
    "adaptive_average_pool", "adaptive_max_pool", "average_pool", "conv", "conv_transpose", "depthwise_conv",
    "fold", "global_average_pool", "global_max_pool", "max_pool", "separable_conv", "unfold",
    # pictures in another size
    "depth_to_space", "resize", "space_to_depth",
    # attention, lookup, dropout, losses
    "dot_product_attention", "dropout", "embedding", "huber", "multi_hot", "one_hot",
    "scaled_dot_product_attention", "sigmoid_binary_cross_entropy", "softmax_cross_entropy",
]  # fmt: skip

"""Initial values of weights, as ``keras.initializers``: called with a shape and a dtype, they give a tensor.

The same seed gives the same values on every machine. Without one a seed is drawn when the initializer is made.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from brickwork import tensor as bt
from brickwork.tensor import Tensor, asarray, eye, full, ones, random, reshape, sign, transpose, zeros

from .errors import LayerError, unknown
from .naming import snake_case
from .seeds import next_seed
from .serialization import Configurable, known
from .serialization import deserialize as _deserialize
from .serialization import serialize as _serialize

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "deserialize",
    "get",
    "serialize",
]


class Initializer(Configurable):
    """Base: subclasses define ``__call__(shape, dtype)``."""

    kind = "initializer"

    def __call__(self, shape: Sequence[int], dtype: Any = "float32") -> Tensor:
        raise NotImplementedError(f"{type(self).__name__}: define __call__(self, shape, dtype)")

    def clone(self) -> Initializer:
        return type(self).from_config(self.get_config())


class Zeros(Initializer):
    """All 0."""

    def __call__(self, shape: Sequence[int], dtype: Any = "float32") -> Tensor:
        return zeros(shape, dtype)


class Ones(Initializer):
    """All 1."""

    def __call__(self, shape: Sequence[int], dtype: Any = "float32") -> Tensor:
        return ones(shape, dtype)


class Constant(Initializer):
    """All ``value``."""

    def __init__(self, value: float = 0.0):
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: Any = "float32") -> Tensor:
        return full(shape, self.value, dtype)

    def get_config(self) -> dict[str, Any]:
        return {"value": self.value}


class Identity(Initializer):
    """``gain`` on the diagonal of a matrix."""

    def __init__(self, gain: float = 1.0):
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = "float32") -> Tensor:
        if len(shape) != 2:
            raise LayerError(f"identity: the shape must be a matrix; got {tuple(shape)}. Use another initializer")
        return eye(*shape, dtype=dtype) * self.gain

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}


class _Random(Initializer):
    """With a seed. An int gives the same values at every call."""

    def __init__(self, seed: int | None = None):
        self.seed = seed
        self._drawn = next_seed() if seed is None else int(seed)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}

    @property
    def key(self) -> Tensor:
        return random.key(self._drawn)


class RandomNormal(_Random):
    """Normal of ``mean`` and ``stddev``."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None):
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape: Sequence[int], dtype: Any = "float32") -> Tensor:
        return random.normal(self.key, shape, dtype, self.mean, self.stddev)

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


class TruncatedNormal(RandomNormal):
    """Normal, drawn again where it is more than two ``stddev`` from ``mean``."""

    def __call__(self, shape: Sequence[int], dtype: Any = "float32") -> Tensor:
        return random.truncated_normal(self.key, shape, dtype, self.mean, self.stddev)


class RandomUniform(_Random):
    """Uniform in ``[minval, maxval)``."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None):
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def __call__(self, shape: Sequence[int], dtype: Any = "float32") -> Tensor:
        return random.uniform(self.key, shape, dtype, self.minval, self.maxval)

    def get_config(self) -> dict[str, Any]:
        return {"minval": self.minval, "maxval": self.maxval, **super().get_config()}


TRUNCATION = 0.87962566103423978  # standard deviation of the unit normal truncated at two deviations


class VarianceScaling(_Random):
    """Values of variance ``scale / n``: n is the fan in, the fan out, or their mean, as ``mode`` says.

    ``distribution``: "truncated_normal" (its variance corrected for the truncation), "untruncated_normal" or "uniform".
    """

    def __init__(
        self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "truncated_normal", seed: int | None = None
    ):
        super().__init__(seed)
        if scale <= 0:
            raise LayerError(f"VarianceScaling: scale must be positive; got {scale}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise unknown("VarianceScaling mode", mode, ("fan_in", "fan_out", "fan_avg"))
        distribution = "truncated_normal" if str(distribution).lower() == "normal" else str(distribution).lower()
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise unknown(
                "VarianceScaling distribution", distribution, ("truncated_normal", "untruncated_normal", "uniform")
            )
        self.scale, self.mode, self.distribution = scale, mode, distribution

    def __call__(self, shape: Sequence[int], dtype: Any = "float32") -> Tensor:
        fan_in, fan_out = fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        match self.distribution:
            case "uniform":
                limit = math.sqrt(3.0 * variance)
                return random.uniform(self.key, shape, dtype, -limit, limit)
            case "untruncated_normal":
                return random.normal(self.key, shape, dtype, 0.0, math.sqrt(variance))
        return random.truncated_normal(self.key, shape, dtype, 0.0, math.sqrt(variance) / TRUNCATION)

    def get_config(self) -> dict[str, Any]:
        return {"scale": self.scale, "mode": self.mode, "distribution": self.distribution, **super().get_config()}


class _Scaled(VarianceScaling):
    """A `VarianceScaling` with a name of its own and nothing but a seed to choose."""

    preset: tuple[float, str, str]

    def __init__(self, seed: int | None = None):
        super().__init__(*self.preset, seed)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}


class GlorotUniform(_Scaled):
    """Uniform in ±sqrt(6 / (fan in + fan out)) (Glorot and Bengio 2010)."""

    preset = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal of deviation sqrt(2 / (fan in + fan out)) (Glorot and Bengio 2010)."""

    preset = (1.0, "fan_avg", "truncated_normal")


class LecunNormal(_Scaled):
    """Truncated normal of deviation sqrt(1 / fan in) (LeCun 1998; Klambauer 2017)."""

    preset = (1.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform in ±sqrt(3 / fan in) (LeCun 1998)."""

    preset = (1.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal of deviation sqrt(2 / fan in) (He 2015)."""

    preset = (2.0, "fan_in", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform in ±sqrt(6 / fan in) (He 2015)."""

    preset = (2.0, "fan_in", "uniform")


class Orthogonal(_Random):
    """``gain`` times a matrix whose rows or columns, whichever are fewer, are orthonormal, drawn evenly from all of
    them (Saxe 2013; Mezzadri 2007): the Q of normal numbers, signs fixed. Axes but the last count as one.
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None):
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = "float32") -> Tensor:
        if len(shape) < 2:
            raise LayerError(f"Orthogonal: needs at least two axes; got {tuple(shape)}. Use another initializer")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        normal = random.normal(self.key, (max(rows, columns), min(rows, columns)), "float64")
        q, r = bt.linalg.qr(normal)
        q = q * sign(bt.linalg.diagonal(r))
        return (reshape(transpose(q) if rows < columns else q, shape) * self.gain).astype(dtype)

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, **super().get_config()}


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """How many inputs and outputs each unit of a kernel ``(*window, in, out)`` has."""
    if len(shape) < 2:
        n = shape[0] if shape else 1
        return n, n
    window = math.prod(shape[:-2])
    return shape[-2] * window, shape[-1] * window


class _Given(Initializer):
    """A function or an array in the place of an initializer."""

    def __init__(self, value: Any):
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: Any = "float32") -> Tensor:
        out = asarray(self.value(shape, dtype=dtype) if callable(self.value) else self.value, dtype)
        if out.shape != tuple(shape):
            raise LayerError(f"initializer: must give the shape asked for; got {out.shape} for {tuple(shape)}")
        return out


def get(identifier: Any) -> Any:
    """The initializer of a name ("glorot_uniform", "GlorotUniform"), class, config, array or function; None stays
    None.
    """
    if identifier is None or isinstance(identifier, Initializer):
        return identifier
    if isinstance(identifier, str):
        table = {
            **{snake_case(n): c for n, c in known("initializer").items() if not n.startswith("_")},
            **known("initializer"),
            "uniform": RandomUniform,
            "normal": RandomNormal,
            "one": Ones,
            "zero": Zeros,
        }
        if identifier not in table:
            raise unknown(
                "initializer", identifier, (n for n in table if n.islower() and n not in ("one", "zero", "initializer"))
            )
        return table[identifier]()
    if isinstance(identifier, type) and issubclass(identifier, Initializer):
        return identifier()
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    if callable(identifier) or hasattr(identifier, "shape"):
        return _Given(identifier)
    raise LayerError(
        f"initializer: must be a name, an Initializer, an array or a function of shape and dtype; got {identifier!r}"
    )


def serialize(initializer: Initializer) -> dict[str, Any]:
    """Its class name and config."""
    return _serialize(initializer)


def deserialize(config: Mapping[str, Any]) -> Initializer:
    """The initializer that `serialize` described."""
    found: Initializer = _deserialize(config, "initializer")
    return found

"""A device without a device: arrays that behave as CuPy's do where that differs from NumPy's.

They do not become NumPy arrays unasked, do not mix with them, and reductions give arrays and not scalars. So what the
hub would do wrong on a GPU goes red on a machine that has none.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin


def wrap(value):
    """NumPy's results as strict arrays."""
    if isinstance(value, (tuple, list)):
        return type(value)(map(wrap, value))
    return StrictArray(np.asarray(value)) if isinstance(value, (np.ndarray, np.generic)) else value


def unwrap(value):
    """Strict arrays as NumPy's, and a complaint about those that came from the host."""
    if isinstance(value, (tuple, list)):
        return type(value)(map(unwrap, value))
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")  # as CuPy says it
    return value.host if isinstance(value, StrictArray) else value


class StrictArray(NDArrayOperatorsMixin):
    """An array of the strict device; ``host`` is where it really lives."""

    __cuda_array_interface__ = {}

    def __init__(self, host: np.ndarray):
        self.host = host

    def __array__(self, dtype=None, copy=None):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`")

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if ufunc.signature is None and ufunc.__name__ not in dir(np):
            return NotImplemented  # CuPy knows NumPy's ufuncs, and no others
        return wrap(getattr(ufunc, method)(*unwrap(inputs), **{k: unwrap(v) for k, v in kwargs.items()}))

    def __array_function__(self, function, types, args, kwargs):
        return wrap(function(*unwrap(args), **{k: unwrap(v) for k, v in kwargs.items()}))

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self.host, name)
        return _wrapped(found) if callable(found) else wrap(found)

    def __getitem__(self, key):
        return wrap(self.host[unwrap(key)])

    def __setitem__(self, key, value):
        self.host[unwrap(key)] = unwrap(value)

    def __len__(self):
        return len(self.host)

    def __bool__(self):
        return bool(self.host)  # CuPy waits for the device and tells


def _wrapped(function):
    return lambda *args, **kwargs: wrap(function(*unwrap(args), **{k: unwrap(v) for k, v in kwargs.items()}))


class StrictUfunc:
    """A ufunc over strict arrays, with `at`, which works in place."""

    def __init__(self, ufunc: np.ufunc):
        self._ufunc = ufunc

    def __call__(self, *args, **kwargs):
        return _wrapped(self._ufunc)(*args, **kwargs)

    def at(self, target, indices, values):
        self._ufunc.at(unwrap(target), unwrap(indices), unwrap(values))


class StrictModule:
    """NumPy's functions over strict arrays."""

    def __init__(self, module: ModuleType):
        self._module = module

    def __getattr__(self, name):
        found = getattr(self._module, name)
        if isinstance(found, np.ufunc):
            return StrictUfunc(found)
        if isinstance(found, ModuleType):
            return StrictModule(found)
        return _wrapped(found) if callable(found) and not isinstance(found, type) else found

    def asarray(self, data, dtype=None):
        """The one way in: host data is copied to the device."""
        return StrictArray(np.array(data.host if isinstance(data, StrictArray) else data, dtype=dtype))

    array = asarray


class StrictBackend:
    """The device ``strict``."""

    name = "strict"
    xp = StrictModule(np)
    array_type = StrictArray
    claims = {"argmax": xp.argmax, "argmin": xp.argmin}

    def available(self):
        return None

    def asarray(self, data, dtype=None):
        return self.xp.asarray(data, dtype)

    def to_numpy(self, data):
        return data.host

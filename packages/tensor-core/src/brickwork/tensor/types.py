"""The dtypes as people name them: NumPy's scalar types, as in NumPy itself.

``x.dtype == float32`` holds for a tensor of that type, ``np.dtype(float32)`` tells its size, and a Python or ml_dtypes
scalar is made by calling one. (A ``np.dtype`` in their place would equal None, which NumPy reads as float64.)
"""

import ml_dtypes
import numpy as np

__all__ = [
    "bfloat16",
    "bool",
    "complex64",
    "complex128",
    "float8_e4m3fn",
    "float8_e5m2",
    "float16",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]

# One a line, so that readers of source find each.
bool = np.bool_
complex64 = np.complex64
complex128 = np.complex128
int8 = np.int8
int16 = np.int16
int32 = np.int32
int64 = np.int64
uint8 = np.uint8
uint16 = np.uint16
uint32 = np.uint32
uint64 = np.uint64
float16 = np.float16
float32 = np.float32
float64 = np.float64
bfloat16 = ml_dtypes.bfloat16
float8_e4m3fn = ml_dtypes.float8_e4m3fn
float8_e5m2 = ml_dtypes.float8_e5m2

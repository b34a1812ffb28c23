"""What the tests of bundles share: types that stand in them, trees compared, files in a folder of their own."""

from __future__ import annotations

import dataclasses
import json
import os
import struct
import subprocess
import sys
import textwrap
import warnings
import zipfile
from hashlib import sha256

import ml_dtypes
import numpy as np

from brickwork.tensor import bundle
from brickwork.tensor.bundle import Limits

DTYPES = [np.dtype(code) for code in "? i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 c8 c16".split()] + [
    np.dtype(getattr(ml_dtypes, name))
    for name in "bfloat16 float8_e4m3fn float8_e5m2 float8_e8m0fnu float8_e4m3fnuz float8_e5m2fnuz".split()
]
TENSORS, BODY = "tensors.safetensors", "bundle.json"
DEFAULT = Limits()


@dataclasses.dataclass
class Scaler:
    mean: np.ndarray
    inner: object = None

    def to_state(self):
        return {"mean": self.mean, "inner": self.inner}

    @classmethod
    def from_state(cls, state):
        if state["mean"].ndim != 1:
            raise RuntimeError("mean must be a vector")
        return cls(state["mean"], state["inner"])


class Endless:
    def to_state(self):
        return self

    @classmethod
    def from_state(cls, state):
        return cls()


class Broken(Endless):
    def to_state(self):
        raise KeyError("weights")


TYPES = {"Scaler": Scaler, "Endless": Endless, "Broken": Broken}


def same(a, b):
    if isinstance(a, np.ndarray):
        return type(b) is np.ndarray and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, Scaler):
        return type(b) is Scaler and same(a.to_state(), b.to_state())
    if isinstance(a, dict):
        return type(b) is dict and a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return type(b) is float and struct.pack("d", a) == struct.pack("d", b)
    return type(a) is type(b) and a == b


def roundtrip(path, value):
    bundle.save(path, {"value": value})
    return bundle.load(path)["value"]


def run_python(code, *arguments):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def members_of(path):
    with zipfile.ZipFile(path) as archive:
        return archive.read(TENSORS), json.loads(archive.read(BODY))


def zipped(path, *members, compression=zipfile.ZIP_STORED, **attributes):
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", compression) as archive:
        warnings.simplefilter("ignore", UserWarning)  # two members of one name
        for name, data in members:
            entry = zipfile.ZipInfo(name)
            entry.compress_type = compression
            for key, value in attributes.items():
                setattr(entry, key, value)
            archive.writestr(entry, data)


def sealed(body):
    """The text of bundle.json around a body, with the digest that belongs to it."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    return json.dumps({"format": 1, "body": body, "body_sha256": sha256(text).hexdigest()}).encode()


def forge(path, objects, header=None, data=b"", metadata=None, **body):
    """A file whose digests are right and whose content is the test's."""
    header = json.dumps(header or {}).encode() if not isinstance(header, bytes) else header
    tensors = struct.pack("<Q", len(header)) + header + data
    digest = {"tensors_sha256": sha256(tensors).hexdigest()}
    whole = {"metadata": metadata or {}, "objects": objects, "versions": {"brickwork.tensor": "0.1.0"}} | digest | body
    zipped(path, (TENSORS, tensors), (BODY, sealed(whole)))


def entry(**changes):
    return {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} | changes}

"""`save` and `load`: trees as safetensors files."""

import json
import os
import struct
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

import brickwork.tensor as bt
from brickwork.tensor import MemoryLimitError, Tensor, Variable
from brickwork.tensor.bundle import BundleError, Limits
from brickwork.tensor.dtypes import NAMES

Pair = namedtuple("Pair", ["left", "right"])


@dataclass
class Layer:
    kernel: Any
    bias: Any = None


def tree():
    return {
        "net": [Layer(Variable(np.ones((2, 3), np.float32), name="kernel")), Pair(bt.arange(4), (1, 2.5, "text"))],
        "moments": OrderedDict(first=np.zeros((0, 2)), second=bt.asarray(1.0)),
        "done": True,
        "nothing": None,
        "inf": float("inf"),
        "a/b": bt.asarray([True, False]),
        "$x": 1,
    }


def test_a_tree_comes_back(tmp_path):
    path = tmp_path / "state.safetensors"
    bt.save(tree(), path)
    found = bt.load(path)
    kernel = found["net"][0]["kernel"]
    assert type(kernel) is Variable and (kernel.name, kernel.trainable) == ("kernel", True)
    assert kernel.tolist() == [[1.0] * 3] * 2 and found["net"][0]["bias"] is None
    assert found["net"][1][0].tolist() == [0, 1, 2, 3] and found["net"][1][1] == (1, 2.5, "text")
    assert type(found["net"][1]) is tuple and type(found["moments"]["first"]) is Tensor
    assert (
        found["moments"]["first"].spec == bt.TensorSpec((0, 2), bt.float64) and found["moments"]["second"].shape == ()
    )
    assert found["done"] is True and found["nothing"] is None and found["inf"] == float("inf") and found["$x"] == 1
    assert found["a/b"].tolist() == [True, False]
    found["net"][1][0].numpy()[0] = 7  # memory of its own, writable
    before = path.read_bytes()
    bt.save(tree(), path)
    assert path.read_bytes() == before
    assert sorted(load_file(path)) == ["a~1b", "moments/first", "moments/second", "net/0/kernel", "net/1/0"]


def test_like_gives_the_classes_back(tmp_path):
    path = tmp_path / "state.safetensors"
    bt.save(tree(), path)
    blank = tree()
    blank["net"][0].kernel.assign(np.zeros((2, 3), np.float32))
    found = bt.load(path, like=blank)
    assert type(found["net"][0]) is Layer and type(found["net"][1]) is Pair
    kernel = found["net"][0].kernel
    assert type(kernel) is Variable and kernel.tolist() == [[1.0] * 3] * 2
    assert blank["net"][0].kernel.tolist() == [[0.0] * 3] * 2
    for change, says in (
        (lambda t: t.pop("a/b"), "'a~1b' belongs to no place in the tree that was given"),
        (lambda t: t.update(more=bt.zeros(1)), "'more' must be a tensor of the file"),
        (lambda t: t.update({"a/b": bt.zeros(2)}), "'a~1b' must be float32.2,.; the file has bool.2,."),
        (lambda t: t.update({"a/b": bt.zeros(3, "bool")}), "must be bool.3,.; the file has bool.2,."),
    ):
        other = tree()
        change(other)
        with pytest.raises(BundleError, match=says):
            bt.load(path, like=other)


@pytest.mark.parametrize("dtype", NAMES)
def test_every_dtype(tmp_path, dtype):
    path = tmp_path / "x.safetensors"
    x = bt.asarray([0.0, 1.0, 2.0]).astype(dtype)
    for value in (x, x[1], {"x": x[:0]}, [x[::-1]]):
        bt.save(value, path)
        found, want = bt.tree.leaves(bt.load(path))[0], bt.tree.leaves(value)[0]
        assert found.spec == want.spec and found.numpy().tobytes() == want.numpy().tobytes()
        assert bt.load(path, like=value) is not None


def test_files_of_other_libraries(tmp_path):
    path = tmp_path / "theirs.safetensors"
    arrays = {"encoder.0.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "step": np.asarray(3, np.int64)}
    save_file(arrays, path, metadata={"format": "np"})
    found = bt.load(path)
    assert sorted(found) == sorted(arrays)
    assert all(found[k].tolist() == v.tolist() and found[k].dtype == v.dtype for k, v in arrays.items())
    assert bt.load(path, like=arrays)["step"].item() == 3


def test_what_can_not_be_saved(tmp_path):
    path = tmp_path / "x.safetensors"
    for bad, says in (
        ({"a": {1: 2}}, "'a' has a key that is not a str"),
        ({"a": [object()]}, "save: .*x.safetensors: 'a/0' must be a dict"),
        ({"a": np.array(["text"])}, "array of <U4"),
        ({"__metadata__": bt.zeros(1)}, "keys must not be"),
        ({"": bt.zeros(1)}, "keys must not be empty"),
    ):
        with pytest.raises(BundleError, match=says):
            bt.save(bad, path)
    with pytest.raises(BundleError, match="more elements"):
        bt.save(bt.zeros(9), path, limits=Limits(elements=8))
    with pytest.raises(BundleError, match="cannot be written"):
        bt.save({}, tmp_path / "no" / "x.safetensors")
    assert not list(tmp_path.iterdir())
    for call in (lambda p: bt.save({}, p), bt.load):
        for path in (1, None, np.zeros(2), object):
            with pytest.raises(BundleError, match=r"the path must be str, bytes or os\.PathLike"):
                call(path)
    with pytest.raises(BundleError, match=r"cannot be written: .*null"):
        bt.save({}, "a\0b")
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(BundleError, match="nested deeper"):
        bt.save(loop, path := tmp_path / "x")
    assert not path.exists()


TREES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False),
        st.text(),
        st.integers(0, 4).map(lambda n: bt.arange(n)),
        st.just(object()),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3), st.tuples(inner, inner)
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(tree=TREES)
def test_any_tree_comes_back_or_is_refused(tmp_path, tree):
    path = tmp_path / "x.safetensors"
    try:
        bt.save(tree, path)
    except BundleError:
        return
    found = bt.load(path)
    assert text_of(found) == text_of(tree)


def text_of(tree):
    """What a tree is, with the values of its tensors; keys in order."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{k!r}: {text_of(tree[k])}" for k in sorted(tree)) + "}"
    if isinstance(tree, (list, tuple)):
        return f"{type(tree).__name__}({', '.join(map(text_of, tree))})"
    return f"{tree!r}"


def test_a_crash_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x.safetensors"
    bt.save({"x": bt.ones(3)}, path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BundleError, match="cannot be written: No space left on device; nothing was changed"):
        bt.save({"x": bt.zeros(3)}, path)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["x.safetensors"]


def file_of(path, header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def entry(begin=0, end=4, shape=(1,), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def ours(tree, variables=None, **rest):
    said = {"format": 1, "root": "", "tree": tree, "variables": variables or {}} | rest
    return {"brickwork": json.dumps(said)}


BAD = {
    "empty": (b"", b"", "must be JSON"),
    "no object": ([1], b"", "must be an object"),
    "gap": ({"x": entry(4, 8)}, b"\0" * 8, "must begin at byte 0"),
    "short": ({"x": entry()}, b"\0\0", "must fill 2 bytes"),
    "overlap": ({"x": entry(), "y": entry()}, b"\0" * 4, "must begin at byte 4"),
    "huge": ({"x": entry(0, 4, (2**40,))}, b"\0" * 4, "more elements"),
    "dtype": ({"x": entry(dtype="F8_E8M0", end=1)}, b"\0", "'x' is of float8_e8m0fnu"),
    "metadata": ({"__metadata__": {"a": 1}}, b"", "metadata must be an object of str"),
    "no JSON": ({"__metadata__": {"brickwork": "{"}}, b"", "must be JSON"),
    "format": ({"__metadata__": ours({}, format=2)}, b"", "format must be 1; got 2"),
    "keys": ({"__metadata__": ours({}, more=1)}, b"", "must have format, root, tree and variables"),
    "root": ({"__metadata__": ours({}, root="../x")}, b"", "must have format, root, tree and variables"),
    "variables": ({"__metadata__": ours({}, {"x": 1})}, b"", "must be .name, trainable. by path"),
    "object": ({"__metadata__": ours({"$type": "os.system", "state": "x"})}, b"", "must be data; got an object"),
    "missing": ({"__metadata__": ours({"x": {"$tensor": "x"}})}, b"", "'x' must name a tensor of the file"),
    "left": ({"__metadata__": ours({}), "x": entry()}, b"\0" * 4, "'x' belongs to no place in the tree"),
    "elsewhere": ({"__metadata__": ours({"y": {"$tensor": "x"}}), "x": entry()}, b"\0" * 4, "of its own path"),
    "pairs": ({"__metadata__": ours({"x": {"$complex128": "x"}}), "x": entry()}, b"\0" * 4, "float64 pairs"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files(tmp_path, name):
    header, data, says = BAD[name]
    path = file_of(tmp_path / "bad.safetensors", header, data)
    with pytest.raises(BundleError, match=says) as caught:
        bt.load(path)
    assert str(caught.value).startswith(f"load: {path}: ")


def test_every_cut_and_limits(tmp_path):
    path = tmp_path / "x.safetensors"
    bt.save({"x": bt.ones((4, 4)), "y": [1, 2]}, path)
    whole = path.read_bytes()
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(BundleError):
            bt.load(path)
    path.write_bytes(whole)
    with pytest.raises(BundleError, match="may take 8 bytes"):
        bt.load(path, limits=Limits(file_bytes=8))
    with bt.memory_limit(32), pytest.raises(MemoryLimitError, match=r"load: .* got 64 bytes more"):
        bt.load(path)
    with pytest.raises(BundleError, match="cannot be opened"):
        bt.load(tmp_path / "none")
    with pytest.raises(BundleError):
        bt.load(tmp_path)

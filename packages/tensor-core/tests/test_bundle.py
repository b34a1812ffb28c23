"""The bundle format: what goes in comes out, and a file is written whole or not at all."""

from __future__ import annotations

import collections
import dataclasses
import errno
import json
import math
import os
import stat
import sys
import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import safetensors
from bundle_files import (
    BODY,
    DTYPES,
    TENSORS,
    Broken,
    Endless,
    Scaler,
    roundtrip,
    run_python,
    same,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from brickwork.tensor import bundle
from brickwork.tensor.bundle import BundleError, container
from brickwork.tensor.bundle import registry as bundle_registry
from brickwork.tensor.errors import BrickworkError

pytestmark = pytest.mark.usefixtures("own_registry")


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (2, 3), (1, 2, 3, 4, 5)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.name)
def test_every_dtype_and_shape_comes_back_bit_for_bit(path, dtype, shape):
    count = math.prod(shape) * dtype.itemsize
    raw = np.random.default_rng(0).integers(0, 2 if dtype.kind == "b" else 256, count, np.uint8)
    array = np.frombuffer(raw.tobytes(), dtype).reshape(shape)
    back = roundtrip(path, {"a": array})["a"]
    assert same(array, back)
    assert back.flags.writeable and back.dtype.isnative


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=">f4").reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(24).reshape(4, 6)[::-2, ::3],
        np.broadcast_to(np.float32(3), (4, 5)),
    ],
    ids=["big-endian", "fortran", "strided", "broadcast"],
)
def test_any_layout_comes_back_native_and_contiguous(path, array):
    back = roundtrip(path, array)
    assert back.dtype == array.dtype.newbyteorder("=") and back.flags.c_contiguous
    np.testing.assert_array_equal(back, array)


TREES = [
    None, True, False, 0, -1, 2**1023, 0.0, -0.0, 1.5, 5e-324, math.nan, math.inf, -math.inf, "", "größe\n\0\U0001f9f1",
    [], {}, (), [1, 1.0, True], (1, (2, [3])), {"b": 1, "a": {"": [{}]}},
    {"$tensor": "x", "$$": 1, "$type": {"$float": "nan"}, "$": 0},
    {"a/b": np.zeros(1), "a": {"b": np.ones(1)}, "a~1b": np.ones(2), "~": np.zeros(2)},
    [np.zeros(2), {"k": (np.ones(3, np.int8),)}],
]  # fmt: skip


@pytest.mark.parametrize("tree", TREES, ids=repr)
def test_trees_come_back_as_they_were(path, tree):
    assert same(tree, roundtrip(path, tree))


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | hnp.arrays(st.sampled_from([np.bool_, np.int16, np.float32, np.complex128]), hnp.array_shapes(min_dims=0)),
    lambda inner: st.lists(inner, max_size=4)
    | st.lists(inner, max_size=4).map(tuple)
    | st.dictionaries(st.text("ab$/~", max_size=4), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(json_like)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_trees_come_back(tmp_path, tree):
    tree = canonical_nan(tree)
    assert same(tree, roundtrip(tmp_path / "random.brick", tree))


def canonical_nan(tree):
    """A float that is not a number has many bit patterns in Python and one name in a bundle."""
    if isinstance(tree, dict):
        return {key: canonical_nan(child) for key, child in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(map(canonical_nan, tree))
    return math.nan if isinstance(tree, float) and math.isnan(tree) else tree


def test_numpy_scalars_come_back_as_python_numbers(path):
    tree = [np.float64(0.1), np.float32(0.5), np.int64(-3), np.bool_(True), np.str_("x"), ml_dtypes.bfloat16(2)]
    assert same(roundtrip(path, tree), [0.1, 0.5, -3, True, "x", 2.0])


def test_objects_stand_at_any_depth(path):
    inner = Scaler(np.arange(2.0), {"note": Scaler(np.zeros(0, np.float32))})
    prep = Scaler(np.ones(3, np.float16), [inner, (inner,)])
    bundle.save(path, {"prep": prep, "more": {"deep": [prep]}})
    loaded = bundle.load(path)
    assert same({"more": {"deep": [prep]}, "prep": prep}, loaded)
    info = bundle.inspect(path)
    assert info.types["prep"] == "test.Scaler" and info.types["more/deep/0/inner/1/0"] == "test.Scaler"
    assert "prep/inner/0/inner/note/mean" in {tensor.name for tensor in info.tensors}


def test_inspect_describes_and_makes_nothing(path, monkeypatch):
    metadata = {"rows": 344, "loss": math.nan, "columns": ["a", ("b",)]}
    bundle.save(path, {"net": Scaler(np.ones((4,), ml_dtypes.bfloat16)), "$odd": [np.zeros((2, 0))]}, metadata=metadata)
    monkeypatch.setattr(bundle_registry, "_types", {})
    monkeypatch.setattr(Scaler, "from_state", lambda state: pytest.fail("made an object"))
    info = bundle.inspect(path)
    assert same(dict(info.metadata), metadata)
    assert info.format == 1 and set(info.objects) == {"net", "$odd"} and dict(info.types) == {"net": "test.Scaler"}
    assert info.tensors == (
        bundle.TensorInfo("$odd/0", "float64", (2, 0), 0),
        bundle.TensorInfo("net/mean", "bfloat16", (4,), 8),
    )
    assert info.versions["brickwork.tensor"] == sys.modules["brickwork.tensor"].__version__
    assert info.file_bytes == path.stat().st_size
    with pytest.raises(dataclasses.FrozenInstanceError):
        info.format = 2


def test_the_file_is_a_plain_zip_of_strict_json_and_standard_safetensors(path):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    bundle.save(path, {"net": {"kernel": array, "flag": np.array(True)}, "loss": math.inf})
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None and archive.namelist() == [TENSORS, BODY]
        tensors = dict(safetensors.deserialize(archive.read(TENSORS)))
        text = archive.read(BODY).decode("ascii")
    assert tensors["net/kernel"]["dtype"] == "F32" and bytes(tensors["net/kernel"]["data"]) == array.tobytes()
    parsed = json.loads(text, parse_constant=lambda name: pytest.fail(f"bare {name}"))
    assert parsed["body"]["objects"]["loss"] == {"$float": "inf"}


@pytest.mark.parametrize("zip64_from", [1 << 30, 0], ids=["zip", "zip64"])
def test_arrays_start_on_a_cache_line(path, monkeypatch, zip64_from):
    monkeypatch.setattr(container, "_ZIP64_FROM", zip64_from)
    marker = np.frombuffer(b"a very recognisable line of text", np.uint8)
    assert same(marker, roundtrip(path, marker))
    assert path.read_bytes().index(marker.tobytes()) % 64 == 0


# ---- the same bytes --------------------------------------------------------------------------------------------------


def test_same_objects_same_bytes(tmp_path):
    a, b = {"x": np.ones(2), "y": {"p": 1, "q": np.zeros(3, np.int8)}}, {"y": {"q": np.zeros(3, np.int8), "p": 1}}
    b["x"] = np.ones(2)
    bundle.save(tmp_path / "a.brick", a, metadata={"m": 1, "n": 2})
    bundle.save(tmp_path / "b.brick", b, metadata={"n": 2, "m": 1})
    assert (tmp_path / "a.brick").read_bytes() == (tmp_path / "b.brick").read_bytes()
    assert bundle.inspect(tmp_path / "a.brick").sha256 == bundle.inspect(tmp_path / "b.brick").sha256


def test_golden_file_of_format_1(path, monkeypatch):
    """The file is of release 0.1.0. Where it must change, the format does: raise FORMAT, and keep reading this one."""
    golden = Path(__file__).parent / "data" / "format_1.brick"
    nested = [math.nan, -0.0, ("$x", {"$y": True}), np.array(1.5, ml_dtypes.bfloat16)]
    objects = {"prep": Scaler(np.arange(3, dtype=np.float32), nested), "z": np.array([1 + 2j])}
    assert same(objects, bundle.load(golden))
    monkeypatch.setattr(sys.modules["brickwork.tensor"], "__version__", "0.1.0")
    bundle.save(path, objects, metadata={"rows": 344})
    assert path.read_bytes() == golden.read_bytes()


# ---- what cannot be saved --------------------------------------------------------------------------------------------

LOOP: list = []
LOOP.append(LOOP)

UNSAVABLE = {
    "set": ({1}, "'value' must be dict, list, .*got builtins.set"),
    "bytes": (b"x", "got builtins.bytes"),
    "function": (print, "got builtins.builtin_function_or_method"),
    "subclass of dict": (collections.OrderedDict(a=1), "got collections.OrderedDict"),
    "int key": ({1: 2}, "'value' has a key that is not a str; got 1"),
    "huge int": (2**1024, "at most 1024 bits"),
    "object array": ({"a": np.array([print])}, "'value/a' is an array of object"),
    "text array": ([np.array(["x"])], "'value/0' is an array of <U1"),
    "masked array": (np.ma.masked_array([1.0], [True]), "MaskedArray"),
    "datetime scalar": (np.datetime64("2026-01-01"), "NumPy scalar"),
    "loop": (LOOP, "deeper than 64 levels. Does the tree contain itself"),
    "endless state": (Endless(), "deeper than 64 levels"),
    "half a surrogate pair": ("\ud800", "surrogate"),
    "surrogate in a key": ({"\ud800": np.zeros(1)}, "surrogate"),
    "long text": ("x" * (2**20 + 1), "1048577 characters"),
    "rank": (np.zeros((1,) * 33), "rank 33; the limit is 32"),
    "failing to_state": (Broken(), r"'value' \(test.Broken\): to_state raised KeyError: 'weights'"),
    "subclass of a registered type": (type("Sub", (Scaler,), {})(np.ones(1)), "got .*Sub"),
}


@pytest.mark.parametrize("value, message", UNSAVABLE.values(), ids=UNSAVABLE)
def test_what_cannot_be_saved_is_named_and_leaves_nothing(path, value, message):
    with pytest.raises(BundleError, match=message) as caught:
        bundle.save(path, {"value": value})
    assert str(caught.value).startswith(f"bundle.save: {path}: ")
    assert os.listdir(path.parent) == []


@pytest.mark.parametrize("objects", [{"": 1}, {"__metadata__": np.ones(1)}, {1: 2}, [1], None], ids=repr)
def test_object_names_are_checked(path, objects):
    with pytest.raises(BundleError, match=r"names|mapping"):
        bundle.save(path, objects)


@pytest.mark.parametrize("value", [np.ones(1), Scaler(np.ones(1)), {1}], ids=["array", "object", "set"])
def test_metadata_is_plain(path, value):
    with pytest.raises(BundleError, match=r"'metadata/a/0' must be"):
        bundle.save(path, {}, metadata={"a": [value]})


def test_errors_belong_to_the_house():
    assert issubclass(BundleError, BrickworkError) and issubclass(BundleError, ValueError)


# ---- writing: whole or not at all ------------------------------------------------------------------------------------


def no_space(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class FullDisk:
    """A file on a disk with `room` bytes left."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def write(self, data):
        self.room -= memoryview(data).nbytes
        return self.file.write(data) if self.room >= 0 else no_space()

    def __getattr__(self, name):
        return getattr(self.file, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()


def disk_with(room):
    return lambda fd, mode, open_=os.fdopen: FullDisk(open_(fd, mode), room)


FAILURES = {
    "no room at all": ("fdopen", disk_with(0)),
    "room for the header": ("fdopen", disk_with(300)),
    "room for the tensors": ("fdopen", disk_with(8600)),
    "sync fails": ("fsync", no_space),
    "rename fails": ("replace", no_space),
}


@pytest.mark.parametrize("exists", [True, False], ids=["over a file", "new"])
@pytest.mark.parametrize("name, failure", FAILURES.values(), ids=FAILURES)
def test_a_full_disk_leaves_the_old_file_and_no_litter(path, monkeypatch, name, failure, exists):
    if exists:
        bundle.save(path, {"old": 1})
    with monkeypatch.context() as patch:
        patch.setattr(container.os, name, failure)
        with pytest.raises(BundleError, match=r"^bundle.save: .*model.brick: cannot be written: No space left"):
            bundle.save(path, {"new": np.ones(1024)})
    assert os.listdir(path.parent) == ["model.brick"] * exists
    assert not exists or bundle.load(path) == {"old": 1}


def test_an_interrupt_while_writing_removes_the_new_file(path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    bundle.save(path, {"old": 1})
    monkeypatch.setattr(container.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        bundle.save(path, {"new": 2})
    assert os.listdir(path.parent) == ["model.brick"] and bundle.load(path) == {"old": 1}


def test_a_crash_between_write_and_rename_leaves_the_old_file(path):
    bundle.save(path, {"old": 1})
    done = run_python(
        """
        import os, sys
        from brickwork.tensor import bundle
        os.replace = lambda *_: os._exit(9)
        bundle.save(sys.argv[1], {"new": 2})
        """,
        path,
    )
    assert done.returncode == 9, done.stderr
    assert bundle.load(path) == {"old": 1}
    bundle.save(path, {"new": 2})
    assert bundle.load(path) == {"new": 2}


@pytest.mark.skipif(sys.platform == "win32", reason="needs a file size limit of the system")
def test_a_limit_of_the_system_itself_is_met_well(path):
    bundle.save(path, {"old": 1})
    done = run_python(
        """
        import resource, sys
        import numpy as np
        from brickwork.tensor import bundle
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        try:
            bundle.save(sys.argv[1], {"new": np.zeros(100_000)})
        except bundle.BundleError as error:
            sys.exit(str(error))
        """,
        path,
    )
    assert done.returncode == 1 and "cannot be written: File too large" in done.stderr and "Trace" not in done.stderr
    assert os.listdir(path.parent) == ["model.brick"] and bundle.load(path) == {"old": 1}


@pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX")
def test_saving_keeps_the_mode_and_the_link(path):
    bundle.save(path, {"old": 1})
    path.chmod(0o640)
    link = path.with_name("latest.brick")
    link.symlink_to(path.name)
    bundle.save(link, {"new": 2})
    assert link.is_symlink() and bundle.load(path) == {"new": 2} == bundle.load(link)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("target", ["missing/model.brick", "", "folder", "a\0b"])
def test_a_target_that_cannot_be_written(tmp_path, target):
    (tmp_path / "folder").mkdir()
    with pytest.raises(BundleError, match=r"^bundle.save: .*cannot be written"):
        bundle.save(f"{tmp_path}/{target}", {"a": 1})
    assert os.listdir(tmp_path) == ["folder"]

"""The bundle format: what goes in comes out, and nothing that a file says can do harm."""

from __future__ import annotations

import collections
import dataclasses
import errno
import importlib.metadata
import json
import math
import os
import stat
import struct
import subprocess
import sys
import textwrap
import tracemalloc
import warnings
import zipfile
from hashlib import sha256
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import safetensors
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from brickwork.tensor import bundle
from brickwork.tensor.bundle import BundleError, Limits, container
from brickwork.tensor.bundle import format as bundle_format
from brickwork.tensor.bundle import registry as bundle_registry
from brickwork.tensor.errors import BrickworkError

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


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    monkeypatch.setattr(bundle_registry, "_types", {})
    bundle.register("test", {"Scaler": Scaler, "Endless": Endless, "Broken": Broken})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.brick"


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


# ---- what goes in comes out ------------------------------------------------------------------------------------------


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


def run_python(code, *arguments):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


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


# ---- reading: files that lie -----------------------------------------------------------------------------------------


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


def refused(path, match, limits=DEFAULT):
    """Both readers refuse the file, in one line that names it."""
    for who, read in [("load", bundle.load), ("inspect", bundle.inspect)]:
        with pytest.raises(BundleError, match=match) as caught:
            read(path, limits=limits)
        text = str(caught.value)
        assert text.startswith(f"bundle.{who}: {path}: ") and len(text) < 1500 and "\n" not in text


def test_a_forged_file_with_nothing_wrong_loads(path):
    """So that the refusals below are for what they say, and not for the forger's hand."""
    forge(path, {"a": {"$tensor": "a"}}, {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, bytes(8))
    assert same(bundle.load(path), {"a": np.zeros(2, np.float32)})


def entry(**changes):
    return {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} | changes}


HEADERS = {
    "10^12 elements": (entry(shape=[10**12], data_offsets=[0, 4 * 10**12]), "more elements than"),
    "10^12 elements in 8 bytes": (entry(shape=[10**6, 10**6]), "more elements than"),
    "10^9 elements in 8 bytes": (entry(shape=[10**9]), "takes 4000000000 bytes; data_offsets hold 8"),
    "offsets past the end": (entry(shape=[10**9], data_offsets=[0, 4 * 10**9]), "must fill 8 bytes"),
    "negative size": (entry(shape=[-2]), "shape must be a list of ints of at least 0"),
    "two negative sizes": (entry(shape=[-1, -2]), "shape must be a list of ints of at least 0"),
    "bool as int": (entry(shape=[True, 2]), r"shape must be a list of ints .*got \[True, 2\]"),
    "float as int": (entry(shape=[2.0]), "shape must be a list of ints"),
    "size that overflows": (entry(shape=[2**62, 0]), "shape must be a list of ints"),
    "sizes that overflow behind a zero": (entry(shape=[0, 2**61, 2**61], data_offsets=[0, 0]), "more elements"),
    "endless digits": (b'{"a":{"dtype":"F32","shape":[' + b"9" * 5000 + b'],"data_offsets":[0,8]}}', "must be JSON"),
    "many digits": (entry(shape=[10**4000]), "shape must be a list of ints"),
    "rank": (entry(shape=[1] * 33 + [2]), "rank 34; the limit is 32"),
    "unknown dtype": (entry(dtype="O8"), "dtype must be one of"),
    "dtype of another kind": (entry(dtype=["F32"]), "dtype must be one of"),
    "offsets backwards": (entry(data_offsets=[8, 0]), "data_offsets must be two ints in order"),
    "one offset": (entry(data_offsets=[8]), "data_offsets must be two ints"),
    "gap": (entry(shape=[1], data_offsets=[4, 8]), "must begin at byte 0"),
    "data left over": (entry(shape=[1], data_offsets=[0, 4]), "must fill 8 bytes"),
    "overlap": (entry() | {"b": entry()["a"]}, "must begin at byte 8; data_offsets begin at 0"),
    "more keys": (entry(file="/etc/passwd"), "exactly dtype, shape and data_offsets"),
    "metadata": (entry() | {"__metadata__": {"a": "b"}}, "exactly dtype, shape and data_offsets"),
    "no object": (b"[1]", "header must be an object"),
    "no JSON": (b"{", "header must be JSON"),
    "no UTF-8": (b"\xff\xfe", "header must be JSON"),
    "same name twice": (b'{"a":1,"a":2}', "'a' stands twice"),
    "NaN": (b'{"a":NaN}', "NaN is no JSON number"),
    "deep": (b"[" * 200_000, "nested too deeply"),
    "unused tensor": (entry() | {"b": {"dtype": "F32", "shape": [0], "data_offsets": [8, 8]}}, "'b' belongs to no"),
    "missing tensor": ({"b": entry()["a"]}, "'a' must name one tensor of .*not there"),
}


@pytest.mark.parametrize("header, message", HEADERS.values(), ids=HEADERS)
def test_tensor_headers_that_lie(path, header, message):
    forge(path, {"a": {"$tensor": "a"}}, header, bytes(8))
    refused(path, message)


@pytest.mark.parametrize(
    "tensors, message",
    [
        (b"", "8 bytes of length"),
        (b"\1\0\0", "8 bytes of length"),
        (struct.pack("<Q", 2**63), "header may take"),
        (struct.pack("<Q", 2**20) + b"{}", "must lie in the member"),
    ],
)
def test_header_lengths_that_lie(path, tensors, message):
    body = {"metadata": {}, "objects": {}, "versions": {}, "tensors_sha256": sha256(tensors).hexdigest()}
    zipped(path, (TENSORS, tensors), (BODY, sealed(body)))
    refused(path, message)


def test_a_lie_about_size_takes_no_memory(path):
    forge(path, {"a": {"$tensor": "a"}}, entry(shape=[10**12], data_offsets=[0, 4 * 10**12]), bytes(8))
    wide = Limits(elements=2**62, tensor_bytes=2**62, file_bytes=2**62)  # so that the data themselves must tell
    refused(path, "must fill 8 bytes", wide)
    tracemalloc.start()
    refused(path, "must fill 8 bytes", wide)
    refused(path, "more elements than")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


OBJECTS = {
    "list at the root": ([], "objects must be an object"),
    "tuple at the root": ({"$tuple": []}, "objects must be an object"),
    "unknown marker": ({"a": {"$path": "/etc/passwd"}}, "'a' has keys that make no marker"),
    "marker with more keys": ({"a": {"$float": "nan", "b": 1}}, "make no marker"),
    "type without state": ({"a": {"$type": "test.Scaler"}}, "make no marker"),
    "two markers": ({"a": {"$float": "nan", "$tuple": []}}, "make no marker"),
    "float": ({"a": {"$float": "1e9"}}, "must be one of nan, inf, -inf"),
    "float of another kind": ({"a": {"$float": 1}}, "must hold a str; got int"),
    "tuple of another kind": ({"a": {"$tuple": {}}}, "must hold a list; got dict"),
    "tag of another kind": ({"a": {"$type": ["test"], "state": 1}}, "must hold a str; got list"),
    "tag with dots": ({"a": {"$type": "os.path.join", "state": 1}}, "two names joined by a dot"),
    "tag without dots": ({"a": {"$type": "print", "state": 1}}, "two names joined by a dot"),
    "tensor of another path": ({"a": {"$tensor": "b"}}, "'a' must hold the tensor of its own path"),
    "tensor that is not there": ({"a": {"$tensor": "a"}}, "must name one tensor"),
    "deep": ({"a": json.loads("[" * 65 + "]" * 65)}, "deeper than 64 levels"),
    "long text": ({"a": "x" * (2**20 + 1)}, "1048577 characters"),
    "surrogate": ({"a": "\ud800"}, "surrogate"),
}


@pytest.mark.parametrize("objects, message", OBJECTS.values(), ids=OBJECTS)
def test_objects_that_lie(path, objects, message):
    forge(path, objects)
    refused(path, message)


def test_one_tensor_has_one_place(path):
    forge(path, {"a": {"$tensor": "a"}, "": {"a": {"$tensor": "a"}}}, entry(), bytes(8))
    refused(path, "used twice")


def test_complex_pairs_are_checked(path):
    forge(path, {"a": {"$complex128": "a"}}, entry(), bytes(8))
    refused(path, "must be float64 pairs")


@pytest.mark.parametrize("metadata", [{"a": {"$tensor": "metadata/a"}}, {"a": {"$type": "test.Scaler", "state": 1}}])
def test_metadata_with_objects(path, metadata):
    forge(path, {}, metadata=metadata)
    refused(path, "'metadata/a' must be plain JSON")


BODIES = {
    "no JSON": (b"{", "bundle.json must be JSON"),
    "empty": (b"", "bundle.json must be JSON"),
    "a BOM": (b"\xef\xbb\xbf{}", "bundle.json must be JSON"),
    "UTF-16": ('{"format":1}'.encode("utf-16"), "bundle.json must be JSON"),
    "keys twice": (b'{"format":1,"format":1}', "strict JSON: the key 'format' stands twice"),
    "bare Infinity": (b'{"format":Infinity}', "Infinity is no JSON number"),
    "a float too large": (b'{"format":1e999}', "does not fit a float"),
    "deep": (b'{"a":' * 100_000, "nested too deeply"),
    "a list": (b"[]", "format must be an int"),
    "format true": (b'{"format":true}', "format must be an int of at least 1; got True"),
    "format 1.0": (b'{"format":1.0}', "format must be an int"),
    "a later format": (b'{"format":2,"what":"ever"}', "format must be 1; got 2. Upgrade"),
    "more keys": (b'{"format":1,"body":{},"body_sha256":"","x":1}', "exactly body, body_sha256, format"),
    "no digest": (b'{"format":1,"body":{},"body_sha256":null}', "tampered"),
    "empty body": (sealed({}), "body must be an object with exactly metadata, objects"),
    "body of another kind": (sealed([]), "body must be an object"),
    "versions": (
        sealed({"metadata": {}, "objects": {}, "versions": {"a": 1}, "tensors_sha256": ""}),
        "versions must be an object of str",
    ),
}


@pytest.mark.parametrize("text, message", BODIES.values(), ids=BODIES)
def test_bodies_that_lie(path, text, message):
    zipped(path, (TENSORS, b""), (BODY, text))
    refused(path, message)


def test_tampering_with_either_member_is_found(path):
    bundle.save(path, {"net": {"rate": 0.1, "kernel": np.ones(2)}})
    tensors, whole = members_of(path)
    zipped(path, (TENSORS, tensors[:-1] + b"\0"), (BODY, json.dumps(whole).encode()))
    refused(path, "tensors.safetensors was tampered with or damaged")
    whole["body"]["objects"]["net"]["rate"] = 0.2
    zipped(path, (TENSORS, tensors), (BODY, json.dumps(whole).encode()))
    refused(path, "bundle.json was tampered with or damaged")


def set_directory_flag(path, offset, value):
    """Change a field of the first entry of the zip directory and of its local header."""
    data = bytearray(path.read_bytes())
    data[offset - 2] = data[data.index(b"PK\1\2") + offset] = value
    path.write_bytes(data)


def forged_zip(path, name):
    good = [(TENSORS, b"\2\0\0\0\0\0\0\0{}"), (BODY, b"{}")]
    match name:
        case "one member":
            zipped(path, good[0])
        case "more members":
            zipped(path, *good, ("evil.py", b""))
        case "same name twice":
            zipped(path, *good, good[1])
        case "other order":
            zipped(path, *good[::-1])
        case "zip slip":
            zipped(path, ("../tensors.safetensors", b""), good[1])
        case "absolute":
            zipped(path, good[0], ("/bundle.json", b"{}"))
        case "link":
            zipped(path, *good, external_attr=(stat.S_IFLNK | 0o777) << 16)
        case "folder":
            zipped(path, *good, external_attr=(stat.S_IFDIR | 0o777) << 16)
        case "bomb":
            zipped(path, (TENSORS, bytes(10**7)), good[1], compression=zipfile.ZIP_DEFLATED)
        case "encrypted":
            zipped(path, *good)
            set_directory_flag(path, 8, 1)
        case "comment":
            zipped(path, *good)
            with zipfile.ZipFile(path, "a") as archive:
                archive.comment = b"hello"
        case "bytes before":
            zipped(path, *good)
            path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
        case "large directory":
            zipped(path, *[(f"{index}", b"") for index in range(100)])
        case "no zip":
            path.write_bytes(b"hello" * 100)
        case "empty":
            path.write_bytes(b"")
        case "pickle":
            path.write_bytes(b"\x80\x04c__builtin__\nprint\n.")


ZIPS = {
    "one member": "must hold exactly",
    "more members": "must hold exactly",
    "same name twice": "must hold exactly",
    "other order": "must hold exactly",
    "zip slip": "must hold exactly",
    "absolute": "must hold exactly",
    "link": "no link or folder",
    "folder": "no link or folder",
    "bomb": "must be stored as it is, not compressed",
    "encrypted": "must not be encrypted",
    "comment": "must end as a zip without a comment",
    "bytes before": "must not overlap or follow foreign bytes",
    "large directory": "zip directory of at most 4096 bytes",
    "no zip": "must end as a zip",
    "empty": "must end as a zip",
    "pickle": "must end as a zip",
}


@pytest.mark.parametrize("name, message", ZIPS.items(), ids=ZIPS)
def test_zips_that_lie(path, name, message):
    forged_zip(path, name)
    refused(path, message)


def rewritten_directory(path, offset, *values):
    """Change the 4-byte fields at an offset of the zip directory's second entry, which is bundle.json."""
    data = bytearray(path.read_bytes())
    struct.pack_into(f"<{len(values)}L", data, data.rindex(b"PK\1\2") + offset, *values)
    path.write_bytes(data)


def test_overlapping_members(path):
    """Both entries of the directory point at the same bytes, the root of the better zip bombs."""
    bundle.save(path, {"a": 1})
    rewritten_directory(path, 42, 0)
    refused(path, "must not overlap")


def test_a_member_that_says_it_is_larger_than_the_file(path):
    bundle.save(path, {"a": 1})
    rewritten_directory(path, 20, 10**6, 10**6)
    refused(path, "must end before the zip directory")


@pytest.mark.parametrize("lie", [0, 10**12], ids=["true", "false"])
def test_zip64_directories_are_bounded_too(path, lie):
    """A file beyond 4 GiB ends with two more records, and zipfile believes them."""
    bundle.save(path, {"a": 1})
    data = path.read_bytes()
    count, size, start = struct.unpack("<H2L", data[-12:-2])
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size + lie, start)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(data) - 22, 1)
    end = data[-22:-10] + b"\xff" * 8 + b"\0\0"
    path.write_bytes(data[:-22] + record + locator + end)
    if lie:
        refused(path, f"at most 4096 bytes; got {size + lie}")
    else:
        assert bundle.load(path) == {"a": 1}


@pytest.mark.parametrize("name", ["missing.brick", "", "a\0b"])
def test_files_that_cannot_be_opened(tmp_path, name):
    for read in bundle.load, bundle.inspect:
        with pytest.raises(BundleError, match=r"cannot be opened|cannot be read"):
            read(f"{tmp_path}/{name}")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes of POSIX")
def test_a_pipe_is_refused_and_not_waited_for(path):
    os.mkfifo(path)
    refused(path, "must be a file")


LIMITS = {
    "file_bytes": "may take 1 bytes",
    "json_bytes": "may take 1 bytes",
    "tensors": "may hold 1 tensors; got 2",
    "rank": "rank 3; the limit is 1",
    "elements": "has more elements than 1",
    "tensor_bytes": "may take 1 bytes",
    "tree_depth": "deeper than 1 levels",
    "string_length": "characters; the limit is 1",
}


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Limits)])
def test_every_limit_holds_both_ways(path, name):
    tree = {"text": "long", "a": np.ones((2, 2, 2)), "b": {"c": [np.ones(2)]}}
    limits = Limits(**{name: 1})
    with pytest.raises(BundleError, match=LIMITS[name]):
        bundle.save(path, tree, limits=limits)
    assert os.listdir(path.parent) == []
    bundle.save(path, tree)
    refused(path, LIMITS[name], limits)


@pytest.mark.parametrize("value", [-1, True, 1.0, None])
def test_limits_are_checked_themselves(value):
    with pytest.raises(BundleError, match="rank must be an int of at least 0"):
        Limits(rank=value)


SAMPLE = {"prep": Scaler(np.arange(3.0), [math.nan, ("x", {"$y": 1})]), "net": [np.ones((2, 3), np.float16)] * 2}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz") / "sample.brick"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundle_registry, "_types", {"test": {"Scaler": Scaler}})
        bundle.save(path, SAMPLE)
    return path.read_bytes()


def survives(path, data):
    path.write_bytes(data)
    try:
        loaded = bundle.load(path)
    except BundleError:
        return
    assert same(loaded, SAMPLE)  # the damage was in bytes that mean nothing


@given(st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_flipped_bytes_give_the_result_or_one_error(tmp_path, sample, data):
    damaged = bytearray(sample)
    for position in data.draw(st.lists(st.integers(0, len(sample) - 1), min_size=1, max_size=4, unique=True)):
        damaged[position] ^= data.draw(st.integers(1, 255))
    survives(tmp_path / "flipped.brick", damaged)


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_cut_and_spliced_files_give_one_error(tmp_path, sample, data):
    start = data.draw(st.integers(0, len(sample)))
    stop = data.draw(st.integers(start, len(sample)))
    survives(tmp_path / "spliced.brick", sample[:start] + data.draw(st.binary(max_size=8)) + sample[stop:])


def test_every_truncation_is_refused(path, sample):
    for length in range(0, len(sample), 7):
        path.write_bytes(sample[:length])
        with pytest.raises(BundleError):
            bundle.load(path)


@given(st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_flips_behind_right_checksums_give_one_error(tmp_path, sample, data):
    """The attacker can compute digests too, so the checks beneath them must hold alone."""
    path = tmp_path / "attack.brick"
    path.write_bytes(sample)
    tensors, whole = members_of(path)
    tensors = bytearray(tensors)
    for position in data.draw(st.lists(st.integers(0, 300), min_size=1, max_size=4)):
        tensors[position] ^= data.draw(st.integers(1, 255))
    body = whole["body"] | {"tensors_sha256": sha256(tensors).hexdigest()}
    zipped(path, (TENSORS, bytes(tensors)), (BODY, sealed(body)))
    for read in bundle.load, bundle.inspect:
        try:
            read(path)
        except BundleError:
            pass


# ---- the closed registry ---------------------------------------------------------------------------------------------


def test_an_unknown_type_is_named_before_any_object_is_made(path, monkeypatch):
    forge(path, {"a": {"$type": "test.Scaler", "state": {}}, "z": {"$type": "os.system", "state": "true"}})
    monkeypatch.setattr(Scaler, "from_state", lambda state: pytest.fail("made an object"))
    with pytest.raises(BundleError, match=r"'z' has the type 'os.system', which no installed package declares"):
        bundle.load(path)
    assert bundle.inspect(path).types["z"] == "os.system"


@pytest.mark.parametrize("tag", ["test.Missing", "test.from_state", "test.__class__", "builtins.eval", "brickwork.x"])
def test_tags_are_keys_and_nothing_else(path, tag):
    forge(path, {"a": {"$type": tag, "state": None}})
    with pytest.raises(BundleError, match="no installed package declares"):
        bundle.load(path)


def test_an_error_in_from_state_names_the_place_and_the_tag(path):
    bundle.save(path, {"deep": [Scaler(np.ones((2, 2)))]})
    with pytest.raises(
        BundleError, match=r"'deep/0' \(test.Scaler\): from_state raised RuntimeError: mean must"
    ) as caught:
        bundle.load(path)
    assert isinstance(caught.value.__cause__, RuntimeError)


@pytest.mark.parametrize(
    "prefix, types, message",
    [
        ("a.b", {}, "prefix must be an identifier"),
        (1, {}, "prefix must be an identifier"),
        ("a", {"b.c": Scaler}, "names must be identifiers"),
        ("a", {"b": int}, "without to_state and from_state"),
        ("a", {"b": Scaler(np.ones(1))}, "must be a type"),
        ("test", {"Other": Scaler}, "'test' is taken"),
    ],
)
def test_register_checks_what_it_is_given(prefix, types, message):
    with pytest.raises(BundleError, match=message):
        bundle.register(prefix, types)


def test_registering_twice_is_registering_once():
    bundle.register("again", {"Scaler": Scaler})
    bundle.register("again", {"Scaler": Scaler})


@pytest.fixture
def declared(monkeypatch):
    """Pretend that installed packages declare types by entry points."""
    monkeypatch.setattr(bundle_registry, "_types", {})

    def declare(**values):
        group_name = "brickwork.bundles"
        points = [importlib.metadata.EntryPoint(name.strip("_"), value, group_name) for name, value in values.items()]
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points * (group == group_name))

    return declare


def test_types_are_found_by_entry_point(path, declared, monkeypatch):
    module = type(sys)("declared_bundles")
    module.TYPES = {"Scaler": Scaler}
    monkeypatch.setitem(sys.modules, "declared_bundles", module)
    declared(prep="declared_bundles:TYPES", broken="no_such_module:TYPES")
    forge(path, {"a": {"$type": "prep.Scaler", "state": {"mean": {"$tensor": "a/mean"}, "inner": None}}},
          {"a/mean": entry()["a"]}, bytes(8))  # fmt: skip
    loaded = bundle.load(path)
    assert type(loaded["a"]) is Scaler, "and the broken neighbour was not imported"
    monkeypatch.setattr(bundle_registry, "_types", {})
    declared(prep="declared_bundles:TYPES")
    bundle.save(path, loaded)
    assert dict(bundle.inspect(path).types) == {"a": "prep.Scaler"}


def test_a_package_that_does_not_import_is_named(path, declared):
    declared(prep="no_such_module:TYPES")
    forge(path, {"a": {"$type": "prep.Scaler", "state": None}})
    with pytest.raises(BundleError, match="no_such_module:TYPES raised ModuleNotFoundError"):
        bundle.load(path)


def test_two_packages_with_one_prefix_are_refused(path, declared):
    declared(prep="one:TYPES", prep_="two:TYPES")
    forge(path, {"a": {"$type": "prep.Scaler", "state": None}})
    with pytest.raises(BundleError, match="declared twice"):
        bundle.load(path)


def test_versions_name_the_package_of_each_type(path, monkeypatch):
    package = type(sys)("acme")
    package.__version__ = "3.2"
    monkeypatch.setitem(sys.modules, "acme", package)
    monkeypatch.setattr(Scaler, "__module__", "acme.inner.room")
    bundle.save(path, {"a": Scaler(np.ones(1))})
    assert bundle.inspect(path).versions["acme"] == "3.2"


# ---- the cost of not using it ----------------------------------------------------------------------------------------


def test_importing_the_room_imports_nothing_heavy():
    done = run_python(
        """
        import sys
        import numpy, brickwork.tensor
        before = set(sys.modules)
        from brickwork.tensor import bundle
        heavy = {"json", "zipfile", "hashlib", "safetensors", "importlib.metadata"} & (set(sys.modules) - before)
        sys.exit(f"imports {heavy}" if heavy else 0)
        """
    )
    assert done.returncode == 0, done.stderr


def test_format_1_is_what_this_writes():
    assert bundle_format.FORMAT == 1

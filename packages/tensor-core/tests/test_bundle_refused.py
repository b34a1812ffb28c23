"""Reading bundles: nothing that a file says can do harm, and each lie has its one error."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import stat
import struct
import tracemalloc
import zipfile
from hashlib import sha256

import numpy as np
import pytest
from bundle_files import (
    BODY,
    DEFAULT,
    TENSORS,
    Scaler,
    entry,
    forge,
    members_of,
    same,
    sealed,
    zipped,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brickwork.tensor import bundle
from brickwork.tensor.bundle import BundleError, Limits
from brickwork.tensor.bundle import registry as bundle_registry

pytestmark = pytest.mark.usefixtures("own_registry")


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

"""The zip around a bundle: two stored members, written whole or not at all, and checked before they are read."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from .json_text import shown
from .records import BundleError, Limits
from .tensors import ALIGNMENT, MEMBER

BODY = "bundle.json"
_MEMBERS = [MEMBER, BODY]  # in this order: the arrays start at a fixed place, and their digest is known before the body
_EPOCH = (1980, 1, 1, 0, 0, 0)
_ZIP64_FROM = 1 << 30
_LOCAL_HEADER = 30
_ZIP64_EXTRA = 20
_DIRECTORY_BYTES = 4096
"""Two entries take about 200 bytes; zipfile reads the whole directory into memory, so a larger one is refused first."""


@contextmanager
def speaking(who: str, path: Any, part: str = "") -> Iterator[str]:
    """The path as text; each error begins with who met it and in which file, less the name of the `part` in it."""
    try:
        name = os.fsdecode(path)
    except TypeError:
        raise BundleError(f"{who}: the path must be str, bytes or os.PathLike; got {shown(path)}.") from None
    try:
        yield name
    except BundleError as error:
        raise BundleError(f"{who}: {name}: {str(error).removeprefix(part)}") from error.__cause__
    except RecursionError:
        raise BundleError(f"{who}: {name}: is nested more deeply than Python can follow.") from None


# ---- writing --------------------------------------------------------------------------------------------------------


@contextmanager
def replacing(target: str) -> Iterator[IO[bytes]]:
    """`_replacing`; what the system finds wrong in the block is a `BundleError`."""
    try:
        with _replacing(target) as file:
            yield file
    except BundleError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        cause = getattr(error, "strerror", None) or error
        raise BundleError(f"cannot be written: {cause}; nothing was changed. Free space, or save elsewhere.") from error


@contextmanager
def _replacing(target: str) -> Iterator[IO[bytes]]:
    """A new file that takes the place of `target` when the block ends well, and is removed when it does not.

    It is written beside the target, for a rename is atomic only inside one file system, and synced before the
    rename, for otherwise a power cut can leave the new name with no content. A symbolic link stays a link.
    """
    target = os.path.realpath(target)
    folder = os.path.dirname(target)
    side = os.path.join(folder, f".brickwork-{os.urandom(8).hex()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(side, flags, 0o666)  # less the umask, as open() would
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with suppress(OSError):  # no old file, or one that is not ours
            os.chmod(side, stat.S_IMODE(os.stat(target).st_mode))
        os.replace(side, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(side)
        raise
    _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    with suppress(OSError):  # Windows, and some network file systems, cannot: the rename then lands when it lands
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write(file: IO[bytes], size: int, pieces: Iterable[bytes | memoryview], body: Callable[[], bytes]) -> None:
    """Write a member of `size` bytes from pieces, then the body, which is asked for once the pieces are written."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        large = size > _ZIP64_FROM
        member = _entry(MEMBER, size)
        # An extra field that is only there to pad (the one zipalign uses), so that the member starts aligned.
        header = _LOCAL_HEADER + len(MEMBER) + (_ZIP64_EXTRA if large else 0)
        padding = -header % ALIGNMENT
        member.extra = struct.pack("<3H", 0xD935, padding - 4, ALIGNMENT).ljust(padding, b"\0")
        with archive.open(member, "w", force_zip64=large) as sink:
            for piece in pieces:
                sink.write(piece)
        text = body()
        archive.writestr(_entry(BODY, len(text)), text)


def _entry(name: str, size: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system = 3  # the same bytes on every system
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    entry.file_size = size
    return entry


# ---- reading --------------------------------------------------------------------------------------------------------


@contextmanager
def reading(path: str, limits: Limits) -> Iterator[tuple[zipfile.ZipFile, int]]:
    """The archive of a bundle and the size of the file. What zipfile finds wrong in the block is a `BundleError`."""
    with opened(path) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise BundleError("must be a file. Name the .brick file itself.")
        if status.st_size > limits.file_bytes:
            raise BundleError(f"may take {limits.file_bytes} bytes; got {status.st_size}. Pass larger limits?")
        _check_end(file, status.st_size)
        try:
            with zipfile.ZipFile(file) as archive:
                _check_members(archive, limits)
                yield archive, status.st_size
        except (BundleError, RecursionError):
            raise
        # All that zipfile raises for bytes that are not what they say.
        except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError, struct.error) as error:
            raise BundleError(
                f"is damaged: {error or type(error).__name__}. Take the file from its source again."
            ) from None


@contextmanager
def opened(path: str) -> Iterator[IO[bytes]]:
    try:
        # Not blocking, for opening a named pipe would wait for a writer for ever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise BundleError(f"cannot be opened: {error.strerror}. Is the path right?") from None
    except ValueError as error:  # a NUL in the path
        raise BundleError(f"cannot be opened: {error}.") from None
    try:
        file = os.fdopen(descriptor, "rb")
    except OSError as error:  # a folder
        os.close(descriptor)
        raise BundleError(f"cannot be read: {error.strerror}. Name the .brick file itself.") from None
    with file:
        yield file


def _check_end(file: IO[bytes], size: int) -> None:
    """Bound the directory by the records at the end of the file, which zipfile would believe.

    Layouts: sections 4.3.14 to 4.3.16 of PKWARE's APPNOTE.
    """
    tail = 22 + 20 + 56  # end record, zip64 locator, zip64 end record
    file.seek(max(0, size - tail))
    end = file.read(tail)
    record = end[-22:]
    if len(record) < 22 or record[:4] != b"PK\5\6" or record[-2:] != b"\0\0":
        raise BundleError("must end as a zip without a comment does. Is it a .brick file, and whole?")
    (directory,) = struct.unpack("<L", record[12:16])
    if end[-42:-38] == b"PK\6\7" and len(end) == tail:  # a zip64 locator: what its record says goes
        (directory,) = struct.unpack("<Q", end[40:48])
    if directory > _DIRECTORY_BYTES:
        raise BundleError(f"must have a zip directory of at most {_DIRECTORY_BYTES} bytes; got {directory}.")


def _check_members(archive: zipfile.ZipFile, limits: Limits) -> None:
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if names != _MEMBERS:
        raise BundleError(f"must hold exactly {' and '.join(_MEMBERS)}; got {str(names)[:200]}.")
    end = 0
    for entry in entries:
        if entry.flag_bits & 1:
            raise BundleError(f"{entry.filename} must not be encrypted.")
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size or entry.flag_bits:
            raise BundleError(f"{entry.filename} must be stored as it is, not compressed.")
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise BundleError(f"{entry.filename} must be a plain member, no link or folder.")
        if entry.header_offset < end or (end == 0 and entry.header_offset):
            raise BundleError(
                f"{entry.filename} must not overlap or follow foreign bytes; starts at {entry.header_offset}."
            )
        end = entry.header_offset + _LOCAL_HEADER + entry.file_size
    if end > archive.start_dir:
        raise BundleError(f"{BODY} must end before the zip directory at {archive.start_dir}; ends at {end}.")
    if entries[-1].file_size > limits.json_bytes:
        raise BundleError(f"{BODY} may take {limits.json_bytes} bytes; got {entries[-1].file_size}.")

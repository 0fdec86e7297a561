"""Installing wheels into a tree, each file where Debian's Python looks for local packages."""

import base64
import csv
import errno
import hashlib
import io
import lzma
import posixpath
import warnings
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, cast

import installer
from installer.destinations import WheelDestination
from installer.exceptions import InstallerError
from installer.records import Hash, InvalidRecordEntry, RecordEntry
from installer.sources import WheelFile

from d4cbuild.environment.tree import Tree
from d4cbuild.errors import InputError

SITE = "usr/local/lib/python3.11/dist-packages"
_PLACES = {
    "purelib": SITE,
    "platlib": SITE,
    "scripts": "usr/local/bin",
    "data": "usr/local",
    "headers": "usr/local/include/python3.11",
}
# What the installer library and the zip module raise of what is no wheel.
_FAULTS = (
    *(InstallerError, InvalidRecordEntry, AssertionError, KeyError, ValueError, LookupError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError),
)
_INTERPRETER = "/usr/bin/python3.11"

# Written here and not by the installer library, whose text may change between its versions.
_SCRIPT = """\
#!{interpreter}
import sys

from {module} import {first}

if __name__ == "__main__":
    sys.exit({attribute}())
"""


def install_wheel(path: Path, file_name: str, tree: Tree, by: str) -> None:
    """Install a wheel.

    Args:
        path: The wheel's bytes, under whatever name.
        file_name: The wheel's own file name, which says what it is.
        tree: Where to install it.
        by: How to name the package in an error.

    Raises:
        InputError: if it is not a wheel, leaves its folder, or clashes with what is there.
    """
    try:
        with (
            path.open("rb") as stream,
            zipfile.ZipFile(stream) as archive,
            warnings.catch_warnings(),
        ):
            # Compiled files are left out on purpose, see _TreeDestination.write_file.
            warnings.simplefilter("ignore", RuntimeWarning)
            archive.filename = file_name
            installer.install(
                WheelFile(archive), _TreeDestination(tree, by), {"INSTALLER": b"d4cbuild\n"}
            )
    except (*_FAULTS, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise  # the disk's fault; the other is a place that no file has
        raise InputError(
            f"wheel {by} cannot be unpacked", found=f"{error!r:.500}", where=file_name
        ) from error


class _TreeDestination(WheelDestination):
    """Where the installer library puts a wheel's files."""

    def __init__(self, tree: Tree, by: str) -> None:
        self._tree = tree
        self._by = by
        self._files: dict[str, tuple[str, int]] = {}

    def write_script(self, name: str, module: str, attr: str, section: str) -> RecordEntry:
        del section  # there are no windows here, so gui scripts are scripts
        text = _SCRIPT.format(
            interpreter=_INTERPRETER, module=module, first=attr.split(".")[0], attribute=attr
        )
        return self._write(posixpath.join(_PLACES["scripts"], name), text.encode(), True)

    def write_file(
        self, scheme: str, path: object, stream: BinaryIO, is_executable: bool
    ) -> RecordEntry:
        relative = str(path)
        if relative.endswith(".pyc") or "__pycache__" in relative.split("/"):
            return RecordEntry(relative, None, None)
        if scheme == "scripts":
            data = stream.read()
            if data.startswith(b"#!python"):
                _old, _newline, rest = data.partition(b"\n")
                data = f"#!{_INTERPRETER}\n".encode() + rest
            return self._write(posixpath.join(_PLACES[scheme], relative), data, True)
        return self._write_stream(posixpath.join(_PLACES[scheme], relative), stream, is_executable)

    def finalize_installation(
        self, scheme: str, record_file_path: str, records: Iterable[tuple[str, RecordEntry]]
    ) -> None:
        del records  # those name paths by scheme; the list kept here has places in the tree
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for place, (digest, size) in sorted(self._files.items(), key=lambda item: item[0].encode()):
            writer.writerow((posixpath.relpath(place, SITE), f"sha256={digest}", size))
        writer.writerow((record_file_path, "", ""))
        content = io.BytesIO(text.getvalue().encode())
        self._tree.add_file(
            posixpath.join(_PLACES[scheme], record_file_path), False, content, self._by
        )

    def _write(self, place: str, data: bytes, executable: bool) -> RecordEntry:
        return self._write_stream(place, io.BytesIO(data), executable)

    def _write_stream(self, place: str, stream: BinaryIO, executable: bool) -> RecordEntry:
        reader = _HashingReader(stream)
        # The reader has the one method that is needed of a stream.
        self._tree.add_file(place, executable, cast(BinaryIO, reader), self._by)
        digest = base64.urlsafe_b64encode(reader.hasher.digest()).decode().rstrip("=")
        self._files[place] = (digest, reader.size)
        return RecordEntry(place, Hash("sha256", digest), reader.size)


class _HashingReader:
    """A stream that is hashed while it is read, so that a large file is read once."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.hasher = hashlib.sha256()
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        data = self._stream.read(size)
        self.hasher.update(data)
        self.size += len(data)
        return data

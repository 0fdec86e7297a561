"""Archives of a few files, packed in one way or another."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping

FILES = {"a/places.csv": b"id,name\n1,Iqaluit\n" * 500, "a/readme.txt": b"Bonjour\n", "b": b""}


def zip_of(
    files: Mapping[str, bytes] = FILES,
    *,
    year: int = 2020,
    method: int = zipfile.ZIP_DEFLATED,
    backwards: bool = False,
) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name in sorted(files, reverse=backwards):
            archive.writestr(zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0)), files[name], method)
    return stream.getvalue()


def tar_of(files: Mapping[str, bytes] = FILES, *, mtime: int = 0, backwards: bool = False) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name in sorted(files, reverse=backwards):
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(files[name]), mtime
            archive.addfile(info, io.BytesIO(files[name]))
    return stream.getvalue()


def packed(data: bytes, level: int = 9, mtime: int = 0) -> bytes:
    return gzip.compress(data, level, mtime=mtime)

"""Packages made by hand, byte by byte, with nothing of the code under test."""

import base64
import gzip
import hashlib
import io
import lzma
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import zstandard

COMPRESSORS = {
    "": lambda data: data,
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".xz": lzma.compress,
    ".zst": lambda data: zstandard.ZstdCompressor().compress(data),
}


def directory(name: str, mode: int = 0o755) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.mode = tarfile.DIRTYPE, mode
    return info, b""


def file(name: str, data: bytes, mode: int = 0o644) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), mode
    info.mtime = 1_700_000_000  # must not reach the image
    info.uid, info.gid, info.uname = 4321, 4321, "builder"
    return info, data


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, target, 0o777
    return info, b""


def device(name: str) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.devmajor, info.devminor = tarfile.CHRTYPE, 1, 3
    return info, b""


def write_deb(
    path: Path, *members: tuple[tarfile.TarInfo, bytes], compression: str = ".xz"
) -> Path:
    control = _tar([file("./control", f"Package: {path.stem}\nVersion: 1\n".encode())])
    parts = {
        "debian-binary": b"2.0\n",
        "control.tar.gz": gzip.compress(control, mtime=0),
        f"data.tar{compression}": COMPRESSORS[compression](_tar(members)),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"!<arch>\n" + b"".join(_ar_member(*part) for part in parts.items()))
    return path


def _ar_member(name: str, data: bytes) -> bytes:
    header = f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode()
    return header + data + b"\n" * (len(data) % 2)


def _tar(members: object) -> bytes:
    buffer = io.BytesIO()
    form = tarfile.GNU_FORMAT
    with tarfile.open(fileobj=buffer, mode="w", format=form, encoding="utf-8") as archive:
        for info, data in members:  # type: ignore[attr-defined]
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def write_wheel(
    folder: Path, name: str, version: str, files: Mapping[str, bytes], executable: str = ""
) -> Path:
    information = f"{name}-{version}.dist-info"
    everything = {
        **files,
        f"{information}/METADATA": (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
        ),
        f"{information}/WHEEL": (
            b"Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
    }
    record = "".join(f"{path},{_hash(data)},{len(data)}\n" for path, data in everything.items())
    everything[f"{information}/RECORD"] = f"{record}{information}/RECORD,,\n".encode()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inner, data in everything.items():
            info = zipfile.ZipInfo(inner, (2020, 1, 1, 0, 0, 0))
            info.external_attr = (0o100755 if inner == executable else 0o100644) << 16
            archive.writestr(info, data)
    return path


def _hash(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    return f"sha256={digest}"

"""Tars and gzip files: one form for the same content, and nothing lost."""

from __future__ import annotations

import gzip
import io
import random
import stat
import struct
import subprocess
import tarfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from d4cbuild.base.archive import TarEntry, canonical_tar
from d4cbuild.normalform.containers import Rewriting, rewrite_container

from .forms import kept, rewritten
from .test_zip import zip_of

CHANCE = random.Random(2)
FILES = {
    "b/data.csv": b"id,name\n" + b"1,Iqaluit\n" * 5000,
    "a.txt": b"short",
    "été/naïve.txt": "déjà vu".encode(),
    "b/" + "long/" * 40 + "name": b"deep",
    "noise.bin": CHANCE.randbytes(1_500_000),
    "none": b"",
}
CANONICAL = b"".join(canonical_tar(TarEntry(name, data) for name, data in FILES.items()))


def member(name: str, size: int = 0, **more: Any) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size
    for key, value in more.items():
        setattr(info, key, value)
    return info


def tar_of(path: Path, *members: tuple[tarfile.TarInfo, bytes], **options: Any) -> Path:
    with tarfile.open(path, "w", **options) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return path


def folder_of(path: Path) -> Path:
    for name, data in FILES.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_pythons_tars_of_the_same_files_are_one_tar(tmp_path: Path, form: int) -> None:
    names = list(FILES)
    random.Random(form).shuffle(names)
    members = [
        (
            member(name, len(FILES[name]), mtime=1e9 + form, uid=7, uname="me", mode=0o664),
            FILES[name],
        )
        for name in names
    ]
    folders = [(member("b", type=tarfile.DIRTYPE), b""), (member(".", type=tarfile.DIRTYPE), b"")]
    tar_of(tmp_path / "t.tar", *folders, *members, format=form)
    assert rewritten(tmp_path / "t.tar") == CANONICAL


@pytest.mark.parametrize("options", [["--format=v7"], ["--format=gnu"], ["--format=posix"]])
def test_gnu_tars_of_the_same_files_are_one_tar(tmp_path: Path, options: list[str]) -> None:
    folder = folder_of(tmp_path / "in")
    expected = CANONICAL
    if options == ["--format=v7"]:  # which has no room for long names
        (folder / ("b/" + "long/" * 40 + "name")).unlink()
        (folder / "b/long").rename(tmp_path / "out")
        short = {name: data for name, data in FILES.items() if len(name) < 100}
        expected = b"".join(canonical_tar(TarEntry(name, data) for name, data in short.items()))
    command = ["tar", *options, "-cf", str(tmp_path / "t.tar"), "-C", str(folder), "."]
    subprocess.run(command, check=True)
    assert rewritten(tmp_path / "t.tar") == expected


def test_links_modes_and_empty_folders_are_kept(tmp_path: Path) -> None:
    tar_of(
        tmp_path / "t.tar",
        (member("z", type=tarfile.SYMTYPE, linkname="../elsewhere"), b""),
        (member("./run", 3, mode=0o4700), b"run"),
        (member("hard", type=tarfile.LNKTYPE, linkname="run"), b""),
        (member("empty/er", type=tarfile.DIRTYPE, mode=0o700), b""),
    )
    with tarfile.open(fileobj=io.BytesIO(rewritten(tmp_path / "t.tar"))) as archive:
        found = {info.name: info for info in archive}
        assert list(found) == ["empty/er", "hard", "run", "z"]
        assert found["empty/er"].isdir()
        assert found["z"].linkname == "../elsewhere"
        for name in ("hard", "run"):
            stream = archive.extractfile(name)
            assert stream is not None
            assert (stream.read(), found[name].mode) == (b"run", stat.S_IRWXU | 0o55)
        assert {(info.mtime, info.uid, info.uname) for info in found.values()} == {(0, 0, "")}


def test_tars_that_would_lose_something_are_kept_with_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "t.tar"
    assert "neither file" in kept(tar_of(path, (member("f", type=tarfile.FIFOTYPE), b"")))
    assert "plain relative" in kept(tar_of(path, (member("../f"), b"")))
    assert "plain relative" in kept(tar_of(path, (member("/f"), b"")))
    assert "several" in kept(tar_of(path, (member("f"), b""), (member("./f"), b"")))
    hard = member("h", type=tarfile.LNKTYPE, linkname="f")
    assert "before what it leads to" in kept(tar_of(path, (hard, b""), (member("f"), b"")))
    attribute = member("f", pax_headers={"SCHILY.xattr.user.note": "important"})
    assert "SCHILY.xattr.user.note" in kept(tar_of(path, (attribute, b"")))
    data = tar_of(path, (member("f", 600), bytes(600))).read_bytes()
    path.write_bytes(data + b"more")
    assert "after its end" in kept(path)
    path.write_bytes(data[:800])
    assert "cannot be read" in kept(path)
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as stream:
        stream.truncate(1 << 20)
    subprocess.run(["tar", "-S", "-cf", str(path), "-C", str(tmp_path), "sparse"], check=True)
    assert "neither file" in kept(path)


def unpacked(data: bytes) -> bytes:
    return gzip.decompress(data)


def test_the_same_bytes_packed_in_many_ways_are_one_gzip_file(tmp_path: Path) -> None:
    content = FILES["b/data.csv"] * 50
    plain, path = tmp_path / "data.csv", tmp_path / "data.csv.gz"
    plain.write_bytes(content)
    ways = [
        gzip.compress(content, 1, mtime=7),
        gzip.compress(content, 9),
        gzip.compress(content[:1000]) + gzip.compress(b"") + gzip.compress(content[1000:]),
        gzip.compress(content) + bytes(1000),
        subprocess.run(["gzip", "-c", "-4", str(plain)], check=True, capture_output=True).stdout,
        subprocess.run(["gzip", "-cn"], input=content, check=True, capture_output=True).stdout,
    ]
    found = set()
    for way in ways:
        path.write_bytes(way)
        found.add(rewritten(path))
    (data,) = found
    assert unpacked(data) == content
    assert data[:10] == bytes.fromhex("1f8b08000000000000ff")
    assert data[-8:] == struct.pack("<II", zlib.crc32(content), len(content))
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    assert data[10:-8] == packer.compress(content) + packer.flush()


def test_gzip_files_that_would_lose_something_are_kept_with_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "f.gz"
    data = gzip.compress(FILES["noise.bin"])
    path.write_bytes(data[:-9])
    assert "cut short" in kept(path)
    path.write_bytes(data + data[:3])
    assert "cut short" in kept(path)
    path.write_bytes(data + b"more")
    assert "after its end" in kept(path)
    path.write_bytes(data + bytes(2_000_000) + b"more")
    assert "after its end" in kept(path)
    path.write_bytes(data[:-8] + bytes(8))
    assert "damaged" in kept(path)
    block = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
    path.write_bytes(block)
    assert gzip.decompress(block) == b""
    assert "index" in kept(path)


def test_a_container_in_a_gzip_file_is_rewritten_too(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "in")
    command = ["tar", "-czf", str(tmp_path / "t.tar.gz"), "-C", str(folder), "."]
    subprocess.run(command, check=True)
    assert unpacked(rewritten(tmp_path / "t.tar.gz")) == CANONICAL
    found = rewrite_container(tmp_path / "t.tar.gz", tmp_path / "once")
    assert found == Rewriting(("d4c.gzip/1", "d4c.tar/1"))
    zipped = zip_of(tmp_path / "z.zip")
    (tmp_path / "z.zip.gz").write_bytes(gzip.compress(zipped.read_bytes()))
    assert unpacked(rewritten(tmp_path / "z.zip.gz")) == rewritten(zipped)
    odd = tar_of(tmp_path / "odd.tar", (member("../f"), b"")).read_bytes()
    (tmp_path / "odd.tgz").write_bytes(gzip.compress(odd))
    assert unpacked(rewritten(tmp_path / "odd.tgz")) == odd
    found = rewrite_container(tmp_path / "odd.tgz", tmp_path / "once")
    assert found.rewritten == ("d4c.gzip/1",)
    assert "plain relative" in str(found.kept)


def test_members_of_archives_are_contents_and_stay_as_they_are(tmp_path: Path) -> None:
    inner = gzip.compress(b"x", mtime=7)
    tar_of(tmp_path / "t.tar", (member("x.gz", len(inner)), inner))
    with tarfile.open(fileobj=io.BytesIO(rewritten(tmp_path / "t.tar"))) as archive:
        stream = archive.extractfile("x.gz")
        assert stream is not None
        assert stream.read() == inner

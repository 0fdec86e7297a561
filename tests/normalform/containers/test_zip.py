"""Zips: one form for the same members, and nothing lost."""

from __future__ import annotations

import hashlib
import io
import random
import shutil
import stat
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from d4cbuild.normalform.containers import Rewriting, rewrite_container
from d4cbuild.normalform.containers.zipwriter import Comment, ZipWriter

from .forms import kept, rewritten

FILES = Path(__file__).parent / "files"
CHANCE = random.Random(1)
GOLDEN = "e2a8bf4c00d8790fc764d0223675269f67a25e28025489377d8bf83739962172"
MEMBERS = {
    "b/data.csv": b"id,name\n" + b"1,Iqaluit\n" * 5000,
    "a.txt": b"short",
    "été/naïve.txt": "déjà vu".encode(),
    "noise.bin": CHANCE.randbytes(300_000),
    "none": b"",
}


def zip_of(
    path: Path,
    members: dict[str, bytes] = MEMBERS,
    *,
    method: int = zipfile.ZIP_DEFLATED,
    level: int | None = None,
    year: int = 2021,
    seed: int = 0,
    system: int = 3,
) -> Path:
    names = sorted(members)
    random.Random(seed).shuffle(names)
    with zipfile.ZipFile(path, "w", method, compresslevel=level) as archive:
        for name in names:
            info = zipfile.ZipInfo(name, (year, 2, 3, 4, 5, 6))
            info.compress_type, info.create_system = method, system
            info.external_attr = 0o644 << 16 if system == 3 else 0x20
            archive.writestr(info, members[name], compresslevel=level)
    return path


def contents(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {info.filename: archive.read(info) for info in archive.infolist()}


def test_the_same_members_packed_in_many_ways_are_one_zip(tmp_path: Path) -> None:
    reference = rewritten(zip_of(tmp_path / "0.zip"))
    assert contents(reference) == MEMBERS
    assert list(contents(reference)) == sorted(MEMBERS, key=str.encode)
    ways = [
        {"seed": 3, "year": 1999},
        {"method": zipfile.ZIP_STORED},
        {"level": 1},
        {"level": 9, "system": 0},
        {"method": zipfile.ZIP_BZIP2},
        {"method": zipfile.ZIP_LZMA},
    ]
    for number, way in enumerate(ways, start=1):
        other = zip_of(tmp_path / f"{number}.zip", **way)  # type: ignore[arg-type]
        assert rewritten(other) == reference, way


def test_zips_of_info_zip_are_the_same_as_pythons(tmp_path: Path) -> None:
    members = {
        "a.txt": b"short",
        "b/data.csv": b"id,name\n" + b"1,Iqaluit\n" * 300,
        "none": b"",
        "été/naïve.txt": "déjà vu".encode(),
    }
    reference = rewritten(zip_of(tmp_path / "z.zip", members))
    for name in ("info-zip.zip", "info-zip-plain.zip", "info-zip-stored.zip"):
        shutil.copy(FILES / name, tmp_path / name)
        assert rewritten(tmp_path / name) == reference, name


def test_streamed_zips_with_sizes_after_the_data_are_rewritten(tmp_path: Path) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.data += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in MEMBERS.items():
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=name == "a.txt") as member:
                member.write(data)
    (tmp_path / "piped.zip").write_bytes(pipe.data)
    assert rewritten(tmp_path / "piped.zip") == rewritten(zip_of(tmp_path / "plain.zip"))


def test_the_golden_zip(tmp_path: Path) -> None:
    members = {"b": b"x" * 100, "a/é": b"", "mimetype": b"t" * 50}
    data = rewritten(zip_of(tmp_path / "z.zip", members))
    sizes = (zlib.crc32(b"t" * 50), 50, 50, 8, 0)
    start = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 0, 0, 33, *sizes)
    assert data.startswith(start + b"mimetype" + b"t" * 50)
    assert hashlib.sha256(data).hexdigest() == GOLDEN


def test_links_modes_folders_and_comments_are_kept_and_the_rest_is_not(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        link = zipfile.ZipInfo("z-link")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o755) << 16
        archive.writestr(link, "run")
        run = zipfile.ZipInfo("run", (2020, 1, 1, 0, 0, 0))
        run.create_system, run.external_attr = 3, (stat.S_IFREG | 0o700) << 16
        run.extra, run.comment = struct.pack("<HHI", 0xCAFE, 4, 7), b"a comment"
        archive.writestr(run, "#!/bin/sh\n")
        for folder in ("full/", "empty/", "empty/er/"):
            archive.mkdir(folder)
        archive.writestr("full/x", "x")
        archive.comment = b"of all"
    with zipfile.ZipFile(io.BytesIO(rewritten(tmp_path / "z.zip"))) as archive:
        found = {info.filename: info for info in archive.infolist()}
        assert list(found) == ["empty/er/", "full/x", "run", "z-link"]
        modes = {name: info.external_attr >> 16 for name, info in found.items()}
        assert modes == {
            "empty/er/": 0o40755,
            "full/x": 0o100644,
            "run": 0o100755,
            "z-link": 0o120777,
        }
        assert archive.comment == b"of all"
        assert [info.comment for info in found.values()] == [b"", b"", b"a comment", b""]
        assert all(not info.extra for info in found.values())
        assert {info.date_time for info in found.values()} == {(1980, 1, 1, 0, 0, 0)}


def test_members_that_a_format_wants_first_come_first(tmp_path: Path) -> None:
    names = ("a", "doc.kml", "META-INF/MANIFEST.MF", "mimetype", "[Content_Types].xml")
    data = rewritten(zip_of(tmp_path / "z.zip", dict.fromkeys(names, b"x" * 99)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == [names[3], names[2], names[4], names[1], names[0]]
        assert archive.infolist()[0].compress_type == zipfile.ZIP_STORED


def test_an_empty_zip_and_one_of_many_members_are_rewritten(tmp_path: Path) -> None:
    assert contents(rewritten(zip_of(tmp_path / "z.zip", {}))) == {}
    many = [f"{number:05}" for number in range(66_000)]
    with (tmp_path / "z.zip").open("wb") as made:
        writer = ZipWriter(made)
        for name in many:
            writer.add(name, 0o100644, Comment(b"", utf8=True), 0, lambda: ())
        writer.finish(b"")
    with zipfile.ZipFile(tmp_path / "z.zip") as archive:
        assert archive.namelist() == many


def test_wide_fields_read_back_as_for_members_of_more_than_four_gigabytes(tmp_path: Path) -> None:
    members = {"a": b"", "b": b"x" * 3_000_000, "c": CHANCE.randbytes(2_000_000), "d": b"y" * 2000}
    for limit in (1000, 100_000, 2_500_000):
        with (tmp_path / "z.zip").open("wb") as made:
            writer = ZipWriter(made, limit)
            for name, data in members.items():
                pieces = [data[at : at + (1 << 20)] for at in range(0, len(data), 1 << 20)]
                comment = Comment(name.encode(), utf8=True)
                writer.add(name, 0o100644, comment, len(data), lambda each=pieces: iter(each))  # type: ignore[misc]
            writer.finish(b"end")
        assert contents((tmp_path / "z.zip").read_bytes()) == members
        assert contents(rewritten(tmp_path / "z.zip")) == members


def damaged(path: Path) -> Path:
    data = bytearray(zip_of(path, {"a": bytes(1000)}, method=zipfile.ZIP_STORED).read_bytes())
    data[500] ^= 1
    path.write_bytes(data)
    return path


def between(path: Path, signature: bytes) -> Path:
    data = zip_of(path, {"a": b"x"}).read_bytes()
    end = data.index(b"PK\x05\x06")
    (start,) = struct.unpack_from("<I", data, end + 16)
    moved = data[:end] + data[end : end + 16] + struct.pack("<I", start + len(signature)) + b"\0\0"
    path.write_bytes(data[:start] + signature + moved[start:])
    return path


def test_what_would_lose_something_is_kept_with_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "z.zip"
    shutil.copy(FILES / "encrypted.zip", path)
    assert "encrypted" in kept(path)
    assert "CRC" in kept(damaged(path))
    assert "belong to none" in kept(between(path, b"APK Sig Block 42"))
    path.write_bytes(zip_of(path).read_bytes() + b"more")
    assert "belong to no member" in kept(path)
    for name in ("/etc/passwd", "../up", "a\\b", "a//b"):
        assert "plain relative" in kept(zip_of(path, {name: b"x"}))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "1")
        archive.writestr("a", "2")
    assert "several members" in kept(path)
    assert "both a file and a folder" in kept(zip_of(path, {"a": b"1", "a/b": b"2"}))
    data = zip_of(path, {"xx": b"1"}).read_bytes().replace(b"xx", b"\x82x")
    path.write_bytes(data)
    assert "encoding" in kept(path)
    path.write_bytes(zip_of(path).read_bytes()[:-40])
    assert "cannot be read" in kept(path)


def test_other_files_are_no_containers(tmp_path: Path) -> None:
    for data in (
        b"",
        b"id,name\n",
        b"PAR1",
        bytes(512),
        b"PK\x03",
        b"SQLite format 3\0" + bytes(90),
    ):
        (tmp_path / "f").write_bytes(data)
        assert rewrite_container(tmp_path / "f", tmp_path / "g") == Rewriting()
        assert not (tmp_path / "g").exists()

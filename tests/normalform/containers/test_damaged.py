"""Damaged containers: rewritten to something sound or kept with a reason, and never a traceback."""

from __future__ import annotations

import gzip
import random
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from d4cbuild.normalform.containers import rewrite_container

from . import test_geopackage
from .test_tar_and_gzip import member, tar_of
from .test_tiff import TAGS, Builder
from .test_zip import zip_of

SMALL = {"a": b"x" * 300, "b/c": b"y" * 5, "é": b"z"}
TIMES = 150


def sound(kind: str, folder: Path) -> bytes:
    path = folder / "sound"
    members = [(member(name * 60, len(data)), data) for name, data in SMALL.items()]
    if kind == "geopackage":
        return test_geopackage.write(folder / "sound.gpkg").read_bytes()
    if kind == "tiff":
        return Builder().build(TAGS, TAGS)
    if kind == "bigtiff":
        return Builder(">", True).build(TAGS)
    if kind.startswith("zip"):
        return zip_of(path, SMALL, method=int(kind[3:])).read_bytes()
    form = tarfile.PAX_FORMAT if kind == "pax" else tarfile.GNU_FORMAT
    data = tar_of(path, *members, format=form).read_bytes()
    return gzip.compress(data) if kind == "gzip" else data


def damaged(data: bytes, chance: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(min(len(found), 20_000))
        match chance.randrange(4):
            case 0:
                found[at] ^= 1 << chance.randrange(8)
            case 1:
                found[at : at + 4] = chance.randbytes(4)
            case 2:
                del found[at : at + chance.choice((1, 2, 100))]
            case _:
                found[at:at] = chance.randbytes(chance.choice((1, 4, 50)))
    return bytes(found)


KINDS = [
    *("pax", "gnu", "gzip", "tiff", "bigtiff", "geopackage"),
    *(f"zip{method}" for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)),
]


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_found_or_does_no_harm(tmp_path: Path, kind: str) -> None:
    chance = random.Random(kind)
    data = sound(kind, tmp_path)
    source, target, again = tmp_path / "f", tmp_path / "once", tmp_path / "twice"
    ends: Counter[str] = Counter()
    for _ in range(TIMES if kind != "geopackage" else 20):
        source.write_bytes(damaged(data, chance))
        found = rewrite_container(source, target)
        assert target.exists() == bool(found.rewritten)
        ends["rewritten" if found.rewritten else "kept" if found.kept else "unknown"] += 1
        if found.rewritten:
            assert rewrite_container(target, again).rewritten == found.rewritten
            assert again.read_bytes() == target.read_bytes()
            target.unlink()
    assert ends["kept"] > ends["unknown"]

"""Hostile archives and tables: packages, wheels, tars, zips, git histories, Parquet."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.bundle.test_hostile_archives import END
from tests.bundle.test_hostile_archives import HOSTILE as HOSTILE_TARS
from tests.environment.packages import device, directory, file, link, write_deb, write_wheel
from tests.hostile.file_kinds import HostileFile, as_file

MIB = 1 << 20
_PATHS = {
    "leads out": "../../evil",
    "leads out in the middle": "a/../../../evil",
    "is absolute": "/etc/evil",
    "has backslashes": "..\\..\\evil",
    "has a line end": "a\nb",
    "has terminal codes": "a\x1b[2J",
    "reads from right to left": "a\u202egnp.sh",
    "is very long": "a" * 300,
    "is very deep": "a/" * 5000 + "a",
    "is a dot": "./.",
}


def _deb(*members: tuple[tarfile.TarInfo, bytes], compression: str = ".xz") -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = write_deb(Path(folder) / "a.deb", *members, compression=compression)
        return path.read_bytes()


def _whole_deb() -> bytes:
    return _deb(directory("./"), file("./usr/a", b"abc"))


def _ar(name: bytes, size: bytes, data: bytes) -> bytes:
    return b"!<arch>\n" + name.ljust(16) + b"0".ljust(32) + size.ljust(10) + b"`\n" + data


def _wheel(**files: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return write_wheel(Path(folder), "fuzz", "1.0", files).read_bytes()


def _zip(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED, **fields: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            for field, value in fields.items():
                setattr(info, field, value)
            archive.writestr(info, data)
    return stream.getvalue()


def _zip_bomb() -> bytes:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.csv", "w", force_zip64=True) as member,
    ):
        for _ in range(300):
            member.write(bytes(MIB))
    return stream.getvalue()


def _many(count: int) -> bytes:
    return _zip(*((f"{number}.csv", b"") for number in range(count)))


def _twice() -> bytes:
    return _zip(("a.csv", b"1"), ("b.csv", b"2")).replace(b"b.csv", b"a.csv")


def _tell(data: bytes, signature: bytes, at: int, value: int, form: str = "<I") -> bytes:
    """Lie in a field after a signature."""
    place = data.rindex(signature) + at
    told = struct.pack(form, value)
    return data[:place] + told + data[place + len(told) :]


def _table(**options: object) -> bytes:
    stream = io.BytesIO()
    table = pa.table({"id": list(range(100)), "name": ["é"] * 100})
    pq.write_table(table, stream, **options)
    return stream.getvalue()


def _with_footer(footer: bytes, length: int | None = None) -> bytes:
    size = len(footer) if length is None else length
    return b"PAR1" + bytes(64) + footer + (size & 0xFFFFFFFF).to_bytes(4, "little") + b"PAR1"


def _columns(count: int) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table({f"c{n}": [n] for n in range(count)}), stream)
    return stream.getvalue()


def _nested(depth: int) -> bytes:
    deep = pa.array([1])
    for _ in range(depth):
        deep = pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), deep)
    stream = io.BytesIO()
    pq.write_table(pa.table({"deep": deep}), stream)
    return stream.getvalue()


def _geo(metadata: bytes) -> bytes:
    stream = io.BytesIO()
    table = pa.table({"geometry": pa.array([b"\1" * 21], pa.binary())})
    pq.write_table(table.replace_schema_metadata({b"geo": metadata}), stream)
    return stream.getvalue()


DEBS: dict[str, bytes | Callable[[], bytes]] = {
    **{
        f"path {name}": partial(_deb, file(path, b"x"))
        for name, path in _PATHS.items()
        if name != "is very deep"
    },
    "link, and a file through it": partial(_deb, link("./a", "/etc"), file("./a/evil", b"x")),
    "hard link out": partial(_deb, link("./a", "../../../etc/passwd", tarfile.LNKTYPE)),
    "device": partial(_deb, device("./dev")),
    "empty": b"",
    "only its magic": b"!<arch>\n",
    "cut": lambda: _whole_deb()[:-40],
    "member of no size": _ar(b"data.tar.xz", b"", b""),
    "member of negative size": _ar(b"data.tar.xz", b"-1", b"x" * 100),
    "member of endless size": _ar(b"data.tar.xz", b"9999999999", b"x" * 100),
    "member of no number": _ar(b"data.tar.xz", b"\xff\xfe", b"x" * 100),
    "compression bomb": partial(_deb, file("./zeros", bytes(64 * MIB)), compression=".xz"),
    "no xz in it": lambda: _whole_deb().replace(b"\xfd7zXZ", b"XXXXX"),
    "control is a bomb": lambda: _ar(
        b"control.tar.gz", b"%d" % len(z := gzip.compress(bytes(64 * MIB))), z
    ),
}
WHEELS: dict[str, bytes | Callable[[], bytes]] = {
    **{
        f"path {name}": partial(_wheel, **{path: b"x"})
        for name, path in _PATHS.items()
        if name != "is a dot"
    },
    "empty": b"",
    "no metadata": _zip(("fuzz/__init__.py", b"")),
    "script leads out": partial(
        _wheel,
        **{"fuzz-1.0.dist-info/entry_points.txt": b"[console_scripts]\n../../evil = a:b\n"},
    ),
    "script with code in its name": partial(
        _wheel,
        **{"fuzz-1.0.dist-info/entry_points.txt": b"[console_scripts]\nx = os:system('id')#\n"},
    ),
    "entry points are no text": partial(
        _wheel, **{"fuzz-1.0.dist-info/entry_points.txt": b"\xff\xfe[console_scripts"}
    ),
    "data leads out": partial(_wheel, **{"fuzz-1.0.data/data/../../../evil": b"x"}),
    "data of no kind": partial(_wheel, **{"fuzz-1.0.data/nothing/evil": b"x"}),
    "cut": lambda: _wheel(a=b"x" * 999)[:-99],
    "bomb": _zip_bomb,
}
ZIPS: dict[str, bytes | Callable[[], bytes]] = {
    **{f"path {name}": _zip((path, b"x")) for name, path in _PATHS.items()},
    "empty": b"",
    "only its end": b"PK\5\6" + bytes(18),
    "bomb": _zip_bomb,
    "twenty thousand files": partial(_many, 20_000),
    "encrypted": lambda: _tell(_zip(("a.csv", b"x")), b"PK\1\2", 8, 1, "<H"),
    "method nobody knows": lambda: _tell(_zip(("a.csv", b"x")), b"PK\1\2", 10, 77, "<H"),
    "size too small": lambda: _tell(_zip(("a.csv", b"x" * 99)), b"PK\1\2", 24, 1),
    "size too large": lambda: _tell(_zip(("a.csv", b"x")), b"PK\1\2", 24, 0xFFFFFFF0),
    "place beyond the end": lambda: _tell(_zip(("a.csv", b"x")), b"PK\1\2", 42, 0xFFFFFF),
    "wrong sum": lambda: _tell(_zip(("a.csv", b"x")), b"PK\1\2", 16, 7),
    "more entries than there are": lambda: _tell(_zip(("a.csv", b"x")), b"PK\5\6", 10, 65535, "<H"),
    "directory beyond the end": lambda: _tell(_zip(("a.csv", b"x")), b"PK\5\6", 16, 0xFFFFFFF0),
    "names that differ in case": _zip(("a.csv", b"x"), ("A.csv", b"y")),
    "names that differ in accents": _zip(("\u00e9.csv", b"x"), ("e\u0301.csv", b"y")),
    "one name twice": _twice,
    "bzip2": _zip(("a.csv", b"x"), method=zipfile.ZIP_BZIP2),
    "link": _zip(("a.csv", b"/etc/passwd"), external_attr=0o120777 << 16),
    "zip in a zip in a zip": lambda: _zip(("a.zip", _zip(("a.zip", _zip(("a.csv", b"x")))))),
}
TABLES: dict[str, bytes | Callable[[], bytes]] = {
    "empty": b"",
    "only its magic": b"PAR1PAR1",
    "cut": lambda: _table()[:-20],
    "footer of four gigabytes": _with_footer(b"\0", -1),
    "footer of nothing": _with_footer(b""),
    "footer of noise": _with_footer(bytes(range(256))),
    "footer nested ten thousand times": _with_footer(b"\x1c" * 10_000),
    "footer with a list without end": _with_footer(b"\x19\xfc\xff\xff\xff\xff\x0f"),
    "pages of noise": lambda: _table(compression="none").replace(b"\xc3\xa9", b"\xff\xfe"),
    "pages cut": lambda: b"PAR1" + _table()[300:],
    "ten thousand columns": partial(_columns, 10_000),
    "nested three hundred times": partial(_nested, 300),
    "geo is no JSON": partial(_geo, b"{"),
    "geo nested": partial(_geo, b'{"a":' * 5000 + b"1" + b"}" * 5000),
    "geo is a list": partial(_geo, b"[]"),
    "geo of no column": partial(_geo, b'{"version":"1.1.0","primary_column":"x","columns":{}}'),
    "geo of lone surrogates": partial(_geo, b'{"version":"\\ud800","columns":{"geometry":7}}'),
    "shape of noise": partial(
        _geo,
        b'{"version":"1.1.0","primary_column":"geometry","columns":{"geometry":'
        b'{"encoding":"WKB","geometry_types":[]}}}',
    ),
}
COMPRESSED: dict[str, bytes | Callable[[], bytes]] = {
    "gzip bomb": lambda: gzip.compress(bytes(200 * MIB)),
    "xz bomb": lambda: lzma.compress(bytes(100 * MIB)),
    "bzip2 bomb": lambda: bz2.compress(bytes(100 * MIB)),
    "gzip in gzip in gzip": lambda: gzip.compress(gzip.compress(gzip.compress(b"x"))),
    "gzip cut": lambda: gzip.compress(b"x" * 999)[:-9],
    "xz that wants four gigabytes": b"\xfd7zXZ\0\0\4\xe6\xd6\xb4F\2\0!\1\x28\0\0\0" + bytes(99),
    "csv of one line": b"a," * 500_000,
    "csv of NUL": b"id,name\n" + b"\0" * 5000,
    "csv that is no text": b"id,name\n\xff\xfe,\xed\xa0\x80\n",
    "json lines nested": b'{"a":' * 5000 + b"1" + b"}" * 5000,
}
_READ = (0, 4, 12, 16, 64)


def archives() -> Iterator[HostileFile]:
    """All of them."""
    quick = ("path leads out", "up", "bomb", "cut", "footer nested ten thousand times")
    for name, data in DEBS.items():
        yield HostileFile("packages", name, data, target="deb", quick=name in quick)
    for name, data in WHEELS.items():
        yield HostileFile("wheels", name, data, target="wheel", quick=name in quick)
    for name, tar in HOSTILE_TARS.items():
        yield HostileFile("tars", name, tar + END, target="bundle-archive", quick=name in quick)
    for name, data in ZIPS.items():
        yield HostileFile("zips", name, data, target="zip-member", quick=name in quick)
        yield HostileFile("zips as outputs", name, data, target="containers")
        yield HostileFile("zips looked into", name, data, target="members")
    for name, data in TABLES.items():
        put = as_file("a.parquet", "digest", "a.parquet")
        yield HostileFile("Parquet", name, data, put, statuses=(0, 64), quick=name in quick)
        normalise = ("normalise", "a.parquet", "-o", "b.parquet", "--sort-by", "id")
        put = as_file("a.parquet", *normalise)
        again = name in ("pages cut", "pages of noise", "ten thousand columns", "geo nested")
        yield HostileFile("Parquet to normalise", name, data, put, statuses=(0, 1, 64), quick=again)
    for name, data in {**COMPRESSED, **ZIPS}.items():
        put = as_file("a.bin", "diff", "a.bin", "recipes/places/recipe.toml")
        yield HostileFile("files to compare", name, data, put, statuses=_READ)

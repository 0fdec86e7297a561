"""Every parser of what strangers wrote or serve, as a function of bytes that may only refuse."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from d4cbuild.attest.envelope import read_envelope
from d4cbuild.attest.keys import PublicKey, read_public_key, read_signing_key
from d4cbuild.base.archive import TarEntry
from d4cbuild.base.canonical import canonical_json, parse_json
from d4cbuild.base.files import remove_tree
from d4cbuild.base.progress import Silence
from d4cbuild.bundle.archive import archive, of_entry, read_archive
from d4cbuild.bundle.folder import received_files
from d4cbuild.code.gitbundle_reading import code_in_bundle
from d4cbuild.difference.compare import compare
from d4cbuild.difference.options import DiffOptions
from d4cbuild.difference.wkb import NotWKB, read_wkb
from d4cbuild.environment.debian import control_of, members_of, unpacking
from d4cbuild.environment.registries import debian_archives
from d4cbuild.environment.simple_index import listed_files
from d4cbuild.environment.tree import Tree
from d4cbuild.environment.wheels import install_wheel
from d4cbuild.errors import D4CError
from d4cbuild.hazards.code_files import file_findings
from d4cbuild.hazards.toml_places import toml_places
from d4cbuild.model.columntype import parse_column_type
from d4cbuild.model.environment import EnvironmentLock
from d4cbuild.model.lock import Lock
from d4cbuild.model.manifest import Manifest
from d4cbuild.model.parse import record_from_json, record_from_toml
from d4cbuild.model.recipe import Recipe
from d4cbuild.model.settings import Settings
from d4cbuild.model.trust import Trust
from d4cbuild.normalform.containers import rewrite_container
from d4cbuild.normalform.thrift import decode, encode
from d4cbuild.sources.answer import (
    content_length,
    content_range,
    redirect_target,
    retry_after_s,
    strong_validator,
    transformation,
)
from d4cbuild.sources.local import LocalOrigin
from d4cbuild.sources.member import MemberOrigin
from d4cbuild.tables.read import read_any
from d4cbuild.weather.members import members_of as members_inside
from tests.environment.packages import directory, file, link, write_deb, write_wheel
from tests.project import RECIPE

Run = Callable[[bytes, Path], object]


@dataclass(frozen=True)
class Target:
    """A parser.

    Attributes:
        name: What it reads.
        run: Gives it bytes, and an empty folder to work in.
        refusals: What it may raise; anything else is a finding.
        seeds: Makes good input, to begin with.
    """

    name: str
    run: Run
    seeds: Callable[[Path], list[bytes]]
    refusals: tuple[type[Exception], ...] = (D4CError,)


def _text(run: Callable[[str], object]) -> Run:
    return lambda data, folder: run(data.decode("utf-8", "replace"))


def _file(run: Callable[[Path], object], name: str = "input") -> Run:
    def write_and_run(data: bytes, folder: Path) -> object:
        path = folder / name
        path.write_bytes(data)
        return run(path)

    return write_and_run


def _deb(path: Path) -> None:
    with unpacking(path, "fuzz"):
        control_of(path, "fuzz")
        for member in members_of(path, "fuzz"):
            if member.content is not None:
                member.content.read(1 << 20)


def _wheel(path: Path) -> None:
    root = path.parent / "root"
    root.mkdir()
    tree = Tree(root, {})
    tree.begin_layer("wheels")
    install_wheel(path, "fuzz-1.0-py3-none-any.whl", tree, "fuzz")
    assert all(entry.name in ("input", "root") for entry in path.parent.iterdir())


def _member(path: Path) -> None:
    origin = MemberOrigin(LocalOrigin(path.parent, path.name), "a.csv")
    origin.fetch(path.parent / "out", 1 << 20, Silence(), "fuzz")


def _tar(path: Path) -> None:
    for member in read_archive(path):
        member.data()


def _git(path: Path) -> None:
    code_in_bundle(path, "0" * 40, "0" * 40, path.parent)


def _thrift(data: bytes, folder: Path) -> None:
    found = decode(data)
    again = encode(found)
    assert encode(decode(again)) == again


def _container(path: Path) -> None:
    first, second = path.parent / "first", path.parent / "second"
    if rewrite_container(path, first).rewritten:
        rewrite_container(first, second)
        assert first.read_bytes() == second.read_bytes()


def _canonical(data: bytes, folder: Path) -> None:
    text = canonical_json(parse_json(data))
    assert canonical_json(parse_json(text)) == text


def _headers(data: bytes, folder: Path) -> None:
    lines = data.decode("latin-1").split("\n")
    headers = dict(line.partition(":")[::2] for line in lines)
    for look in (content_range, content_length, strong_validator, transformation):
        look(headers)
    retry_after_s(headers, datetime(2026, 1, 1, tzinfo=UTC))
    redirect_target("https://example.org/a/b?c", headers.get("Location"))


def _apt(data: bytes, folder: Path) -> None:
    (folder / "sources.list").write_bytes(data)
    (folder / "sources.list.d").mkdir()
    (folder / "sources.list.d" / "a.sources").write_bytes(data)
    debian_archives("bookworm", folder)


def _keys(data: bytes, folder: Path) -> None:
    path = folder / "key.pub"
    path.write_bytes(data)
    path.chmod(0o600)
    for read in (read_public_key, read_signing_key):
        try:
            read(path)
        except D4CError:
            continue
    PublicKey.parse(data.decode("utf-8", "replace"))


def _sums(data: bytes, folder: Path) -> None:
    (folder / "SHA256SUMS").write_bytes(data)
    (folder / "a.txt").write_bytes(b"abc")
    received_files(folder)


def _difference(data: bytes, folder: Path) -> None:
    a, b = folder / "a", folder / "b"
    middle = data.find(b"\0\0\0\0")
    a.write_bytes(data[:middle] if middle >= 0 else data)
    b.write_bytes(data[middle + 4 :] if middle >= 0 else data[1:])
    compare(a, b, DiffOptions())


def _seeds_of_packages(folder: Path) -> list[bytes]:
    members = (directory("./"), file("./usr/a", b"abc"), link("./usr/b", "a"))
    paths = [folder / f"{number}.deb" for number in range(3)]
    for path, compression in zip(paths, (".xz", ".gz", ".zst"), strict=True):
        write_deb(path, *members, compression=compression)
    return [path.read_bytes() for path in paths]


def _seeds_of_wheels(folder: Path) -> list[bytes]:
    return [write_wheel(folder, "fuzz", "1.0", {"fuzz/__init__.py": b"a = 1\n"}).read_bytes()]


def _zip(folder: Path) -> list[bytes]:
    found = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as made:
            made.writestr("a.csv", "id,name\n1,A\n")
            made.writestr("b/a.txt", "x" * 100)
        found.append(stream.getvalue())
    return found


def _tars(folder: Path) -> list[bytes]:
    entries = [TarEntry("a.txt", b"abc", False), TarEntry("b/" + "c" * 120, b"", True)]
    return [b"".join(archive(map(of_entry, entries), 7))]


def _tables(folder: Path) -> list[bytes]:
    table = pa.table({"id": [1, 2, None], "name": ["a", "é", ""], "at": [1.5, float("nan"), 0.0]})
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return [stream.getvalue()]


@cache
def _real(name: str) -> bytes:
    here = Path(__file__).parents[2]
    return (here / name).read_bytes()


def _reals(*names: str) -> Callable[[Path], list[bytes]]:
    return lambda folder: [_real(name) for name in names]


def _given(*seeds: bytes) -> Callable[[Path], list[bytes]]:
    return lambda folder: list(seeds)


def _footer(folder: Path) -> list[bytes]:
    return [data[-8 - int.from_bytes(data[-8:-4], "little") : -8] for data in _tables(folder)]


def _json(kind: Any, where: str) -> Run:
    return lambda data, folder: record_from_json(kind, data, where)


def _toml(kind: Any) -> Run:
    return lambda data, folder: record_from_toml(kind, data, "file.toml")


_POINT = bytes.fromhex("0101000000000000000000f03f0000000000000040")
_POLYGON = bytes.fromhex("010300000001000000040000") + b"\0\0" + bytes(64)
_ENVELOPE = json.dumps(
    {"payloadType": "text/plain", "payload": "YQ==", "signatures": [{"keyid": "a", "sig": "YQ=="}]}
).encode()
_TRUST = b'schema = "d4c.trust/1"\n\n[[keys]]\nkey = "d4c-key:a"\nname = "a"\nroles = ["builder"]\n'
_SETTINGS = b'schema = "d4c.settings/1"\ntrust = "t"\n[[substituters]]\nurl = "https://e.org/d"\n'
_HEADERS = (
    b'ETag:"a"\nContent-Length:12\nContent-Range:bytes 1-2/3\nRetry-After:1\nLocation:../x\n'
    b"Last-Modified:Sun, 06 Nov 1994 08:49:37 GMT\nDate:Sun, 06 Nov 1994 09:49:37 GMT\n"
)
_PAGE = b'<base href="/x/"><a href="../a-1.0.whl#sha256=' + b"0" * 64 + b'">a</a><a href=b>b</a>'
_APT = (
    b"deb [signed-by=/a] https://example.org/debian bookworm main\n\nTypes: deb\n"
    b"URIs: https://example.org/debian\nSuites: bookworm\nComponents: main\n"
)
_SUMS = b"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a.txt\n"
_SQL = (
    b"SELECT a, sum(b) FROM t WHERE c > now() GROUP BY a LIMIT 3; -- d4c: allow order because x\n"
)
_SHELL = (
    b"for f in *.csv; do cut -d, -f1 \"$f\" | sort -u; done <<'E'\nx\nE\npython3 -c 'print(1)'\n"
)

TARGETS = (
    Target("recipe", _toml(Recipe), _given(RECIPE.format(id="places").encode())),
    Target("trust", _toml(Trust), _given(_TRUST)),
    Target("settings", _toml(Settings), _given(_SETTINGS)),
    Target("toml-places", _text(toml_places), _given(RECIPE.format(id="places").encode())),
    Target("lock", _json(Lock, "recipe.lock"), _reals("recipes/statcan-odhf/recipe.lock")),
    Target(
        "manifest", _json(Manifest, "manifest.json"), _reals("recipes/statcan-odhf/manifest.json")
    ),
    Target("environment-lock", _json(EnvironmentLock, "environment.lock"), _given(b"{}")),
    Target(
        "canonical-json",
        _canonical,
        _given(b'{"b":[1,2.5e-7,null],"a":"\\u00e9"}', b"1e21"),
        (ValueError,),
    ),
    Target("envelope", lambda data, folder: read_envelope(data, "x"), _given(_ENVELOPE)),
    Target("keys", _keys, _given(b"d4c-key:abc\n", b"-----BEGIN PRIVATE KEY-----\nMC4=\n")),
    Target(
        "column-type",
        _text(parse_column_type),
        _given(b"list<struct<a: int8, b: decimal(9, 2)>>", b"timestamp[us, UTC]"),
        (D4CError, ValueError),
    ),
    Target("deb", _file(_deb), _seeds_of_packages),
    Target("wheel", _file(_wheel), _seeds_of_wheels),
    Target("zip-member", _file(_member), _zip),
    Target("bundle-archive", _file(_tar), _tars),
    Target("containers", _file(_container), lambda folder: [*_zip(folder), *_tars(folder)]),
    Target("members", _file(members_inside), lambda folder: [*_zip(folder), *_tars(folder)]),
    Target("git-bundle", _file(_git), _given(b"# v2 git bundle\n" + b"0" * 40 + b" HEAD\n\nPACK")),
    Target("sums", _sums, _given(_SUMS)),
    Target("thrift", _thrift, _footer, (ValueError,)),
    Target("parquet", _file(lambda path: read_any(path), "a.parquet"), _tables),
    Target("csv", _file(lambda path: read_any(path), "a.csv"), _given(b"id,name\n1,\xc3\xa9\n")),
    Target("difference", _difference, lambda folder: [b"\0\0\0\0".join(_zip(folder))]),
    Target("wkb", lambda data, folder: read_wkb(data), _given(_POINT, _POLYGON), (NotWKB,)),
    Target("sql", lambda data, folder: file_findings("a.sql", data, "a.sql"), _given(_SQL)),
    Target("shell", lambda data, folder: file_findings("a.sh", data, "a.sh"), _given(_SHELL)),
    Target(
        "python",
        lambda data, folder: file_findings("a.py", data, "a.py"),
        _reals("recipes/statcan-odhf/process.py"),
    ),
    Target("http-headers", _headers, _given(_HEADERS)),
    Target("index-page", _text(partial(listed_files, address="https://e.org/")), _given(_PAGE)),
    Target("apt-sources", _apt, _given(_APT)),
)


def run_target(target: Target, data: bytes, folder: Path) -> None:
    """Give a parser bytes in a folder that is empty before and removed afterwards.

    Raises:
        Exception: whatever it raises that is no refusal.
    """
    folder.mkdir(parents=True)
    try:
        target.run(data, folder)
    except target.refusals as refusal:
        if isinstance(refusal, D4CError):
            str(refusal).encode()  # it can be told
    finally:
        remove_tree(folder)

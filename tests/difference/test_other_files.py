"""Texts, JSON, archives, folders, manifests and any other bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from d4cbuild.difference.compare import compare
from d4cbuild.difference.options import DiffOptions
from d4cbuild.difference.record import Difference
from d4cbuild.errors import InputError

REPOSITORY = Path(__file__).parent.parent.parent
RECIPE = REPOSITORY / "recipes" / "statcan-odhf"


def differ(folder: Path, a: bytes, b: bytes) -> Difference:
    (folder / "a").write_bytes(a)
    (folder / "b").write_bytes(b)
    return compare(folder / "a", folder / "b", DiffOptions())


@pytest.mark.parametrize(
    ("a", "b", "name", "exit_code"),
    [
        (b"same\n", b"same\n", None, 0),
        (b"", b"", None, 0),
        (b"one\ntwo\n", b"one\r\ntwo\r\n", "line-ends", 12),
        (b"one\ntwo\n", b"\xef\xbb\xbfone\ntwo\n", "line-ends", 12),
        (b"one\ntwo\n", b"one\ntwo", "line-ends", 12),
        (b"one\ntwo\n", b"one\n2\n", "lines", 12),
        (b"one\n", b"", "lines", 12),
        ("Montréal\n".encode(), "Montréal\n".encode("cp1252"), "text-encoding", 12),
        (b'{"a": 1, "b": [2]}', b'{"b":[2],\n"a":1}', "json-form", 4),
        (b'{"a": 1, "b": [2]}', b'{"a": 1, "b": [3]}', "member", 12),
        (b'{"a": 1}', b'{"a": true}', "member", 12),
        (b"\0\1\2", b"\0\1\3", "bytes", 12),
        (b"\0\1\2", b"\0\1\2\3", "bytes", 12),
        (b"\0\1\2", b"text", "bytes", 12),
    ],
)
def test_plain_files_are_compared_as_what_they_are(
    a: bytes, b: bytes, name: str | None, exit_code: int, tmp_path: Path
) -> None:
    found = differ(tmp_path, a, b)
    assert [finding.name for finding in found.findings] == ([name] if name else [])
    assert found.exit_code == exit_code


def test_lines_that_differ_are_numbered(tmp_path: Path) -> None:
    found = differ(tmp_path, b"a\nb\nc\nd\n", b"a\nB\nc\nnew\nd\n")
    assert found.findings[0].count == 2
    assert [(e.where, e.before, e.after) for e in found.findings[0].examples] == [
        ("line 2", '"b"', '"B"'),
        ("line 4", None, '"new"'),
    ]


def test_a_field_of_json_is_named_by_its_place(tmp_path: Path) -> None:
    found = differ(tmp_path, b'{"a": [{"x": 1}]}', b'{"a": [{"x": 2}], "b": null}')
    assert [(e.where, e.before, e.after) for e in found.findings[0].examples] == [
        ("$.a[0].x", "1", "2"),
        ("$.b", None, "null"),
    ]


def test_the_first_byte_that_differs_is_named(tmp_path: Path) -> None:
    found = differ(tmp_path, b"\0" * 3_000_000 + b"x", b"\0" * 3_000_000 + b"y")
    assert "the first that differs is byte 3,000,000" in found.layers[0].says
    assert found.findings[0].count == 1


def zipped(members: dict[str, bytes], level: int = 6) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (1980 + level, 1, 1, 0, 0, 0)), data)
    return made.getvalue()


def tarred(members: dict[str, bytes], level: int = 6) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), level
            archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_members_of_archives_are_compared(pack: Callable[..., bytes], tmp_path: Path) -> None:
    before = {"a.txt": b"one\n", "b.json": b'{"x": 1}', "gone": b""}
    wrapper = differ(tmp_path, pack(before, level=1), pack(dict(reversed(before.items())), level=9))
    assert (wrapper.exit_code, wrapper.findings[0].name) == (4, "wrapper")
    after = {"a.txt": b"two\n", "b.json": b'{"x":1}', "new": b"!"}
    found = differ(tmp_path, pack(before), pack(after))
    assert found.exit_code == 12
    assert {e.where for e in found.findings[0].examples} == {"gone", "new", "a.txt", "b.json"}
    inner = {each.a.path.rsplit(": ")[-1]: each.findings[0].name for each in found.inner}
    assert inner == {"a.txt": "lines", "b.json": "json-form"}
    assert all("d4c-diff-" not in each.a.path for each in found.inner)


@pytest.mark.parametrize(
    ("pack", "other"),
    [
        (lambda data: gzip.compress(data, 1, mtime=1),
         lambda data: gzip.compress(data, 9, mtime=2)),
        (lambda data: bz2.compress(data, 1), lambda data: bz2.compress(data, 9)),
        (lambda data: lzma.compress(data, preset=0), lambda data: lzma.compress(data, preset=9)),
        (zstandard.ZstdCompressor(level=1).compress,
         zstandard.ZstdCompressor(level=19, write_content_size=False).compress),
    ],
    ids=["gzip", "bzip2", "xz", "zstandard"],
)  # fmt: skip
def test_what_is_compressed_is_compared_unpacked(pack: Any, other: Any, tmp_path: Path) -> None:
    data = b"".join(f"{i * i}\n".encode() for i in range(2000))
    assert differ(tmp_path, pack(data), other(data)).exit_code == 4
    found = differ(tmp_path, pack(data), pack(data + b"more\n"))
    assert found.exit_code == 12
    assert found.inner[0].findings[0].name == "lines"


@pytest.mark.parametrize("kind", ["zip", "gzip"])
def test_a_broken_archive_is_named(kind: str, tmp_path: Path) -> None:
    data = {"zip": zipped({"a": b"x" * 100}), "gzip": gzip.compress(b"x" * 100)}[kind]
    with pytest.raises(InputError, match="archive cannot be read") as caught:
        differ(tmp_path, data, data[: len(data) // 2])
    assert caught.value.where == str(tmp_path / "b")


def test_folders_are_compared_file_by_file(tmp_path: Path) -> None:
    for folder, files in (("a", {"same": "s", "other": "1\n", "gone": ""}),
                          ("b", {"same": "s", "other": "2\n", "in/new": ""})):  # fmt: skip
        for name, text in files.items():
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    found = compare(tmp_path / "a", tmp_path / "b", DiffOptions())
    assert (found.verdict, found.layers[0].says) == (
        "different",
        "1 are the same; 1 only in A, 1 only in B, 1 differ",
    )
    assert [each.findings[0].name for each in found.inner] == ["lines"]
    assert compare(tmp_path / "a", tmp_path / "a", DiffOptions()).exit_code == 0


def manifest(folder: Path, name: str, change: Callable[[Any], None]) -> Path:
    record = json.loads((RECIPE / "manifest.json").read_text())
    change(record)
    path = folder / name
    path.write_text(json.dumps(record))
    return path


def nothing(record: Any) -> None:
    pass


def other_bytes(record: Any) -> None:
    record["outputs"][0]["sha256"] = "sha256:" + "0" * 64


def other_table(record: Any) -> None:
    other_bytes(record)
    record["outputs"][0]["content"] = "blake3:" + "0" * 64


def other_parameters(record: Any) -> None:
    record["derivation"]["parameters"] = {"much": "other"}


def other_package(record: Any) -> None:
    packages = record["environment"]["packages"]
    at = next(i for i, purl in enumerate(packages) if "pyarrow" in purl)
    packages[at] = "pkg:pypi/pyarrow@99.0"


def other_commit(record: Any) -> None:
    record["code"]["commit"] = "0" * 40


@pytest.mark.parametrize(
    ("change", "names", "exit_code"),
    [
        (nothing, ["json-form"], 4),
        (other_bytes, ["output-bytes"], 4),
        (other_table, ["output"], 12),
        (other_parameters, ["ingredient"], 4),
        (other_package, ["ingredient"], 4),
        (other_commit, ["provenance"], 4),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_manifests_are_compared_by_what_they_say(
    change: Callable[[Any], None], names: list[str], exit_code: int, tmp_path: Path
) -> None:
    found = compare(RECIPE / "manifest.json", manifest(tmp_path, "b.json", change), DiffOptions())
    assert (found.a.kind, found.b.kind) == ("manifest", "manifest")
    assert [finding.name for finding in found.findings] == names
    assert found.exit_code == exit_code


def test_a_package_of_another_version_is_named(tmp_path: Path) -> None:
    other = manifest(tmp_path, "b.json", other_package)
    (example,) = compare(RECIPE / "manifest.json", other, DiffOptions()).findings[0].examples
    assert example.where == "environment.packages.pkg:pypi/pyarrow"
    assert example.after == '"99.0"'


def test_a_recipe_folder_may_stand_for_its_manifest(tmp_path: Path) -> None:
    other = manifest(tmp_path, "b.json", other_table)
    assert [f.name for f in compare(RECIPE, other, DiffOptions()).findings] == ["output"]
    folder = tmp_path / "recipe"
    folder.mkdir()
    shutil.copyfile(other, folder / "manifest.json")
    shutil.copyfile(RECIPE / "recipe.toml", folder / "recipe.toml")
    found = compare(RECIPE, folder, DiffOptions())
    assert [inner.a.kind for inner in found.inner] == ["manifest"]


def test_a_manifest_that_is_broken_is_named(tmp_path: Path) -> None:
    def harm(record: Any) -> None:
        del record["outputs"]

    with pytest.raises(InputError) as caught:
        compare(RECIPE / "manifest.json", manifest(tmp_path, "b.json", harm), DiffOptions())
    assert caught.value.where == str(tmp_path / "b.json")

"""The ground floor: digests, canonical bytes, and files written whole."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import stat
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d4cbuild.base.archive import (
    TarEntry,
    canonical_tar,
    is_clean_relative,
    read_canonical_tar,
    tar_header,
)
from d4cbuild.base.canonical import canonical_json, parse_json, pretty_json
from d4cbuild.base.digest import Digest, blake3_of, digests_of_file, digests_of_stream
from d4cbuild.base.files import regular_files, remove_tree, staging, write_atomically

ABC = {
    "blake3": "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
    "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "md5": "900150983cd24fb0d6963f7d28e17f72",
}
EMPTY_BLAKE3 = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"


def test_digests_of_abc_are_the_published_ones() -> None:
    found = digests_of_stream(io.BytesIO(b"abc"))
    assert found.size == 3
    assert {d.algorithm: d.hex for d in (found.blake3, found.sha256, found.md5)} == ABC
    assert blake3_of(b"").hex == EMPTY_BLAKE3


def test_a_file_of_several_chunks_has_the_digest_of_its_bytes(tmp_path: Path) -> None:
    data = bytes(range(256)) * 10_000
    (tmp_path / "f").write_bytes(data)
    found = digests_of_file(tmp_path / "f")
    assert (found.size, found.blake3) == (len(data), blake3_of(data))
    assert found.sha256.hex == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    "text",
    [
        "",
        ABC["md5"],
        f"md5:{ABC['md5'].upper()}",
        f"md5:{ABC['sha256']}",
        f"sha256:{ABC['md5']}",
        f"crc:{ABC['md5']}",
        f"md5: {ABC['md5'][1:]}",
        f"md5:{ABC['md5']}\n",
        f"md5:{'٠' * 32}",
    ],
)
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="digest"):
        Digest.parse(text)


ENTRIES = [
    TarEntry("run.sh", b"#!/bin/sh\n", executable=True),
    TarEntry("a/b.txt", b"x" * 513),
    TarEntry("Données.csv", b""),
    TarEntry("a" * 150 + "/" + "b" * 120, b"long"),
]
TAR_BLAKE3 = "83248668d41b511c994d0bc0eba0c4d9f311c2caa4ed991a915341af96e0f894"


def _header_of_tarfile(
    name: str, size: int, mode: int, kind: bytes, linkname: str, mtime_s: int
) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.type, info.linkname = size, mode, kind, linkname
    info.mtime = mtime_s
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


@given(
    name=st.text(st.characters(max_codepoint=0x17F, exclude_characters="\0"), max_size=120),
    linkname=st.text(st.characters(max_codepoint=0x17F), max_size=120),
    size=st.integers(0, 8**11 + 8),
    mode=st.integers(0, 0o7777),
    kind=st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE]),
    mtime_s=st.integers(0, 8**11 + 8),
)
def test_a_header_is_the_one_that_tarfile_writes(
    name: str, linkname: str, size: int, mode: int, kind: bytes, mtime_s: int
) -> None:
    found = tar_header(name, size=size, mode=mode, kind=kind, linkname=linkname, mtime_s=mtime_s)
    assert found == _header_of_tarfile(name, size, mode, kind, linkname, mtime_s)


def test_a_canonical_tar_has_the_bytes_it_always_had() -> None:
    data = b"".join(canonical_tar(ENTRIES))
    assert blake3_of(data).hex == TAR_BLAKE3
    assert len(data) % 512 == 0


def test_other_tools_read_a_canonical_tar() -> None:
    data = b"".join(canonical_tar(ENTRIES))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        names = [(m.name, m.mode, m.mtime, m.uid, m.uname) for m in archive]
    assert names == [
        (entry.name, 0o755 if entry.executable else 0o644, 0, 0, "")
        for entry in sorted(ENTRIES, key=lambda e: e.name.encode())
    ]


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1).filter(
            lambda name: name not in (".", "..")
        ),
        st.tuples(st.binary(max_size=600), st.booleans()),
        max_size=5,
    ),
    st.randoms(use_true_random=False),
)
def test_a_tar_is_read_back_and_does_not_depend_on_order(files: dict, order) -> None:
    entries = [TarEntry(name, data, run) for name, (data, run) in files.items()]
    data = b"".join(canonical_tar(entries))
    order.shuffle(entries)
    assert b"".join(canonical_tar(entries)) == data
    assert read_canonical_tar(data) == sorted(entries, key=lambda e: e.name.encode())


@pytest.mark.parametrize("name", ["../a", "/a", "a/../../b"])
def test_a_tar_that_leaves_its_folder_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a plain file"):
        read_canonical_tar(b"".join(canonical_tar([TarEntry(name, b"")])))


def test_a_tar_with_a_link_is_refused() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        link = tarfile.TarInfo("a")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(ValueError, match="not a plain file"):
        read_canonical_tar(out.getvalue())


@pytest.mark.parametrize("name", ["a", "a/b", "a..b", "...", "é/ü", ".hidden"])
def test_clean_relative_names_are_taken(name: str) -> None:
    assert is_clean_relative(name)


@pytest.mark.parametrize(
    "name", ["", "/", "/a", "a/", "a//b", ".", "..", "./a", "a/..", "a/./b", "a\0b"]
)
def test_names_that_could_lead_elsewhere_are_refused(name: str) -> None:
    assert not is_clean_relative(name)


@pytest.mark.parametrize(
    "text",
    ['{"a":1,"a":2}', '[{"a":1,"a":1}]', "NaN", "[Infinity]", "-Infinity", "{'a':1}", "[1,]", ""],
)
def test_loose_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_json(text)


def test_canonical_json_is_that_of_the_standard() -> None:
    # The example of RFC 8785, section 3.2.2.
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": '€$\u000f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    assert canonical_json(value).decode() == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, -(2**53), "\ud800"])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        canonical_json({"a": value})


def test_pretty_json_has_sorted_keys_and_two_spaces() -> None:
    assert pretty_json({"b": ["é"], "a": 1}) == '{\n  "a": 1,\n  "b": [\n    "é"\n  ]\n}\n'.encode()
    with pytest.raises(ValueError):
        pretty_json(float("nan"))


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_file_has_its_mode_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "f", b"x")
        write_atomically(tmp_path / "g", b"x", mode=0o755)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / "g").stat().st_mode) == 0o755


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"old")

    def chunks() -> Iterator[bytes]:
        yield b"new"
        raise RuntimeError("the source broke off")

    with pytest.raises(RuntimeError):
        write_atomically(tmp_path / "f", chunks())
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    assert (tmp_path / "f").read_bytes() == b"old"


def test_a_write_replaces_a_link_and_not_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "f").symlink_to("target")
    write_atomically(tmp_path / "f", [b"n", b"ew"])
    assert (tmp_path / "target").read_bytes() == b"old"
    assert (tmp_path / "f").read_bytes() == b"new"
    assert not (tmp_path / "f").is_symlink()


def test_a_tree_is_removed_though_read_only_and_its_links_are_not_followed(tmp_path: Path) -> None:
    keep = tmp_path / "keep"
    keep.mkdir()
    (keep / "file").write_text("x")
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "a" / "b" / "f").write_text("x")
    (tree / "link").symlink_to(keep)
    (tree / "a" / "b").chmod(0o555)
    (tree / "a").chmod(0o000)
    remove_tree(tree)
    assert not tree.exists()
    assert (keep / "file").exists()
    remove_tree(tree)
    link = tmp_path / "link"
    link.symlink_to(keep)
    remove_tree(link)
    assert (keep / "file").exists()
    assert not link.is_symlink()


def test_a_folder_of_very_many_folders_is_removed_as_fast_as_others_do(tmp_path: Path) -> None:
    took_s = []
    for remove in (remove_tree, shutil.rmtree):
        wide = tmp_path / "wide"
        for number in range(6_000):
            (wide / f"{number}").mkdir(parents=True)
        began_s = time.monotonic()
        remove(wide)
        took_s.append(time.monotonic() - began_s)
        assert not wide.exists()
    assert took_s[0] < 4 * took_s[1] + 1


def test_regular_files_are_listed_by_the_bytes_of_their_names(tmp_path: Path) -> None:
    for name in ("b", "a-b", "a/b", "a.b", "é", "Z"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "link").symlink_to("b")
    os.mkfifo(tmp_path / "pipe")
    found = [path.as_posix() for path in regular_files(tmp_path)]
    assert found == ["Z", "a-b", "a.b", "a/b", "b", "é"]


def test_a_staging_folder_takes_away_what_was_left_and_nothing_of_others(tmp_path: Path) -> None:
    left = tmp_path / f".d4cbuild-{'0' * 16}"
    for name in (".tmp-editor", ".d4cbuild-mine", ".d4cbuild"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "work").write_text("of somebody else")
    left.mkdir()
    (left / "half").write_text("of a process that was killed")
    half = tmp_path / f".d4cbuild-{'1' * 16}"
    half.write_text("of another")
    with staging(tmp_path) as first:
        assert not left.exists()
        assert not half.exists()
        (first / "half").write_text("in use")
        with staging(tmp_path) as second:
            assert first.is_dir()
            assert second != first
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *(".d4cbuild", ".d4cbuild-mine", ".tmp-editor")
    ]
    assert all((path / "work").is_file() for path in tmp_path.iterdir())

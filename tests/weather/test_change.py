"""Other bytes: another wrapper around the same files, or a real change."""

import bz2
import lzma
import zipfile
from pathlib import Path

import pytest

from d4cbuild.base.digest import digests_of_file
from d4cbuild.model.lock import LockedSource
from d4cbuild.weather.change import Change, ChangeKind, classify

from .archives import FILES, packed, tar_of, zip_of

CSV = FILES["a/places.csv"]
CHANGED = {**FILES, "a/places.csv": CSV.replace(b"Iqaluit", b"Nunavut", 1)}


def change(folder: Path, before: bytes, now: bytes, *, kept: bool = True) -> Change:
    old, new = folder / "before", folder / "now"
    old.write_bytes(before)
    new.write_bytes(now)
    facts = digests_of_file(old)
    locked = LockedSource(name="x", size=facts.size, blake3=facts.blake3, sha256=facts.sha256)
    return classify(new, locked, old if kept else None)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (zip_of(), zip_of(backwards=True)),
        (zip_of(), zip_of(year=2024)),
        (zip_of(), zip_of(method=zipfile.ZIP_STORED)),
        (tar_of(), tar_of(backwards=True, mtime=5)),
        (packed(tar_of()), packed(tar_of(), level=1)),
        (packed(tar_of()), packed(tar_of(mtime=9), mtime=9)),
        (packed(tar_of()), lzma.compress(tar_of())),
        (packed(tar_of()), bz2.compress(tar_of())),
        (packed(tar_of()), zip_of()),
        (packed(CSV), packed(CSV, level=1)),
        (packed(CSV), packed(CSV, mtime=7)),
        (packed(CSV), lzma.compress(CSV)),
        (packed(CSV), CSV),
        (CSV, packed(CSV)),
        (CSV, zip_of()),
    ],
)
def test_the_same_files_packed_otherwise_are_another_wrapper(
    tmp_path: Path, before: bytes, now: bytes
) -> None:
    assert before != now
    found = change(tmp_path, before, now)
    assert (found.kind, found.members) == (ChangeKind.WRAPPER, ())


@pytest.mark.parametrize("pack", [zip_of, tar_of, lambda files: packed(tar_of(files))])
def test_a_real_change_names_the_members(tmp_path: Path, pack: object) -> None:
    later = {**CHANGED, "new": b"1"}
    del later["b"]
    found = change(tmp_path, pack(FILES), pack(later))  # type: ignore[operator]
    assert found.kind is ChangeKind.MEMBERS
    assert found.members == ("gone: b", "new: new", "changed: a/places.csv")
    assert "1 are the same" in found.text


def test_members_under_other_names_are_a_change_of_names(tmp_path: Path) -> None:
    moved = {name.replace("a/", "v2/"): data for name, data in FILES.items()}
    found = change(tmp_path, zip_of(), zip_of(moved))
    assert found.kind is ChangeKind.MEMBERS
    assert found.members == ("renamed or moved: v2/places.csv", "renamed or moved: v2/readme.txt")


def test_other_bytes_of_what_is_no_archive_are_other_content(tmp_path: Path) -> None:
    assert change(tmp_path, CSV, CSV + b"2,Moncton\n").kind is ChangeKind.BYTES
    assert change(tmp_path, packed(CSV), packed(CSV + b"1")).kind is ChangeKind.MEMBERS
    assert change(tmp_path, zip_of(), CSV + b"2").kind is ChangeKind.BYTES


@pytest.mark.parametrize("start", [b"<!DOCTYPE html>", b"\xef\xbb\xbf\r\n <HTML lang='fr'>"])
@pytest.mark.parametrize("kept", [True, False])
def test_a_web_page_in_a_files_place_is_called_so(tmp_path: Path, start: bytes, kept: bool) -> None:
    found = change(tmp_path, zip_of(), start + b"<body>moved", kept=kept)
    assert found.kind is ChangeKind.PAGE


def test_without_the_locked_bytes_only_the_file_itself_can_be_recognised(tmp_path: Path) -> None:
    found = change(tmp_path, zip_of(), zip_of(year=2024), kept=False)
    assert found.kind is ChangeKind.UNKNOWN
    assert "not on this machine" in found.text
    assert change(tmp_path, CSV, zip_of(), kept=False).kind is ChangeKind.WRAPPER


@pytest.mark.parametrize(
    "now", [zip_of()[:-200], packed(tar_of())[:-40], zip_of(method=zipfile.ZIP_BZIP2)]
)
def test_a_damaged_or_odd_archive_is_not_judged_as_a_change_of_members(
    tmp_path: Path, now: bytes
) -> None:
    found = change(tmp_path, zip_of(), now)
    assert found.kind in (ChangeKind.UNKNOWN, ChangeKind.BYTES)


def test_names_that_come_twice_are_told_apart(tmp_path: Path) -> None:
    def twice(first: bytes, second: bytes) -> bytes:
        path = tmp_path / "twice.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x", first)
            with pytest.warns(UserWarning, match="Duplicate name"):
                archive.writestr("x", second)
        return path.read_bytes()

    found = change(tmp_path, twice(b"1", b"2"), twice(b"1", b"3"))
    assert found.members == ("changed: x (2)",)

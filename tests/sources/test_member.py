"""Sources that are one file in a zip."""

import zipfile
from pathlib import Path

import pytest

from d4cbuild.errors import Unavailable
from d4cbuild.sources.local import LocalOrigin
from d4cbuild.sources.member import MemberOrigin
from d4cbuild.sources.origin import TooLarge

from .conftest import Ear

DATA = b"id,name\n" + b"1,Iqaluit\n" * 5000


def make(folder: Path, names: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    path = folder / "raw.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in names.items():
            archive.writestr(name, data)
    return path


def fetch(folder: Path, member: str, limit: int | None = None) -> bytes:
    into = folder / "body"
    MemberOrigin(LocalOrigin(folder, "raw.zip"), member).fetch(into, limit, Ear(), "raw")
    assert not (folder / "body.zip").exists()
    return into.read_bytes()


def refusal(folder: Path, member: str, limit: int | None = None) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        fetch(folder, member, limit)
    assert not (folder / "body.zip").exists()
    return caught.value


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_file_is_taken_by_its_whole_name(tmp_path: Path, method: int) -> None:
    make(tmp_path, {"a/data.csv": DATA, "b/data.csv": b"other"}, method)
    assert fetch(tmp_path, "a/data.csv") == DATA


def test_a_file_is_taken_by_a_base_name_that_is_unique(tmp_path: Path) -> None:
    make(tmp_path, {"ODHF_v1.1/data.csv": DATA, "ODHF_v1.1/readme.txt": b"hello"})
    assert fetch(tmp_path, "data.csv") == DATA


def test_a_whole_name_wins_over_a_base_name(tmp_path: Path) -> None:
    make(tmp_path, {"a/data.csv": b"other", "data.csv": DATA})
    assert fetch(tmp_path, "data.csv") == DATA


def test_an_ambiguous_base_name_lists_the_choices(tmp_path: Path) -> None:
    make(tmp_path, {"a/data.csv": DATA, "b/data.csv": DATA, "c.txt": b""})
    error = refusal(tmp_path, "data.csv")
    assert "2 files named data.csv" in error.message
    assert error.found == "a/data.csv\nb/data.csv"


def test_a_name_that_is_there_twice_is_ambiguous(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        path = make(tmp_path, {"data.csv": DATA})
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("data.csv", b"other")
    assert "2 files" in refusal(tmp_path, "data.csv").message


def test_a_missing_member_lists_what_is_there(tmp_path: Path) -> None:
    make(tmp_path, {"a/": b"", **{f"a/{number:02}.csv": b"" for number in range(20)}})
    error = refusal(tmp_path, "data.csv")
    assert "no file named data.csv" in error.message
    assert error.found is not None
    assert error.found.startswith("a/00.csv\n")
    assert error.found.endswith("\nand 8 more")


def test_a_page_in_place_of_a_zip_is_shown(tmp_path: Path) -> None:
    (tmp_path / "raw.zip").write_bytes(b"<!DOCTYPE html><title>Not found</title>")
    error = refusal(tmp_path, "data.csv")
    assert "not a zip" in error.message
    assert error.found is not None
    assert "<!DOCTYPE html>" in error.found


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    make(tmp_path, {"data.csv": bytes(20_000_000)})
    error = refusal(tmp_path, "data.csv", limit=1000)
    assert isinstance(error, TooLarge)
    assert not (tmp_path / "body").exists()


def test_a_zip_that_understates_a_size_is_found_out(tmp_path: Path) -> None:
    path = make(tmp_path, {"data.csv": DATA})
    data = bytearray(path.read_bytes())
    central = data.rindex(b"PK\x01\x02")
    data[central + 24 : central + 28] = (100).to_bytes(4, "little")
    path.write_bytes(data)
    assert "CRC" in refusal(tmp_path, "data.csv", limit=1000).message
    assert (tmp_path / "body").stat().st_size <= 1000


@pytest.mark.parametrize("at", [60, 100])
def test_damage_is_found(tmp_path: Path, at: int) -> None:
    path = make(tmp_path, {"data.csv": DATA})
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)
    refusal(tmp_path, "data.csv")


def test_a_cut_zip_is_found(tmp_path: Path) -> None:
    path = make(tmp_path, {"data.csv": DATA})
    path.write_bytes(path.read_bytes()[:-30])
    assert "not a zip" in refusal(tmp_path, "data.csv").message


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path, {"data.csv": DATA})
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert "encrypted" in refusal(tmp_path, "data.csv").message


def test_a_method_without_a_bound_on_memory_is_refused(tmp_path: Path) -> None:
    make(tmp_path, {"data.csv": DATA}, zipfile.ZIP_BZIP2)
    error = refusal(tmp_path, "data.csv")
    assert error.expected == "stored or deflate"

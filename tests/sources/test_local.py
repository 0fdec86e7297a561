"""Copies in folders on this machine."""

import os
from pathlib import Path

import pytest

from d4cbuild.errors import InputError, Unavailable
from d4cbuild.sources.local import LocalOrigin
from d4cbuild.sources.origin import TooLarge

from .conftest import Ear


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "recipe"
    (inside / "sources").mkdir(parents=True)
    (inside / "sources" / "raw.csv").write_bytes(b"a,b\n1,2\n")
    (tmp_path / "secret").write_bytes(b"not yours")
    return inside


def fetch(folder: Path, name: str, limit: int | None = None) -> bytes:
    into = folder.parent / "body"
    LocalOrigin(folder, name).fetch(into, limit, Ear(), "raw")
    return into.read_bytes()


def test_a_file_below_the_folder_is_copied(folder: Path) -> None:
    assert fetch(folder, "sources/raw.csv") == b"a,b\n1,2\n"


def test_a_symlink_inside_the_folder_is_followed(folder: Path) -> None:
    (folder / "link.csv").symlink_to("sources/raw.csv")
    assert fetch(folder, "link.csv") == b"a,b\n1,2\n"


def test_a_folder_reached_through_a_symlink_is_fine(folder: Path) -> None:
    alias = folder.parent / "alias"
    alias.symlink_to(folder)
    assert fetch(alias, "sources/raw.csv") == b"a,b\n1,2\n"


@pytest.mark.parametrize("target", ["../secret", "/etc/passwd"])
def test_a_symlink_out_of_the_folder_is_not_followed(folder: Path, target: str) -> None:
    (folder / "link.csv").symlink_to(target)
    with pytest.raises(Unavailable, match="leads out"):
        fetch(folder, "link.csv")


def test_a_symlinked_folder_that_leads_out_is_not_followed(folder: Path) -> None:
    (folder / "up").symlink_to("..")
    with pytest.raises(Unavailable, match="leads out"):
        fetch(folder, "up/secret")


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../secret", "", "a\0b", "./x"])
def test_a_path_that_leaves_the_folder_is_bad_input(folder: Path, name: str) -> None:
    with pytest.raises(InputError):
        LocalOrigin(folder, name)


@pytest.mark.parametrize("name", ["nope.csv", "sources/raw.csv/x", "nope/raw.csv"])
def test_a_missing_file_is_unavailable(folder: Path, name: str) -> None:
    with pytest.raises(Unavailable, match="no such file"):
        fetch(folder, name)


def test_a_missing_folder_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no such file"):
        fetch(tmp_path / "nowhere", "raw.csv")


def test_a_loop_of_symlinks_is_unavailable(folder: Path) -> None:
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    with pytest.raises(Unavailable):
        fetch(folder, "a")


def test_a_pipe_does_not_hold_us(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(Unavailable, match="not a regular file"):
        fetch(folder, "pipe")


def test_a_folder_is_not_a_file(folder: Path) -> None:
    with pytest.raises(Unavailable, match="not a regular file"):
        fetch(folder, "sources")


def test_a_file_that_is_too_large_is_not_copied(folder: Path) -> None:
    with pytest.raises(TooLarge) as caught:
        fetch(folder, "sources/raw.csv", limit=7)
    assert caught.value.got == "8 bytes"
    assert not (folder.parent / "body").exists()
    assert fetch(folder, "sources/raw.csv", limit=8) == b"a,b\n1,2\n"

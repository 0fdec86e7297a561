"""Copies on rclone remotes: a real rclone, and a remote that is a folder."""

from pathlib import Path

import pytest

from d4cbuild.errors import InputError, Unavailable
from d4cbuild.sources.origin import TooLarge
from d4cbuild.sources.rclone import RcloneOrigin, rclone_binary

from .conftest import Ear

BODY = bytes(range(256)) * 4000


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the remote ``copies``; no rclone can be found through PATH."""
    folder = tmp_path / "remote"
    folder.mkdir()
    config = tmp_path / "rclone.conf"
    config.write_text(f"[copies]\ntype = alias\nremote = {folder}\n")
    monkeypatch.setenv("RCLONE_CONFIG", str(config))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return folder


def fetch(address: str, into: Path, ear: Ear | None = None, limit: int | None = None) -> bytes:
    RcloneOrigin(address).fetch(into, limit, ear or Ear(), "raw")
    return into.read_bytes()


def test_a_file_is_fetched_from_a_remote(
    remote: Path, tmp_path: Path, ear: Ear, capfd: pytest.CaptureFixture[str]
) -> None:
    (remote / "a").mkdir()
    (remote / "a" / "raw_v1.1.csv").write_bytes(BODY)
    assert fetch("copies:a/raw_v1.1.csv", tmp_path / "body", ear) == BODY
    assert ear.tasks == [("raw", len(BODY))]
    assert ear.done == [len(BODY)]
    assert capfd.readouterr() == ("", "")


def test_an_odd_folder_of_ours_is_quoted(remote: Path, tmp_path: Path) -> None:
    (remote / "raw").write_bytes(BODY)
    odd = tmp_path / f'it\'s $(touch {tmp_path}/ran) "x" `id` ; &'
    odd.mkdir(parents=True)
    assert fetch("copies:raw", odd / "body") == BODY
    assert not (tmp_path / "ran").exists()


def test_the_rclone_that_came_with_us_is_used(
    remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (remote / "raw").write_bytes(BODY)
    decoy = tmp_path / "bin" / "rclone"
    decoy.parent.mkdir()
    decoy.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    decoy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{decoy.parent}:/usr/bin:/bin")
    assert fetch("copies:raw", tmp_path / "body") == BODY
    assert not (tmp_path / "ran").exists()
    assert rclone_binary().is_file()


def test_a_missing_file_is_unavailable(
    remote: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Unavailable, match="not found"):
        fetch("copies:nope.csv", tmp_path / "body")
    assert capfd.readouterr() == ("", "")


def test_a_remote_that_is_not_configured_is_unavailable(remote: Path, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="section in config file"):
        fetch("elsewhere:a.csv", tmp_path / "body")


def test_a_folder_is_not_a_file(remote: Path, tmp_path: Path) -> None:
    (remote / "a").mkdir()
    with pytest.raises(Unavailable, match="a folder"):
        fetch("copies:a", tmp_path / "body")


def test_a_file_that_cannot_be_copied_says_why(
    remote: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (remote / "raw").write_bytes(BODY)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable, match="rclone: "):
        fetch("copies:raw", tmp_path / "file" / "body")
    assert capfd.readouterr() == ("", "")


def test_a_file_that_is_too_large_is_not_copied(remote: Path, tmp_path: Path) -> None:
    (remote / "raw").write_bytes(BODY)
    with pytest.raises(TooLarge) as caught:
        fetch("copies:raw", tmp_path / "body", limit=len(BODY) - 1)
    assert caught.value.got == f"{len(BODY)} bytes"
    assert not (tmp_path / "body").exists()
    assert fetch("copies:raw", tmp_path / "body", limit=len(BODY)) == BODY


@pytest.mark.parametrize(
    "address",
    [
        "copies:$(touch ran)",
        "copies:`touch ran`",
        'copies:a"; touch ran; "',
        "copies:a';touch ran;'",
        "copies:a\ntouch ran",
        "copies:a|touch",
        "copies:a&touch",
        "copies:a b",
        "copies:a\\b",
        "copies:*",
        "copies:é",
        "copies:-rf",
        "copies:--config=x",
        "copies:../../etc/passwd",
        "copies:a/../b",
        "copies:a:b",
        "copies:",
        ":local:/etc/passwd",
        ":http,url='http://x':a",
        "-copies:a",
        "$(touch ran):a",
        "copies,opt=x:a",
        "copies",
        "",
    ],
)
def test_a_hostile_name_is_refused_and_nothing_runs(
    address: str, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError) as caught:
        fetch(address, tmp_path / "body")
    assert caught.value.found == repr(address)
    assert sorted(tmp_path.iterdir()) == before

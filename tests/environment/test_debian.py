"""Reading Debian packages, also those made to do harm."""

import tarfile
from pathlib import Path

import pytest

from d4cbuild.environment.debian import control_of, members_of, unpacking
from d4cbuild.errors import InputError

from .packages import device, directory, file, link, write_deb


@pytest.mark.parametrize("compression", ["", ".gz", ".xz", ".zst"])
def test_a_package_is_read_however_it_is_compressed(tmp_path: Path, compression: str) -> None:
    deb = write_deb(
        tmp_path / "a.deb",
        directory("./"),
        directory("./usr/"),
        file("./usr/one", b"1" * 3_000_000, 0o755),
        link("./usr/two", "one"),
        compression=compression,
    )
    found = [
        (each.path, each.kind, each.executable, each.target, each.content and each.content.read())
        for each in members_of(deb, "a")
    ]
    assert found == [
        ("usr", "directory", False, "", None),
        ("usr/one", "file", True, "", b"1" * 3_000_000),
        ("usr/two", "link", False, "one", None),
    ]
    assert control_of(deb, "a") == b"Package: a\nVersion: 1\n"


@pytest.mark.parametrize(
    "name", ["../etc/passwd", "./usr/../../etc/passwd", "//etc/passwd", "./usr//x", "./usr/./x"]
)
def test_a_path_that_leaves_the_package_is_refused(tmp_path: Path, name: str) -> None:
    deb = write_deb(tmp_path / "a.deb", file(name, b"evil"))
    with pytest.raises(InputError, match="leaves its folder") as caught:
        list(members_of(deb, "pkg:deb/debian/evil@1"))
    assert "evil@1" in caught.value.message


def test_a_hard_link_out_of_the_package_is_refused(tmp_path: Path) -> None:
    deb = write_deb(tmp_path / "a.deb", link("./x", "../../etc/passwd", tarfile.LNKTYPE))
    with pytest.raises(InputError, match="leaves its folder"):
        list(members_of(deb, "a"))


def test_a_device_is_refused(tmp_path: Path) -> None:
    deb = write_deb(tmp_path / "a.deb", device("./dev/null"))
    with pytest.raises(InputError, match="neither a folder, a file nor a link"):
        list(members_of(deb, "a"))


@pytest.mark.parametrize("kept", [0, 7, 8, 40, 200])
def test_a_package_cut_short_is_refused(tmp_path: Path, kept: int) -> None:
    deb = write_deb(tmp_path / "a.deb", file("./x", bytes(range(256)) * 100))
    deb.write_bytes(deb.read_bytes()[:kept])
    with pytest.raises(InputError):
        list(members_of(deb, "a"))


def test_a_package_cut_within_its_data_is_refused(tmp_path: Path) -> None:
    deb = write_deb(tmp_path / "a.deb", file("./x", bytes(range(256)) * 100))
    deb.write_bytes(deb.read_bytes()[:-40])
    with pytest.raises(InputError, match="cannot be unpacked"), unpacking(deb, "a"):
        [each.content.read() for each in members_of(deb, "a") if each.content]

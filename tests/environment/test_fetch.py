"""Fetching packages from real servers, by hash."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from d4cbuild.base.digest import digests_of_file
from d4cbuild.base.progress import Silence
from d4cbuild.environment.fetch import fetch_packages
from d4cbuild.environment.images import ensure_image
from d4cbuild.environment.registries import debian_archives
from d4cbuild.errors import HashMismatch, Unavailable
from d4cbuild.store.store import Store

from .registry import Registry
from .tiny import TinyEnvironment


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    registry = Registry()
    monkeypatch.setenv("D4CBUILD_DEBIAN_MIRROR", f"{registry.address}/debian/")
    monkeypatch.setenv("D4CBUILD_PYPI_INDEX", f"{registry.address}/simple/")
    yield registry
    registry.close()


@pytest.fixture
def full(registry: Registry, tiny: TinyEnvironment) -> Registry:
    """A registry that has all the tiny environment's packages."""
    for purl, path in tiny.files.items():
        (registry.add_debian if purl.startswith("pkg:deb/") else registry.add_wheel)(path)
    return registry


@pytest.fixture
def empty(tmp_path: Path) -> Store:
    return Store(tmp_path / "empty")


def test_packages_are_fetched_once_and_kept(
    full: Registry, tiny: TinyEnvironment, empty: Store
) -> None:
    image = ensure_image(tiny.folder, empty, Silence())
    assert image.config == tiny.folder.lock().config
    count = len(full.asked)
    files = fetch_packages(tiny.packages, empty, Silence())
    assert len(full.asked) == count > 0
    assert {purl: digests_of_file(path).sha256 for purl, path in files.items()} == {
        each.purl: each.sha256 for each in tiny.packages
    }


@pytest.mark.parametrize("missing", ["alpha.deb", "gamma-1.0-py3-none-any.whl"])
def test_a_missing_package_is_named_with_what_to_do(
    full: Registry, tiny: TinyEnvironment, empty: Store, missing: str
) -> None:
    full.files = {path: data for path, data in full.files.items() if not path.endswith(missing)}
    with pytest.raises(Unavailable) as caught:
        ensure_image(tiny.folder, empty, Silence())
    assert missing.split("-")[0].removesuffix(".deb") + "@1" in caught.value.message
    assert "d4cbuild env lock" in str(caught.value.hint)
    assert "404" in str(caught.value.found)
    assert list(empty.images.iterdir()) == list(empty.temporary.iterdir()) == []


def test_a_wheel_gone_from_the_index_is_named(
    full: Registry, tiny: TinyEnvironment, empty: Store
) -> None:
    del full.files["/simple/gamma/"]
    with pytest.raises(Unavailable, match=r"gamma@1\.0"):
        ensure_image(tiny.folder, empty, Silence())


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/debian/pool/main/beta.deb", "beta@1"),
        ("/files/gamma-1.0-py3-none-any.whl", "gamma@1.0"),
    ],
)
def test_a_package_with_other_bytes_is_named_with_both_hashes(
    full: Registry, tiny: TinyEnvironment, empty: Store, path: str, name: str
) -> None:
    data = full.files[path]
    full.files[path] = data[:-1] + bytes([data[-1] ^ 1])
    with pytest.raises(HashMismatch) as caught:
        ensure_image(tiny.folder, empty, Silence())
    locked = next(each for each in tiny.packages if name in each.purl)
    assert name in caught.value.message
    assert str(locked.sha256) in str(caught.value.expected)
    assert str(caught.value.found).startswith("sha256:")
    assert empty.find(locked.sha256) is None
    assert list(empty.temporary.iterdir()) == []


def test_a_longer_package_is_not_read_to_its_end(
    full: Registry, tiny: TinyEnvironment, empty: Store
) -> None:
    full.files["/debian/pool/main/alpha.deb"] += b"x" * 3_000_000
    with pytest.raises(Unavailable, match="alpha@1") as caught:
        fetch_packages(tiny.packages, empty, Silence())
    assert "bytes that may be taken" in str(caught.value.found)


def test_a_registry_that_is_not_there_is_unavailable(
    registry: Registry, tiny: TinyEnvironment, empty: Store
) -> None:
    registry.close()
    with pytest.raises(Unavailable, match="alpha@1") as caught:
        fetch_packages(tiny.packages, empty, Silence())
    assert caught.value.exit_code == 16


def test_archives_are_found_in_the_settings_of_apt(tmp_path: Path) -> None:
    folder = tmp_path / "sources.list.d"
    folder.mkdir()
    mirrors = tmp_path / "mirrors"
    mirrors.write_text("http://five.example/debian\tpriority:1\n")
    (tmp_path / "sources.list").write_text(
        "# deb http://no.example/debian bookworm main\n"
        "deb-src http://no.example/debian bookworm main\n"
        "deb [arch=amd64 signed-by=/k.gpg] http://one.example/debian/ trixie main contrib\n"
        "deb cdrom:[x] bookworm main\n"
        "deb http://no.example/debian bookworm contrib\n"
    )
    (folder / "a.sources").write_text(
        "Types: deb\n# a comment\nURIs: http://two.example/debian\n http://three.example/debian\n"
        "Suites: bookworm bookworm-updates\nComponents: main\nSigned-By: /two.gpg\n\n"
        "Types: deb\nURIs: http://no.example/\nSuites: bookworm\nComponents: main\nEnabled: no\n"
        f"\nTypes: deb deb-src\nURIs: mirror+file:{mirrors}\nSuites: sid\nComponents: main\n"
    )
    (folder / "b.list").write_text("deb https://four.example/debian bookworm main # yes\n")
    (folder / "c.list.disabled").write_text("deb http://no.example/debian bookworm main\n")
    found = debian_archives("bookworm", tmp_path)
    assert [each.base for each in found] == [
        "http://two.example/debian",
        "http://three.example/debian",
        "https://four.example/debian",
        "http://one.example/debian",
        "http://five.example/debian",
    ]
    assert [each.signed_by for each in found] == ["/two.gpg", "/two.gpg", "", "/k.gpg", ""]


def test_a_machine_without_apt_settings_is_told_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        debian_archives("bookworm", tmp_path)
    assert "D4CBUILD_DEBIAN_MIRROR" in str(caught.value.hint)

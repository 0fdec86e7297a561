"""Packages of an environment: in how many places they can still be had."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from d4cbuild.base.progress import Silence
from d4cbuild.environment.simple_index import listed_files, page_name
from d4cbuild.environment.wheel_places import wheel_places
from d4cbuild.store import Store
from d4cbuild.weather.packages import look_for_packages
from d4cbuild.weather.watch import Watch, WeatherOptions
from tests.environment.registry import Registry
from tests.environment.tiny import TinyEnvironment, make_tiny

ALPHA, BETA, GAMMA = (
    "pkg:deb/debian/alpha@1?arch=amd64",
    "pkg:deb/debian/beta@1?arch=amd64",
    "pkg:pypi/gamma@1.0",
)


class Lookout:
    """A tiny environment, a store, and a registry with its packages."""

    def __init__(self, folder: Path, registry: Registry) -> None:
        self.registry = registry
        self.folder = folder
        self.store = Store(folder / "store")
        self.tiny: TinyEnvironment = make_tiny(
            folder / "environments" / "tiny", folder / "packages", self.store
        )
        for purl, path in self.tiny.files.items():
            (registry.add_debian if purl.startswith("pkg:deb/") else registry.add_wheel)(path)
        self.wheel = self.tiny.files[GAMMA].name
        sha256 = next(each.sha256.hex for each in self.tiny.packages if each.purl == GAMMA)
        self.list_wheel(f"#sha256={sha256}")

    def list_wheel(self, fragment: str) -> None:
        """Say something of the wheel on its page."""
        listing = f'<a href="/files/{self.wheel}{fragment}">{self.wheel}</a>'
        self.registry.files["/simple/gamma/"] = listing.encode()

    def look(self, *, stored: bool = True, deep: bool = False) -> dict[str, Any]:
        store = self.store if stored else Store(self.folder / "empty")
        watch = Watch(store, WeatherOptions(deep=deep), Silence())
        with store.workspace() as workspace:
            report = look_for_packages(self.tiny.folder, watch, workspace)
        watch.remember()
        store.database.close()
        return report.as_json()

    def spoil(self, path: str) -> None:
        data = self.registry.files[path]
        self.registry.files[path] = data[:-1] + bytes([data[-1] ^ 1])


@pytest.fixture
def lookout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lookout]:
    registry = Registry()
    monkeypatch.setenv("D4CBUILD_DEBIAN_MIRROR", f"{registry.address}/debian/")
    monkeypatch.setenv("D4CBUILD_PYPI_INDEX", f"{registry.address}/simple/")
    yield Lookout(tmp_path, registry)
    registry.close()


def has(report: dict[str, Any]) -> dict[str, str]:
    return {place["kind"]: f"{place['has']}/{place['asked']}" for place in report["places"]}


def test_packages_in_the_store_and_in_the_registries_are_safe(lookout: Lookout) -> None:
    report = lookout.look()
    assert has(report) == {"store": "3/3", "archive": "2/2", "index": "1/1"}
    assert (report["risk"], report["buildable"], report["copies"]) == ("safe", "yes", 2)
    assert report["wanting"] == {}
    fetched = [path for path in lookout.registry.asked if path.endswith(".whl")]
    assert fetched == []  # a listing with a digest is enough


def test_a_wheel_listed_without_a_digest_is_looked_at_itself(lookout: Lookout) -> None:
    lookout.list_wheel("")
    assert has(lookout.look())["index"] == "1/1"
    del lookout.registry.files[f"/files/{lookout.wheel}"]
    assert has(lookout.look())["index"] == "0/1"


def test_packages_in_one_place_only_are_at_risk(lookout: Lookout) -> None:
    report = lookout.look(stored=False)
    assert has(report) == {"store": "0/3", "archive": "2/2", "index": "1/1"}
    assert (report["risk"], report["buildable"]) == ("at risk", "yes")
    assert set(report["wanting"]) == {ALPHA, BETA, GAMMA}


def test_a_package_that_nobody_has_is_lost_and_named(lookout: Lookout) -> None:
    del lookout.registry.files["/debian/pool/main/beta.deb"]
    del lookout.registry.files["/simple/gamma/"]
    report = lookout.look(stored=False)
    assert (report["risk"], report["buildable"]) == ("lost", "no")
    lost = {purl for purl, why in report["wanting"].items() if why.startswith("lost")}
    assert lost == {BETA, GAMMA}
    assert lookout.look()["buildable"] == "yes"  # the store has them


def test_a_wheel_no_longer_listed_is_gone(lookout: Lookout) -> None:
    lookout.registry.files["/simple/gamma/"] = b'<a href="/files/gamma-2.0-py3-none-any.whl">x</a>'
    assert has(lookout.look())["index"] == "0/1"


def test_packages_with_other_bytes_are_named(lookout: Lookout) -> None:
    lookout.registry.files["/debian/pool/main/alpha.deb"] += b"x"
    lookout.list_wheel(f"#sha256={'0' * 64}")
    report = lookout.look()
    changed = [purl for place in report["places"] for purl in place["changed"]]
    assert changed == [ALPHA, GAMMA]


def test_other_bytes_of_the_same_size_are_found_by_a_deep_look(lookout: Lookout) -> None:
    lookout.spoil("/debian/pool/main/beta.deb")
    lookout.spoil("/files/gamma-1.0-py3-none-any.whl")
    shallow = [purl for place in lookout.look()["places"] for purl in place["changed"]]
    assert shallow == []
    deep = [purl for place in lookout.look(deep=True)["places"] for purl in place["changed"]]
    assert deep == [BETA, GAMMA]


def test_a_machine_without_network_says_so_and_is_not_asked_per_package(
    lookout: Lookout,
) -> None:
    lookout.look()
    lookout.registry.close()
    report = lookout.look()
    _store, archive, index = report["places"]
    assert archive["unseen"] == [ALPHA, BETA]
    assert index["unseen"] == [GAMMA]
    assert archive["age_days"] == index["age_days"] == 0
    assert report["buildable"] == "yes"
    assert report["risk"] == "safe"  # seen there a moment ago


def test_an_index_may_be_a_folder_or_need_a_password(
    lookout: Lookout, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = lookout.folder / "simple"
    (folder / "gamma").mkdir(parents=True)
    wheel = lookout.tiny.files[GAMMA]
    (folder / "gamma" / "index.html").write_text(f'<a href="../../packages/{wheel.name}">x</a>')
    monkeypatch.setenv("D4CBUILD_PYPI_INDEX", folder.as_uri())
    assert has(lookout.look())["index"] == "1/1"
    (folder / "gamma" / "index.html").unlink()
    assert has(lookout.look())["index"] == "0/1"
    monkeypatch.setenv("D4CBUILD_PYPI_INDEX", "http://user:word@127.0.0.1/simple")
    index = lookout.look()["places"][-1]
    assert index["unseen"] == [GAMMA]
    assert "password" in index["reason"]


def test_a_machine_that_knows_no_index_does_not_call_wheels_lost(
    lookout: Lookout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("D4CBUILD_PYPI_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    report = lookout.look(stored=False)
    assert report["buildable"] == "unknown"
    assert report["places"][-1]["unseen"] == [GAMMA]
    assert "pip config list" in report["places"][-1]["reason"]


def test_an_archive_of_other_software_is_asked_a_few_times_and_not_counted(
    lookout: Lookout,
) -> None:
    from d4cbuild.environment.registries import Archive
    from d4cbuild.weather.packages import _DebianArchive

    watch = Watch(lookout.store, WeatherOptions(), Silence())
    place = _DebianArchive(Archive(f"{lookout.registry.address}/other", ("stable",)), watch)
    looker = watch.looker(lookout.folder)
    sights = [place.look(lookout.tiny.packages[0], looker) for _ in range(5)]
    assert [sight is None for sight in sights] == [False, False, False, True, True]
    assert place.is_foreign


def test_pips_settings_say_where_wheels_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("D4CBUILD_PYPI_INDEX", "PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    settings = tmp_path / "pip.conf"
    settings.write_text(
        "[global]\nindex-url = https://one.example/simple/\n"
        "extra-index-url =\n    https://two.example/simple\n    file:///srv/three\n"
        f"find-links = {tmp_path}\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://two.example/simple file:///srv/three")
    found = [(place.address, place.is_index) for place in wheel_places()]
    assert found[:3] == [
        ("https://one.example/simple", True),
        ("https://two.example/simple", True),
        ("file:///srv/three", True),
    ]
    assert (str(tmp_path), False) in found
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert [place.is_index for place in wheel_places()] == [False]
    monkeypatch.delenv("PIP_NO_INDEX")
    settings.write_text("")
    assert wheel_places()[0].address.startswith("http")  # pip's own


def test_pages_of_an_index_are_read_as_pip_reads_them() -> None:
    page = (
        '<base href="https://files.example/x/"><a href="../A-1.whl#sha256=' + "0" * 64 + '">A</a>'
        '<a href="b%2Bc-1.whl#md5=0">b</a><a>none</a><a href="http://[">odd</a>'
    )
    found = listed_files(page, "https://index.example/simple/a/")
    assert found["A-1.whl"].address == "https://files.example/A-1.whl"
    assert found["A-1.whl"].sha256 is not None
    assert found["b+c-1.whl"].sha256 is None
    assert page_name("Typing._-Extensions") == "typing-extensions"

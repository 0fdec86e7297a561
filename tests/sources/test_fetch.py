"""From a source's declaration to bytes in the store."""

import io
import resource
import socket
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from d4cbuild.base.digest import FileDigests, MultiHasher
from d4cbuild.errors import Exit, HashMismatch, InputError, StoreError, Unavailable
from d4cbuild.model.fields import Bilingual
from d4cbuild.model.lock import LockedSource
from d4cbuild.model.recipe import Source
from d4cbuild.sources.fetch import fetch_source
from d4cbuild.sources.hosts import DownHosts
from d4cbuild.store.store import Store

from .conftest import Ear
from .server import Site, chunked, cut, status, whole
from .test_http import FAST

BODY = b"id,name\n1,Iqaluit\n" * 1000
OTHER = b"id,name\n2,Nunavut\n" * 1000


def digests(data: bytes) -> FileDigests:
    hasher = MultiHasher()
    hasher.update(data)
    return hasher.result()


def locked(data: bytes = BODY) -> LockedSource:
    facts = digests(data)
    return LockedSource(name="raw", size=facts.size, blake3=facts.blake3, sha256=facts.sha256)


def zipped(data: bytes = BODY) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("odhf/odhf_v1.1.csv", data)
    return stream.getvalue()


class Desk:
    """One recipe folder, one store, one server: what a fetch needs."""

    def __init__(self, site: Site, store: Store, recipe: Path, ear: Ear) -> None:
        self.site, self.store, self.recipe, self.ear = site, store, recipe, ear
        recipe.mkdir()

    def fetch(
        self,
        mirrors: Sequence[str] = (),
        extra: Sequence[str] = (),
        lock: LockedSource | None = None,
        member: str | None = None,
        path: str = "/data/ODHF%20v1.zip",
        hosts: DownHosts | None = None,
    ) -> FileDigests:
        source = Source(
            name="raw",
            url=self.site.url(path),
            member=member,
            mirrors=tuple(mirrors),
            licence="OGL-Canada-2.0",
            attribution=Bilingual(en="From the publisher", fr="De l'éditeur"),
        )
        return fetch_source(
            source, self.recipe, extra, self.store, self.ear, lock, limits=FAST, hosts=hosts
        )

    def stored(self, found: FileDigests) -> bytes:
        path = self.store.get(found.blake3)
        assert path is not None
        return path.read_bytes()

    def leftovers(self) -> list[Path]:
        return list(self.store.temporary.iterdir())


@pytest.fixture
def desk(site: Site, store: Store, tmp_path: Path, ear: Ear) -> Desk:
    return Desk(site, store, tmp_path / "recipe", ear)


def test_a_source_is_fetched_into_the_store_with_all_its_digests(desk: Desk) -> None:
    desk.site.serve("/data/ODHF%20v1.zip", cut(BODY, 100), whole(BODY))
    found = desk.fetch()
    assert found == digests(BODY)
    assert desk.stored(found) == BODY
    assert desk.leftovers() == []


def test_what_is_locked_and_there_needs_no_network(desk: Desk) -> None:
    desk.store.put_chunks([BODY])
    assert desk.fetch(lock=locked(), extra=["/nowhere"]) == digests(BODY)
    assert desk.site.requests == []


def test_a_corrupt_object_is_fetched_again(desk: Desk) -> None:
    path = desk.store.path_of(desk.store.put_chunks([BODY]).blake3)
    path.chmod(0o644)
    path.write_bytes(OTHER)
    desk.site.serve("/data/ODHF%20v1.zip", whole(BODY))
    assert desk.stored(desk.fetch(lock=locked())) == BODY


def test_mirrors_are_tried_in_order_and_the_publisher_last(desk: Desk) -> None:
    second = desk.site.serve("/second", whole(BODY))
    desk.site.serve("/data/ODHF%20v1.zip", whole(OTHER))
    first = desk.site.serve("/first", status(404))
    assert desk.fetch([first, "sources/none.csv", second]) == digests(BODY)
    assert [path for path, _headers in desk.site.requests] == ["/first", "/second"]
    assert any(first in line and "404" in line for line in desk.ear.lines)
    assert any("none.csv" in line and "no such file" in line for line in desk.ear.lines)


def test_a_copy_in_the_recipe_folder_is_used(desk: Desk) -> None:
    (desk.recipe / "raw.csv").write_bytes(BODY)
    assert desk.fetch(["raw.csv"], lock=locked()) == digests(BODY)
    assert desk.site.requests == []


def test_a_copy_on_an_rclone_remote_is_used(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "remote").mkdir()
    (tmp_path / "remote" / "raw.csv").write_bytes(BODY)
    (tmp_path / "rclone.conf").write_text(f"[copies]\ntype=alias\nremote={tmp_path}/remote\n")
    monkeypatch.setenv("RCLONE_CONFIG", str(tmp_path / "rclone.conf"))
    assert desk.fetch(["copies:raw.csv"], lock=locked()) == digests(BODY)


@pytest.mark.parametrize("name", ["odhf.csv", "away.csv", "ODHF v1.zip", "raw"])
def test_an_extra_folder_is_searched_by_every_known_name(
    desk: Desk, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    (folder / name).write_bytes(BODY)
    mirrors = ["sources/odhf.csv", "remote:deep/away.csv"]
    assert desk.fetch(mirrors, [str(folder)], locked()) == digests(BODY)
    assert desk.site.requests == []


def test_an_extra_address_is_searched_by_name(desk: Desk) -> None:
    desk.site.serve("/copies/ODHF%20v1.zip", whole(BODY))
    found = desk.fetch(["odhf.csv"], [desk.site.url("/copies/")], locked())
    assert found == digests(BODY)
    asked = [path for path, _headers in desk.site.requests]
    assert asked == ["/copies/odhf.csv", "/copies/ODHF%20v1.zip"]


def test_a_wrong_copy_in_an_extra_folder_is_passed_over(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    (folder / "raw").write_bytes(OTHER)
    desk.site.serve("/data/ODHF%20v1.zip", whole(BODY))
    assert desk.fetch([], [str(folder)], locked()) == digests(BODY)
    (warning,) = desk.ear.warnings
    assert f"expected {len(BODY)} bytes, {digests(BODY).blake3}" in warning
    assert f"got {len(OTHER)} bytes, {digests(OTHER).blake3}" in warning
    assert str(folder / "raw") in warning
    assert desk.store.get(digests(OTHER).blake3) is None


def test_wrong_bytes_everywhere_are_refused_with_what_to_do(desk: Desk) -> None:
    address = desk.site.serve("/data/ODHF%20v1.zip", whole(OTHER))
    with pytest.raises(HashMismatch) as caught:
        desk.fetch(["none.csv"], lock=locked())
    error = caught.value
    assert error.exit_code == Exit.HASH_MISMATCH
    assert error.expected is not None
    assert str(digests(BODY).blake3) in error.expected
    assert str(digests(BODY).sha256) in error.expected
    assert error.found is not None
    assert str(digests(OTHER).blake3) in error.found
    assert address in error.found
    assert error.where is not None
    assert "none.csv: no such file" in error.where
    assert error.hint is not None
    assert f"d4cbuild lock {desk.recipe}" in error.hint
    assert "--mirror" in error.hint
    assert desk.store.get(digests(OTHER).blake3) is None
    assert desk.leftovers() == []


def test_a_body_longer_than_locked_is_refused_before_it_is_read(desk: Desk) -> None:
    desk.site.serve("/data/ODHF%20v1.zip", whole(BODY + b"x"))
    with pytest.raises(HashMismatch) as caught:
        desk.fetch(lock=locked())
    assert caught.value.found is not None
    assert caught.value.found.startswith(f"{len(BODY) + 1} bytes from http://")


def test_a_body_longer_than_locked_and_announced_is_stopped(desk: Desk) -> None:
    desk.site.serve("/data/ODHF%20v1.zip", chunked([BODY, BODY]))
    with pytest.raises(HashMismatch) as caught:
        desk.fetch(lock=locked())
    assert caught.value.found is not None
    assert caught.value.found.startswith(f"more than {len(BODY)} bytes")


def test_nothing_anywhere_is_unavailable_with_every_place_named(desk: Desk) -> None:
    address = desk.site.serve("/data/ODHF%20v1.zip", status(410))
    with pytest.raises(Unavailable) as caught:
        desk.fetch(["none.csv"], lock=locked())
    error = caught.value
    assert error.exit_code == Exit.UNKNOWN
    assert error.where is not None
    first, second = error.where.splitlines()
    assert first == f"{desk.recipe}/none.csv: no such file"
    assert second.startswith(f"{address}: the server answered 410")
    assert error.hint is not None
    assert "--mirror" in error.hint
    assert desk.leftovers() == []


def test_a_lock_that_contradicts_itself_is_refused(desk: Desk) -> None:
    desk.store.put_chunks([BODY])
    forged = locked().model_copy(update={"sha256": digests(OTHER).sha256})
    with pytest.raises(HashMismatch, match="contradicts itself"):
        desk.fetch(lock=forged)


def test_a_member_is_taken_out_of_the_publishers_zip(desk: Desk) -> None:
    desk.site.serve("/data/ODHF%20v1.zip", cut(zipped(), 50), whole(zipped()))
    found = desk.fetch(member="odhf_v1.1.csv", lock=locked())
    assert found == digests(BODY)
    assert desk.leftovers() == []


def test_mirrors_of_a_member_hold_the_file_or_the_zip(desk: Desk) -> None:
    (desk.recipe / "odhf.csv").write_bytes(BODY)
    assert desk.fetch(["odhf.csv"], member="odhf_v1.1.csv") == digests(BODY)
    (desk.recipe / "ODHF.ZIP").write_bytes(zipped(OTHER))
    assert desk.fetch(["ODHF.ZIP"], member="odhf_v1.1.csv") == digests(OTHER)


@pytest.mark.parametrize("name", ["odhf_v1.1.csv", "raw", "ODHF v1.zip"])
def test_an_extra_folder_may_hold_the_member_or_the_zip(
    desk: Desk, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    (folder / name).write_bytes(zipped() if name.endswith("zip") else BODY)
    found = desk.fetch([], [str(folder)], locked(), member="odhf/odhf_v1.1.csv")
    assert found == digests(BODY)


def test_a_member_larger_than_locked_is_a_mismatch(desk: Desk) -> None:
    desk.site.serve("/data/ODHF%20v1.zip", whole(zipped(BODY + BODY)))
    with pytest.raises(HashMismatch) as caught:
        desk.fetch(member="odhf_v1.1.csv", lock=locked())
    assert caught.value.found is not None
    assert caught.value.found.startswith(f"{2 * len(BODY)} bytes from")


@pytest.mark.parametrize(
    ("mirrors", "extra"),
    [
        (["ftp://127.0.0.1/x"], []),
        (["file:///etc/passwd"], []),
        (["copies:$(id)"], []),
        ([], ["/no/such/folder"]),
        ([], ["ftp://127.0.0.1/"]),
    ],
)
def test_a_mirror_that_makes_no_sense_is_bad_input_before_anything_is_fetched(
    desk: Desk, mirrors: list[str], extra: list[str]
) -> None:
    desk.site.serve("/data/ODHF%20v1.zip", whole(BODY))
    with pytest.raises(InputError):
        desk.fetch(mirrors, extra)
    assert desk.site.requests == []


def test_an_address_without_a_file_name_is_fine(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "copies").mkdir()
    desk.site.serve("/", whole(BODY))
    assert desk.fetch([], [str(tmp_path / "copies")], path="/") == digests(BODY)


def test_a_disk_that_cannot_be_written_is_the_stores_fault(desk: Desk, tmp_path: Path) -> None:
    desk.site.serve("/data/ODHF%20v1.zip", whole(bytes(3 << 20)))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    desk.store.put_chunks([b"the database exists"])
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        with pytest.raises(StoreError) as caught:
            desk.fetch()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.hint is not None
    assert desk.leftovers() == []
    assert len(desk.site.requests) == 1


def closed_address() -> str:
    """An address nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}/copies"


def test_a_mirror_whose_host_is_down_is_tried_under_one_name_only(desk: Desk) -> None:
    down = closed_address()
    desk.site.serve("/data/ODHF%20v1.zip", whole(BODY))
    desk.fetch(extra=[down, f"{down}/more"], mirrors=[f"{down}/other.csv"])
    tries = [line for line in desk.ear.lines if "; trying" in line]
    assert len(tries) == FAST.attempts - 1
    passed = [line for line in desk.ear.lines if "passed over" in line]
    assert len(passed) > 3
    assert [line for line in passed if "a moment ago" in line] == passed[1:]


def test_a_host_that_is_down_stays_so_for_the_next_source_of_a_run(desk: Desk) -> None:
    hosts, down = DownHosts(), closed_address()
    for number in range(2):
        path = f"/data/{number}"
        desk.site.serve(path, whole(BODY))
        desk.fetch(extra=[down], path=path, hosts=hosts)
    assert len([line for line in desk.ear.lines if "; trying" in line]) == FAST.attempts - 1

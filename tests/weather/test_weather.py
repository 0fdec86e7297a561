"""``d4cbuild weather`` as a user has it: real recipes, real servers, no packages."""

import json
import os
import shutil
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from d4cbuild.base.ambient import now_utc, sleep_s
from d4cbuild.base.digest import Digest
from d4cbuild.base.progress import Silence
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.locking import lock_recipe
from d4cbuild.errors import InputError
from d4cbuild.model.weather import LookState
from d4cbuild.sources.http import HttpOrigin
from d4cbuild.sources.look import Looker
from d4cbuild.sources.sight import LookLimits, Sight, Wanted
from d4cbuild.store import Store
from d4cbuild.weather.forecast import Forecaster
from d4cbuild.weather.memory import FileMemory, Memory, StoreMemory
from d4cbuild.weather.watch import Watch, WeatherOptions
from tests.project import DATA, Answer, Project
from tests.sources.server import Site, parts, plain, redirect, status

from .archives import FILES, zip_of

BODY = DATA.encode()
OTHER = BODY.replace(b"Iqaluit", b"Nunavut")
QUICK = LookLimits(connect_s=2, read_s=2, pause_s=0.01)
URL = "https://example.invalid/places.csv"


class Sky:
    """A project whose publisher is a server of ours."""

    def __init__(self, project: Project, site: Site) -> None:
        self.project, self.site, self.store = project, site, Store(project.store)
        self.record = project.root.parent / "record.json"

    def locked(self, body: bytes = BODY, mirrors: str = '"sources/places.csv"') -> "Sky":
        self.site.serve("/places.csv", parts(body))
        self.project.edit("recipe.toml", URL, self.site.url("/places.csv"))
        self.project.edit("recipe.toml", 'mirrors = ["sources/places.csv"]', f"mirrors=[{mirrors}]")
        (self.project.recipe / "sources" / "places.csv").write_bytes(body)
        self.project.commit()
        lock_recipe(RecipeFolder(self.project.recipe), self.store, (), Silence())
        self.project.commit()
        self.site.requests.clear()
        self.site.methods.clear()
        return self

    def look(self, *options: str) -> Answer:
        words = ["weather", "--no-packages", "--record", str(self.record), *options]
        return self.project.run(*words, "recipes/places")

    def report(self, status: int, memory: Memory | None = None, **options: Any) -> dict[str, Any]:
        """Look without the command line, which takes longer."""
        chosen = WeatherOptions(packages=False, limits=QUICK, **options)
        memory = FileMemory(self.record) if memory is None else memory
        watch = Watch(self.store, chosen, Silence(), memory)
        report = Forecaster(watch).report(RecipeFolder(self.project.recipe))
        assert report.exit_code == status, report.reasons
        return report.as_json()

    def forget_the_store(self) -> None:
        shutil.rmtree(self.project.store / "objects")

    def empty_the_repository(self) -> None:
        (self.project.recipe / "sources" / "places.csv").unlink()

    def turn_back(self, days: int) -> None:
        """Let what was remembered be older than it is."""
        text = self.record.read_text()
        for look in json.loads(text)["looks"]:
            for moment in {look["looked"], look.get("good"), look.get("compared")} - {None}:
                then = now_utc() - timedelta(days=days)
                text = text.replace(moment, then.strftime("%Y-%m-%dT%H:%M:%SZ"))
        self.record.write_text(text)


@pytest.fixture
def sky(project: Project, site: Site) -> Sky:
    return Sky(project, site)


def places(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    (source,) = report["sources"]
    return {place["kind"]: place for place in source["places"]}


def test_all_is_fair_where_everybody_has_the_bytes(sky: Sky) -> None:
    report = sky.locked().report(0)
    assert (report["risk"], report["weather"], report["buildable"]) == ("safe", "fair", "yes")
    assert report["reasons"] == []
    assert {kind: place["state"] for kind, place in places(report).items()} == {
        "store": "ok",
        "mirror": "ok",
        "publisher": "ok",
    }
    assert report["sources"][0]["copies"] == 3
    assert "all bytes" in places(report)["publisher"]["reason"]
    assert report["code"]["found"]


@pytest.mark.parametrize(("code", "state"), [(404, "gone"), (410, "gone")])
def test_what_the_publisher_took_away_can_still_be_built(sky: Sky, code: int, state: str) -> None:
    sky.locked().site.serve("/places.csv", status(code))
    report = sky.report(0)
    assert (report["risk"], report["buildable"]) == ("safe", "yes")
    assert places(report)["publisher"]["state"] == state
    assert report["sources"][0]["copies"] == 2


@pytest.mark.parametrize(("code", "state"), [(403, "refused"), (500, "unreachable")])
def test_what_could_not_be_looked_at_is_said_and_is_not_gone(
    sky: Sky, code: int, state: str
) -> None:
    sky.locked().site.serve("/places.csv", status(code))
    report = sky.report(16)
    assert (report["risk"], report["buildable"]) == ("safe", "yes")
    assert report["reasons"] == ["source places.csv: could not be looked at now: 127.0.0.1"]
    publisher = places(report)["publisher"]
    assert (publisher["state"], publisher["last_good"]) == (state, None)


def test_a_source_that_nobody_has_any_more_is_lost(sky: Sky) -> None:
    sky.locked().site.serve("/places.csv", status(404))
    sky.forget_the_store()
    sky.empty_the_repository()
    report = sky.report(1)
    assert (report["risk"], report["weather"], report["buildable"]) == ("lost", "storm", "no")
    assert "no copy is left" in report["reasons"][0]


def test_a_source_that_may_be_somewhere_is_not_called_lost(sky: Sky) -> None:
    sky.locked().site.serve("/places.csv", status(503))
    sky.forget_the_store()
    sky.empty_the_repository()
    report = sky.report(16)
    assert (report["risk"], report["buildable"]) == ("unknown", "unknown")


def test_a_copy_seen_lately_counts_and_an_old_one_does_not(sky: Sky) -> None:
    sky.locked().report(0)
    sky.site.serve("/places.csv", status(503))
    sky.turn_back(20)
    report = sky.report(16)
    publisher = places(report)["publisher"]
    assert (publisher["state"], publisher["age_days"]) == ("unreachable", 20)
    assert report["sources"][0]["copies"] == 3
    assert sky.report(16, fresh_days=10)["sources"][0]["copies"] == 2


def test_what_is_remembered_in_the_store_is_told_as_well(sky: Sky) -> None:
    memory = StoreMemory(sky.locked().store.database)
    sky.report(0, memory)
    sky.site.serve("/places.csv", status(404))
    assert places(sky.report(0, memory))["publisher"]["last_good"] is not None
    assert not sky.record.exists()


def test_a_store_of_before_there_was_weather_can_remember_it(sky: Sky) -> None:
    database = sky.locked().store.database
    with database.transaction() as connection:
        connection.execute("drop table look")
        connection.execute("pragma user_version = 1")
    database.close()
    sky.report(0, StoreMemory(database))


def test_a_record_that_is_none_is_refused(sky: Sky) -> None:
    sky.record.write_text("{}")
    with pytest.raises(InputError, match="wrong"):
        FileMemory(sky.record)
    with pytest.raises(InputError, match="no folder"):
        FileMemory(sky.record.parent / "none" / "record.json")


def test_changed_bytes_are_told_with_what_is_other(sky: Sky) -> None:
    sky.locked().site.serve("/places.csv", parts(OTHER))
    report = sky.report(2)
    publisher = places(report)["publisher"]
    assert publisher["state"] == "changed"
    assert publisher["change"]["kind"] == "other content"
    assert (report["risk"], report["buildable"]) == ("safe", "yes")


def test_a_zip_packed_anew_is_another_wrapper_and_a_real_change_names_the_member(
    sky: Sky,
) -> None:
    sky.locked(zip_of())
    sky.site.serve("/places.csv", parts(zip_of(backwards=True, year=2025)))
    change = places(sky.report(2))["publisher"]["change"]
    assert change["kind"] == "another wrapper"
    changed = {**FILES, "a/places.csv": b"id\n"}
    sky.site.serve("/places.csv", plain(zip_of(changed)))
    change = places(sky.report(2))["publisher"]["change"]
    assert (change["kind"], change["members"]) == ("other members", ["changed: a/places.csv"])


def test_without_the_locked_bytes_the_size_is_all_and_the_etag_is_compared_with_the_last(
    sky: Sky,
) -> None:
    sky.locked().report(0)
    sky.forget_the_store()
    sky.empty_the_repository()
    report = sky.report(0)
    publisher = places(report)["publisher"]
    assert publisher["how"] == "size only"
    assert "weak" in publisher["reason"]
    assert "the same ETag as when it was compared" in publisher["reason"]
    assert report["risk"] == "at risk"
    sky.site.serve("/places.csv", parts(BODY, '"v2"'))
    assert "the same ETag" not in places(sky.report(0))["publisher"]["reason"]
    deep = places(sky.report(0, deep=True))["publisher"]
    assert (deep["state"], deep["how"]) == ("ok", "hashed")


def test_other_bytes_of_the_same_size_need_the_locked_ones_or_a_deep_look(sky: Sky) -> None:
    sky.locked().site.serve("/places.csv", parts(OTHER))
    sky.forget_the_store()
    sky.empty_the_repository()
    assert places(sky.report(0))["publisher"]["how"] == "size only"
    report = sky.report(3, deep=True)
    assert (report["risk"], report["buildable"]) == ("lost", "no")
    change = places(report)["publisher"]["change"]
    assert (change["kind"], "not on this machine" in change["text"]) == ("not told", True)


def test_mirrors_on_one_host_are_one_copy_and_a_redirect_counts_where_it_leads(
    sky: Sky,
) -> None:
    with Site() as second:
        elsewhere = second.serve("/copy.csv", parts(BODY)).replace("127.0.0.1", "localhost")
        sky.site.serve("/again.csv", parts(BODY))
        sky.site.serve("/there.csv", redirect(elsewhere))
        mirrors = [sky.site.url(path) for path in ("/again.csv", "/there.csv")]
        sky.locked(mirrors=", ".join(f'"{each}"' for each in mirrors))
        (source,) = sky.report(0)["sources"]
        spots = [place["counts_as"] for place in source["places"]]
        assert spots == ["this machine", "127.0.0.1", "localhost", "127.0.0.1"]
        assert source["copies"] == 3


def test_a_mirror_option_is_looked_into_under_each_name(sky: Sky, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    (folder / "places.csv").write_bytes(BODY)
    more = sky.site.url("/copies/other.csv")
    sky.locked(mirrors=f'"sources/places.csv", "{more}"')
    sky.site.serve("/copies/places.csv", parts(BODY))
    report = sky.report(0, mirrors=(str(folder), sky.site.url("/copies")))
    options = [p for p in report["sources"][0]["places"] if p["kind"] == "mirror option"]
    assert [each["state"] for each in options] == ["ok", "ok"]
    sky.site.serve("/copies/places.csv", status(404))
    report = sky.report(0, mirrors=(sky.site.url("/copies"),))
    assert places(report)["mirror option"]["state"] == "gone"
    assert places(report)["mirror option"]["last_good"] is not None
    report = sky.report(0, mirrors=(sky.site.url("/nothing"),))
    assert places(report)["mirror option"]["last_good"] is None
    assert places(report)["mirror option"]["state"] == "gone"


def test_a_file_that_is_not_committed_is_no_copy_of_the_repository(sky: Sky) -> None:
    sky.locked()
    assert places(sky.report(0))["mirror"]["counts_as"] == "the recipe's repository"
    sky.project.git("rm", "-q", "--cached", "recipes/places/sources/places.csv")
    sky.project.git("commit", "-q", "-m", "Drop the copy")
    assert places(sky.report(0))["mirror"]["counts_as"] == "this machine"


def test_code_that_is_nowhere_is_lost(sky: Sky) -> None:
    sky.locked()
    lock = json.loads((sky.project.recipe / "recipe.lock").read_text())
    lock["code"]["blake3"] = "blake3:" + "0" * 64
    (sky.project.recipe / "recipe.lock").write_text(json.dumps(lock))
    report = sky.report(1)
    assert (report["risk"], report["code"]["found"]) == ("lost", False)


def test_time_that_is_over_is_said(sky: Sky) -> None:
    report = sky.locked().report(16, seconds=0)
    assert "time" in places(report)["publisher"]["reason"]
    assert sky.site.requests == []


def test_the_command_says_it_in_words_and_as_json_with_its_exit_code(sky: Sky) -> None:
    sky.locked().report(0)
    sky.turn_back(20)
    sky.site.serve("/places.csv", status(503))
    answer = sky.look("--fresh", "10")
    assert answer.status == 16
    assert "recipes/places: safe (fair), can be built" in answer.out
    assert "last seen good 20 days ago" in answer.out
    sky.site.serve("/places.csv", parts(OTHER))
    answer = sky.look("--json")
    assert (answer.status, answer.json["exit_code"]) == (2, 2)
    assert answer.json["results"][0]["buildable"] == "yes"


def test_a_host_has_one_connection_at_a_time_and_hosts_do_not_wait_for_each_other(
    sky: Sky, tmp_path: Path
) -> None:
    watch = Watch(sky.store, WeatherOptions(), Silence())
    busy, most = Counter[str](), Counter[str]()
    both = threading.Barrier(2, timeout=20)

    def errand(host: str) -> tuple[str, Callable[[Looker], None]]:
        def run(looker: Looker) -> None:
            busy[host] += 1
            most[host] = max(most[host], busy[host])
            both.wait()
            busy[host] -= 1

        return host, run

    watch.at_once([errand(host) for host in ("one", "one", "two", "one", "two", "two")], tmp_path)
    assert most == {"one": 1, "two": 1}


def test_when_something_breaks_nobody_waits_for_the_rest(sky: Sky, tmp_path: Path) -> None:
    watch = Watch(sky.store, WeatherOptions(seconds=None, limits=QUICK), Silence())
    address = sky.site.serve("/places.csv", parts(BODY))
    begun = threading.Event()
    wanted = Wanted(1, Digest("sha256", "0" * 64))
    seen: list[Sight] = []

    def slow(looker: Looker) -> None:
        begun.set()
        for _ in range(2000):  # until the other has broken
            if watch.deadline.left_s <= 0:
                break
            sleep_s(0.01)
        seen.append(looker.look(HttpOrigin(address), wanted))

    def breaks(looker: Looker) -> None:
        begun.wait(20)
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        watch.at_once([("one", slow), ("two", breaks), ("one", slow)], tmp_path)
    assert [sight.state for sight in seen] == [LookState.UNREACHABLE] * 2
    assert "time" in seen[0].reason
    assert sky.site.requests == []


def test_a_deep_look_reads_the_store_as_well(sky: Sky) -> None:
    sky.locked()
    (kept,) = (sky.store.get(digest) for digest, _path in sky.store.object_files())
    assert kept is not None
    state = kept.stat()
    kept.chmod(0o644)
    kept.write_bytes(OTHER)
    os.utime(kept, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert places(sky.report(0, deep=True))["store"]["state"] == "gone"
    assert len([*sky.store.quarantine.iterdir()]) == 1


def test_bad_input_is_refused_by_the_command(sky: Sky) -> None:
    assert sky.locked().look("--time", "soon").status == 64
    sky.project.edit("recipe.toml", "hello", "good day")
    assert sky.look().status == 2

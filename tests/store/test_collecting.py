"""``store ls``, ``verify`` and ``gc``: what is there, what is whole, what is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from d4cbuild.base.canonical import pretty_json
from d4cbuild.base.digest import Digest, FileDigests
from d4cbuild.store import Store

REPOSITORY = Path(__file__).parent.parent.parent


class Place:
    """A store with one recipe that needs some of its objects."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.recipe = root / "project" / "recipes" / "r"
        self.recipe.mkdir(parents=True)
        (self.recipe / "recipe.toml").write_text("")
        store = self.store()
        self.source = store.put_chunks([b"source"])
        self.output = store.put_chunks([b"output"])
        self.wheel = store.put_chunks([b"wheel"])
        self.loose = store.put_chunks([b"loose"])
        write(self.recipe / "recipe.lock", {"sources": [{"blake3": str(self.source.blake3)}]})
        write(self.recipe / "manifest.json", {"outputs": [{"blake3": str(self.output.blake3)}]})
        environment = root / "project" / "environments" / "e" / "environment.lock"
        environment.parent.mkdir(parents=True)
        config = "sha256:" + "1" * 64
        package = {"sha256": str(self.wheel.sha256)}
        write(environment, {"packages": [package], "config": config})
        (store.images / ("1" * 64)).mkdir()
        (store.images / ("2" * 64)).mkdir()
        self.remember("3" * 64, self.output)
        self.remember("4" * 64, self.loose)
        store.database.add_root(str(self.recipe))
        store.database.close()

    def remember(self, key: str, output: FileDigests) -> None:
        store = self.store()
        record = json.dumps([{"blake3": str(output.blake3)}])
        store.database.put("realisation", f"blake3:{key}", record)
        (store.logs / key).mkdir()
        store.database.close()

    def store(self) -> Store:
        return Store(self.root / "store")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "d4cbuild", "store", *arguments],
            cwd=REPOSITORY,
            env={**os.environ, "D4CBUILD_STORE": str(self.root / "store")},
            capture_output=True,
            text=True,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def kept(self) -> set[Digest]:
        return {digest for digest, _ in self.store().object_files()}


def write(path: Path, record: dict[str, Any]) -> None:
    path.write_bytes(pretty_json(record))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_ls_counts_and_lists(place: Place) -> None:
    found = place.json("ls", "--objects")
    assert (found["objects"], found["images"], found["realisations"]) == (4, 2, 2)
    assert found["bytes"] == sum(entry["size"] for entry in found["list"])
    assert {entry["blake3"] for entry in found["list"]} == {str(d) for d in place.kept()}
    assert found["roots"] == [str(place.recipe)]
    text = place.run("ls", "--objects").stdout
    assert "4 objects" in text
    assert f"kept for {place.recipe}" in text
    assert str(place.loose.blake3) in text


def test_gc_keeps_what_roots_reach(place: Place) -> None:
    would = place.json("gc", "--dry-run")
    assert would["dry_run"] is True
    assert len(place.kept()) == 4
    done = place.json("gc")
    assert {k: v for k, v in would.items() if k != "dry_run"} == {
        k: v for k, v in done.items() if k != "dry_run"
    }
    # loose, one image, and the build that made loose
    assert (done["removed"], done["kept"], done["freed"]) == (3, 3, 5)
    needed = {place.source.blake3, place.output.blake3, place.wheel.blake3}
    assert place.kept() == needed
    store = place.store()
    assert [path.name for path in store.images.iterdir()] == ["1" * 64]
    assert [path.name for path in store.logs.iterdir()] == ["3" * 64]
    assert [key for key, _ in store.database.rows("realisation")] == [f"blake3:{'3' * 64}"]
    store.database.close()
    assert place.json("gc")["removed"] == 0


def test_a_lost_root_keeps_nothing_any_more_and_is_said(place: Place) -> None:
    (place.recipe / "recipe.toml").unlink()
    done = place.run("gc")
    assert f"{place.recipe} is gone" in done.stdout
    assert place.kept() == set()
    assert place.json("ls")["roots"] == []


def test_a_store_that_knows_no_recipe_is_not_emptied(place: Place) -> None:
    for path in (place.root / "store").glob("store.sqlite*"):
        path.unlink()
    done = place.run("gc")
    assert done.returncode == 16
    assert "cannot tell what is needed" in done.stderr
    assert "d4cbuild lock --all" in done.stderr
    assert len(place.kept()) == 4


def test_a_lock_that_cannot_be_read_stops_gc(place: Place) -> None:
    (place.recipe / "recipe.lock").write_text("<<<<<<< HEAD")
    done = place.run("gc")
    assert done.returncode == 16
    assert "recipe.lock" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(place.kept()) == 4


def test_gc_refuses_while_another_process_uses_the_store(place: Place) -> None:
    store = place.store()
    with store.in_use():
        done = place.run("gc", "--json")
        assert done.returncode == 16
        record = json.loads(done.stdout)
        assert record["message"] == "another d4cbuild is using the store"
        assert record["exit_code"] == 16
        assert len(place.kept()) == 4
        assert place.run("ls").returncode == 0
        assert place.run("verify").returncode == 0
    assert place.run("gc").returncode == 0


def test_verify_sets_rot_aside_says_so_and_exits_2(place: Place) -> None:
    assert place.json("verify") == {"faults": [], "swept": 0}
    path = place.store().path_of(place.loose.blake3)
    path.chmod(0o644)
    path.write_bytes(b"rotten")
    done = place.run("verify", "--json")
    assert done.returncode == 2
    (fault,) = json.loads(done.stdout)["faults"]
    assert str(place.loose.blake3) in fault
    assert place.loose.blake3 not in place.kept()
    assert "1 corrupt objects set aside" in place.run("ls").stdout
    assert place.run("verify").returncode == 0
    place.run("gc")
    assert place.json("ls")["quarantined"] == 0


def test_verify_mends_a_damaged_database_and_sweeps(place: Place) -> None:
    for path in (place.root / "store").glob("store.sqlite*"):
        path.unlink()
    (place.root / "store" / "store.sqlite").write_bytes(b"damaged" * 1000)
    left = place.root / "store" / "tmp" / "left"
    left.mkdir()
    (left / "object").write_bytes(b"half")
    done = place.run("verify")
    assert done.returncode in (0, 2)
    assert not left.exists()
    store = place.store()
    assert store.find(place.wheel.sha256) is not None
    store.database.close()
    assert place.run("verify").returncode == 0

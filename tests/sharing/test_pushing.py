"""Pushing to folders and remotes: whole or not at all, in the right order, and only once."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from d4cbuild.attest.keys import new_key
from d4cbuild.base.progress import Advance, Silence
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.plan import plan_locked
from d4cbuild.build.pushing import PushOptions, PushResult, push_recipe
from d4cbuild.errors import InputError, NotIdentical
from d4cbuild.sharing.place import FolderPlace, place_of
from d4cbuild.store import Store
from d4cbuild.store.realisations import KnownBuild, known_build, remember_build
from tests.attest.signed import REPOSITORY
from tests.sources.conftest import Ear

RECIPE = "statcan-odhf"
KEY = new_key("pusher")


@pytest.fixture
def recipe(tmp_path: Path, store: Store) -> RecipeFolder:
    """A recipe whose manifest is not there, and made-up bytes that are said to be its output."""
    project = tmp_path / "project"
    folder = project / "recipes" / RECIPE
    without = shutil.ignore_patterns("manifest.json")
    shutil.copytree(REPOSITORY / "recipes" / RECIPE, folder, ignore=without)
    (project / "environments").symlink_to(REPOSITORY / "environments")
    made_of(store, RecipeFolder(folder), b"what was built" * 100_000)
    return RecipeFolder(folder)


def made_of(store: Store, folder: RecipeFolder, data: bytes) -> None:
    plan = plan_locked(folder)
    outputs = []
    for output in plan.recipe.outputs:
        found = store.put_chunks([data, output.name.encode()])
        columns = [
            {"name": each.name, "type": str(each.type), "nullable": each.nullable, "nulls": 0}
            for each in output.columns
        ]
        facts = {"content": "blake3:" + "1" * 64, "rows": 1, "columns": columns}
        outputs.append({"name": output.name, "blake3": str(found.blake3), "facts": facts})
    remember_build(store.database, plan.key, KnownBuild(tuple(outputs)))


def push(recipe: RecipeFolder, store: Store, to: str, ear: Ear | None = None) -> PushResult:
    options = PushOptions(place_of(to, 5), KEY, sources=True)
    return push_recipe(recipe, store, options, ear or Silence())


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


class Killer(Ear):
    """Kills its own process, as power cuts do, when it is told something for the nth time."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._left = at

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def task(self, label: str, total: int | None) -> Iterator[Advance]:
        self._count()
        yield lambda _amount: self._count()
        self._count()


def killed(recipe: RecipeFolder, store: Store, to: Path, at: int) -> bool:
    """Push in another process that is killed at some moment; whether it got so far."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            push(recipe, Store(store.root), str(to), Killer(at))
            status = 0
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    assert ended in (0, signal.SIGKILL)
    return ended != 0


def test_a_push_that_is_killed_anywhere_leaves_nothing_half_and_goes_on(
    recipe: RecipeFolder, store: Store, tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    push(recipe, store, str(whole))
    expected = files(whole)
    store.database.close()
    at = 0
    while True:
        at += 1
        to = tmp_path / f"killed-{at}"
        if not killed(recipe, store, to, at):
            break
        left = files(to)
        finished = {name: data for name, data in left.items() if not name.startswith("tmp/")}
        assert finished.items() <= expected.items()
        # Whoever finds the realisation finds everything it names.
        if any(name.startswith("realisations/") for name in finished):
            assert finished == expected
        result = push(recipe, store, str(to))
        assert files(to) == expected
        assert result.written == result.objects - sum(
            name.startswith("objects/") for name in finished
        )
        store.database.close()
    assert at > 8


def test_pushing_twice_writes_nothing_the_second_time(
    recipe: RecipeFolder, store: Store, tmp_path: Path
) -> None:
    first = push(recipe, store, str(tmp_path / "shared"))
    assert (first.written, first.realisation_written) == (2, True)
    states = states_of(tmp_path / "shared")
    again = push(recipe, store, str(tmp_path / "shared"))
    assert (again.objects, again.written, again.bytes) == (2, 0, 0)
    assert not again.realisation_written
    assert states_of(tmp_path / "shared") == states
    assert {mode & 0o777 for _, _, mode in states.values()} == {0o444}


def states_of(folder: Path) -> dict[Path, tuple[int, int, int]]:
    """Inode, time of change and mode of every file: what reading it leaves as it was."""
    found = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
    return {path: (at.st_ino, at.st_mtime_ns, at.st_mode) for path, at in found.items()}


def test_pushing_twice_to_a_remote_sends_nothing_the_second_time(
    recipe: RecipeFolder, store: Store, remote: Path, tmp_path: Path
) -> None:
    first = push(recipe, store, "copies:here")
    assert (first.written, first.realisation_written) == (2, True)
    again = push(recipe, store, "copies:here")
    assert (again.written, again.realisation_written) == (0, False)
    push(recipe, store, str(tmp_path / "shared"))
    assert files(remote / "here") == files(tmp_path / "shared")


def test_an_object_that_rotted_in_a_shared_store_is_put_right(
    recipe: RecipeFolder, store: Store, tmp_path: Path
) -> None:
    to = tmp_path / "shared"
    push(recipe, store, str(to))
    expected = files(to)
    path = next(to.glob("objects/*/*"))
    path.chmod(0o644)
    path.write_bytes(bytes(path.stat().st_size))
    assert push(recipe, store, str(to)).written == 1
    assert files(to) == expected


@pytest.mark.parametrize("kind", ["folder", "remote"])
def test_other_bytes_are_never_signed_with_the_same_key(
    kind: str, recipe: RecipeFolder, store: Store, remote: Path, tmp_path: Path
) -> None:
    to = {"folder": str(tmp_path / "shared"), "remote": "copies:here"}[kind]
    push(recipe, store, to)
    before = files(tmp_path)
    made_of(store, recipe, b"something else")
    with pytest.raises(NotIdentical, match="were signed with this key before"):
        push(recipe, store, to)
    shared = {name: data for name, data in before.items() if not name.startswith("store/")}
    assert shared.items() <= files(tmp_path).items()


def test_other_bytes_than_the_manifest_records_are_not_signed(
    recipe: RecipeFolder, store: Store, tmp_path: Path
) -> None:
    shutil.copy(REPOSITORY / "recipes" / RECIPE / "manifest.json", recipe.path)
    with pytest.raises(NotIdentical, match=r"is not what manifest\.json records"):
        push(recipe, store, str(tmp_path / "shared"))
    assert not list((tmp_path / "shared").glob("*/*"))


def test_what_others_are_writing_is_left_alone_and_what_they_left_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    place = FolderPlace(folder)
    place.prepare()
    (folder / "tmp" / f".d4cbuild-{'0' * 16}").write_bytes(b"x")
    (folder / "tmp" / "notes.txt").write_bytes(b"x")
    source = tmp_path / "source"
    source.write_bytes(b"x" * 10)

    class Meanwhile(Ear):
        @contextmanager
        def task(self, label: str, total: int | None) -> Iterator[Advance]:
            place.prepare()
            yield lambda _amount: place.prepare()

    assert place.put("objects/ab/cd", source, Meanwhile(), "x")
    assert files(folder) == {"objects/ab/cd": b"x" * 10, "tmp/notes.txt": b"x"}


@pytest.mark.parametrize(
    "address",
    [
        "ftp://example.invalid/x",
        "https://user:secret@example.invalid/x",
        "https:///x",
        "https://example.invalid/x?key=1",
        "https://example.invalid/x#y",
    ],
)
def test_an_address_that_is_no_shared_store_is_refused(address: str) -> None:
    with pytest.raises(InputError):
        place_of(address, 5)


def test_known_builds_say_whether_they_were_built_here(store: Store, recipe: RecipeFolder) -> None:
    key = plan_locked(recipe).key
    build = known_build(store.database, key)
    assert build is not None
    assert build.envelope is None
    remember_build(store.database, key, KnownBuild(build.outputs, "signed"))
    assert known_build(store.database, key) == KnownBuild(build.outputs, "signed")

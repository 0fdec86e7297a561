"""Bytes that change, files that shrink or vanish: found on use, made again, never served."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from tests.environment.registry import Registry
from tests.faults import checks
from tests.faults.case import Settings, judged, sample
from tests.faults.worlds import RECIPE, Verb, World, verb_named
from tests.tally import Case

KIND = "rot"
QUICK = 2
"""How many files of each kind the quick selection spoils."""

Damage = Callable[[Path, Random], None]


def _flip(path: Path, drawn: Random) -> None:
    data = bytearray(path.read_bytes())
    if data:
        data[drawn.randrange(len(data))] ^= drawn.randrange(1, 256)
    _overwrite(path, bytes(data))


def _truncate(path: Path, drawn: Random) -> None:
    _overwrite(path, path.read_bytes()[: drawn.randrange(max(1, path.stat().st_size))])


def _zero(path: Path, drawn: Random) -> None:
    _overwrite(path, bytes(path.stat().st_size))


def _delete(path: Path, drawn: Random) -> None:
    path.unlink()


def _overwrite(path: Path, data: bytes) -> None:
    state = path.stat()
    path.chmod(0o644)
    path.write_bytes(data)
    path.chmod(state.st_mode)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))  # as if nobody had written


DAMAGES: dict[str, Damage] = {
    "flipped": _flip,
    "cut": _truncate,
    "zeroed": _zero,
    "deleted": _delete,
}


@dataclass(frozen=True)
class Stored:
    """A kind of stored file, and what uses it.

    Attributes:
        name: The row of the table.
        verb: Makes the world, and after it has run, the files.
        files: Where they are, below the world; by glob.
        uses: What is then typed; the last must work, those before may say what is wrong.
        rounds: How many times each file is spoilt in each way.
        keeps: Whether the file is one that git keeps, so that the user has it back from there.
    """

    name: str
    verb: str
    files: tuple[str, ...]
    uses: tuple[tuple[str, ...], ...]
    rounds: int = 1
    keeps: bool = False


_BUILD = ("build", RECIPE)
_FORCE = ("build", "--force", RECIPE)
_BUNDLE = ("bundle", RECIPE)
_PUSH = verb_named("store push").arguments
_VERIFY = ("store", "verify")
_TINY = ("env", "build", "tiny")
_AGAIN = ("env", "build", "--again", "tiny")
_OBJECTS = ("store/objects/*/*",)
_IMAGES = ("store/images/*/*", "store/images/*/root/**/*")
_DATABASE = ("store/store.sqlite",)
_DATA = ("project/dist/*",)
_RECORDS = "project/recipes/places/"
_ENVIRONMENT = ("project/environments/clean/environment.lock",)
STORED = (
    Stored("objects, built from", "build", _OBJECTS, (_FORCE,), 5),
    Stored("objects, taken again", "build", _OBJECTS, (_BUILD,), 5),
    Stored("objects, verified", "build", _OBJECTS, (_VERIFY, _FORCE), 5),
    Stored("objects, bundled", "bundle", _OBJECTS, (_BUNDLE, _BUILD, _BUNDLE), 5),
    Stored("objects, pushed", "store push", _OBJECTS, (_PUSH, _BUILD, _PUSH), 5),
    Stored("packages", "env build", _OBJECTS, (_AGAIN,), 5),
    Stored("images", "env build", _IMAGES, (_TINY,)),
    Stored("images, verified", "env build", _IMAGES, (_VERIFY, _TINY)),
    Stored("logs", "build", ("store/logs/*/*",), (_FORCE,), 3),
    Stored("database", "build", _DATABASE, (_BUILD, _VERIFY, _BUILD), 25),
    Stored("database, building", "build", _DATABASE, (_FORCE, _VERIFY, _FORCE), 10),
    Stored("data files", "build", _DATA, (_BUILD,), 5),
    Stored("data files, bundled", "build", _DATA, (_BUNDLE, _BUILD), 5),
    Stored("shared objects", "store push", ("shared/objects/*/*",), (_PUSH,), 5),
    Stored("shared realisations", "store push", ("shared/realisations/*/*",), (_PUSH,), 5),
    Stored("locks", "build", (f"{_RECORDS}recipe.lock",), (_BUILD, _BUILD), 8, keeps=True),
    Stored("manifests", "build", (f"{_RECORDS}manifest.json",), (_BUILD, _BUILD), 8, keeps=True),
    Stored("environment locks", "build", _ENVIRONMENT, (_FORCE, _FORCE), 5, keeps=True),
)


def cases(settings: Settings) -> Iterator[Case]:
    """Spoil every stored file of every kind."""
    for stored in STORED:
        if settings.only is None or settings.only.startswith(f"{stored.name}: "):
            yield from _cases_of(stored, settings)


def _cases_of(stored: Stored, settings: Settings) -> Iterator[Case]:
    verb = verb_named(stored.verb)
    world = verb.world(settings.folder, settings.warm)
    with _registry(world) as variables:
        world.ran(*verb.arguments)
        world.keep()
        expected = verb.results(world)
        files = sorted({path for each in stored.files for path in world.here.glob(each)})
        chosen = [
            (path.relative_to(world.here), damage, number)
            for path in files
            if path.is_file() and not path.is_symlink() and "/images/0" not in str(path)
            for damage in DAMAGES
            for number in range(1 if damage == "deleted" else stored.rounds)
        ]
        if settings.quick:
            chosen = sample(settings.drawn(KIND, stored.name), chosen, QUICK)
        for path, damage, number in chosen:
            name = f"{stored.name}: {path} {damage} {number}"
            if settings.wants(name):
                drawn = settings.drawn(KIND, name)
                spoil = partial(DAMAGES[damage], world.here / path, drawn)
                work = partial(_spoilt, stored, verb, world, expected, variables, spoil)
                yield judged(settings, KIND, f"{KIND}: {stored.name}", name, work)


class _registry:  # noqa: N801 used as a function
    """The packages of the tiny environment on a server, if the world has any."""

    def __init__(self, world: World) -> None:
        self._registry = Registry()
        for path in sorted((world.here / "packages").glob("*")):
            is_wheel = path.suffix == ".whl"
            (self._registry.add_wheel if is_wheel else self._registry.add_debian)(path)

    def __enter__(self) -> dict[str, str]:
        return {
            "D4CBUILD_DEBIAN_MIRROR": f"{self._registry.address}/debian/",
            "D4CBUILD_PYPI_INDEX": f"{self._registry.address}/simple/",
        }

    def __exit__(self, *error: object) -> None:
        self._registry.close()


def _spoilt(
    stored: Stored,
    verb: Verb,
    world: World,
    expected: dict[str, str],
    variables: dict[str, str],
    spoil: Callable[[], None],
) -> None:
    world.restore()
    kept = _kept(world, stored) if stored.keeps else {}
    spoil()
    for number, arguments in enumerate(stored.uses):
        last = number == len(stored.uses) - 1
        for path, data in kept.items() if last else ():
            path.write_bytes(data)
        answer = world.start(*arguments, **variables).finish()
        checks.no_traceback(answer)
        if answer.status != 0:
            if last:
                raise checks.Lost(f"{' '.join(arguments)}: {answer.status}: {answer.err}")
            if arguments != ("store", "verify"):
                checks.clear_error(answer)
    # What nothing used is found by looking for it.
    checks.no_traceback(world.run(*_VERIFY))
    checks.no_half_files(world)
    checks.whole_store(world)
    checks.same_results(verb.results(world), expected)
    checks.no_leftovers(world)


def _kept(world: World, stored: Stored) -> dict[Path, bytes]:
    """What the user would have back from git."""
    names = [*stored.files, "project/recipes/places/*.json", "project/recipes/places/*.lock"]
    paths = {path for each in names for path in world.here.glob(each)}
    return {path: path.read_bytes() for path in paths}

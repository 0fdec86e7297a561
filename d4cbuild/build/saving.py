"""Noticing that something was saved, by looking at a recipe's folder a few times a second.

A folder of a few files is looked at in less than a millisecond, so nothing more clever is needed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from d4cbuild.base.ambient import sleep_s
from d4cbuild.base.interruption import check_interruption
from d4cbuild.build.project import project_root

POLL_S = 0.3
_PATIENCE = 10
"""Polls after which a folder that never comes to rest is built all the same."""
_NO_INGREDIENT = ("manifest.json", "README.md")
_NOT_WATCHED = frozenset({".git", "__pycache__"})

State = dict[str, tuple[int, ...]]


def watched_state(recipe: Path) -> State:
    """What can be seen, without reading, of all that decides a build of uncommitted files.

    That is the recipe's folder, without what editors keep beside the file they save, and the locks
    of the project's environments.
    """
    found: State = {}
    for place, folders, names in os.walk(recipe):
        folders[:] = [name for name in folders if name not in _NOT_WATCHED]
        for name in names:
            is_none = Path(place) == recipe and name in _NO_INGREDIENT
            if not is_none and not name.startswith(".") and not name.endswith("~"):
                _note(found, Path(place, name))
    for path in project_root(recipe).glob("environments/*/environment.lock"):
        _note(found, path)
    return found


def _note(found: State, path: Path) -> None:
    try:
        seen = path.stat() if path.exists() else path.lstat()
    except FileNotFoundError:
        return  # gone since: that is the state
    executable = seen.st_mode & stat.S_IXUSR
    found[str(path)] = (seen.st_size, seen.st_mtime_ns, seen.st_ino, executable)


def saves(recipe: Path) -> Iterator[None]:
    """Yield at once, and then whenever something was saved since the last time it yielded.

    What is saved while the caller is busy counts too, however often, as one.
    """
    while True:
        seen = watched_state(recipe)
        yield
        while (now := watched_state(recipe)) == seen:
            _wait()
        # An editor may write a file in several steps, and save several files.
        for _ in range(_PATIENCE):
            _wait()
            before, now = now, watched_state(recipe)
            if before == now:
                break


def _wait() -> None:
    check_interruption()
    sleep_s(POLL_S)

"""Mending ``recipe.toml``: what has one right answer is written, and nothing else is touched."""

from __future__ import annotations

import stat

from d4cbuild.base.files import write_atomically
from d4cbuild.build.checking import read_file
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.project import RECIPE_FILE
from d4cbuild.faults.mending import mended
from d4cbuild.hazards.finding import Finding

_ROUNDS = 10
"""One edit may uncover another: a key must have its right name before its value can be read."""


def mend_recipe(folder: RecipeFolder) -> list[Finding]:
    """Make every fix that ``check`` knows for a recipe, and write the file once.

    Returns:
        What was mended, with the places from before; empty if the file was left alone.
    """
    done: list[Finding] = []
    reading = read_file(folder)
    for _ in range(_ROUNDS):
        text, now = mended(reading.data.decode("utf-8", "replace"), reading.findings)
        after = read_file(folder, text.encode())
        if not now or (reading.recipe is not None and after.recipe is None):
            break
        done += now
        reading = after
    if done:
        # A link is followed, so that it stays one.
        path = (folder.path / RECIPE_FILE).resolve()
        write_atomically(path, reading.data, stat.S_IMODE(path.stat().st_mode))
    return done

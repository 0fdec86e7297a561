"""A project: a folder with ``recipes/`` and ``environments/``."""

from pathlib import Path

from d4cbuild.errors import InputError

RECIPE_FILE = "recipe.toml"


def project_root(inside: Path) -> Path:
    """The folder that holds ``environments/``, at or above a path.

    Raises:
        InputError: if there is none.
    """
    start = inside.absolute()
    for folder in (start, *start.parents):
        if (folder / "environments").is_dir():
            return folder
    raise InputError(
        "no environments were found",
        expected="a folder environments/ beside the folder recipes/",
        where=str(start),
        hint="run d4cbuild inside a clone of the project that holds the recipe",
    )


def all_recipes(root: Path) -> list[Path]:
    """The folders of every recipe of a project, by name.

    Raises:
        InputError: if there is none.
    """
    found = sorted((root / "recipes").glob(f"*/{RECIPE_FILE}"))
    if not found:
        raise InputError(
            "there are no recipes", expected=f"recipes/*/{RECIPE_FILE}", where=str(root)
        )
    return [path.parent for path in found]

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


def find_recipe(path: Path) -> Path:
    """The folder that a user means: itself, that of a ``recipe.toml``, or by a bare dataset id."""
    if path.name == RECIPE_FILE and path.is_file():
        return path.parent
    # A bare dataset id is enough inside a project.
    if not path.exists() and len(path.parts) == 1:
        inside = project_root(Path.cwd()) / "recipes" / path
        if inside.exists():
            return relative(inside)
    return path


def relative(path: Path) -> Path:
    """A path from where the user stands, if it lies below."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


def dist_folder(dist: Path | None, recipe: Path) -> Path:
    """Where data files go: where the user said, else ``dist/`` of the recipe's project."""
    return dist if dist is not None else project_root(recipe) / "dist"

"""A drafted recipe as a folder: all of it, or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from d4cbuild.base.files import staging, write_atomically
from d4cbuild.build.project import RECIPE_FILE
from d4cbuild.drafting.draft import Draft
from d4cbuild.errors import InputError

_ATTRIBUTES = "# The bytes are hashed: no line ending may ever be converted.\n* -text\n"


def require_new(folder: Path) -> None:
    """Make sure that nothing is there yet.

    Raises:
        InputError: if there is a folder or file.
    """
    if folder.exists() or folder.is_symlink():
        raise InputError(
            "there is something there already, and it is not written over",
            where=str(folder),
            hint=f"give another id, or remove it: rm -r {folder}",
        )


def write_draft(draft: Draft, folder: Path) -> list[Path]:
    """Write a recipe's folder.

    Args:
        draft: The recipe.
        folder: The new folder.

    Returns:
        The files that were written.

    Raises:
        InputError: if the folder is there already.
    """
    folder.parent.mkdir(exist_ok=True)
    with staging(folder.parent) as stage:
        write_atomically(stage / RECIPE_FILE, draft.text.encode())
        write_atomically(stage / "README.md", "\n".join(_readme(draft)).encode())
        if draft.copied:
            sources = stage / "sources"
            sources.mkdir()
            write_atomically(sources / ".gitattributes", _ATTRIBUTES.encode())
            for file in draft.copied:
                shutil.copyfile(file.path, sources / file.name)
                (sources / file.name).chmod(0o644)
        stage.chmod(0o755)
        require_new(folder)
        stage.rename(folder)
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _readme(draft: Draft) -> Iterator[str]:
    dataset = draft.recipe.dataset
    yield f"# {dataset.id}"
    yield ""
    yield "TODO: where the files came from, what was found in them, what was done about it and why."
    yield ""
    yield "## Files"
    yield ""
    for file in draft.used:
        where = "in `sources/`" if file in draft.copied else "not in this folder: needs `--mirror`"
        place = where if file in draft.copied or not file.fetched else "fetched from its address"
        yield f"- `{file.name}`: {file.size:,} bytes, {place}"
    yield ""
    yield "## What was guessed"
    yield ""
    for each in draft.unsure:
        yield f"- `{each.about}`: {_plain(each.shown)}"
    yield ""


def _plain(text: str) -> str:
    """A text that Markdown leaves as it is."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>#|" else sign for sign in text)

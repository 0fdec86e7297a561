"""Which version a change asks for: major for a broken schema, minor for more, patch for fixes."""

from __future__ import annotations

from d4cbuild.errors import InputError
from d4cbuild.release.changes import Size

Version = tuple[int, int, int]


def parse_version(text: str) -> Version:
    """``"1.2.3"`` as three numbers that compare as versions do."""
    major, minor, patch = text.split(".")
    return int(major), int(minor), int(patch)


def least_version(before: str, size: Size) -> str:
    """The smallest version that may follow.

    Args:
        before: The last release's.
        size: How much changed.
    """
    major, minor, patch = parse_version(before)
    if size is Size.MAJOR and major > 0:
        return f"{major + 1}.0.0"
    # Before 1.0.0 anything may break, and the second number says so.
    if size in (Size.MAJOR, Size.MINOR):
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}"


def step_of(before: str, after: str) -> Size:
    """How much a version says that it changed against another."""
    old, new = parse_version(before), parse_version(after)
    for size, place in ((Size.MAJOR, 0), (Size.MINOR, 1), (Size.PATCH, 2)):
        if new[place] != old[place]:
            return size
    return Size.NOTHING


def check_version(before: str, after: str, size: Size, where: str) -> str | None:
    """Refuse a version that says less than what changed.

    Args:
        before: The last release's.
        after: The one that is wanted.
        size: How much changed.
        where: The recipe, for the error.

    Returns:
        Where it says more than what changed: that, as a sentence.

    Raises:
        InputError: if it is too small.
    """
    least = least_version(before, size)
    if parse_version(after) < parse_version(least):
        raise InputError(
            "the version is too small for what changed",
            expected=f"{least} or higher: {_WORDS[size]}",
            found=f"{after}, after {before}",
            where=where,
            hint=f'set version = "{least}" in recipe.toml, then lock, build and commit',
        )
    if step_of(before, after) > step_of(before, least):
        return f"{after} says more than what changed: {least} would do ({_WORDS[size]})"
    return None


_WORDS = {
    Size.NOTHING: "nothing changed but what the manifest says of it",
    Size.PATCH: "values fixed, or words and tools changed",
    Size.MINOR: "columns or coverage added",
    Size.MAJOR: "the schema breaks",
}

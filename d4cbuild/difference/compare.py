"""``diff``: what two files or folders have to do with each other."""

from __future__ import annotations

from pathlib import Path

from d4cbuild.difference.bytewise import bytes_layer, first_difference, sides_of
from d4cbuild.difference.options import DiffOptions
from d4cbuild.difference.parquet import compare_parquet
from d4cbuild.difference.plain import compare_plain
from d4cbuild.difference.record import Difference
from d4cbuild.errors import InputError


def compare(a: Path, b: Path, options: DiffOptions) -> Difference:
    """Compare two files, or two folders.

    Args:
        a: The first: what is expected, if one is.
        b: The second.
        options: What the user chose.

    Raises:
        InputError: if one cannot be read, or they cannot be compared.
    """
    for path in (a, b):
        if not path.exists():
            raise InputError("there is no such file or folder", where=str(path))
    if a.is_dir() != b.is_dir():
        raise InputError(
            "a file and a folder cannot be compared",
            expected="two files, or two folders",
            found=f"{a if a.is_dir() else b} is a folder",
            where=f"{a}, {b}",
        )
    return compare_files(a, b, options)


def compare_files(a: Path, b: Path, options: DiffOptions) -> Difference:
    """Compare two files; see :func:`compare`."""
    first = first_difference(a, b)
    sides = sides_of(a, b)
    layer = bytes_layer(*sides, first)
    if first is None:
        return Difference(*sides, "identical", (layer,))
    kinds = {side.kind for side in sides}
    if kinds == {"parquet"}:
        return compare_parquet(*sides, layer, options)
    return compare_plain(*sides, layer, options)

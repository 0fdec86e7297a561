"""``diff``: what two files or folders have to do with each other."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from d4cbuild.base.files import regular_files
from d4cbuild.base.limits import LIMITS
from d4cbuild.difference.bytewise import bytes_layer, first_difference, readable, side_of, sides_of
from d4cbuild.difference.manifests import compare_manifests, is_manifest
from d4cbuild.difference.members import KINDS, Member, members_of, unpack
from d4cbuild.difference.options import DiffOptions
from d4cbuild.difference.parquet import compare_parquet
from d4cbuild.difference.plain import compare_plain, finished
from d4cbuild.difference.record import Difference, Example, Finding, Layer, Side, verdict_of
from d4cbuild.errors import InputError

MANIFEST = "manifest.json"
_DEEPEST = LIMITS.compared_depth
"""Archives within archives that are looked into."""
_LOOKED_INTO = 50
"""Members or files of which it is said how they differ."""


def compare(a: Path, b: Path, options: DiffOptions) -> Difference:
    """Compare two files, or two folders.

    A folder with a manifest in it may stand for the manifest where the other is one.

    Args:
        a: The first: what is expected, if one is.
        b: The second.
        options: What the user chose.

    Raises:
        InputError: if one cannot be read, or they cannot be compared.
    """
    for path in (a, b):
        with readable(path):
            path.stat()
    if a.is_dir() and b.is_dir():
        return _compare_folders(a, b, options)
    if a.is_dir() != b.is_dir():
        a, b = _manifest_for(a, b), _manifest_for(b, a)
    return compare_files(a, b, options)


def _manifest_for(path: Path, other: Path) -> Path:
    if not path.is_dir():
        return path
    inside = path / MANIFEST
    if not inside.is_file() or other.suffix != ".json":
        raise InputError(
            "a file and a folder cannot be compared",
            expected="two files, or two folders, or a manifest and a folder with one",
            found=f"{path} is a folder, {other} is a file",
            where=f"{path}, {other}",
        )
    return inside


def compare_files(a: Path, b: Path, options: DiffOptions, depth: int = 0) -> Difference:
    """Compare two files; see :func:`compare`.

    Args:
        a: The first.
        b: The second.
        options: What the user chose.
        depth: In how many archives they are.
    """
    for path in (a, b):
        if not path.is_file():
            raise InputError("it is no regular file", where=str(path))
    first = first_difference(a, b)
    sides = sides_of(a, b)
    layer = bytes_layer(*sides, first)
    if first is None:
        return Difference(*sides, "identical", (layer,))
    kinds = {side.kind for side in sides}
    if kinds == {"parquet"}:
        return compare_parquet(*sides, layer, options)
    if len(kinds) == 1 and kinds <= set(KINDS) and depth < _DEEPEST:
        return _compare_archives(*sides, layer, options, depth)
    if is_manifest(a, sides[0]) and is_manifest(b, sides[1]):
        return compare_manifests(*sides, layer, options)
    return compare_plain(*sides, layer, options)


def _compare_archives(
    a: Side, b: Side, outer: Layer, options: DiffOptions, depth: int
) -> Difference:
    members = members_of(Path(a.path), a.kind), members_of(Path(b.path), b.kind)

    def inside(name: str) -> Difference:
        with tempfile.TemporaryDirectory(prefix="d4c-diff-", dir=options.scratch) as folder:
            one, other = Path(folder, "a"), Path(folder, "b")
            unpack(Path(a.path), a.kind, name, one)
            unpack(Path(b.path), b.kind, name, other)
            found = compare_files(one, other, options, depth + 1)
        return _renamed(found, {str(one): f"{a.path}: {name}", str(other): f"{b.path}: {name}"})

    found = _compare_members(Difference(a, b, "", (outer,)), members, options, inside)
    if not found.findings:
        says = "the same members with the same bytes; times, order, compression or modes differ"
        findings = (Finding("wrapper", 1, "archives", says),)
        found = replace(found, verdict=verdict_of(findings), findings=findings)
    return finished(found, options)


def _renamed(found: Difference, names: dict[str, str]) -> Difference:
    """What was compared in temporary files, under names that people know."""

    def text(line: str) -> str:
        for temporary, name in names.items():
            line = line.replace(temporary, name)
        return line

    key = found.key and replace(found.key, found_in=text(found.key.found_in))
    return replace(
        found,
        a=replace(found.a, path=text(found.a.path)),
        b=replace(found.b, path=text(found.b.path)),
        key=key,
        next=tuple(line for line in found.next if not any(name in line for name in names)),
        inner=tuple(_renamed(inner, names) for inner in found.inner),
    )


def _compare_folders(a: Path, b: Path, options: DiffOptions) -> Difference:
    with readable(a):
        names_a = _files(a)
    with readable(b):
        names_b = _files(b)

    def inside(name: str) -> Difference:
        return compare_files(a / name, b / name, options)

    sides = Side(str(a), "folder"), Side(str(b), "folder")
    found = _compare_members(Difference(*sides, ""), (names_a, names_b), options, inside)
    return found if found.verdict == "identical" else finished(found, options)


def _files(folder: Path) -> dict[str, Member]:
    found = {}
    for path in regular_files(folder):
        if ".git" not in path.parts:
            side = side_of(folder / path)
            found[str(path)] = Member(side.size or 0, side.sha256 or "")
    return found


def _compare_members(
    found: Difference,
    members: tuple[dict[str, Member], dict[str, Member]],
    options: DiffOptions,
    inside: Callable[[str], Difference],
) -> Difference:
    a, b = members
    gone = [Example(name, _told(a[name]), None) for name in a if name not in b]
    new = [Example(name, None, _told(b[name])) for name in b if name not in a]
    other = [name for name in a if name in b and a[name] != b[name]]
    inner = [inside(name) for name in other[:_LOOKED_INTO]]
    changed = [Example(name, _told(a[name]), _told(b[name])) for name in other]
    told = [*gone, *new, *changed]
    says = f"{len(gone)} only in A, {len(new)} only in B, {len(other)} differ"
    same = len([name for name in a if name in b]) - len(other)
    layer = Layer("members", not told, f"{same} are the same; {says}")
    whole = replace(found, layers=(*found.layers, layer), inner=tuple(inner))
    if not told:
        return replace(whole, verdict="identical")
    only_form = not gone and not new and len(inner) == len(other)
    only_form = only_form and all(each.verdict == "equivalent" for each in inner)
    if only_form:
        says = "other bytes, but each is equivalent to its like"
    finding = Finding(
        "wrapper" if only_form else "member",
        len(told),
        "members" if found.a.size is not None else "files",
        says,
        examples=tuple(told[: options.examples]),
    )
    return replace(whole, verdict=verdict_of((finding,)), findings=(finding,))


def _told(member: Member) -> str:
    return f"{member.size:,} bytes, sha256:{member.sha256.removeprefix('sha256:')[:16]}…"

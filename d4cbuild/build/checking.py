"""Everything that is wrong with a recipe, at once: its records, its lock, and hazards in its code.

Nothing is run or fetched, and no network is used unless addresses are to be tried.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from d4cbuild.build.folder import LOCK_FILE, MANIFEST_FILE, RecipeFolder
from d4cbuild.build.locking import check_lock
from d4cbuild.build.project import RECIPE_FILE, project_root
from d4cbuild.code.history import working_code
from d4cbuild.environment.definition import DEFINITION_FILE
from d4cbuild.errors import D4CError, trouble
from d4cbuild.faults.mirrors import folder_findings, reach_findings
from d4cbuild.faults.nearest import nearest
from d4cbuild.faults.reading import Reading, read_recipe
from d4cbuild.faults.whole import fault
from d4cbuild.hazards.allow import allowances, silenced
from d4cbuild.hazards.code_files import file_findings, unread_sql
from d4cbuild.hazards.finding import Finding, findings_of
from d4cbuild.hazards.queries import queries_in
from d4cbuild.hazards.recipe import recipe_spots
from d4cbuild.model.recipe import Recipe
from d4cbuild.sources.sight import LookLimits

INTERPRETERS = frozenset({"python", "python3", "sh", "dash", "bash"})
SCRIPTS = (".py", ".sh", ".sql", ".bash")


def check_recipe(folder: RecipeFolder, reach: LookLimits | None = None) -> list[Finding]:
    """Look at a recipe's folder.

    Args:
        folder: The recipe.
        reach: How patient to be with addresses and remotes; without it, none is tried.

    Returns:
        Findings by file and line; those that are allowed are among them, with the reason.
    """
    reading = read_file(folder)
    findings = list(reading.findings)
    code = _code(folder, findings)
    for name, data in sorted(code.items()):
        findings += file_findings(name, data, str(folder.path / name))
    if reading.guess is not None:
        findings += _of_recipe(folder, reading.guess, reading)
        findings += _told(reading, _of_folder(folder, reading.guess, reading, code))
        if reach is not None:
            shown = str(folder.path / RECIPE_FILE)
            findings += reach_findings(reading.guess, reading, shown, folder.path, reach)
    findings += _lock(folder, reading.recipe)
    findings += _manifest(folder)
    return sorted(set(findings), key=lambda f: (f.file, f.line, f.column, f.name, f.message))


def read_file(folder: RecipeFolder, data: bytes | None = None) -> Reading:
    """Read ``recipe.toml`` with all its faults.

    Args:
        folder: The recipe.
        data: What is to be taken for the file's bytes, instead of those it has.
    """
    return read_recipe(folder.path / RECIPE_FILE, folder.path.resolve().name, data)


def _told(reading: Reading, findings: Iterator[tuple[str, Finding]]) -> list[Finding]:
    """Findings about fields, but for those that are examples in place of what is wrong."""
    return [finding for path, finding in findings if not reading.is_guessed(path)]


def _code(folder: RecipeFolder, findings: list[Finding]) -> dict[str, bytes]:
    """The files of the code; what cannot be code is a finding, and the rest is still read."""
    if not folder.path.is_dir():
        return {}
    try:
        tar = working_code(folder.path).tar
    except D4CError as error:
        findings.append(fault(error, "code", error.where or folder.where))
        return dict(_loose_files(folder.path))
    except OSError as error:
        findings.append(fault(trouble(error), "code", folder.where))
        return dict(_loose_files(folder.path))
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        opened = ((member.name, archive.extractfile(member)) for member in archive)
        return {name: file.read() for name, file in opened if file is not None}


def _loose_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in SCRIPTS and path.is_file() and not path.is_symlink():
            try:
                yield path.relative_to(folder).as_posix(), path.read_bytes()
            except OSError:
                continue  # named already, as what keeps the folder from being code


def _of_recipe(folder: RecipeFolder, recipe: Recipe, reading: Reading) -> list[Finding]:
    shown = str(folder.path / RECIPE_FILE)
    queries = queries_in(recipe, reading.places)
    spots = [*recipe_spots(recipe, reading.places), *queries.spots]
    comments = [*reading.places.comments, *queries.comments]
    allowed, faults = allowances(comments, queries.spans, shown)
    unread = [unread_sql(shown, *each) for each in queries.unread]
    findings = [*silenced(findings_of(spots, shown), allowed, shown), *faults, *unread]
    if reading.recipe is None:
        # What is allowed may stand where something cannot be read yet.
        return [each for each in findings if each.name != "unused-allow"]
    return findings


def _of_folder(
    folder: RecipeFolder, recipe: Recipe, reading: Reading, code: dict[str, bytes]
) -> Iterator[tuple[str, Finding]]:
    """What a recipe names and its folder or project should have, with the naming field."""
    shown = str(folder.path / RECIPE_FILE)
    command = recipe.build.command or ()
    for index, word in enumerate(command):
        is_script = word.endswith(SCRIPTS) and "/" not in word and command[0] in INTERPRETERS
        if is_script and index == 1 and word not in code:
            path = f"build.command[{index}]"
            message = f"build.command runs {word}, which is not in the recipe's folder"
            close = nearest(word, code)
            remedy = f"write {folder.path / word}, and see that git does not ignore it"
            remedy = remedy if close is None else f"did you mean {close}?"
            place = reading.places.of(path)
            yield path, Finding(shown, *place, "missing-file", message, remedy, "error")
    yield from _environment(folder, recipe, reading)
    yield from folder_findings(recipe, reading.places, folder.path, shown)


def _environment(
    folder: RecipeFolder, recipe: Recipe, reading: Reading
) -> Iterator[tuple[str, Finding]]:
    path, shown = "build.environment", str(folder.path / RECIPE_FILE)
    place = reading.places.of(path)
    try:
        environment = folder.environment(recipe)
        there = sorted(
            each.parent.name
            for each in (project_root(folder.path) / "environments").glob(f"*/{DEFINITION_FILE}")
        )
        if environment.path.name not in there:
            message = f"{path}: there is no environment {environment.path.name!r}"
            remedy = f"write one of those that are there: {', '.join(there)}"
            yield path, Finding(shown, *place, "environment", message, remedy, "error")
            return
        environment.lock()
    except D4CError as error:
        yield path, fault(error, "environment", shown, place)


def _lock(folder: RecipeFolder, recipe: Recipe | None) -> Iterator[Finding]:
    shown, hint = str(folder.path / LOCK_FILE), f"d4cbuild lock {folder.where}"
    lock = _read(folder.lock, shown)
    if isinstance(lock, Finding):
        yield lock
    elif lock is None:
        message = "the recipe was never locked"
        yield Finding(shown, 1, 1, "missing-lock", message, hint)
    elif recipe is not None:
        reasons = _read(lambda: check_lock(folder), shown)
        for reason in reasons if isinstance(reasons, list) else []:
            yield Finding(shown, 1, 1, "stale-lock", reason, hint, "error")


def _manifest(folder: RecipeFolder) -> Iterator[Finding]:
    path = folder.path / MANIFEST_FILE
    if not path.exists():
        message = "there is no manifest, so nobody can compare a rebuild with anything"
        hint = f"d4cbuild build {folder.where}"
        yield Finding(str(path), 1, 1, "missing-manifest", message, hint)
        return
    manifest = _read(folder.manifest, str(path))
    if isinstance(manifest, Finding):
        yield manifest


def _read(reader: Callable[[], Any], shown: str) -> Any:
    """What a reader reads, or the finding that says why it cannot."""
    try:
        return reader()
    except D4CError as error:
        return fault(error, "record", shown)
    except OSError as error:
        return fault(trouble(error), "record", shown)

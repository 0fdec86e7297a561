"""Everything that is wrong with a recipe, at once: its records, its lock, and hazards in its code.

Nothing is run or fetched.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from d4cbuild.build.folder import LOCK_FILE, MANIFEST_FILE, RecipeFolder
from d4cbuild.build.locking import check_lock
from d4cbuild.build.project import RECIPE_FILE
from d4cbuild.code.history import working_code
from d4cbuild.errors import D4CError, trouble
from d4cbuild.hazards.allow import allowances, silenced
from d4cbuild.hazards.code_files import file_findings, unread_sql
from d4cbuild.hazards.faults import fault, record_faults
from d4cbuild.hazards.finding import Finding, findings_of
from d4cbuild.hazards.queries import queries_in
from d4cbuild.hazards.recipe import recipe_spots
from d4cbuild.hazards.toml_places import TomlPlaces, toml_places
from d4cbuild.model.recipe import Recipe

INTERPRETERS = frozenset({"python", "python3", "sh", "dash", "bash"})
SCRIPTS = (".py", ".sh", ".sql", ".bash")


def check_recipe(folder: RecipeFolder) -> list[Finding]:
    """Look at a recipe's folder.

    Returns:
        Findings by file and line; those that are allowed are among them, with the reason.
    """
    text, recipe, findings = _record(folder)
    places = toml_places(text)
    code = _code(folder, findings)
    for name, data in sorted(code.items()):
        findings += file_findings(name, data, str(folder.path / name))
    if recipe is not None:
        findings += _of_recipe(folder, recipe, places)
        findings += _command(folder, recipe, places, code)
        findings += _lock(folder, recipe, places)
    findings += _manifest(folder)
    return sorted(set(findings), key=lambda f: (f.file, f.line, f.column, f.name, f.message))


def _record(folder: RecipeFolder) -> tuple[str, Recipe | None, list[Finding]]:
    path = folder.path / RECIPE_FILE
    shown = str(path)
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError:
        text = ""  # why it cannot be read is told by reading it as a record
    try:
        return text, folder.recipe(), []
    except D4CError as error:
        return text, None, record_faults(error, text, shown)


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


def _of_recipe(folder: RecipeFolder, recipe: Recipe, places: TomlPlaces) -> list[Finding]:
    shown = str(folder.path / RECIPE_FILE)
    queries = queries_in(recipe, places)
    spots = [*recipe_spots(recipe, places), *queries.spots]
    comments = [*places.comments, *queries.comments]
    allowed, faults = allowances(comments, queries.spans, shown)
    unread = [unread_sql(shown, *each) for each in queries.unread]
    return [*silenced(findings_of(spots, shown), allowed, shown), *faults, *unread]


def _command(
    folder: RecipeFolder, recipe: Recipe, places: TomlPlaces, code: dict[str, bytes]
) -> Iterator[Finding]:
    command = recipe.build.command or ()
    for index, word in enumerate(command):
        is_script = word.endswith(SCRIPTS) and "/" not in word and command[0] in INTERPRETERS
        if is_script and index == 1 and word not in code:
            line, column = places.of(f"build.command[{index}]")
            message = f"build.command runs {word}, which is not in the recipe's folder"
            remedy = f"write {folder.path / word}, and see that git does not ignore it"
            shown = str(folder.path / RECIPE_FILE)
            yield Finding(shown, line, column, "missing-file", message, remedy, "error")


def _lock(folder: RecipeFolder, recipe: Recipe, places: TomlPlaces) -> Iterator[Finding]:
    shown, hint = str(folder.path / LOCK_FILE), f"d4cbuild lock {folder.where}"
    environment = folder.path / RECIPE_FILE, places.of("build.environment")
    try:
        folder.environment(recipe).lock()
    except D4CError as error:
        yield fault(error, "environment", str(environment[0]), environment[1])
        return
    lock = _read(folder.lock, shown)
    if isinstance(lock, Finding):
        yield lock
    elif lock is None:
        message = "the recipe was never locked"
        yield Finding(shown, 1, 1, "missing-lock", message, hint)
    else:
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

"""What a target is, and what can be said of it: a recipe, a manifest, or any file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Literal

from d4cbuild.base.canonical import parse_json
from d4cbuild.base.digest import FileDigests, digests_of_file
from d4cbuild.build.folder import MANIFEST_FILE, RecipeFolder
from d4cbuild.build.project import RECIPE_FILE
from d4cbuild.bundle.layout import MANIFEST_ENDING
from d4cbuild.errors import D4CError, InputError
from d4cbuild.model.column import Column
from d4cbuild.model.fields import Bilingual
from d4cbuild.model.manifest import ColumnRecord, Manifest, OutputRecord
from d4cbuild.model.parse import MAXIMUM_TEXT_BYTES, record_from_json
from d4cbuild.model.recipe import Dataset, Output, Recipe, Source
from d4cbuild.profile.record import TableProfile
from d4cbuild.profile.table import profile_table
from d4cbuild.store import Store
from d4cbuild.tables.parquet import is_parquet

_NOT_HERE = (
    "the file is not on this machine, so there are no statistics of it",
    "le fichier n’est pas sur cette machine, il n’y en a donc pas de statistiques",
)

Kind = Literal["recipe", "manifest", "parquet", "file"]


@dataclass(frozen=True)
class Note:
    """Something the reader should know.

    Attributes:
        says: What it is, in English.
        fr: And in French.
        next: What to type then; none where there is nothing.
    """

    says: str
    fr: str
    next: str | None = None


@dataclass(frozen=True)
class ShownOutput:
    """An artifact, or a file that is looked at by itself.

    Attributes:
        file: File name.
        format: ``geoparquet``, ``parquet`` or ``file``.
        title: What it holds, where the recipe says so.
        digests: Its size and digests; none where it was never built.
        record: What the manifest says of it, where there is one.
        columns: Its columns as they are declared; empty for a file by itself.
        found: Where it was read: a folder's name, or the store; none if it is not here.
        table: What is in it, where it is here and a table.
        notes: What the reader should know.
    """

    file: str
    format: str
    title: Bilingual | None
    digests: FileDigests | None
    record: OutputRecord | None
    columns: Sequence[Column | ColumnRecord]
    found: str | None
    table: TableProfile | None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Subject:
    """What is shown.

    Attributes:
        kind: What it is.
        name: The dataset's id, or a file name.
        where: The target as it was named.
        dataset: What the dataset is; none for a file by itself.
        recipe: The recipe, where that is the target.
        manifest: Its manifest, where there is one.
        outputs: Its artifacts, or the file itself.
        notes: What the reader should know.
    """

    kind: Kind
    name: str
    where: str
    dataset: Dataset | None
    recipe: Recipe | None
    manifest: Manifest | None
    outputs: tuple[ShownOutput, ...]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Look:
    """How to look.

    Attributes:
        dist: Where artifacts may lie; the folder of the manifest is looked into as well.
        store: Opens the store, where they may also be.
        draw: Whether to draw maps.
    """

    dist: Callable[[Path], Path | None]
    store: Callable[[], Store]
    draw: bool = False

    def at(self, target: Path) -> Subject:
        """Look at a target.

        Args:
            target: A recipe's folder, a bundle, a manifest, or any file.

        Raises:
            InputError: if there is no such thing, or it cannot be read.
        """
        if not target.exists():
            raise InputError(
                "there is no such recipe or file",
                where=str(target),
                hint="name a recipe's folder, such as recipes/statcan-odhf, or a file",
            )
        if target.is_dir() and len(found := list(target.glob(f"*{MANIFEST_ENDING}"))) == 1:
            return self._manifest(found[0])  # a bundle
        if target.is_dir() or target.name == RECIPE_FILE:
            return self._recipe(target.parent if target.name == RECIPE_FILE else target)
        try:
            if is_parquet(target):
                return _parquet(target, self.draw)
            if _is_manifest(target):
                return self._manifest(target)
            digests = digests_of_file(target)
        except OSError as error:
            raise InputError(
                "the file cannot be read", found=str(error.strerror), where=str(target)
            ) from error
        output = ShownOutput(target.name, "file", None, digests, None, (), target.name, None)
        return Subject("file", target.name, str(target), None, None, None, (output,))

    def _recipe(self, path: Path) -> Subject:
        folder = RecipeFolder(path)
        recipe = folder.recipe()
        manifest = folder.manifest() if (path / MANIFEST_FILE).exists() else None
        outputs = (
            self._artifacts(path, recipe.outputs, manifest, f"d4cbuild build {path}")
            if manifest is not None
            else tuple(_declared(recipe, output) for output in recipe.outputs)
        )
        return Subject(
            kind="recipe",
            name=recipe.dataset.id,
            where=str(path),
            dataset=recipe.dataset,
            recipe=recipe,
            manifest=manifest,
            outputs=outputs,
            notes=_notes(folder, recipe, manifest),
        )

    def _manifest(self, path: Path) -> Subject:
        manifest = record_from_json(Manifest, path.read_bytes(), str(path))
        has_recipe = (path.parent / RECIPE_FILE).exists()
        command = f"d4cbuild build {path.parent}" if has_recipe else None
        return Subject(
            kind="manifest",
            name=manifest.dataset.id,
            where=str(path),
            dataset=manifest.dataset,
            recipe=None,
            manifest=manifest,
            outputs=self._artifacts(path.parent, (), manifest, command),
            notes=_release_note(manifest),
        )

    def _artifacts(
        self, folder: Path, declared: Sequence[Output], manifest: Manifest, command: str | None
    ) -> tuple[ShownOutput, ...]:
        titles = {output.name: output.title for output in declared}
        return tuple(
            self._artifact(folder, output, titles.get(output.name), command)
            for output in manifest.outputs
        )

    def _artifact(
        self, folder: Path, output: OutputRecord, title: Bilingual | None, command: str | None
    ) -> ShownOutput:
        path, found, notes = self._find(folder, output, command)
        is_table = output.format != "file"
        return ShownOutput(
            file=output.file,
            format=output.format,
            title=title,
            digests=FileDigests(output.size, output.blake3, output.sha256, output.md5),
            record=output,
            columns=output.columns,
            found=found,
            table=profile_table(path, self.draw) if path is not None and is_table else None,
            notes=notes,
        )

    def _find(
        self, folder: Path, output: OutputRecord, command: str | None
    ) -> tuple[Path | None, str | None, tuple[Note, ...]]:
        """The file with the manifest's bytes, where it was found, and what else is to be said."""
        notes = []
        for place in (folder, self.dist(folder)):
            # A manifest from elsewhere can name anything; what is meant is beside it.
            path = None if place is None else place / PurePath(output.file).name
            if path is None or not path.is_file():
                continue
            # A file of another size need not be read.
            is_alike = path.stat().st_size == output.size
            if is_alike and digests_of_file(path).sha256 == output.sha256:
                return path, path.resolve().parent.name, ()
            english = f"{path} has other bytes than the manifest says"
            french = f"{path} n’a pas les octets que dit le manifeste"
            notes.append(Note(english, french, command))
        path = self.store().get(output.blake3)
        if path is not None:
            return path, "the store", tuple(notes)
        return None, None, (*notes, Note(*_NOT_HERE, command))


def _parquet(path: Path, draw: bool) -> Subject:
    table = profile_table(path, draw)
    form = "geoparquet" if table.geometries else "parquet"
    digests = digests_of_file(path)
    output = ShownOutput(path.name, form, None, digests, None, (), path.name, table)
    return Subject("parquet", path.name, str(path), None, None, None, (output,))


def _declared(recipe: Recipe, output: Output) -> ShownOutput:
    return ShownOutput(
        file=recipe.file_name(output),
        format=output.format,
        title=output.title,
        digests=None,
        record=None,
        columns=output.columns,
        found=None,
        table=None,
    )


def _notes(folder: RecipeFolder, recipe: Recipe, manifest: Manifest | None) -> tuple[Note, ...]:
    notes = []
    lock = folder.lock()
    command = f"d4cbuild lock {folder.where}"
    if lock is None:
        notes.append(Note("the recipe is not locked", "la recette n’est pas verrouillée", command))
    else:
        try:
            reasons = folder.stale_because(recipe, lock)
        except D4CError as error:
            reasons = [error.message]
        if reasons:
            why = "; ".join(reasons)
            french = f"le verrou n’est plus à jour : {why}"
            notes.append(Note(f"the lock is stale: {why}", french, command))
    if manifest is None:
        command = f"d4cbuild build {folder.where}"
        notes.append(Note("it was never built", "elle n’a jamais été produite", command))
        return tuple(notes)
    return (*notes, *_release_note(manifest))


def _release_note(manifest: Manifest) -> tuple[Note, ...]:
    if manifest.releasable:
        return ()
    why = manifest.not_releasable_because or "–"
    english, french = "this build may not be released", "cette production ne peut être publiée"
    return (Note(f"{english}: {why}", f"{french} : {why}"),)


def _is_manifest(path: Path) -> bool:
    if path.name == MANIFEST_FILE:
        return True
    if path.suffix != ".json" or path.stat().st_size > MAXIMUM_TEXT_BYTES:
        return False
    try:
        record: Any = parse_json(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return False  # some other file
    return isinstance(record, dict) and str(record.get("schema")).startswith("d4c.manifest/")


def sources_of(subject: Subject) -> Sequence[Any]:
    """The sources: as built, or else as wanted."""
    if subject.manifest is not None:
        return subject.manifest.sources
    found: tuple[Source, ...] = () if subject.recipe is None else subject.recipe.sources
    return found

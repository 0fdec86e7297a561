"""A recipe drafted of what was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from d4cbuild.drafting import toml
from d4cbuild.drafting.answers import TODO_LICENCE, Answers, guessed
from d4cbuild.drafting.gather import TODO_ADDRESS, RawFile
from d4cbuild.drafting.stubs import attribution, column_stub, described, output_stub
from d4cbuild.errors import InputError
from d4cbuild.model.facts import Facts, NoteFacts, RasterFacts, SourceFacts, TableFacts
from d4cbuild.model.parse import record_from_toml
from d4cbuild.model.recipe import Recipe
from d4cbuild.model.steps import Read

_LONGEST_NAME = 40
_GEOMETRY = "geometry"
_SPARE_BYTES = 256 << 20


@dataclass(frozen=True)
class Unsure:
    """Something that could be otherwise, or has to be decided.

    Attributes:
        about: The output and the column or option; or the source.
        text: What was taken, and why.
        confidence: How sure that is, in percent; ``None`` where it has to be decided.
        write: What to write if it is otherwise.
    """

    about: str
    text: str
    confidence: int | None = None
    write: str | None = None

    @property
    def shown(self) -> str:
        """What is said of it, after what it is about."""
        sure = "to decide" if self.confidence is None else f"guessed, {self.confidence} % sure"
        return f"{sure}: {self.text}"

    def as_json(self) -> dict[str, Any]:
        """For ``--json``; what is absent is left out."""
        record = {"about": self.about, "text": self.text, "confidence": self.confidence}
        record["write"] = self.write
        return {name: value for name, value in record.items() if value is not None}


@dataclass(frozen=True)
class Draft:
    """A drafted recipe.

    Attributes:
        text: ``recipe.toml``.
        recipe: What it says.
        used: The raw files that are its sources.
        copied: Those of them that lie in the recipe's folder.
        unsure: What could be otherwise.
    """

    text: str
    recipe: Recipe
    used: tuple[RawFile, ...]
    copied: tuple[RawFile, ...]
    unsure: tuple[Unsure, ...]


def draft(
    facts: Facts, files: Sequence[RawFile], said: Answers, answers: Answers, copy_up_to: int
) -> Draft:
    """Write a recipe.

    Args:
        facts: What was found in the raw files.
        files: The raw files.
        said: What was said of the dataset.
        answers: The same, completed.
        copy_up_to: Files of at most so many bytes lie in the recipe's folder.

    Raises:
        InputError: if there is nothing in the files that steps can read.
    """
    found = [source for source in facts.sources if source.tables or source.rasters]
    if not found:
        raise _nothing(facts)
    named = list(_named(found))
    wanted = {source.name for source in facts.sources if source.trouble is None}
    used = tuple(file for file in files if file.name in wanted)
    copied = tuple(file for file in used if file.size <= copy_up_to)
    unsure = [*_of_dataset(said, answers, facts, used), *_of_sources(facts)]
    parts = [*_head(answers, said), *_sources(used, copied, answers, facts)]
    parts += _build(named, used)
    for name, thing in named:
        unsure += [_unsure(name, note) for note in thing.notes]
        parts += _output(name, thing, several=len(named) > 1)
    text = "\n".join(parts)
    recipe = record_from_toml(Recipe, text.encode(), "the drafted recipe.toml")
    return Draft(text, recipe, used, copied, tuple(unsure))


def _nothing(facts: Facts) -> InputError:
    troubles = [f"{source.name}: {source.trouble}" for source in facts.sources if source.trouble]
    return InputError(
        "there is no table or raster in what was given",
        expected="CSV, XLSX, JSON, XML, GeoTIFF, or what GDAL reads; also in a zip or tar",
        found="\n".join(troubles) or "nothing",
        hint="mend or unpack the files; or write code: d4cbuild/spec/recipe-1.md",
    )


def _unsure(name: str, note: NoteFacts) -> Unsure:
    return Unsure(f"{name}.{note.about}", note.text, note.confidence, note.write)


def _named(found: Sequence[SourceFacts]) -> Iterator[tuple[str, TableFacts | RasterFacts]]:
    """All tables and rasters, each by a name of its own."""
    taken: set[str] = set()
    for source in found:
        for thing in things_of(source):
            name, count = thing.name, 1
            while name in taken:
                count += 1
                name = f"{thing.name[: _LONGEST_NAME - 3]}_{count}"
            taken.add(name)
            yield name, thing


def things_of(source: SourceFacts) -> list[TableFacts | RasterFacts]:
    """The tables and rasters of a raw file, in the order of the outputs."""
    return [*source.tables, *source.rasters]


def _of_dataset(
    said: Answers, answers: Answers, facts: Facts, used: Sequence[RawFile]
) -> Iterator[Unsure]:
    for name, value in guessed(said, answers).items():
        option = f"--{name}, or dataset.{name} in recipe.toml"
        yield Unsure(f"dataset.{name}", f"taken as {value!r}", 30, option)
    if any(file.url.startswith(TODO_ADDRESS) for file in used):
        text = "the publisher's address is not known"
        yield Unsure("sources.url", text, None, "url in recipe.toml")
    if facts.licence is not None and not said.licence:
        others = f"; also named: {', '.join(facts.licence.others)}" if facts.licence.others else ""
        text = f"{facts.licence.licence}: {facts.licence.evidence}{others}"
        yield Unsure("sources.licence", text, facts.licence.confidence, "licence in recipe.toml")
    elif answers.licence == TODO_LICENCE:
        text = "no licence is named in what came with the files"
        yield Unsure("sources.licence", text, None, "--licence, or licence in recipe.toml")


def _of_sources(facts: Facts) -> Iterator[Unsure]:
    for source in facts.sources:
        yield from (_unsure(source.name, note) for note in source.notes)
        if source.trouble is not None:
            text = f"it is left out: {source.trouble}"
            yield Unsure(source.name, text, None, "mend it, or read it with code")


def _head(answers: Answers, said: Answers) -> Iterator[str]:
    yield 'schema = "d4c.recipe/1"\n'
    dataset = {
        "id": answers.id,
        "region": answers.region,
        "source": answers.source,
        "package": answers.package,
        "topic": answers.topic or None,
        "vintage": answers.vintage,
        "version": "1.0.0",
        "title": {"en": answers.title_en, "fr": answers.title_fr},
        "description": described(answers.id),
    }
    notes = dict.fromkeys(guessed(said, answers), "TODO: guessed")
    yield toml.table("[dataset]", dataset, notes)


def _sources(
    used: Sequence[RawFile], copied: Sequence[RawFile], answers: Answers, facts: Facts
) -> Iterator[str]:
    for file in used:
        values = {
            "name": file.name,
            "url": file.url,
            "mirrors": [f"sources/{file.name}"] if file in copied else None,
            "licence": answers.licence,
            "attribution": attribution(answers.licence),
        }
        notes = {}
        if file.url.startswith(TODO_ADDRESS):
            notes["url"] = "TODO: the publisher's address"
        if answers.licence == TODO_LICENCE:
            notes["licence"] = "TODO"
        elif facts.licence is not None and answers.licence == facts.licence.licence:
            notes["licence"] = f"guessed, {facts.licence.confidence} % sure"
        yield toml.table("[[sources]]", values, notes)


def _build(
    named: Sequence[tuple[str, TableFacts | RasterFacts]], used: Sequence[RawFile]
) -> Iterator[str]:
    # What is read is text and tables at once, in several copies; an archive unpacks to more.
    size = sum(file.size for file in used)
    memory = 1 << max(31, (size * 40 + _SPARE_BYTES).bit_length() - 1)
    resources = {"cpus": 2, "memory": f"{min(memory, 16 << 30) >> 30}GiB", "disk": "4GiB",
                 "time": "10m"}  # fmt: skip
    yield toml.table("[build]", {"environment": "geo", "resources": resources})
    for name, thing in named:
        if isinstance(thing, RasterFacts):
            values = thing.step.as_json() | {"output": name}
            yield _with_comments(thing.notes, toml.table("[[build.steps]]", values))
            continue
        known = {column.name for column in thing.columns}
        notes = [note for note in thing.notes if not _is_of_output(note, known)]
        for step in thing.steps:
            values = step.as_json()
            if isinstance(step, Read):
                values |= {"into": name}
                yield _with_comments(notes, toml.table("[[build.steps]]", values))
            else:
                yield toml.table("[[build.steps]]", values)


def _is_of_output(note: NoteFacts, columns: set[str]) -> bool:
    return note.about in columns or note.about in ("sort_by", "rows", f"{_GEOMETRY}.crs")


def _with_comments(notes: Sequence[NoteFacts], text: str) -> str:
    return "".join(f"{line}\n" for line in toml.comments(_lines(notes))) + text


def _lines(notes: Sequence[NoteFacts]) -> Iterator[str]:
    for note in notes:
        about = note.about
        yield f"{about}: {Unsure(about, note.text, note.confidence).shown}"
        if note.write is not None:
            yield f"  otherwise: {note.write}"


def _output(name: str, thing: TableFacts | RasterFacts, *, several: bool) -> Iterator[str]:
    title = output_stub(name) if several else None
    if isinstance(thing, RasterFacts):
        file = {"name": name, "format": "file", "file": f"{name}.tif", "title": title}
        yield toml.table("[[outputs]]", file)
        return
    has_shapes = thing.geometry is not None
    keys = [f"hilbert({_GEOMETRY})", *thing.key] if has_shapes else list(thing.key)
    values = {
        "name": name,
        "format": "geoparquet" if has_shapes else "parquet",
        "title": title,
        "sort_by": keys,
        "rows": {"min": thing.rows, "max": thing.rows},
    }
    notes = [note for note in thing.notes if note.about in ("sort_by", "rows")]
    yield _with_comments(notes, toml.table("[[outputs]]", values))
    for column in thing.columns:
        yield _with_comments(
            [note for note in thing.notes if note.about.partition(".")[0] == column.name],
            toml.table("[[outputs.columns]]", _column(thing, column.name)),
        )


def _column(table: TableFacts, name: str) -> Mapping[str, Any]:
    (column,) = [each for each in table.columns if each.name == name]
    nullable = column.nulls > 0 or table.rows == 0
    is_key = table.key == (name,) and column.distinct == table.rows > 0
    values: dict[str, Any] = {
        "name": name,
        "type": column.type,
        "nullable": True if nullable else None,
        "unique": True if is_key else None,
    }
    if column.type == "geometry" and table.geometry is not None:
        shapes = table.geometry
        values["geometry_types"] = list(shapes.types) or None
        values["crs"] = None if shapes.crs == "OGC:CRS84" else shapes.crs
        values["valid"] = "repair" if shapes.invalid else None
    return values | {"description": column_stub(column.name, column.given)}

"""What changed between two builds of a dataset, and how much of a change each thing is. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from d4cbuild.bundle.markdown import as_code, as_line
from d4cbuild.model.manifest import ColumnRecord, Manifest, OutputRecord


class Size(IntEnum):
    """How much of a version number a change asks for."""

    NOTHING = 0
    """The same bytes, told in the same words."""

    PATCH = 1
    """Values fixed, words or tools changed."""

    MINOR = 2
    """Columns or coverage added."""

    MAJOR = 3
    """The schema breaks: what reads the last version may not read this one."""


@dataclass(frozen=True)
class RowCounts:
    """How the rows of an output changed, matched by their key.

    Attributes:
        added: Rows that are new.
        removed: Rows that are gone.
        changed: Rows in both, with at least one other value.
    """

    added: int
    removed: int
    changed: int


@dataclass(frozen=True)
class Change:
    """One thing that changed.

    Attributes:
        size: How much it asks for.
        en: What it is, in English, as a sentence.
        fr: The same in French.
    """

    size: Size
    en: str
    fr: str


def changes_between(
    before: Manifest, after: Manifest, rows: Mapping[str, RowCounts]
) -> tuple[Change, ...]:
    """List everything that changed.

    Args:
        before: The last release.
        after: The build to be released.
        rows: For outputs whose rows could be compared, by name.
    """
    old = {output.name: output for output in before.outputs}
    new = {output.name: output for output in after.outputs}
    found = [*_dataset(before, after)]
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            found.append(
                Change(
                    Size.MAJOR,
                    f"Output {as_code(name)} is gone.",
                    f"La sortie {as_code(name)} n’existe plus.",
                )
            )
        elif name not in old:
            found.append(
                Change(
                    Size.MINOR,
                    f"Output {as_code(name)} is new.",
                    f"La sortie {as_code(name)} est nouvelle.",
                )
            )
        else:
            found += _output(old[name], new[name], rows.get(name))
    return (*found, *_ingredients(before, after))


def size_of(changes: tuple[Change, ...]) -> Size:
    """The largest of some changes."""
    return max((change.size for change in changes), default=Size.NOTHING)


def is_toolchain_alone(before: Manifest, after: Manifest) -> bool:
    """Whether bytes changed, but not one table: only tools can have done that."""
    contents = [
        [(each.name, each.content or each.sha256) for each in manifest.outputs]
        for manifest in (before, after)
    ]
    files = [[each.sha256 for each in manifest.outputs] for manifest in (before, after)]
    return contents[0] == contents[1] and files[0] != files[1]


def _dataset(before: Manifest, after: Manifest) -> Iterator[Change]:
    old, new = before.dataset, after.dataset
    if old.vintage != new.vintage:
        now, then = as_line(new.vintage), as_line(old.vintage)
        yield Change(
            Size.MINOR,
            f"The data speak of {now}; before, of {then}.",
            f"Les données portent sur {now}; auparavant, sur {then}.",
        )
    named = ("region", "source", "dguid", "package", "topic", "variant")
    if any(getattr(old, field) != getattr(new, field) for field in named):
        yield Change(
            Size.MAJOR,
            f"The files are named otherwise: {as_code(new.file_base)}.",
            f"Les fichiers portent un autre nom : {as_code(new.file_base)}.",
        )
    told = ("title", "description", "keywords")
    if any(getattr(old, field) != getattr(new, field) for field in told):
        yield Change(
            Size.PATCH,
            "Title, description or keywords were reworded.",
            "Le titre, la description ou les mots-clés ont été reformulés.",
        )


def _output(old: OutputRecord, new: OutputRecord, rows: RowCounts | None) -> Iterator[Change]:
    name = new.name
    if old.format != new.format:
        yield Change(
            Size.MAJOR,
            f"Output {as_code(name)} is {new.format}; before, {old.format}.",
            f"La sortie {as_code(name)} est au format {new.format}; auparavant, {old.format}.",
        )
    yield from _columns(name, old.columns, new.columns)
    if old.sha256 == new.sha256:
        return
    if old.content is not None and old.content == new.content:
        yield Change(
            Size.PATCH,
            f"{as_code(name)} has other bytes, but holds the same table: only the tools changed.",
            f"{as_code(name)} a d’autres octets, mais contient la même table : seuls les outils ont"
            " changé.",
        )
    elif new.content is None or old.content is None:
        yield Change(
            Size.PATCH,
            f"{as_code(name)} has other bytes.",
            f"{as_code(name)} contient d’autres octets.",
        )
    else:
        yield from _rows(name, old.rows or 0, new.rows or 0, rows)


def _columns(
    name: str, old: tuple[ColumnRecord, ...], new: tuple[ColumnRecord, ...]
) -> Iterator[Change]:
    before, after = ({column.name: column for column in columns} for columns in (old, new))
    for gone in [each for each in before if each not in after]:
        yield _column(Size.MAJOR, name, gone, "is gone", "n’existe plus")
    for added in [each for each in after if each not in before]:
        kind = as_line(after[added].type)
        yield _column(Size.MINOR, name, added, f"is new ({kind})", f"est nouvelle ({kind})")
    kept = [each for each in before if each in after]
    for each in kept:
        yield from _column_changes(name, before[each], after[each])
    if kept != [each for each in after if each in before]:
        yield Change(
            Size.MAJOR,
            f"The columns of {as_code(name)} come in another order.",
            f"Les colonnes de {as_code(name)} sont dans un autre ordre.",
        )


def _column_changes(name: str, old: ColumnRecord, new: ColumnRecord) -> Iterator[Change]:
    if old.type != new.type:
        now, then = as_line(new.type), as_line(old.type)
        words = (f"is {now}; before, {then}", f"est {now}; auparavant, {then}")
        yield _column(Size.MAJOR, name, new.name, *words)
    if new.nullable and not old.nullable:
        yield _column(Size.MAJOR, name, new.name, "may now be missing", "peut maintenant être vide")
    if old.nullable and not new.nullable:
        yield _column(Size.PATCH, name, new.name, "is never missing now", "n’est plus jamais vide")
    if old.description != new.description:
        yield _column(Size.PATCH, name, new.name, "is described anew", "est décrite autrement")


def _column(size: Size, output: str, column: str, en: str, fr: str) -> Change:
    return Change(
        size,
        f"Column {as_code(column)} of {as_code(output)} {en}.",
        f"La colonne {as_code(column)} de {as_code(output)} {fr}.",
    )


def _rows(name: str, old: int, new: int, counts: RowCounts | None) -> Iterator[Change]:
    totals = (f"{old:,} to {new:,} rows", f"de {_fr(old)} à {_fr(new)} lignes")
    if counts is None:
        size = Size.PATCH if old == new else Size.MINOR
        yield Change(
            size,
            f"{as_code(name)}: from {totals[0]}; which of them differ was not compared.",
            f"{as_code(name)} : {totals[1]}; les lignes n’ont pas été comparées une à une.",
        )
        return
    size = Size.MINOR if counts.added or counts.removed else Size.PATCH
    yield Change(
        size,
        f"{as_code(name)}: from {totals[0]}: {counts.added:,} added, {counts.removed:,} removed,"
        f" {counts.changed:,} with other values.",
        f"{as_code(name)} : {totals[1]} : {_fr(counts.added)} ajoutées,"
        f" {_fr(counts.removed)} retirées, {_fr(counts.changed)} avec d’autres valeurs.",
    )


def _ingredients(before: Manifest, after: Manifest) -> Iterator[Change]:
    old = {source.name: source for source in before.sources}
    new = {source.name: source for source in after.sources}
    for name in sorted(old.keys() | new.keys()):
        one, other = old.get(name), new.get(name)
        if one is None or other is None or one.sha256 != other.sha256:
            yield Change(
                Size.PATCH,
                f"Source {as_code(name)} is {_state(one is None, other is None)[0]}.",
                f"La source {as_code(name)} {_state(one is None, other is None)[1]}.",
            )
        elif one != other:
            yield Change(
                Size.PATCH,
                f"Source {as_code(name)} has another address, licence or notice.",
                f"La source {as_code(name)} a une autre adresse, licence ou mention.",
            )
    if before.code.blake3 != after.code.blake3:
        yield Change(Size.PATCH, "The recipe’s code changed.", "Le code de la recette a changé.")
    if before.environment.config != after.environment.config:
        yield Change(
            Size.PATCH,
            f"Environment {as_code(after.environment.name)} has other packages.",
            f"L’environnement {as_code(after.environment.name)} a d’autres paquets.",
        )
    if before.derivation.normal_form != after.derivation.normal_form:
        yield Change(
            Size.PATCH,
            "The writer of the normal form changed.",
            "Le programme qui écrit la forme normale a changé.",
        )


def _state(is_new: bool, is_gone: bool) -> tuple[str, str]:
    if is_new:
        return "new", "est nouvelle"
    return ("gone", "n’est plus utilisée") if is_gone else ("another file", "est un autre fichier")


def _fr(number: int) -> str:
    # A narrow space that does not break, as French typography parts thousands.
    return f"{number:,}".replace(",", "\u202f")

"""A realisation as it is passed on: a derivation's outputs, with what a manifest says of them."""

from typing import Annotated, Any, Literal

from pydantic import Field

from d4cbuild.model.fields import Count, DigestField, OutputName, Record


class ColumnFacts(Record):
    """What the normal form reports of a column."""

    name: str
    """Name."""

    type: str
    """Logical type."""

    nullable: bool
    """Whether values may be missing."""

    nulls: Count
    """How many are."""


class TableFacts(Record):
    """What the normal form reports of a table."""

    content: DigestField
    """Digest of the table (``d4c.content/1``)."""

    rows: Count
    """Rows."""

    columns: tuple[ColumnFacts, ...]
    """Columns in order."""

    geometry: dict[str, Any] | None = None
    """For geometry: the GeoParquet description of the primary column."""

    repaired: Count | None = None
    """How many invalid geometries were repaired."""


class FileFacts(Record):
    """What the normal form reports of a plain file that is a container."""

    rewritten: tuple[str, ...] = ()
    """The rewrites done, from the outside in."""

    kept: str | None = None
    """Why it, or what is in it, was kept as the code wrote it."""


class RealisedOutput(Record):
    """One output."""

    name: OutputName
    """Name in the recipe."""

    size: Count
    """Bytes."""

    blake3: DigestField
    """Digest of the bytes; names them in a store."""

    sha256: DigestField
    """Digest of the bytes."""

    md5: DigestField
    """Digest of the bytes."""

    table: TableFacts | None = None
    """What is known of a table; none for a plain file."""

    file: FileFacts | None = None
    """What is known of a plain file, if anything."""

    @property
    def facts(self) -> dict[str, Any]:
        """What the normal form reported, as it did."""
        found = self.table or self.file
        return {} if found is None else found.as_json()


class Realisation(Record):
    """The outputs of a derivation."""

    schema_: Annotated[Literal["d4c.realisation/1"], Field(alias="schema")] = "d4c.realisation/1"
    """Name and version of this format."""

    build_key: DigestField
    """Digest of the derivation."""

    outputs: Annotated[tuple[RealisedOutput, ...], Field(min_length=1)]
    """In the recipe's order."""

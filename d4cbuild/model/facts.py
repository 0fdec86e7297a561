"""What was found in raw files: written in the sandbox, so nothing of it is taken on trust."""

from typing import Annotated, Literal

from pydantic import Field

from d4cbuild.model.column import GEOMETRY_TYPES
from d4cbuild.model.fields import Count, Licence, Name, OutputName, Record, Text
from d4cbuild.model.steps import Columns, Geometry, Raster, Read

Percent = Annotated[int, Field(ge=0, le=100)]
Shown = Annotated[str, Field(max_length=2_000)]


class NoteFacts(Record):
    """A guess, or something to decide."""

    about: Text
    """The column, or the option of a step."""

    text: Text
    """What was taken, and why."""

    confidence: Percent | None = None
    """How sure that is; absent where a person has to decide."""

    write: Text | None = None
    """What to write if it is otherwise."""


class ColumnFacts(Record):
    """A column as it would be declared."""

    name: Name
    """Its name in the output."""

    given: Shown
    """Its name in the file."""

    type: Annotated[str, Field(max_length=10_000)]
    """The narrowest type that holds all values."""

    nulls: Count
    """Rows without a value."""

    distinct: Count | None = None
    """Different values."""

    min: Shown | None = None
    """The least, as text."""

    max: Shown | None = None
    """The greatest, as text."""


class GeometryFacts(Record):
    """The shapes of a table."""

    crs: Literal["OGC:CRS84", "EPSG:4617", "EPSG:3347", "EPSG:3979"]
    """The CRS of the output."""

    types: tuple[Literal[(*GEOMETRY_TYPES, "LinearRing")], ...]  # type: ignore[valid-type]
    """Kinds of shapes."""

    invalid: Count
    """Shapes that are not valid."""

    missing: Count
    """Rows without a shape."""

    has_z: bool
    """Whether some have heights."""

    bounds: tuple[float, ...]
    """x from, y from, x to, y to."""


TableStep = Annotated[Read | Columns | Geometry, Field(discriminator="step")]


class TableFacts(Record):
    """A table that was read."""

    name: OutputName
    """What to call it."""

    steps: Annotated[tuple[TableStep, ...], Field(min_length=1)]
    """What reads and cleans it."""

    rows: Count
    """How many rows it has."""

    columns: Annotated[tuple[ColumnFacts, ...], Field(min_length=1)]
    """Its columns, in order."""

    geometry: GeometryFacts | None = None
    """Its shapes."""

    key: tuple[Name, ...]
    """Columns that tell all rows apart; all of them, if none do."""

    candidates: tuple[tuple[Name, ...], ...] = ()
    """Other such columns."""

    repeated: Count = 0
    """Rows that are like another in every column."""

    notes: tuple[NoteFacts, ...] = ()
    """What could be otherwise."""


class RasterFacts(Record):
    """A raster that was read."""

    name: OutputName
    """What to call it."""

    step: Raster
    """What writes it."""

    width: Count
    """Cells from left to right."""

    height: Count
    """Cells from top to bottom."""

    bands: Count
    """How many bands it has."""

    type: Shown
    """Type of the cells."""

    crs: Shown
    """Its CRS."""

    notes: tuple[NoteFacts, ...] = ()
    """What could be otherwise."""


class SourceFacts(Record):
    """What a raw file holds."""

    name: Name
    """The source's name."""

    tables: tuple[TableFacts, ...] = ()
    """Tables that were read."""

    rasters: tuple[RasterFacts, ...] = ()
    """Rasters that were read."""

    notes: tuple[NoteFacts, ...] = ()
    """What was noticed of the file as a whole."""

    trouble: Shown | None = None
    """Why nothing in it could be read."""


class LicenceFacts(Record):
    """The licence that accompanying texts name."""

    licence: Licence
    """SPDX identifier, or ``LicenseRef-…``."""

    confidence: Percent
    """How sure that is."""

    evidence: Shown
    """Where it is named."""

    others: tuple[Licence, ...] = ()
    """Further licences that are named."""


class Facts(Record):
    """What was found in all raw files of a recipe."""

    schema_: Annotated[Literal["d4c.facts/1"], Field(alias="schema")]
    """Name and version of this format."""

    sources: tuple[SourceFacts, ...]
    """By raw file."""

    licence: LicenceFacts | None = None
    """The licence that accompanying texts name."""

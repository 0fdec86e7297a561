"""``recipe.toml``: what a contributor wants built."""

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from d4cbuild.base.canonical import canonical_digest
from d4cbuild.base.digest import Digest
from d4cbuild.model.column import Column
from d4cbuild.model.fields import (
    Bilingual,
    Bytes,
    Count,
    DatasetId,
    Dguid,
    Keywords,
    Licence,
    OptionalSlug,
    OutputName,
    Record,
    Region,
    Seconds,
    SemanticVersion,
    Slug,
    SourceName,
    Text,
    Vintage,
    WebAddress,
)

MAXIMUM_FILE_NAME = 200
"""Of 255 that disks allow, so that ``.sha256`` or a mirror's own suffix still fits."""


class Dataset(Record):
    """What the dataset is."""

    id: DatasetId
    """Name of the dataset and of its folder under ``recipes/``."""

    region: Region
    """The region covered: ISO 3166-1 or 3166-2, in lower case."""

    source: Slug
    """Short name of the publisher."""

    dguid: Dguid | None = None
    """Dissemination Geography Unique Identifier of the region, where there is one."""

    package: Slug
    """The data package it belongs to."""

    topic: OptionalSlug = ""
    """What the dataset is about."""

    vintage: Vintage
    """The time the data speak of: ISO 8601, at any precision."""

    variant: OptionalSlug = ""
    """Resolution or subset; never a projection."""

    version: SemanticVersion
    """Major: schema break. Minor: columns or coverage added. Patch: values fixed."""

    title: Bilingual
    """Title."""

    description: Bilingual
    """Description: what it holds, for what it is fit, what it leaves out."""

    keywords: Keywords = Keywords()
    """Search words."""

    @property
    def file_base(self) -> str:
        """What the names of all its files begin with, by the project's convention."""
        # Lower case but for the DGUID's type letter: some disks do not tell a from A.
        place = "" if self.dguid is None else f"-{self.dguid[:5]}{self.dguid[5:].lower()}"
        parts = [self.region, f"{self.source}{place}", self.package, self.topic, self.vintage]
        return "_".join([*(part for part in (*parts, self.variant) if part), f"v{self.version}"])


class Source(Record):
    """A raw file that the publisher serves."""

    name: SourceName
    """File name in the sandbox: ``/d4c/sources/<name>``."""

    url: WebAddress
    """The publisher's address."""

    member: Text | None = None
    """Where ``url`` is a zip and the source is one file in it: that file's name in the zip."""

    mirrors: tuple[Text, ...] = ()
    """Copies: https address, rclone ``remote:path``, or a path in the recipe's folder."""

    licence: Licence
    """SPDX identifier, or ``LicenseRef-…``."""

    redistributable: bool | None = None
    """Whether copies may be passed on, where the licence alone does not say so."""

    attribution: Bilingual
    """The notice the licence asks for."""

    @field_validator("mirrors")
    @classmethod
    def _mirrors_stay_inside(cls, mirrors: tuple[str, ...]) -> tuple[str, ...]:
        for mirror in mirrors:
            if ":" in mirror:
                continue
            path = PurePosixPath(mirror)
            if path.is_absolute() or ".." in path.parts:
                raise ValueError(f"{mirror!r} leaves the recipe's folder")
        return mirrors


class Resources(Record):
    """Limits of a build. They decide whether it finishes, never what it writes."""

    cpus: Annotated[int, Field(ge=1, le=256)] = 2
    """CPUs, and threads of the libraries."""

    memory: Bytes = 2 << 30
    """Memory of all processes together, in bytes; written as ``2GiB``."""

    disk: Bytes = 4 << 30
    """``/tmp`` and ``/d4c/out`` together, in bytes; written as ``4GiB``."""

    time: Seconds = 600
    """Wall-clock time, in seconds; written as ``10m``."""


class BuildStep(Record):
    """What is run."""

    environment: Slug = "geo"
    """A folder under ``environments/``."""

    command: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Program and arguments; the working directory is the recipe's code."""

    resources: Resources = Resources()
    """Limits."""


class RowBounds(Record):
    """How many rows an output may have."""

    min: Count = 0
    """At least."""

    max: Count | None = None
    """At most."""

    @model_validator(mode="after")
    def _are_bounds(self) -> "RowBounds":
        if self.max is not None and self.max < self.min:
            raise ValueError(f"max {self.max} is below min {self.min}")
        return self


class Output(Record):
    """A file the build makes."""

    name: OutputName
    """The code writes ``/d4c/out/<name>.parquet``, or ``/d4c/out/<file>`` for other formats."""

    format: Literal["geoparquet", "parquet", "file"]
    """``file`` is a plain file; a known container is rewritten, any other is kept as it is."""

    file: SourceName | None = None
    """For ``format = "file"``: the name the code gives it."""

    container: Literal["as-is"] | None = None
    """For ``format = "file"``: ``as-is`` keeps also a known container as the code wrote it."""

    kind: Annotated[Literal["bitwise", "attested"], Field(alias="class")] = "bitwise"
    """``attested``: made by a step no outsider can run; recorded, never called rebuilt."""

    reason: Text | None = None
    """Why an output is only attested."""

    title: Bilingual | None = None
    """What this output holds, where the dataset has several."""

    sort_by: tuple[Text, ...] = ()
    """Columns of the row order, a total order; ``hilbert(geometry)`` orders by place."""

    rows: RowBounds = RowBounds()
    """How many rows are plausible."""

    columns: tuple[Column, ...] = ()
    """Columns in order."""

    @model_validator(mode="after")
    def _is_coherent(self) -> "Output":
        if self.kind == "attested" and self.reason is None:
            raise ValueError('class = "attested" needs a reason')
        if self.format == "file":
            return self._is_coherent_file()
        if self.file is not None:
            raise ValueError('file is for format = "file"')
        if self.container is not None:
            raise ValueError('container is for format = "file"')
        names = [column.name for column in self.columns]
        if not names:
            raise ValueError("columns must be declared")
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"columns declared twice: {', '.join(repeated)}")
        if not self.sort_by:
            raise ValueError("sort_by must be given: rows without an order have no one form")
        self._check_order()
        if self.format == "geoparquet" and not any(c.type == "geometry" for c in self.columns):
            raise ValueError("a geoparquet output needs a geometry column")
        return self

    def _check_order(self) -> None:
        columns = {column.name: column for column in self.columns}
        if repeated := sorted({key for key in self.sort_by if self.sort_by.count(key) > 1}):
            raise ValueError(f"sort_by names twice: {', '.join(repeated)}")
        for key in self.sort_by:
            column = columns.get(sort_column(key))
            if column is None:
                raise ValueError(f"sort_by names {key!r}, which is no declared column")
            by_place = key != column.name
            if by_place and column.type != "geometry":
                raise ValueError(f"sort_by has {key!r}, but {column.name} is {column.type}")
            if not by_place and column.logical_type.has_no_order:
                hint = f"; hilbert({key}) has one" if column.type == "geometry" else ""
                raise ValueError(f"sort_by names {key!r}, but {column.type} has no order{hint}")

    def _is_coherent_file(self) -> "Output":
        if self.file is None:
            raise ValueError('format = "file" needs file: the name the code gives it')
        if self.columns or self.sort_by:
            raise ValueError('format = "file" has neither columns nor sort_by')
        return self

    @property
    def has_one_form(self) -> bool:
        """Whether it may be written anew after the code wrote it."""
        return self.format != "file" or self.container is None

    @property
    def written_as(self) -> str:
        """The file name the code writes under ``/d4c/out``."""
        return self.file if self.file is not None else f"{self.name}.parquet"


def sort_column(key: str) -> str:
    """The column a ``sort_by`` entry speaks of."""
    return key[len("hilbert(") : -1] if key.startswith("hilbert(") and key.endswith(")") else key


class Recipe(Record):
    """A whole ``recipe.toml``."""

    schema_: Annotated[Literal["d4c.recipe/1"], Field(alias="schema")]
    """Name and version of this format."""

    dataset: Dataset
    """What the dataset is."""

    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    """Raw files."""

    build: BuildStep
    """What is run."""

    parameters: dict[str, Any] = {}
    """Free; reaches the code as JSON."""

    outputs: Annotated[tuple[Output, ...], Field(min_length=1)]
    """What is made."""

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Recipe":
        for what, names in (
            ("sources", [source.name for source in self.sources]),
            ("outputs", [output.name for output in self.outputs]),
            ("files of outputs", [output.written_as for output in self.outputs]),
        ):
            if repeated := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"{what} with one name: {', '.join(repeated)}")
        for output in self.outputs:
            if len(name := self.file_name(output)) > MAXIMUM_FILE_NAME:
                raise ValueError(
                    f"the file name {name} would have {len(name)} characters, more than"
                    f" {MAXIMUM_FILE_NAME}: shorten source, package, topic or variant"
                )
        return self

    @property
    def digest(self) -> Digest:
        """Digest of the recipe's meaning: comments and white space do not change it."""
        return canonical_digest(self.as_json())

    def file_name(self, output: Output) -> str:
        """The convention's name of an output's file, computed and never typed."""
        parts = [self.dataset.file_base]
        parts += [output.name] if len(self.outputs) > 1 else []
        extension = PurePosixPath(output.written_as).suffix or ".bin"
        return "_".join(parts) + extension

"""``recipe.toml``: what a contributor wants built."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

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
    require_fit,
)
from d4cbuild.model.flow import Flow
from d4cbuild.model.steps import Step

STEPS_COMMAND = ("python3", "process.py")
"""Runs what a recipe's steps are written as."""

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

    @model_validator(mode="after")
    def _mirrors_stay_inside(self) -> "Source":
        require_fit(
            (f"mirrors[{i}]", f"{mirror!r} leaves the recipe's folder")
            for i, mirror in enumerate(self.mirrors)
            if ":" not in mirror
            and (PurePosixPath(mirror).is_absolute() or ".." in PurePosixPath(mirror).parts)
        )
        return self


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

    command: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    """Program and arguments; the working directory is the recipe's code."""

    steps: Annotated[tuple[Step, ...], Field(min_length=1)] | None = None
    """Instead of a command: built-in steps, one after the other."""

    resources: Resources = Resources()
    """Limits."""

    @model_validator(mode="after")
    def _has_one_of_both(self) -> "BuildStep":
        if (self.command is None) == (self.steps is None):
            raise ValueError("either command or steps must be given, and not both")
        return self

    @property
    def run(self) -> tuple[str, ...]:
        """What is run: the command, or the code that the steps are written as."""
        return STEPS_COMMAND if self.command is None else self.command


class RowBounds(Record):
    """How many rows an output may have."""

    min: Count = 0
    """At least."""

    max: Count | None = None
    """At most."""

    @model_validator(mode="after")
    def _are_bounds(self) -> "RowBounds":
        if self.max is not None and self.max < self.min:
            require_fit([("max", f"max {self.max} is below min {self.min}")])
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
        require_fit([*self._class_misfits(), *self._misfits()])
        return self

    def _class_misfits(self) -> Iterator[tuple[str, str]]:
        if self.kind == "attested" and self.reason is None:
            yield "class", 'class = "attested" needs a reason'

    def _misfits(self) -> Iterator[tuple[str, str]]:
        if self.format == "file":
            if self.file is None:
                yield "format", 'format = "file" needs file: the name the code gives it'
            for field in ("columns", "sort_by"):
                if getattr(self, field):
                    yield field, 'format = "file" has neither columns nor sort_by'
            return
        for field in ("file", "container"):
            if getattr(self, field) is not None:
                yield field, f'{field} is for format = "file"'
        if not self.columns:
            yield "", "columns must be declared"
        elif self.format == "geoparquet" and not any(c.type == "geometry" for c in self.columns):
            yield "format", "a geoparquet output needs a geometry column"
        names = [column.name for column in self.columns]
        for i, name in enumerate(names):
            if name in names[:i]:
                yield f"columns[{i}].name", f"columns declared twice: {name}"
        if not self.sort_by:
            yield "", "sort_by must be given: rows without an order have no one form"
        if self.columns:
            yield from self._order_misfits()

    def _order_misfits(self) -> Iterator[tuple[str, str]]:
        columns = {column.name: column for column in self.columns}
        for i, key in enumerate(self.sort_by):
            place, column = f"sort_by[{i}]", columns.get(sort_column(key))
            if key in self.sort_by[:i]:
                yield place, f"sort_by names twice: {key}"
            elif column is None:
                yield place, f"sort_by names {key!r}, which is no declared column"
            elif key != column.name and column.type != "geometry":
                yield place, f"sort_by has {key!r}, but {column.name} is {column.type}"
            elif key == column.name and column.logical_type.has_no_order:
                hint = f"; hilbert({key}) has one" if column.type == "geometry" else ""
                yield place, f"sort_by names {key!r}, but {column.type} has no order{hint}"

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
    def _names_fit(self) -> "Recipe":
        require_fit([*self._repeated_names(), *self._long_names()])
        return self

    def _repeated_names(self) -> Iterator[tuple[str, str]]:
        sources = [source.name for source in self.sources]
        outputs = [output.name for output in self.outputs]
        files = [output.written_as for output in self.outputs]
        for i, name in enumerate(sources):
            if name in sources[:i]:
                yield f"sources[{i}].name", f"sources with one name: {name}"
        for i, (name, file) in enumerate(zip(outputs, files, strict=True)):
            if name in outputs[:i]:
                yield f"outputs[{i}].name", f"outputs with one name: {name}"
            elif file in files[:i]:
                yield f"outputs[{i}].file", f"files of outputs with one name: {file}"

    def _long_names(self) -> Iterator[tuple[str, str]]:
        for i, output in enumerate(self.outputs):
            if len(name := self.file_name(output)) > MAXIMUM_FILE_NAME:
                yield (
                    "dataset" if len(self.outputs) == 1 else f"outputs[{i}].name",
                    f"the file name {name} would have {len(name)} characters, more than"
                    f" {MAXIMUM_FILE_NAME}: shorten source, package, topic or variant",
                )

    @model_validator(mode="after")
    def _steps_lead_to_outputs(self) -> "Recipe":
        flow = self.flow()
        require_fit(() if flow is None else flow.faults)
        return self

    def flow(self) -> Flow | None:
        """How tables go from step to step, and to the outputs; ``None`` where there is code."""
        if self.build.steps is None:
            return None
        return Flow.of(
            self.build.steps,
            sources=[source.name for source in self.sources],
            tables=[output.name for output in self.outputs if output.format != "file"],
            files=[output.name for output in self.outputs if output.format == "file"],
        )

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

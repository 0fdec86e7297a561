"""``manifest.json``: the record of a finished build. No clock, host, user or duration is in it."""

from typing import Annotated, Any, Literal

from pydantic import Field

from d4cbuild.model.derivation import Derivation
from d4cbuild.model.fields import Bilingual, Count, DigestField, GitHash, Licence, Record, Slug
from d4cbuild.model.recipe import Dataset


class SourceRecord(Record):
    """A source: which bytes, and where they came from."""

    name: str
    """Name in the recipe."""

    url: str
    """The publisher's address."""

    member: str | None = None
    """The file inside the zip at ``url``, where that is what was used."""

    mirrors: tuple[str, ...]
    """Where copies are."""

    licence: Licence
    """SPDX identifier."""

    attribution: Bilingual
    """The notice the licence asks for."""

    size: Count
    """Bytes."""

    blake3: DigestField
    """Digest."""

    sha256: DigestField
    """Digest."""


class CodeRecord(Record):
    """The recipe's code."""

    commit: GitHash | None = None
    """The commit it was built from; none if it was built from uncommitted files."""

    tree: GitHash | None = None
    """The git tree of the recipe's folder at that commit."""

    swhid: str | None = None
    """Software Heritage's name of that tree."""

    blake3: DigestField
    """Digest of the code's canonical tar."""


class EnvironmentRecord(Record):
    """The image the build ran in."""

    name: Slug
    """Folder under ``environments/``."""

    config: DigestField
    """OCI image configuration."""

    manifest: DigestField
    """OCI image manifest."""

    packages: tuple[str, ...]
    """Package URLs (purl) of all that is in it."""


class ColumnRecord(Record):
    """A column as written."""

    name: str
    """Name."""

    type: str
    """Logical type."""

    nullable: bool
    """Whether values may be missing."""

    description: Bilingual
    """What it holds."""

    nulls: Count
    """How many values are missing."""


class OutputRecord(Record):
    """An artifact."""

    name: str
    """Name in the recipe."""

    file: str
    """File name by the project's convention."""

    format: str
    """``geoparquet``, ``parquet`` or ``file``."""

    kind: Annotated[Literal["bitwise", "attested"], Field(alias="class")]
    """What can be said of a rebuild."""

    size: Count
    """Bytes."""

    blake3: DigestField
    """Digest of the bytes."""

    sha256: DigestField
    """Digest of the bytes."""

    md5: DigestField
    """Digest of the bytes, for archives that report nothing better."""

    content: DigestField | None = None
    """Digest of the table (``d4c.content/1``); none for plain files."""

    rows: Count | None = None
    """Rows; none for plain files."""

    columns: tuple[ColumnRecord, ...] = ()
    """Columns in order."""

    geometry: dict[str, Any] | None = None
    """For geometry: the GeoParquet description of the primary column."""

    repaired: Count | None = None
    """How many invalid geometries were repaired."""

    rewritten: tuple[str, ...] | None = None
    """For a container: the rewrites done, from the outside in, such as ``d4c.zip/1``."""

    kept: str | None = None
    """Why a known container, or what is in it, was kept as the code wrote it."""


class Manifest(Record):
    """A whole ``manifest.json``."""

    schema_: Annotated[Literal["d4c.manifest/1"], Field(alias="schema")] = "d4c.manifest/1"
    """Name and version of this format."""

    dataset: Dataset
    """What the dataset is."""

    build_key: DigestField
    """Digest of the derivation."""

    derivation: Derivation
    """Everything that decided the bytes."""

    sources: tuple[SourceRecord, ...]
    """Where the raw files came from."""

    code: CodeRecord
    """Where the code came from."""

    environment: EnvironmentRecord
    """What the image was made of."""

    outputs: tuple[OutputRecord, ...]
    """What was made."""

    releasable: bool
    """Whether this build may be released; a build of uncommitted code may not."""

    not_releasable_because: str | None = None
    """Why it may not."""

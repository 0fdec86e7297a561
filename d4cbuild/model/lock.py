"""``recipe.lock``: what was found when a recipe was resolved, sealed to the recipe."""

from typing import Annotated, Literal

from pydantic import Field

from d4cbuild.model.fields import Count, DigestField, Epoch, GitHash, Record, Slug, SourceName


class LockedSource(Record):
    """The exact bytes of one source."""

    name: SourceName
    """The source's name in the recipe."""

    size: Count
    """Bytes."""

    blake3: DigestField
    """Name of the bytes in the store."""

    sha256: DigestField
    """For everyone else."""


class LockedCode(Record):
    """The recipe's code: where it was found, and which bytes it is."""

    commit: GitHash
    """The commit that brought this code (provenance)."""

    tree: GitHash
    """The git tree of the recipe's folder at that commit (provenance)."""

    blake3: DigestField
    """BLAKE3 of the code's canonical tar (identity)."""


class LockedImage(Record):
    """The environment's image."""

    name: Slug
    """The environment's folder under ``environments/``."""

    config: DigestField
    """SHA-256 of the OCI image configuration: Docker's image ID."""

    manifest: DigestField
    """SHA-256 of the OCI image manifest: the ID with containerd's image store."""


class Lock(Record):
    """A whole ``recipe.lock``."""

    schema_: Annotated[Literal["d4c.lock/1"], Field(alias="schema")] = "d4c.lock/1"
    """Name and version of this format."""

    recipe: DigestField
    """The recipe's digest this lock is sealed to."""

    sources: tuple[LockedSource, ...]
    """In the recipe's order."""

    code: LockedCode
    """The recipe's code."""

    environment: LockedImage
    """The environment's image."""

    source_date_epoch: Epoch
    """The build's clock, in seconds since 1970; the time of the code's commit."""

"""What is known of a bundle while it is made; the pages and metadata in it are made from this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from d4cbuild.base.digest import FileDigests, SizeAndSha256
from d4cbuild.model.manifest import Manifest, SourceRecord

Role = Literal[
    "data",
    "manifest",
    "attestation",
    "source artifacts",
    "sources",
    "packages",
    "image",
    "script",
]


@dataclass(frozen=True)
class BundledFile:
    """A file of a bundle, whole: where it was split, ``parts`` are what lies in the folder.

    Attributes:
        name: File name.
        role: What it is.
        digests: Size and digests of the whole file; of what only fat bundles hold, SHA-256 alone.
        parts: Names of its parts, in order; empty where it lies there in one piece.
    """

    name: str
    role: Role
    digests: FileDigests | SizeAndSha256
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class LeftOut:
    """A raw source that is not in a fat bundle.

    Attributes:
        source: The source.
        reason: Why, in English and French.
    """

    source: SourceRecord
    reason: dict[str, str]


@dataclass(frozen=True)
class BundleFacts:
    """A bundle.

    Attributes:
        manifest: What was built.
        base: What the names of the dataset's files begin with: the convention's name without
            output and extension.
        fat: Whether raw sources, packages and image are in it.
        files: What is in it, sorted by name, without the pages and metadata made from this record.
        left_out: Sources that a fat bundle would hold, if it were allowed.
        source_date_epoch: Seconds since 1970: the one time in the bundle, that of the recipe's
            code.
        notes: What changed since the release before, as Markdown, by language (``en``, ``fr``);
            none for what was not released.
    """

    manifest: Manifest
    base: str
    fat: bool
    files: tuple[BundledFile, ...]
    left_out: tuple[LeftOut, ...]
    source_date_epoch: int
    notes: dict[str, str] | None = None

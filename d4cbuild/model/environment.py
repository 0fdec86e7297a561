"""``environment.toml`` (wanted) and ``environment.lock`` (found): a container filesystem."""

from typing import Annotated, Literal

from pydantic import Field

from d4cbuild.base.canonical import canonical_digest
from d4cbuild.base.digest import Digest
from d4cbuild.base.sameness import CPU_FLOOR, PLATFORM
from d4cbuild.model.fields import (
    MAXIMUM_INTEGER,
    Bilingual,
    DigestField,
    Platform,
    Record,
    Slug,
    Text,
)

AbsolutePath = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9_.+@-]+)+$", max_length=1000)]


class DebianPackages(Record):
    """What is taken from Debian's ``main``."""

    suite: Literal["bookworm"]
    """The suite; no other is stable enough to stay available unchanged."""

    packages: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Packages asked for; what they depend on is found when locking."""

    without: tuple[Text, ...] = ()
    """Dependencies left out on purpose, because nothing here needs them."""

    drop: tuple[Text, ...] = ()
    """Path prefixes not unpacked, such as ``/usr/share/man``."""

    keep: tuple[Text, ...] = ()
    """Paths under a dropped prefix unpacked all the same; ``*`` stands for one whole name."""


class PythonPackages(Record):
    """What is taken as wheels."""

    version: Literal["3.11"]
    """Debian bookworm's Python."""

    requirements: tuple[Text, ...]
    """Requirements asked for; what they depend on is found when locking."""


class Environment(Record):
    """A whole ``environment.toml``."""

    schema_: Annotated[Literal["d4c.environment/1"], Field(alias="schema")]
    """Name and version of this format."""

    name: Slug
    """Name of the environment and of its folder under ``environments/``."""

    description: Bilingual
    """What it is for."""

    platform: Platform = PLATFORM
    """Operating system and architecture."""

    cpu_floor: Literal["x86-64-v3"] = CPU_FLOOR
    """CPU features that every machine must have and none may go beyond."""

    debian: DebianPackages
    """Debian packages: the base layer."""

    python: PythonPackages
    """Wheels: the second layer."""

    directories: dict[AbsolutePath, Annotated[str, Field(pattern=r"^[01]?[0-7]{3}$")]] = {}
    """Folders to make, with their modes in octal."""

    links: dict[AbsolutePath, Text] = {}
    """Symbolic links: what maintainer scripts would have made."""

    files: dict[AbsolutePath, str] = {}
    """Small files with their text: what maintainer scripts would have written."""

    probe: dict[Slug, tuple[Text, ...]] = {}
    """Commands whose one-line answer names the version of something inside a package."""

    @property
    def digest(self) -> Digest:
        """Digest of the meaning: comments and white space do not change it."""
        return canonical_digest(self.as_json())


class LockedPackage(Record):
    """One package file, by name and hash and never by host."""

    purl: Annotated[str, Field(pattern=r"^pkg:(deb/debian|pypi)/[^\s]+@[^\s]+$")]
    """Package URL."""

    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.+~/%:-]+$", max_length=500)]
    """For Debian its path in the pool, for a wheel its file name."""

    size: Annotated[int, Field(gt=0, le=MAXIMUM_INTEGER)]
    """Bytes."""

    sha256: DigestField
    """Digest of the file."""

    @property
    def is_debian(self) -> bool:
        """Whether this is a Debian package, rather than a wheel."""
        return self.purl.startswith("pkg:deb/")

    @property
    def name(self) -> str:
        """The package's name."""
        return self.purl.split("@", 1)[0].rsplit("/", 1)[1]

    @property
    def version(self) -> str:
        """The package's version."""
        return self.purl.split("@", 1)[1].split("?", 1)[0].replace("%2B", "+").replace("%3A", ":")


class LockedLayer(Record):
    """One layer of the image."""

    name: Slug
    """``base`` or ``wheels``."""

    sha256: DigestField
    """Digest of the uncompressed tar: both its OCI digest and its diff ID."""

    size: Annotated[int, Field(gt=0, le=MAXIMUM_INTEGER)]
    """Bytes of the tar."""


class EnvironmentLock(Record):
    """A whole ``environment.lock``."""

    schema_: Annotated[Literal["d4c.environment.lock/1"], Field(alias="schema")] = (
        "d4c.environment.lock/1"
    )
    """Name and version of this format."""

    environment: DigestField
    """Digest of the ``environment.toml`` this lock is sealed to."""

    packages: tuple[LockedPackage, ...]
    """Every package, sorted by purl."""

    layers: tuple[LockedLayer, ...]
    """Layers, lowest first."""

    config: DigestField
    """OCI image configuration: Docker's image ID."""

    manifest: DigestField
    """OCI image manifest: the ID with containerd's image store."""

    versions: dict[Slug, str] = {}
    """What the probes of the environment answered."""

"""What ``d4cbuild env show`` tells of an environment."""

from dataclasses import asdict, dataclass
from typing import Any

from d4cbuild.environment.definition import EnvironmentFolder
from d4cbuild.environment.images import stored_image
from d4cbuild.environment.oci import image_reference
from d4cbuild.store.store import Store


@dataclass(frozen=True, slots=True)
class DescribedPackage:
    """One package.

    Attributes:
        kind: ``deb`` or ``wheel``.
        name: Its name.
        version: Its version.
        size: Bytes of the package file.
        sha256: Digest of the package file, in hex.
        purl: Package URL.
        fetched: Whether the file is in the store.
    """

    kind: str
    name: str
    version: str
    size: int
    sha256: str
    purl: str
    fetched: bool


@dataclass(frozen=True, slots=True)
class Description:
    """A locked environment.

    Attributes:
        name: Its name.
        text: What it is for, by language (``en``, ``fr``).
        platform: Operating system and architecture.
        cpu_floor: CPU features that it may use.
        definition: Digest of ``environment.toml``.
        config: Docker's image ID.
        manifest: The ID with containerd's image store.
        reference: What the image is called after ``docker load``.
        versions: What the probes answered: GDAL, GEOS, PROJ and so on.
        packages: Every package, Debian's first.
        layers: Bytes unpacked, per layer.
        package_bytes: Bytes of all package files.
        image_bytes: Bytes of all layers.
        built: Whether the image is in the store.
    """

    name: str
    text: dict[str, str]
    platform: str
    cpu_floor: str
    definition: str
    config: str
    manifest: str
    reference: str
    versions: dict[str, str]
    packages: tuple[DescribedPackage, ...]
    layers: dict[str, int]
    package_bytes: int
    image_bytes: int
    built: bool

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values for ``--json``."""
        return asdict(self)


def describe(folder: EnvironmentFolder, store: Store) -> Description:
    """Describe a locked environment.

    Raises:
        StaleLock: if it is not locked, or changed since.
    """
    environment, lock = folder.environment(), folder.lock()
    packages = tuple(
        DescribedPackage(
            kind="deb" if package.is_debian else "wheel",
            name=package.name,
            version=package.version,
            size=package.size,
            sha256=package.sha256.hex,
            purl=package.purl,
            fetched=store.find(package.sha256) is not None,
        )
        for package in lock.packages
    )
    return Description(
        name=environment.name,
        text={"en": environment.description.en, "fr": environment.description.fr},
        platform=environment.platform,
        cpu_floor=environment.cpu_floor,
        definition=str(lock.environment),
        config=str(lock.config),
        manifest=str(lock.manifest),
        reference=image_reference(environment.name, lock.config),
        versions=dict(lock.versions),
        packages=packages,
        layers={layer.name: layer.size for layer in lock.layers},
        package_bytes=sum(package.size for package in packages),
        image_bytes=sum(layer.size for layer in lock.layers),
        built=stored_image(environment.name, lock, store) is not None,
    )

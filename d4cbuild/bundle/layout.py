"""How the files of a bundle are named, and what lies in its archives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from d4cbuild.model.manifest import Manifest

SUMS: Final = "SHA256SUMS"
SCRIPT: Final = "rebuild.sh"
PART: Final = ".part-"
IMAGE: Final = ".image.tar"
MANIFEST_ENDING: Final = ".manifest.json"
ATTESTATION: Final = ".intoto.json"
NOTES: Final = {"en": "RELEASE-NOTES.md", "fr": "NOTES-DE-VERSION.md"}

# In the archive of source artifacts.
RECIPE: Final = "recipe"
README: Final = "README.md"
CODE: Final = "code"
HISTORY: Final = "history.gitbundle"
NAMES: Final = "swhid.txt"
ENVIRONMENT: Final = "environment"
NORMAL_FORM: Final = "lib/d4cbuild/normalform"
FORMATS: Final = "formats"
OWN_SOURCE: Final = "d4cbuild"
PARAMETERS: Final = "job/parameters.json"
NORMALISATION: Final = "job/normalise.json"


@dataclass(frozen=True)
class Layout:
    """The names of a bundle's files.

    Attributes:
        base: What the names of the dataset's files begin with.
        environment: What the names of the environment's files begin with. Bundles of other datasets
            that were built in the same image have files of the same names and bytes.
    """

    base: str
    environment: str

    @classmethod
    def of(cls, manifest: Manifest) -> Layout:
        """The names for what a manifest records."""
        image = manifest.environment
        return cls(manifest.dataset.file_base, f"environment-{image.name}-{image.config.short}")

    @property
    def manifest(self) -> str:
        """The manifest."""
        return f"{self.base}{MANIFEST_ENDING}"

    @property
    def source_artifacts(self) -> str:
        """Everything the data were made with but raw files and packages."""
        return f"{self.base}.source-artifacts.tar"

    @property
    def sources(self) -> str:
        """The raw files."""
        return f"{self.base}.sources.tar"

    @property
    def packages(self) -> str:
        """The packages of the environment."""
        return f"{self.environment}.packages.tar"

    @property
    def image(self) -> str:
        """The environment, assembled: an OCI image layout, and what ``docker load`` reads."""
        return f"{self.environment}{IMAGE}"

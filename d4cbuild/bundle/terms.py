"""What all pages and metadata of a bundle say alike: publisher, licences, media types, dates."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from d4cbuild.bundle.facts import BundledFile, BundleFacts, Role
from d4cbuild.model.manifest import OutputRecord

Language = Literal["en", "fr"]

PUBLISHER = "Data for Canada"
PUBLISHER_ADDRESS = "https://dataforcanada.org/"
SOFTWARE_ADDRESS = "https://dataforcanada.org/d4cbuild"
SUMS = "SHA256SUMS"
PAGES: dict[Language, str] = {"en": "README.md", "fr": "LISEZMOI.md"}
RO_CRATE = "ro-crate-metadata.json"
DATACITE = "metadata.json"
DATA_PACKAGE = "datapackage.json"
PARQUET_TYPE = "application/vnd.apache.parquet"

PURPOSES: dict[Language, dict[Role, str]] = {
    "en": {
        "data": "the data",
        "manifest": "the record of the build: every ingredient and every output, with digests",
        "attestation": "a signed statement about the build or a rebuild",
        "source artifacts": (
            "recipe, lock, code with its history, definition of the environment, format pages"
            " and source of d4cbuild"
        ),
        "sources": "the raw files as their publishers served them",
        "packages": "the packages that the environment is made of",
        "image": "the environment, ready to run",
        "script": "makes the data again, without d4cbuild and without a network",
    },
    "fr": {
        "data": "les données",
        "manifest": (
            "le relevé de la production : chaque ingrédient et chaque fichier produit,"
            " avec leurs empreintes"
        ),
        "attestation": "une déclaration signée au sujet de la production ou d’une reconstruction",
        "source artifacts": (
            "recette, verrou, code et son historique, définition de l’environnement,"
            " pages de formats et code source de d4cbuild"
        ),
        "sources": "les fichiers bruts, tels que leurs éditeurs les ont diffusés",
        "packages": "les paquets logiciels dont l’environnement est fait",
        "image": "l’environnement, prêt à l’emploi",
        "script": "reproduit les données, sans d4cbuild et sans réseau",
    },
}
"""What a file is for, by its role."""

_TYPES_BY_EXTENSION = {
    ".parquet": PARQUET_TYPE,
    ".json": "application/json",
    ".md": "text/markdown",
    ".tar": "application/x-tar",
    ".zip": "application/zip",
    ".csv": "text/csv",
    ".sh": "application/x-sh",
    ".txt": "text/plain",
}


@dataclass(frozen=True)
class LicenceTerms:
    """A licence as people know it.

    Attributes:
        identifier: SPDX identifier or ``LicenseRef-…``.
        title: Its name, by language.
        address: Where its text is, by language; empty where that is not known.
    """

    identifier: str
    title: dict[Language, str]
    address: dict[Language, str]

    @property
    def is_in_spdx(self) -> bool:
        """Whether the identifier is one of SPDX's list."""
        return not self.identifier.startswith("LicenseRef-")


_KNOWN_LICENCES: dict[str, LicenceTerms] = {
    each.identifier: each
    for each in (
        LicenceTerms(
            "OGL-Canada-2.0",
            {
                "en": "Open Government Licence – Canada, version 2.0",
                "fr": "Licence du gouvernement ouvert – Canada, version 2.0",
            },
            {
                "en": "https://open.canada.ca/en/open-government-licence-canada",
                "fr": "https://ouvert.canada.ca/fr/licence-du-gouvernement-ouvert-canada",
            },
        ),
        LicenceTerms(
            "LicenseRef-StatCan-Open-Licence",
            {
                "en": "Statistics Canada Open Licence",
                "fr": "Licence ouverte de Statistique Canada",
            },
            {
                "en": "https://www.statcan.gc.ca/en/reference/licence",
                "fr": "https://www.statcan.gc.ca/fr/reference/licence",
            },
        ),
    )
}


_KNOWN_COLLECTORS = {"statcan": "Statistics Canada", "elections-canada": "Elections Canada"}


def collector(facts: BundleFacts) -> str:
    """Who collected the raw data: the name, or, where it is not known here, the short name."""
    source: str = facts.manifest.dataset.source
    return _KNOWN_COLLECTORS.get(source, source)


def licence_terms(identifier: str) -> LicenceTerms:
    """Name and address of a licence; of one that is not known here, what its identifier tells.

    Args:
        identifier: SPDX identifier or ``LicenseRef-…``.
    """
    known = _KNOWN_LICENCES.get(identifier)
    if known is not None:
        return known
    unknown = LicenceTerms(identifier, {"en": identifier, "fr": identifier}, {})
    if not unknown.is_in_spdx:
        return unknown
    address = f"https://spdx.org/licenses/{identifier}.html"
    return LicenceTerms(identifier, unknown.title, {"en": address, "fr": address})


def licences(facts: BundleFacts) -> list[LicenceTerms]:
    """The licences of all sources, each once, sorted by identifier."""
    identifiers = sorted({source.licence for source in facts.manifest.sources})
    return [licence_terms(identifier) for identifier in identifiers]


def publication_day(facts: BundleFacts) -> str:
    """The day that is given as that of publication, as ISO 8601.

    A bundle must be the same bytes whenever it is made, so no clock may be in it. The one time
    there is, is that of the recipe's code: the day that code was committed, in UTC.
    """
    return datetime.fromtimestamp(facts.source_date_epoch, UTC).date().isoformat()


def publication_time(facts: BundleFacts) -> str:
    """As :func:`publication_day`, to the second, in UTC."""
    moment = datetime.fromtimestamp(facts.source_date_epoch, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S+00:00")


def media_type(name: str) -> str:
    """Media type of a file, by its name."""
    for extension, found in _TYPES_BY_EXTENSION.items():
        if name.endswith(extension):
            return found
    return "application/octet-stream"


def data_files(facts: BundleFacts) -> list[tuple[OutputRecord, BundledFile]]:
    """Outputs of the manifest with their files, in the manifest's order.

    Outputs without a file in the bundle are left out.
    """
    files = {file.name: file for file in facts.files if file.role == "data"}
    return [(each, files[each.file]) for each in facts.manifest.outputs if each.file in files]


@dataclass(frozen=True)
class Place:
    """Where the shapes of an output lie.

    Attributes:
        column: The primary geometry column.
        kinds: Kinds of geometry, such as ``Point``.
        crs: ``authority:code`` of the coordinate reference system; none where it is not said.
        bounds: West, south, east, north, in degrees; none where they are not in degrees.
    """

    column: str
    kinds: tuple[str, ...]
    crs: str | None
    bounds: tuple[float, float, float, float] | None


def place_of(output: OutputRecord) -> Place | None:
    """Read the place from an output's GeoParquet description; none where it has no such.

    A manifest's description is free JSON, so whatever is not of the expected shape counts as not
    said.
    """
    geometry: Any = output.geometry or {}
    name = geometry.get("primary_column")
    columns = geometry.get("columns")
    column = columns.get(name) if isinstance(columns, dict) and isinstance(name, str) else None
    if not isinstance(column, dict):
        return None
    kinds = column.get("geometry_types")
    crs = column.get("crs")
    return Place(
        column=str(name),
        kinds=tuple(str(kind) for kind in kinds) if isinstance(kinds, list) else (),
        crs=_crs_name(crs),
        bounds=_degrees(column.get("bbox")) if _is_in_degrees(crs, column) else None,
    )


def _crs_name(crs: object) -> str | None:
    identity = crs.get("id") if isinstance(crs, dict) else None
    if not isinstance(identity, dict) or not {"authority", "code"} <= identity.keys():
        return None
    return f"{identity['authority']}:{identity['code']}"


def _is_in_degrees(crs: object, column: dict[str, Any]) -> bool:
    if isinstance(crs, dict):
        return crs.get("type") == "GeographicCRS"
    # Where GeoParquet says nothing, it means OGC:CRS84; null means that nobody knows.
    return "crs" not in column


def _degrees(box: object) -> tuple[float, float, float, float] | None:
    if not isinstance(box, list) or len(box) != 4:
        return None
    west, south, east, north = box
    if not all(isinstance(each, int | float) for each in box):
        return None
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        return None
    return float(west), float(south), float(east), float(north)

"""``metadata.json``: the record that a DOI is registered with, as DataCite's schema 4.5 has it.

It is the ``attributes`` of what DataCite's REST interface takes. ``doi`` (or ``prefix``) and
``url`` are not in it: whoever registers the DOI adds them, because a DOI inside the bundle would
change the bytes that the DOI is of.
"""

from typing import Any

from d4cbuild.bundle.facts import BundleFacts
from d4cbuild.bundle.terms import (
    PUBLISHER,
    LicenceTerms,
    collector,
    data_files,
    licences,
    media_type,
    place_of,
    publication_day,
)
from d4cbuild.model.manifest import Manifest, SourceRecord

_SPDX = "https://spdx.org/licenses/"


def datacite_record(facts: BundleFacts) -> dict[str, Any]:
    """Return the record.

    Args:
        facts: The bundle.
    """
    manifest = facts.manifest
    dataset = manifest.dataset
    day = publication_day(facts)
    record: dict[str, Any] = {
        "schemaVersion": "http://datacite.org/schema/kernel-4",
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "Dataset"},
        "titles": [
            {"title": dataset.title.en, "lang": "en"},
            {"title": dataset.title.fr, "titleType": "TranslatedTitle", "lang": "fr"},
        ],
        "creators": [_organization(PUBLISHER)],
        "contributors": [{"contributorType": "DataCollector", **_organization(collector(facts))}],
        "publisher": {"name": PUBLISHER, "lang": "en"},
        "publicationYear": day[:4],
        "version": dataset.version,
        "language": "en",
        "dates": _dates(manifest, day),
        "subjects": _subjects(manifest),
        "descriptions": _descriptions(manifest),
        "rightsList": [right for terms in licences(facts) for right in _rights(terms)],
        "alternateIdentifiers": [
            {"alternateIdentifier": facts.base, "alternateIdentifierType": "file name"},
            {
                "alternateIdentifier": str(manifest.build_key),
                "alternateIdentifierType": "build key",
            },
        ],
        "relatedIdentifiers": _related_identifiers(manifest.sources),
        "relatedItems": _related_items(facts),
        "sizes": _sizes(facts),
        "formats": sorted({media_type(file.name) for _, file in data_files(facts)}),
        "geoLocations": _places(manifest),
    }
    return {name: value for name, value in record.items() if value}


def _organization(name: str) -> dict[str, str]:
    return {"name": name, "nameType": "Organizational"}


def _each_once(values: list[dict[str, Any]]) -> list[dict[str, Any]]:
    once: list[dict[str, Any]] = []
    for value in values:
        if value not in once:
            once.append(value)
    return once


def _dates(manifest: Manifest, day: str) -> list[dict[str, str]]:
    return [
        {
            "date": day,
            "dateType": "Issued",
            "dateInformation": "Day on which the code of the recipe was committed",
        },
        {
            "date": manifest.dataset.vintage.replace("--", "/"),
            "dateType": "Other",
            "dateInformation": "Time the data speak of",
        },
    ]


def _subjects(manifest: Manifest) -> list[dict[str, Any]]:
    words = manifest.dataset.keywords
    english = [{"subject": word, "lang": "en"} for word in words.en]
    return _each_once(english + [{"subject": word, "lang": "fr"} for word in words.fr])


def _descriptions(manifest: Manifest) -> list[dict[str, Any]]:
    dataset = manifest.dataset
    code = manifest.code
    recipe = f" ({code.swhid})" if code.swhid else ""
    technical = (
        f"Built by d4cbuild from the sources, the recipe's code {code.blake3}{recipe} and the"
        f" environment {manifest.environment.name} ({manifest.environment.config});"
        f" the build key is {manifest.build_key}."
        " Anyone can build it again and compare every byte: README.md tells how."
    )
    each = [
        {"description": dataset.description.en, "descriptionType": "Abstract", "lang": "en"},
        {"description": dataset.description.fr, "descriptionType": "Abstract", "lang": "fr"},
        {"description": technical, "descriptionType": "TechnicalInfo", "lang": "en"},
    ]
    for source in manifest.sources:
        texts = {"en": source.attribution.en, "fr": source.attribution.fr}
        each += [
            {"description": text, "descriptionType": "Other", "lang": language}
            for language, text in texts.items()
        ]
    return _each_once(each)


def _rights(terms: LicenceTerms) -> list[dict[str, str]]:
    identity = {
        "rightsIdentifier": terms.identifier,
        "rightsIdentifierScheme": "SPDX",
        "schemeUri": _SPDX,
    }
    rights = []
    for language, title in terms.title.items():
        address = terms.address.get(language)
        rights.append(
            {
                "rights": title,
                **({"rightsUri": address} if address else {}),
                **(identity if terms.is_in_spdx else {}),
                "lang": language,
            }
        )
    return rights


def _related_identifiers(sources: tuple[SourceRecord, ...]) -> list[dict[str, Any]]:
    return _each_once(
        [
            {
                "relatedIdentifier": source.url,
                "relatedIdentifierType": "URL",
                "relationType": "IsDerivedFrom",
                "resourceTypeGeneral": "Dataset",
            }
            for source in sources
        ]
    )


def _related_items(facts: BundleFacts) -> list[dict[str, Any]]:
    return [
        {
            "titles": [{"title": file.name}],
            "relatedItemType": "Dataset",
            "relationType": "HasPart",
        }
        for _, file in data_files(facts)
    ]


def _sizes(facts: BundleFacts) -> list[str]:
    sizes = []
    for output, file in data_files(facts):
        sizes.append(f"{file.name}: {file.digests.size} bytes")
        if output.rows is not None:
            sizes.append(f"{file.name}: {output.rows} rows")
    return sizes


def _places(manifest: Manifest) -> list[dict[str, Any]]:
    places = [place_of(output) for output in manifest.outputs]
    boxes = [
        dict(zip(_SIDES, place.bounds, strict=True))
        for place in places
        if place is not None and place.bounds is not None
    ]
    return _each_once([{"geoLocationBox": box} for box in boxes])


_SIDES = ("westBoundLongitude", "southBoundLatitude", "eastBoundLongitude", "northBoundLatitude")

"""``ro-crate-metadata.json``: files, sources, and how one was made from the other.

RO-Crate 1.1 with the profile Process Run Crate 0.5: the build is an action that took the sources
and parameters as its objects, ran the recipe's code in the environment, and had the data files as
its results. It has no start and no end, because a bundle has no clock.
"""

from typing import Any
from urllib.parse import quote

from d4cbuild.base.canonical import canonical_json
from d4cbuild.base.digest import FileDigests
from d4cbuild.bundle.facts import BundledFile, BundleFacts
from d4cbuild.bundle.layout import NOTES
from d4cbuild.bundle.terms import (
    DATA_PACKAGE,
    DATACITE,
    PAGES,
    PUBLISHER,
    PUBLISHER_ADDRESS,
    PURPOSES,
    RO_CRATE,
    SOFTWARE_ADDRESS,
    SUMS,
    LicenceTerms,
    data_files,
    licence_terms,
    licences,
    media_type,
    place_of,
    publication_day,
)
from d4cbuild.model.manifest import SourceRecord

_ROOT = "./"
_BUILD = "#build"
_CODE = "#code"
_IMAGE = "#environment"
_EPOCH = "#SOURCE_DATE_EPOCH"
_SPECIFICATION = "https://w3id.org/ro/crate/1.1"
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_RUN_TERMS = "https://w3id.org/ro/terms/workflow-run#"
# Spelled out instead of naming the context that has these terms: so one context is enough.
_CONTEXT = [
    f"{_SPECIFICATION}/context",
    {
        term: f"{_RUN_TERMS}{term}"
        for term in ("ContainerImage", "containerImage", "environment", "md5", "sha256")
    },
]

Entity = dict[str, Any]


def ro_crate(facts: BundleFacts) -> dict[str, Any]:
    """Return the crate's metadata.

    Args:
        facts: The bundle.
    """
    manifest = facts.manifest
    wholes = [_whole(file) for file in facts.files if file.parts]
    graph = [
        {
            "@id": RO_CRATE,
            "@type": "CreativeWork",
            "conformsTo": _reference(_SPECIFICATION),
            "about": _reference(_ROOT),
        },
        _root(facts),
        {
            "@id": PUBLISHER_ADDRESS,
            "@type": "Organization",
            "name": PUBLISHER,
            "url": PUBLISHER_ADDRESS,
        },
        {
            "@id": _PROFILE,
            "@type": "CreativeWork",
            "name": "Process Run Crate",
            "version": "0.5",
        },
        *_build(facts),
        *_places(facts),
        *(_source(source) for source in manifest.sources),
        *(_licence(terms) for terms in licences(facts)),
        *wholes,
        *(entity for file in facts.files for entity in _files(file)),
        *_pages(facts),
    ]
    return {"@context": _CONTEXT, "@graph": sorted(graph, key=_root_first)}


def _root_first(entity: Entity) -> tuple[bool, bool, str]:
    return entity["@id"] != RO_CRATE, entity["@id"] != _ROOT, entity["@id"]


def _reference(identity: str) -> Entity:
    return {"@id": identity}


def _references(identities: list[str]) -> Any:
    """References; a single one stands alone, as RO-Crate recommends."""
    each = [_reference(identity) for identity in identities]
    return each[0] if len(each) == 1 else each


def _file_identity(name: str) -> str:
    return quote(name, safe="")


def _local(kind: str, name: str) -> str:
    return f"#{kind}-{quote(name, safe='')}"


def _identity(file: BundledFile) -> str:
    return _local("whole", file.name) if file.parts else _file_identity(file.name)


def _licence_identity(terms: LicenceTerms) -> str:
    if terms.is_in_spdx:
        return f"https://spdx.org/licenses/{terms.identifier}"
    return terms.address.get("en", _local("licence", terms.identifier))


def _root(facts: BundleFacts) -> Entity:
    manifest = facts.manifest
    dataset = manifest.dataset
    lying = [name for file in facts.files for name in file.parts or (file.name,)]
    pages = [page["@id"] for page in _pages(facts)]
    split = [_identity(file) for file in facts.files if file.parts]
    root: Entity = {
        "@id": _ROOT,
        "@type": "Dataset",
        "name": dataset.title.en,
        "alternateName": dataset.title.fr,
        "description": f"{dataset.description.en}\n\n{dataset.description.fr}",
        "version": dataset.version,
        "identifier": str(manifest.build_key),
        "datePublished": publication_day(facts),
        "temporalCoverage": dataset.vintage.replace("--", "/"),
        "author": _reference(PUBLISHER_ADDRESS),
        "publisher": _reference(PUBLISHER_ADDRESS),
        "conformsTo": _reference(_PROFILE),
        "license": _references([_licence_identity(terms) for terms in licences(facts)]),
        "isBasedOn": _references([_local("source", s.name) for s in manifest.sources]),
        "mentions": _references([_BUILD, *split]),
        "hasPart": _references(sorted([_file_identity(name) for name in lying] + pages)),
    }
    if keywords := sorted({*dataset.keywords.en, *dataset.keywords.fr}):
        root["keywords"] = ", ".join(keywords)
    if places := [place["@id"] for place in _places(facts) if place["@type"] == "Place"]:
        root["spatialCoverage"] = _references(places)
    return root


def _build(facts: BundleFacts) -> list[Entity]:
    manifest = facts.manifest
    parameters = [
        {
            "@id": _local("parameter", name),
            "@type": "PropertyValue",
            "name": name,
            "value": canonical_json(value).decode(),
        }
        for name, value in sorted(manifest.derivation.parameters.items())
    ]
    sources = [_local("source", source.name) for source in manifest.sources]
    build = {
        "@id": _BUILD,
        "@type": "CreateAction",
        "name": f"Build of {manifest.dataset.id}, version {manifest.dataset.version}",
        "description": f"Ran {' '.join(manifest.derivation.command)} in the environment"
        f" {manifest.environment.name}, without a network, and wrote the tables in the normal form"
        f" {manifest.derivation.normal_form.version}. Build key: {manifest.build_key}.",
        "agent": _reference(PUBLISHER_ADDRESS),
        "instrument": [_reference(_CODE), _reference(SOFTWARE_ADDRESS)],
        "containerImage": _reference(_IMAGE),
        "environment": _reference(_EPOCH),
        "object": _references(sources + [each["@id"] for each in parameters]),
        "result": _references([_identity(file) for _, file in data_files(facts)]),
        "actionStatus": "http://schema.org/CompletedActionStatus",
    }
    return [build, _code(facts), _image(facts), *parameters, *_software(facts)]


def _code(facts: BundleFacts) -> Entity:
    code = facts.manifest.code
    names = [str(code.blake3), *([code.swhid] if code.swhid else [])]
    return {
        "@id": _CODE,
        "@type": "SoftwareSourceCode",
        "name": f"Code of the recipe {facts.manifest.dataset.id}",
        "url": SOFTWARE_ADDRESS,
        "version": code.commit or str(code.blake3),
        "identifier": names[0] if len(names) == 1 else names,
        "runtimePlatform": _reference(_IMAGE),
    }


def _image(facts: BundleFacts) -> Entity:
    environment = facts.manifest.environment
    return {
        "@id": _IMAGE,
        "@type": "ContainerImage",
        "additionalType": _reference(f"{_RUN_TERMS}DockerImage"),
        "name": environment.name,
        "description": "Assembled from the packages listed here; in no registry. sha256 is that of"
        " the OCI image configuration.",
        "sha256": environment.config.hex,
        "identifier": str(environment.manifest),
        "softwareRequirements": list(environment.packages),
    }


def _software(facts: BundleFacts) -> list[Entity]:
    return [
        {
            "@id": SOFTWARE_ADDRESS,
            "@type": "SoftwareApplication",
            "name": "d4cbuild",
            "url": SOFTWARE_ADDRESS,
            "softwareVersion": facts.manifest.derivation.normal_form.version,
            "identifier": str(facts.manifest.derivation.normal_form.blake3),
        },
        {
            "@id": _EPOCH,
            "@type": "PropertyValue",
            "name": "SOURCE_DATE_EPOCH",
            "value": str(facts.manifest.derivation.source_date_epoch),
        },
    ]


def _source(source: SourceRecord) -> Entity:
    entity: Entity = {
        "@id": _local("source", source.name),
        "@type": "CreativeWork",
        "name": source.name,
        "url": source.url,
        "contentSize": str(source.size),
        "sha256": source.sha256.hex,
        "identifier": str(source.blake3),
        "license": _reference(_licence_identity(licence_terms(source.licence))),
        "description": f"{source.attribution.en}\n\n{source.attribution.fr}",
    }
    if source.member:
        entity["alternateName"] = source.member
    return entity


def _licence(terms: LicenceTerms) -> Entity:
    entity: Entity = {
        "@id": _licence_identity(terms),
        "@type": "CreativeWork",
        "name": terms.title["en"],
        "alternateName": terms.title["fr"],
        "identifier": terms.identifier,
    }
    if terms.address:
        entity["url"] = terms.address["en"]
    return entity


def _whole(file: BundledFile) -> Entity:
    return {
        "@id": _identity(file),
        "@type": "CreativeWork",
        "name": file.name,
        "description": f"{PURPOSES['en'][file.role].capitalize()}; its parts, joined in this order",
        "encodingFormat": media_type(file.name),
        **_sums(file),
        "hasPart": _references([_file_identity(part) for part in file.parts]),
    }


def _sums(file: BundledFile) -> Entity:
    sums = {"contentSize": str(file.digests.size), "sha256": file.digests.sha256.hex}
    if isinstance(file.digests, FileDigests):
        sums |= {"md5": file.digests.md5.hex, "identifier": str(file.digests.blake3)}
    return sums


def _files(file: BundledFile) -> list[Entity]:
    purpose = PURPOSES["en"][file.role]
    if not file.parts:
        return [_file(file.name, purpose, media_type(file.name)) | _sums(file)]
    return [
        _file(part, f"Part {number} of {len(file.parts)} of {file.name}", _BYTES)
        for number, part in enumerate(file.parts, 1)
    ]


_BYTES = "application/octet-stream"


def _file(name: str, description: str, media: str) -> Entity:
    return {
        "@id": _file_identity(name),
        "@type": "File",
        "name": name,
        "description": description[0].upper() + description[1:],
        "encodingFormat": media,
    }


def _pages(facts: BundleFacts) -> list[Entity]:
    english = _file(PAGES["en"], "this bundle explained in English", "text/markdown")
    french = _file(PAGES["fr"], "this bundle explained in French", "text/markdown")
    languages = {"en": "English", "fr": "French"}
    notes = [
        {
            **_file(NOTES[each], f"what changed, in {languages[each]}", "text/markdown"),
            "inLanguage": each,
        }
        for each in facts.notes or ()
    ]
    return [
        {**english, "inLanguage": "en"},
        {**french, "inLanguage": "fr"},
        *notes,
        _file(DATACITE, "record that DOIs are registered with, for DataCite", "application/json"),
        _file(DATA_PACKAGE, "the data and their columns, for Frictionless", "application/json"),
        _file(SUMS, "SHA-256 of every file, for sha256sum -c", "text/plain"),
    ]


def _places(facts: BundleFacts) -> list[Entity]:
    entities: list[Entity] = []
    for output in facts.manifest.outputs:
        place = place_of(output)
        if place is None or place.bounds is None:
            continue
        west, south, east, north = place.bounds
        shape = _local("box", output.name)
        entities += [
            {
                "@id": _local("place", output.name),
                "@type": "Place",
                "name": f"Extent of {output.file}",
                "geo": _reference(shape),
            },
            # GeoRSS order: latitude before longitude.
            {"@id": shape, "@type": "GeoShape", "box": f"{south!r} {west!r} {north!r} {east!r}"},
        ]
    return entities

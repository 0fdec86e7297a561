"""Validate bundles with what others read them with; runs in the environment ``validators``.

``python -I outside_validators.py CACHE FOLDER…`` prints one JSON document: for each folder, what
each validator has to object. Nothing is fetched: the context of RO-Crate comes from the package
``rocrate``, by way of the cache that the RO-Crate validator looks into when it is offline.
"""

import io
import json
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import datacite.schema45
import frictionless
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests_cache import CachedSession
from rocrate_validator import models, services
from urllib3 import HTTPResponse

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
PROFILES = {
    "ro-crate-1.1": models.Severity.RECOMMENDED,
    # It recommends the times of start and end, and a registry of images: a bundle has neither.
    "process-run-crate-0.5": models.Severity.REQUIRED,
}


class PackagedContext(HTTPAdapter):
    """Answers every request with the context that the package ``rocrate`` carries."""

    def send(self, request: PreparedRequest, *rest: Any, **options: Any) -> Response:
        """Return the context as if it had been fetched."""
        data = files("rocrate").joinpath("data/ro-crate.jsonld").read_bytes()
        if json.loads(data)["@id"] != CONTEXT:
            raise ValueError(f"this release of rocrate does not carry {CONTEXT}")
        headers = {"Content-Type": "application/ld+json"}
        body = HTTPResponse(
            io.BytesIO(data),
            headers=headers,
            status=200,
            preload_content=False,
            request_url=request.url,
        )
        return self.build_response(request, body)


def fill_cache(cache: str) -> None:
    """Put the context where the validator looks for it."""
    session = CachedSession(cache, backend="sqlite", expire_after=-1)
    session.mount(CONTEXT, PackagedContext())
    session.get(CONTEXT).raise_for_status()


def crate_objections(folder: Path, cache: str) -> list[str]:
    """What the RO-Crate validator objects to."""
    objections = []
    for profile, severity in PROFILES.items():
        settings = services.ValidationSettings(
            rocrate_uri=str(folder),
            profile_identifier=profile,
            requirement_severity=severity,
            offline=True,
            cache_path=cache,
        )
        result = services.validate(settings)
        objections += [f"{profile}: {issue.message}" for issue in result.get_issues()]
        if not result.executed_checks:
            objections.append(f"{profile}: nothing was checked")
    return objections


def package_objections(folder: Path) -> list[str]:
    """What Frictionless objects to, files and their digests included."""
    report = frictionless.validate(str(folder / "datapackage.json"))
    notes = [error.message for error in report.errors]
    return notes + [f"{task.name}: {e.message}" for task in report.tasks for e in task.errors]


def datacite_objections(folder: Path) -> list[str]:
    """What DataCite's schema objects to; if nothing, its XML must come out as well."""
    record = json.loads((folder / "metadata.json").read_bytes())
    errors = [error.message for error in datacite.schema45.validator.iter_errors(record)]
    if not errors:
        datacite.schema45.tostring(record)
    return errors


def main() -> None:
    """Validate each folder."""
    cache, *folders = sys.argv[1:]
    fill_cache(cache)
    found = {
        name: {
            "ro-crate": crate_objections(Path(name), cache),
            "frictionless": package_objections(Path(name)),
            "datacite": datacite_objections(Path(name)),
        }
        for name in folders
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()

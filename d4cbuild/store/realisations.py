"""Known builds as they stand in the database: a build key's outputs, and who says so."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from d4cbuild.base.digest import Digest
from d4cbuild.store.database import Database

_TABLE = "realisation"


@dataclass(frozen=True)
class KnownBuild:
    """The outputs of a derivation.

    Attributes:
        outputs: For each, ``name``, ``blake3``, and ``facts`` that the normal form reported.
        envelope: The signed realisation it was taken from; none for what was built here.
    """

    outputs: tuple[dict[str, Any], ...]
    envelope: str | None = None

    @property
    def digests(self) -> set[Digest]:
        """BLAKE3 of every output."""
        return {Digest.parse(entry["blake3"]) for entry in self.outputs}


def remember_build(database: Database, build_key: Digest, build: KnownBuild) -> None:
    """Write down the outputs of a derivation, instead of what was known of it."""
    record: Any = list(build.outputs)
    if build.envelope is not None:
        record = {"outputs": record, "envelope": build.envelope}
    database.put(_TABLE, str(build_key), json.dumps(record, sort_keys=True))


def known_build(database: Database, build_key: Digest) -> KnownBuild | None:
    """What is known of a derivation; its objects may be gone."""
    text = database.get(_TABLE, str(build_key))
    return None if text is None else _read(text)


def known_builds(database: Database) -> dict[Digest, KnownBuild]:
    """All known builds, by build key."""
    return {Digest.parse(key): _read(text) for key, text in database.rows(_TABLE)}


def forget_build(database: Database, build_key: Digest) -> None:
    """Forget a build."""
    database.delete(_TABLE, str(build_key))


def _read(text: str) -> KnownBuild:
    record = json.loads(text)
    if isinstance(record, list):
        return KnownBuild(tuple(record))
    return KnownBuild(tuple(record["outputs"]), record["envelope"])

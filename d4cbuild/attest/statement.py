"""Statements: what is said of a manifest's files. Provenance, and rebuilds."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from d4cbuild.base.canonical import canonical_json
from d4cbuild.base.digest import Digest
from d4cbuild.errors import HashMismatch, InputError
from d4cbuild.model.attestation import (
    BUILD_TYPE,
    BUILDER_PREFIX,
    PROVENANCE_TYPE,
    REBUILD_TYPE,
    STATEMENT_TYPE,
    ProvenancePredicate,
    RebuildPredicate,
    Statement,
)
from d4cbuild.model.manifest import Manifest, OutputRecord
from d4cbuild.model.parse import record_from_json

MANIFEST_NAME = "manifest.json"


@dataclass(frozen=True)
class SealedManifest:
    """A manifest and the digest of its very bytes.

    Attributes:
        manifest: What it says.
        sha256: Digest of the file.
    """

    manifest: Manifest
    sha256: Digest

    @classmethod
    def read(cls, data: bytes, where: str) -> SealedManifest:
        """Read a manifest.

        Raises:
            InputError: if it is none.
            HashMismatch: if its build key is not the digest of its derivation.
        """
        manifest = record_from_json(Manifest, data, where)
        found = manifest.derivation.build_key
        if found != manifest.build_key:
            raise HashMismatch(
                "the manifest's build key is not the digest of its derivation",
                expected=str(found),
                found=str(manifest.build_key),
                where=where,
                hint=f"git checkout {where}",
            )
        return cls(manifest, Digest("sha256", sha256(data).hexdigest()))

    @property
    def dataset(self) -> str:
        """The dataset's id."""
        return str(self.manifest.dataset.id)


def provenance_statement(
    sealed: SealedManifest, builder: str, enclosed: dict[str, bytes] | None = None
) -> bytes:
    """Say what a manifest's files were built from, and by whom: SLSA provenance, version 1.

    No clock is in it: signing twice gives the same envelope.

    Args:
        sealed: The manifest.
        builder: The builder's name.
        enclosed: Files that come along, by name.
    """
    manifest = sealed.manifest
    predicate = {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {
                "dataset": manifest.dataset.id,
                "derivation": manifest.derivation.as_json(),
            },
            "internalParameters": {"build_key": str(manifest.build_key)},
            "resolvedDependencies": _dependencies(manifest),
        },
        "runDetails": {
            "builder": {"id": BUILDER_PREFIX + builder},
            "byproducts": [
                {"name": MANIFEST_NAME, "digest": _digest_set(sealed.sha256)},
                *(_enclosed(name, data) for name, data in (enclosed or {}).items()),
            ],
        },
    }
    return _statement(manifest, PROVENANCE_TYPE, predicate)


def rebuild_statement(manifest: Manifest, predicate: RebuildPredicate) -> bytes:
    """Say what somebody found who built a manifest's files again."""
    return _statement(manifest, REBUILD_TYPE, predicate.as_json())


def _statement(manifest: Manifest, predicate_type: str, predicate: dict[str, Any]) -> bytes:
    return canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "subject": [_subject(output) for output in manifest.outputs],
            "predicateType": predicate_type,
            "predicate": predicate,
        }
    )


def _subject(output: OutputRecord) -> dict[str, Any]:
    return {
        "name": output.file,
        "digest": _digest_set(output.sha256, output.blake3),
        "annotations": {"output": output.name},
    }


def _enclosed(name: str, data: bytes) -> dict[str, Any]:
    return {
        "name": name,
        "digest": {"sha256": sha256(data).hexdigest()},
        "content": base64.b64encode(data).decode(),
    }


def _digest_set(*digests: Digest) -> dict[str, str]:
    return {digest.algorithm: digest.hex for digest in digests}


def _dependencies(manifest: Manifest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for source in manifest.sources:
        entry = {
            "name": source.name,
            "uri": source.url,
            "digest": _digest_set(source.sha256, source.blake3),
        }
        # The digest is of the member, not of the archive at the address.
        if source.member is not None:
            entry["annotations"] = {"member": source.member}
        found.append(entry)
    code = {"gitCommit": manifest.code.commit, "gitTree": manifest.code.tree}
    found.append(
        {
            "name": "code",
            "digest": _digest_set(manifest.code.blake3)
            | {name: value for name, value in code.items() if value is not None},
        }
    )
    found.append(
        {"name": "environment", "digest": _digest_set(manifest.environment.config)},
    )
    return found


def read_statement(payload: bytes, where: str) -> Statement:
    """Read an envelope's payload.

    Raises:
        InputError: if it is no in-toto statement.
    """
    return record_from_json(Statement, payload, where)


def read_provenance(statement: Statement, where: str) -> ProvenancePredicate:
    """Read what a provenance statement says.

    Raises:
        InputError: if it is not of a build of d4cbuild.
    """
    return record_from_json(ProvenancePredicate, canonical_predicate(statement, where), where)


def read_rebuild(statement: Statement, where: str) -> RebuildPredicate:
    """Read what a rebuild statement says.

    Raises:
        InputError: if it is not of the format of this version.
    """
    return record_from_json(RebuildPredicate, canonical_predicate(statement, where), where)


def canonical_predicate(statement: Statement, where: str) -> bytes:
    """What a statement says, as canonical JSON.

    Raises:
        InputError: if it has no canonical form.
    """
    try:
        return canonical_json(statement.predicate)
    except (ValueError, RecursionError) as error:
        raise InputError(
            "what the statement says has no canonical form", found=str(error)[:200], where=where,
            hint="fetch the file again from whoever signed it",
        ) from error  # fmt: skip

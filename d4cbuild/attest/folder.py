"""Attestations as files: how they are named, and which of a folder belong to a manifest."""

from __future__ import annotations

import re
from pathlib import Path

from d4cbuild.attest.envelope import Envelope, read_envelope
from d4cbuild.attest.statement import SealedManifest
from d4cbuild.base.files import write_atomically
from d4cbuild.errors import InputError
from d4cbuild.model.parse import MAXIMUM_TEXT_BYTES

SUFFIX = ".intoto.json"
_OURS = re.compile(
    r"(?P<dataset>[a-z0-9][a-z0-9-]*)\.(?P<manifest>[0-9a-f]{12})\.(provenance|rebuild)\..+"
)


def attestation_path(folder: Path, sealed: SealedManifest, kind: str, envelope: Envelope) -> Path:
    """Where an attestation is written.

    Args:
        folder: The folder of attestations.
        sealed: The manifest it is about.
        kind: ``provenance`` or ``rebuild``.
        envelope: The attestation; the first signature's key is part of the name.
    """
    key_id = (envelope.signatures[0].key_id or "")[:12]
    start = f"{sealed.dataset}.{sealed.sha256.short}.{kind}.{key_id}"
    if kind == "provenance":
        return folder / (start + SUFFIX)
    # A builder may rebuild often, and no result takes the place of an earlier one.
    taken, number = True, 0
    while taken:
        number += 1
        path = folder / f"{start}.{number}{SUFFIX}"
        taken = path.exists()
    return path


def write_attestation(folder: Path, sealed: SealedManifest, kind: str, envelope: Envelope) -> Path:
    """Write an attestation into a folder, which is made if it is not there.

    Returns:
        The file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = attestation_path(folder, sealed, kind, envelope)
    write_atomically(path, envelope.as_bytes())
    return path


def read_attestations(folder: Path, sealed: SealedManifest) -> list[tuple[str, Envelope]]:
    """Read what a folder holds about a manifest, by name.

    Files whose names say that they are about another manifest are passed over; all others that
    end in ``.json`` are read, and must be about this one.

    Raises:
        InputError: if the folder or one of the files cannot be read.
    """
    if not folder.is_dir():
        raise InputError(
            "there is no folder of attestations",
            where=str(folder),
            hint="name it with --attestations DIR",
        )
    paths = sorted(path for path in folder.iterdir() if path.name.endswith(".json"))
    return [
        (str(path), read_envelope(read_bounded(path), str(path)))
        for path in paths
        if _may_be_about(path.name, sealed)
    ]


def attestations_about(folder: Path, sealed: SealedManifest) -> dict[str, bytes]:
    """The bytes of the attestations of a folder whose names say that they are about a manifest.

    Returns:
        By file name; empty where there is no such folder.

    Raises:
        InputError: if one of them cannot be read, or is none.
    """
    found = {}
    for path in sorted(folder.glob(f"{sealed.dataset}.*{SUFFIX}")):
        match = _OURS.fullmatch(path.name)
        if match is not None and match["manifest"] == sealed.sha256.short:
            found[path.name] = read_bounded(path)
            read_envelope(found[path.name], str(path))
    return found


def _may_be_about(name: str, sealed: SealedManifest) -> bool:
    match = _OURS.fullmatch(name)
    return match is None or (
        match["dataset"] == sealed.dataset and match["manifest"] == sealed.sha256.short
    )


def read_bounded(path: Path) -> bytes:
    """Read a small file; of a large one only so much that a reader sees that it is too large.

    Raises:
        InputError: if it cannot be read.
    """
    try:
        if path.exists() and not path.is_file():
            raise InputError(
                "not a file", where=str(path), hint="name a file, or remove it from the folder"
            )
        with path.open("rb") as stream:
            return stream.read(MAXIMUM_TEXT_BYTES + 1)
    except OSError as error:
        raise InputError(
            "the file cannot be read",
            found=str(error.strerror),
            where=str(path),
            hint="name a file that is there",
        ) from error

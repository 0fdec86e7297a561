"""Places that ``challenge`` asks: a file, a folder, or an address."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from d4cbuild.attest.challenge import Voice, is_voice, read_voices
from d4cbuild.attest.folder import read_bounded
from d4cbuild.base.progress import Progress
from d4cbuild.errors import InputError
from d4cbuild.model.parse import MAXIMUM_TEXT_BYTES
from d4cbuild.sources.http import HttpOrigin

ATTESTATIONS = "attestations"


def ask_place(place: str, progress: Progress) -> list[Voice]:
    """Read every manifest and attestation that a place has.

    Args:
        place: A file, a folder (its JSON files and those in ``attestations/`` below it), or the
            http or https address of a file.
        progress: Whom to tell of a download.

    Raises:
        InputError: if there is none, or one cannot be read.
        Unavailable: if an address does not answer.
    """
    if place.startswith(("http://", "https://")):
        return read_voices(_download(place, progress), place)
    path = Path(place)
    if not path.is_dir():
        return read_voices(read_bounded(path), place)
    voices = []
    for file in sorted([*path.glob("*.json"), *path.glob(f"{ATTESTATIONS}/*.json")]):
        data = read_bounded(file)
        if is_voice(data):
            voices += read_voices(data, str(file))
    if not voices:
        raise InputError(
            "nothing in the folder says anything of a build",
            expected="manifest.json, or attestations",
            where=place,
            hint="name a recipe's folder, or a folder of attestations",
        )
    return voices


def _download(address: str, progress: Progress) -> bytes:
    with TemporaryDirectory(prefix="d4cbuild-") as folder:
        into = Path(folder) / "file"
        HttpOrigin(address).fetch(into, MAXIMUM_TEXT_BYTES, progress, address)
        return into.read_bytes()

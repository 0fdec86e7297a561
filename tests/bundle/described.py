"""Bundles to describe: made from the manifests of the recipes in this repository."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

from d4cbuild.base.digest import FileDigests, MultiHasher
from d4cbuild.bundle.describe import describe
from d4cbuild.bundle.facts import BundledFile, BundleFacts, LeftOut, Role
from d4cbuild.bundle.layout import NOTES as NOTE_FILES
from d4cbuild.model.manifest import Manifest, OutputRecord
from d4cbuild.model.parse import record_from_json

ROOT = Path(__file__).parents[2]
RECIPES = sorted(path.parent.name for path in ROOT.glob("recipes/*/manifest.json"))
KINDS = ("thin", "fat", "split")
NOTES = {
    "en": "First release.\n\n- 7 rows more",
    "fr": "Première publication.\n\n- 7 lignes de plus",
}
REASON = {
    "en": "its licence does not allow it",
    "fr": "sa licence ne le permet pas",
}
_OTHERS: tuple[tuple[Role, str], ...] = (
    ("attestation", "{base}.build.dsse.json"),
    ("source artifacts", "{base}.source-artifacts.tar"),
)
_FAT: tuple[tuple[Role, str], ...] = (
    ("image", "{base}.image.tar"),
    ("packages", "{base}.packages.tar"),
    ("script", "rebuild.sh"),
    ("sources", "{base}.sources.tar"),
)
PART_BYTES = 1500


def manifest_of(recipe: str) -> Manifest:
    """The manifest committed beside a recipe."""
    path = ROOT / "recipes" / recipe / "manifest.json"
    return record_from_json(Manifest, path.read_bytes(), str(path))


def write_bundle(folder: Path, manifest: Manifest, kind: str) -> BundleFacts:
    """Write files of the right names, each of some bytes of its own, with pages and metadata.

    The data are no tables, so the manifest's digests of them are set to those of what was written.

    Args:
        folder: An empty folder.
        manifest: What the bundle is of.
        kind: ``thin``, ``fat`` (with a source left out), or ``split`` (fat, in parts).
    """
    base = manifest.outputs[0].file.rpartition(".")[0]
    others = _OTHERS if kind == "thin" else _OTHERS + _FAT
    names: list[tuple[Role, str]] = [("data", output.file) for output in manifest.outputs]
    names += [("manifest", f"{base}.manifest.json")]
    names += [(role, name.format(base=base)) for role, name in others]
    files = [_write(folder, role, name, kind == "split") for role, name in sorted(names)]
    files.sort(key=lambda file: file.name)
    by_name = {file.name: file for file in files}
    outputs = tuple(_with_digests(output, by_name[output.file]) for output in manifest.outputs)
    facts = BundleFacts(
        manifest=manifest.model_copy(update={"outputs": outputs}),
        base=base,
        fat=kind != "thin",
        files=tuple(files),
        left_out=() if kind == "thin" else (LeftOut(manifest.sources[0], REASON),),
        source_date_epoch=manifest.derivation.source_date_epoch,
        notes=NOTES if kind == "fat" else None,
    )
    for name, data in describe(facts).items():
        (folder / name).write_bytes(data)
    for language, text in (facts.notes or {}).items():
        (folder / NOTE_FILES[language]).write_text(text)
    sums = [(path.name, _digests(path.read_bytes()).sha256.hex) for path in folder.iterdir()]
    text = "".join(f"{hexadecimal}  {name}\n" for name, hexadecimal in sorted(sums))
    (folder / "SHA256SUMS").write_text(text)
    return facts


def with_more(manifest: Manifest) -> Manifest:
    """The manifest with a plain, attested file besides, and with licences that nobody knows."""
    first = manifest.outputs[0]
    plain = first.model_copy(
        update={
            "name": "guide",
            "file": first.file.replace(".parquet", "_guide.pdf"),
            "format": "file",
            "kind": "attested",
            "content": None,
            "rows": None,
            "columns": (),
            "geometry": None,
        }
    )
    unknown = itertools.cycle(("CC-BY-4.0", "LicenseRef-Of-Its-Own"))
    sources = [each.model_copy(update={"licence": next(unknown)}) for each in manifest.sources]
    return manifest.model_copy(update={"outputs": (first, plain), "sources": tuple(sources)})


def _digests(data: bytes) -> FileDigests:
    hasher = MultiHasher()
    hasher.update(data)
    return hasher.result()


def _write(folder: Path, role: Role, name: str, split: bool) -> BundledFile:
    data = random.Random(name).randbytes(4000)
    parts: dict[str, bytes] = {name: data}
    if split:
        pieces = [data[at : at + PART_BYTES] for at in range(0, len(data), PART_BYTES)]
        parts = {f"{name}.part-{number:03}": piece for number, piece in enumerate(pieces, 1)}
    for part, piece in parts.items():
        (folder / part).write_bytes(piece)
    return BundledFile(name, role, _digests(data), tuple(parts) if split else ())


def _with_digests(output: OutputRecord, file: BundledFile) -> OutputRecord:
    digests = file.digests
    return output.model_copy(
        update={
            "size": digests.size,
            "blake3": digests.blake3,
            "sha256": digests.sha256,
            "md5": digests.md5,
        }
    )

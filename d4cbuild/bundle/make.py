"""``bundle``: the steps from contents to a folder of flat files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from d4cbuild.base.beside import Beside
from d4cbuild.base.digest import FileDigests, SizeAndSha256
from d4cbuild.base.files import staging, sync_directory
from d4cbuild.base.progress import Progress
from d4cbuild.bundle.archive import Member, archive, chunks_of
from d4cbuild.bundle.contents import Contents, Heavy
from d4cbuild.bundle.describe import describe
from d4cbuild.bundle.facts import BundledFile, BundleFacts
from d4cbuild.bundle.layout import NOTES, SCRIPT, SUMS, Layout
from d4cbuild.bundle.pages import load_templates
from d4cbuild.bundle.script import job_files, render_script
from d4cbuild.bundle.writing import BundleWriter
from d4cbuild.errors import HashMismatch, InputError
from d4cbuild.model.manifest import OutputRecord


@dataclass(frozen=True)
class WrittenBundle:
    """A bundle on this machine.

    Attributes:
        folder: Where it is.
        facts: What is in it.
        sums: SHA-256 of its ``SHA256SUMS``: the one line that names all of it.
        changed: Whether it was written now; not if the same bundle was there already.
    """

    folder: Path
    facts: BundleFacts
    sums: str
    changed: bool


def write_bundle(
    contents: Contents, folder: Path, split: int | None, progress: Progress, *, replace: bool
) -> WrittenBundle:
    """Write a bundle, whole or not at all. The same contents give the same bytes, everywhere.

    Args:
        contents: What goes in.
        folder: Where it is to be; its parent is made.
        split: Most bytes a file may have.
        progress: Whom to tell.
        replace: Whether another bundle there may be replaced.

    Raises:
        InputError: if something else is there already.
        HashMismatch: if a data file is not the manifest's.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with staging(folder.parent) as temporary, _writer(temporary / "bundle", split) as writer:
        made = writer.folder
        files = _write_files(contents, writer, progress)
        facts = BundleFacts(
            manifest=contents.manifest,
            base=contents.manifest.dataset.file_base,
            fat=contents.heavy is not None,
            files=tuple(sorted(files, key=lambda file: file.name)),
            left_out=contents.left_out() if contents.heavy is not None else (),
            source_date_epoch=contents.lock.source_date_epoch,
            notes=None if contents.notes is None else dict(contents.notes),
        )
        for name, page in describe(facts).items():
            writer.write_small(name, page)
        for language, text in (contents.notes or {}).items():
            writer.write_small(NOTES[language], text.encode())
        sums = writer.write_sums()
        changed = _put(made, folder, temporary / "replaced", replace=replace)
    return WrittenBundle(folder, facts, sums, changed)


def _writer(folder: Path, split: int | None) -> BundleWriter:
    folder.mkdir(mode=0o755)
    return BundleWriter(folder, split)


def _write_files(contents: Contents, writer: BundleWriter, progress: Progress) -> list[BundledFile]:
    if contents.heavy is None:
        return _write_light(contents, writer, progress)
    heavy = contents.heavy
    progress.say(
        f"bundling the environment, {len(heavy.sources)} sources and {len(heavy.packages)} packages"
    )
    # To write the image is about as much work as all the rest.
    with Beside(partial(_write_image, contents, heavy, writer.folder, writer.split)) as beside:
        files = _write_light(contents, writer, progress)
        load_templates()
        files += _write_archives(contents, heavy, writer)
        image, sums = beside.result()
        writer.take_over(sums)
        return [*files, image]


def _write_light(contents: Contents, writer: BundleWriter, progress: Progress) -> list[BundledFile]:
    layout = Layout.of(contents.manifest)
    script = render_script(contents)
    files = [writer.write(layout.manifest, "manifest", (contents.manifest_text,))]
    for output in contents.manifest.outputs:
        progress.say(f"bundling {output.file}")
        path = contents.data[output.file]
        files.append(writer.write(output.file, "data", chunks_of(path)))
        _refuse_other(files[-1].digests, output, path)
    for name, data in sorted(contents.attestations.items()):
        files.append(writer.write(name, "attestation", (data,)))
    members = [
        *contents.source_artifacts(),
        *job_files(contents.recipe),
        Member(SCRIPT, len(script), lambda: (script,), executable=True),
    ]
    artifacts = archive(members, contents.lock.source_date_epoch)
    files.append(writer.write(layout.source_artifacts, "source artifacts", artifacts))
    files.append(writer.write(SCRIPT, "script", (script,)))
    return files


def _write_image(
    contents: Contents, heavy: Heavy, folder: Path, split: int | None
) -> tuple[BundledFile, dict[str, str]]:
    with BundleWriter(folder, split) as writer:
        name = Layout.of(contents.manifest).image
        return writer.write(name, "image", heavy.image()), writer.settle()


def _write_archives(contents: Contents, heavy: Heavy, writer: BundleWriter) -> list[BundledFile]:
    layout = Layout.of(contents.manifest)
    # Without a time of the dataset: other datasets' bundles have the same files.
    packages = archive(heavy.packages.values(), 0)
    sources = archive(heavy.sources.values(), contents.lock.source_date_epoch)
    return [
        writer.write(layout.packages, "packages", packages),
        writer.write(layout.sources, "sources", sources),
    ]


def _refuse_other(found: FileDigests | SizeAndSha256, wanted: OutputRecord, path: Path) -> None:
    if (found.size, found.sha256) != (wanted.size, wanted.sha256):
        raise HashMismatch(
            "the data file is not the one that the manifest names",
            expected=f"{wanted.sha256}, {wanted.size} bytes",
            found=f"{found.sha256}, {found.size} bytes",
            where=str(path),
            hint="d4cbuild build --force, and look at what git diff shows",
        )


def _put(made: Path, folder: Path, aside: Path, *, replace: bool) -> bool:
    """Put a finished bundle in its place; returns whether anything is other than before."""
    if folder.exists():
        if _is_same(made, folder):
            return False
        if not replace:
            raise InputError(
                "something else is there already",
                expected="nothing, or the same bundle",
                where=str(folder),
                hint="remove it, choose another --output, or use --replace",
            )
        folder.rename(aside)
    made.rename(folder)
    sync_directory(folder.parent)
    return True


def _is_same(one: Path, other: Path) -> bool:
    names = sorted(path.name for path in one.iterdir())
    if not other.is_dir() or names != sorted(path.name for path in other.iterdir()):
        return False
    return (one / SUMS).read_bytes() == (other / SUMS).read_bytes() and all(
        _same_bytes(one / name, other / name) for name in names
    )


def _same_bytes(one: Path, other: Path) -> bool:
    if other.is_symlink() or one.stat().st_size != other.stat().st_size:
        return False
    return all(a == b for a, b in zip(chunks_of(one), chunks_of(other), strict=True))

"""Do the parts of a bundle belong together? Asked of each before any is used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.base.archive import TarEntry, canonical_tar
from d4cbuild.base.digest import Digest, FileDigests, MultiHasher, blake3_of_stream
from d4cbuild.build.carried import CarriedCode
from d4cbuild.build.folder import MANIFEST_FILE
from d4cbuild.bundle.archive import Member, chunks_of, read_archive
from d4cbuild.bundle.artifacts import Artifacts
from d4cbuild.bundle.contents import Contents, Heavy, redistributable
from d4cbuild.bundle.folder import ReceivedFile
from d4cbuild.bundle.layout import NAMES, RECIPE, SCRIPT
from d4cbuild.bundle.script import job_files
from d4cbuild.code.gitbundle_reading import code_in_bundle
from d4cbuild.environment.definition import DEFINITION_FILE
from d4cbuild.model.derivation import derive
from d4cbuild.model.environment import Environment
from d4cbuild.model.parse import record_from_toml


@dataclass(frozen=True)
class Fitting:
    """The contents of a bundle, looked at from all sides.

    Attributes:
        contents: What was taken out of it.
        artifacts: The archive they were in.
        scratch: A folder to unpack the history in.
    """

    contents: Contents
    artifacts: Artifacts
    scratch: Path

    def faults(self, script: bytes, sources: Path | None, packages: Path | None) -> list[str]:
        """Everything that does not belong together, one line each.

        Args:
            script: ``rebuild.sh`` beside the archives.
            sources: The archive of raw files.
            packages: The archive of packages.
        """
        return [
            *self._records(),
            *self._code(),
            *self._data(),
            *self._job(script),
            *(() if sources is None else self._sources(sources)),
            *(() if packages is None else self._packages(packages)),
        ]

    def heavy(self, sources: Path, packages: Path, image: ReceivedFile) -> Heavy:
        """What makes the bundle fat, once it is known to be right."""
        return Heavy(
            sources={member.name: member for member in read_archive(sources)},
            packages={member.name: member for member in read_archive(packages)},
            image=image.chunks,
        )

    def _records(self) -> Iterator[str]:
        c = self.contents
        files = {entry.name: entry.data for entry in c.tools.environment_files}
        environment = record_from_toml(
            Environment, files.get(DEFINITION_FILE, b""), f"environment/{DEFINITION_FILE}"
        )
        key = derive(
            c.recipe, c.lock, _digest(c.code), CarriedCode(c.tools.normal_form).digest
        ).build_key
        outputs = [(each.name, c.recipe.file_name(each)) for each in c.recipe.outputs]
        yield from _unequal(
            ("the recipe, and the manifest", c.recipe.dataset, c.manifest.dataset),
            ("the recipe, and its lock", c.recipe.digest, c.lock.recipe),
            ("the environment, and its lock", environment.digest, c.environment.environment),
            ("the image, and the lock", c.environment.config, c.lock.environment.config),
            ("the image's name, and the lock", c.environment.manifest, c.lock.environment.manifest),
            ("what was built, and the manifest", key, c.manifest.build_key),
            ("outputs", outputs, [(each.name, each.file) for each in c.manifest.outputs]),
            (
                f"{RECIPE}/{MANIFEST_FILE}",
                self.artifacts.data(f"{RECIPE}/{MANIFEST_FILE}"),
                c.manifest_text,
            ),
            (NAMES, self.artifacts.data(NAMES), c.names()),
        )

    def _code(self) -> Iterator[str]:
        locked, code = self.contents.lock.code, self.contents.manifest.code
        found = _digest(self.contents.own_code)
        yield from _unequal(
            ("the code, and the lock", found, locked.blake3),
            ("the code, and the manifest", found, code.blake3),
            ("the code's commit", code.commit, locked.commit),
            ("the code's tree", code.tree, locked.tree),
        )
        history = self.contents.tools.history
        if history is None:
            return
        packed, objects = self.scratch / "history", self.scratch / "objects"
        packed.write_bytes(b"")
        with packed.open("wb") as stream:
            for chunk in history.read():
                stream.write(chunk)
        inside = code_in_bundle(packed, locked.commit, locked.tree, objects)
        packed.unlink()
        yield from _unequal(("the history, and the code", inside.digest, locked.blake3))

    def _data(self) -> Iterator[str]:
        for output in self.contents.manifest.outputs:
            found = _digests(chunks_of(self.contents.data[output.file]))
            wanted = FileDigests(output.size, output.blake3, output.sha256, output.md5)
            yield from _unequal((output.file, found, wanted))

    def _job(self, script: bytes) -> Iterator[str]:
        for member in job_files(self.contents.recipe):
            yield from _unequal((member.name, self.artifacts.data(member.name), member.data()))
        yield from _unequal((SCRIPT, self.artifacts.data(SCRIPT), script))

    def _sources(self, archive: Path) -> Iterator[str]:
        allowed = redistributable(self.contents.recipe)
        wanted = {
            source.name: (source.size, source.sha256, source.blake3)
            for source in self.contents.lock.sources
            if source.name in allowed
        }
        found = {
            name: (each.size, each.sha256, each.blake3)
            for name, each in _hashed(read_archive(archive)).items()
        }
        yield from _others("source", found, wanted)

    def _packages(self, archive: Path) -> Iterator[str]:
        wanted = {
            each.file: (each.size, each.sha256) for each in self.contents.environment.packages
        }
        found = {
            name: (each.size, each.sha256) for name, each in _hashed(read_archive(archive)).items()
        }
        yield from _others("package", found, wanted)


def _digest(code: Iterable[TarEntry]) -> Digest:
    return blake3_of_stream(canonical_tar(code))


def _hashed(members: Iterable[Member]) -> dict[str, FileDigests]:
    return {member.name: _digests(member.read()) for member in members}


def _digests(chunks: Iterable[bytes]) -> FileDigests:
    with MultiHasher() as hasher:
        for chunk in chunks:
            hasher.update(chunk)
        return hasher.result()


def _unequal(*pairs: tuple[str, object, object]) -> Iterator[str]:
    for what, found, wanted in pairs:
        if found != wanted:
            shown = f": {found}, not {wanted}" if isinstance(found, Digest) else ""
            yield f"{what}: not of one piece{shown}"


def _others(
    what: str, found: Mapping[str, tuple[object, ...]], wanted: Mapping[str, tuple[object, ...]]
) -> Iterator[str]:
    for name in sorted(found.keys() | wanted.keys()):
        if name not in found:
            yield f"{what} {name}: missing"
        elif name not in wanted:
            yield f"{what} {name}: in no lock"
        elif found[name] != wanted[name]:
            yield f"{what} {name}: not the bytes that were locked"

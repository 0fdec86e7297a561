"""From a received bundle to its contents: everything in it must fit together before it is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NoReturn

from d4cbuild.attest.folder import attestations_about
from d4cbuild.attest.statement import SealedManifest
from d4cbuild.build.folder import LOCK_FILE, MANIFEST_FILE
from d4cbuild.build.project import RECIPE_FILE
from d4cbuild.bundle.artifacts import Artifacts
from d4cbuild.bundle.contents import Contents, Tools
from d4cbuild.bundle.fitting import Fitting
from d4cbuild.bundle.folder import ReceivedFile, received_files
from d4cbuild.bundle.layout import (
    ATTESTATION,
    CODE,
    ENVIRONMENT,
    FORMATS,
    HISTORY,
    NORMAL_FORM,
    NOTES,
    OWN_SOURCE,
    RECIPE,
    SCRIPT,
    Layout,
)
from d4cbuild.bundle.script import render_script
from d4cbuild.bundle.terms import DATA_PACKAGE, DATACITE, PAGES, RO_CRATE
from d4cbuild.environment.definition import DEFINITION_FILE, DOCKERFILE
from d4cbuild.environment.definition import LOCK_FILE as ENVIRONMENT_LOCK
from d4cbuild.environment.dockerfile import render_dockerfile
from d4cbuild.errors import HashMismatch, InputError
from d4cbuild.model.environment import Environment, EnvironmentLock
from d4cbuild.model.lock import Lock
from d4cbuild.model.parse import MAXIMUM_TEXT_BYTES, record_from_json, record_from_toml
from d4cbuild.model.recipe import Recipe

_ELSEWHERE: Final = "take the bundle from another place"


@dataclass(frozen=True)
class Opened:
    """A bundle in which everything fits together.

    Attributes:
        folder: Where it lies.
        contents: What it was made from, taken out of it.
        warnings: What the user should know.
    """

    folder: Path
    contents: Contents
    warnings: tuple[str, ...]


def open_bundle(folder: Path, scratch: Path) -> Opened:
    """Read a bundle that may come from anyone, and check that all of it fits together.

    Nothing is written outside of ``scratch``.

    Args:
        folder: The bundle.
        scratch: An empty folder, which must stay for as long as the contents are used.

    Raises:
        InputError: if it is not made as bundles are.
        HashMismatch: if parts of it do not belong together.
    """
    files = received_files(folder)
    return _Opening(folder, files, scratch).opened()


class _Opening:
    """One bundle on its way from files to contents."""

    def __init__(self, folder: Path, files: Mapping[str, ReceivedFile], scratch: Path) -> None:
        self._folder = folder
        self._files = files
        self._scratch = scratch
        self._joined = scratch / "joined"
        self._joined.mkdir()

    def opened(self) -> Opened:
        """Check and return everything."""
        sealed, text = self._manifest()
        layout = Layout.of(sealed.manifest)
        self._check_names(layout, sealed)
        tar = Artifacts.read(self._whole(layout.source_artifacts))
        contents = self._contents(sealed, text, tar)
        archives = [layout.sources, layout.packages]
        sources, packages = (
            self._whole(each) if each in self._files else None for each in archives
        )
        fitting = Fitting(contents, tar, self._scratch)
        faults = fitting.faults(self._small(SCRIPT), sources, packages)
        if faults:
            raise HashMismatch(
                "parts of the bundle do not belong together",
                found="\n".join(faults),
                where=str(self._folder),
                hint=_ELSEWHERE,
            )
        if sources is not None and packages is not None:
            heavy = fitting.heavy(sources, packages, self._files[layout.image])
            contents = replace(contents, heavy=heavy)
        return Opened(self._folder, contents, tuple(self._warnings(contents)))

    def _manifest(self) -> tuple[SealedManifest, bytes]:
        names = [name for name in self._files if name.endswith(".manifest.json")]
        if len(names) != 1:
            self._refuse("one manifest", f"{len(names)} files that end in .manifest.json")
        text = self._small(names[0])
        sealed = SealedManifest.read(text, str(self._folder / names[0]))
        if names[0] != Layout.of(sealed.manifest).manifest:
            self._refuse(Layout.of(sealed.manifest).manifest, names[0])
        return sealed, text

    def _check_names(self, layout: Layout, sealed: SealedManifest) -> None:
        wanted = {
            layout.manifest,
            layout.source_artifacts,
            SCRIPT,
            DATA_PACKAGE,
            DATACITE,
            RO_CRATE,
        }
        wanted |= set(PAGES.values())
        wanted |= {output.file for output in sealed.manifest.outputs}
        possible = {layout.sources, layout.packages, layout.image, *NOTES.values()}
        found = {name for name in self._files if not name.endswith(ATTESTATION)}
        if missing := sorted(wanted - found):
            self._refuse("\n".join(missing), "a bundle without them")
        if strange := sorted(found - wanted - possible):
            self._refuse("files of this dataset's bundle", "\n".join(strange))
        heavy = found & {layout.sources, layout.packages, layout.image}
        if heavy and len(heavy) < 3:
            self._refuse("sources, packages and image, or none of them", ", ".join(sorted(heavy)))

    def _contents(self, sealed: SealedManifest, text: bytes, tar: Artifacts) -> Contents:
        recipe_files = tar.below(RECIPE)
        records = {entry.name: entry.data for entry in recipe_files}
        environment = {entry.name: entry.data for entry in tar.below(ENVIRONMENT)}
        tools = Tools(
            environment_files=tar.below(ENVIRONMENT),
            normal_form=tar.below(NORMAL_FORM),
            formats=tar.below(FORMATS),
            own_source=tar.below(OWN_SOURCE),
            history=tar.member(HISTORY),
        )
        notes = self._notes()
        return Contents(
            manifest=sealed.manifest,
            manifest_text=text,
            recipe=record_from_toml(Recipe, self._part(records, RECIPE_FILE), RECIPE_FILE),
            lock=record_from_json(Lock, self._part(records, LOCK_FILE), LOCK_FILE),
            environment=record_from_json(
                EnvironmentLock, self._part(environment, ENVIRONMENT_LOCK), ENVIRONMENT_LOCK
            ),
            recipe_files=tuple(entry for entry in recipe_files if entry.name != MANIFEST_FILE),
            code=tar.below(CODE),
            gather_tools=lambda: tools,
            data={output.file: self._whole(output.file) for output in sealed.manifest.outputs},
            attestations=self._attestations(sealed),
            gather_notes=lambda: notes,
        )

    def _attestations(self, sealed: SealedManifest) -> dict[str, bytes]:
        names = {name for name in self._files if name.endswith(ATTESTATION)}
        found = attestations_about(self._folder, sealed)
        if names != found.keys():
            self._refuse("attestations of this manifest", ", ".join(sorted(names - found.keys())))
        return found

    def _notes(self) -> dict[str, str] | None:
        found = {
            language: self._small(name).decode("utf-8", "replace")
            for language, name in NOTES.items()
            if name in self._files
        }
        if found and found.keys() != NOTES.keys():
            self._refuse(f"both {' and '.join(NOTES.values())}", "one of them")
        return found or None

    def _warnings(self, contents: Contents) -> list[str]:
        files = {entry.name: entry.data for entry in contents.tools.environment_files}
        definition = record_from_toml(Environment, files[DEFINITION_FILE], DEFINITION_FILE)
        written = {
            SCRIPT: (self._small(SCRIPT), render_script(contents)),
            f"{ENVIRONMENT}/{DOCKERFILE}": (
                files.get(DOCKERFILE),
                render_dockerfile(definition, contents.environment),
            ),
        }
        return [
            f"{name} is not the one that this version of d4cbuild writes:"
            " it is not used here, and should be read before it is"
            for name, (found, usual) in written.items()
            if found != usual
        ]

    def _part(self, records: Mapping[str, bytes], name: str) -> bytes:
        if name not in records:
            self._refuse(name, "source artifacts without it")
        return records[name]

    def _optional(self, name: str) -> Path | None:
        return self._whole(name) if name in self._files else None

    def _whole(self, name: str) -> Path:
        return self._files[name].whole(self._joined)

    def _small(self, name: str) -> bytes:
        if self._files[name].size > MAXIMUM_TEXT_BYTES:
            self._refuse(f"{name} of at most {MAXIMUM_TEXT_BYTES >> 20} MiB", "a larger one")
        return b"".join(self._files[name].chunks())

    def _refuse(self, expected: str, found: str) -> NoReturn:
        raise InputError(
            "this is not a whole bundle",
            expected=expected,
            found=found,
            where=str(self._folder),
            hint=_ELSEWHERE,
        )

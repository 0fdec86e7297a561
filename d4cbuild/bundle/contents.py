"""What goes into a bundle, wherever it was taken from: a recipe's folder, or another bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from d4cbuild.base.archive import TarEntry
from d4cbuild.build.stepping import is_of_steps
from d4cbuild.bundle.archive import Member, of_entry
from d4cbuild.bundle.facts import LeftOut
from d4cbuild.bundle.layout import (
    CODE,
    ENVIRONMENT,
    FORMATS,
    HISTORY,
    NAMES,
    NORMAL_FORM,
    OWN_SOURCE,
    RECIPE,
)
from d4cbuild.model.environment import EnvironmentLock
from d4cbuild.model.licences import may_redistribute
from d4cbuild.model.lock import Lock
from d4cbuild.model.manifest import Manifest, SourceRecord
from d4cbuild.model.recipe import Recipe


@dataclass(frozen=True)
class Heavy:
    """What makes a bundle fat.

    Attributes:
        sources: The raw files that may be passed on, by their names in the sandbox.
        packages: The files of the environment's packages, by the names the lock gives them.
        image: The assembled environment, as one archive.
    """

    sources: Mapping[str, Member]
    packages: Mapping[str, Member]
    image: Callable[[], Iterable[bytes]]


@dataclass(frozen=True)
class Tools:
    """What it takes to rebuild, besides the recipe and its code.

    Attributes:
        environment_files: ``environment.toml``, ``environment.lock``, ``Dockerfile``.
        normal_form: The code of the normal form.
        formats: The pages of the formats.
        own_source: d4cbuild's own source.
        history: The code's commit with all before it, as a git bundle; none if it cannot be had.
    """

    environment_files: tuple[TarEntry, ...]
    normal_form: tuple[TarEntry, ...]
    formats: tuple[TarEntry, ...]
    own_source: tuple[TarEntry, ...]
    history: Member | None


@dataclass(frozen=True)
class Contents:
    """Everything a bundle is made from.

    Attributes:
        manifest: What was built.
        manifest_text: Its bytes.
        recipe: What was wanted.
        lock: What was found.
        environment: The lock of the environment.
        recipe_files: ``recipe.toml``, ``recipe.lock``, and ``README.md`` if there is one.
        code: The code that was run: the recipe's own, and what its steps are written as.
        gather_tools: Gives :attr:`tools`; called once they are needed, while others write.
        data: The data files by name.
        attestations: What was signed about the manifest, by file name.
        heavy: What a fat bundle holds besides.
        gather_notes: Gives :attr:`notes`; called once they are needed.
    """

    manifest: Manifest
    manifest_text: bytes
    recipe: Recipe
    lock: Lock
    environment: EnvironmentLock
    recipe_files: tuple[TarEntry, ...]
    code: tuple[TarEntry, ...]
    gather_tools: Callable[[], Tools]
    data: Mapping[str, Path]
    attestations: Mapping[str, bytes]
    heavy: Heavy | None = None
    gather_notes: Callable[[], Mapping[str, str] | None] = lambda: None

    @cached_property
    def tools(self) -> Tools:
        """What it takes to rebuild, besides the recipe and its code."""
        return self.gather_tools()

    @cached_property
    def notes(self) -> Mapping[str, str] | None:
        """What changed since the release before, by language."""
        return self.gather_notes()

    @property
    def own_code(self) -> tuple[TarEntry, ...]:
        """The recipe's own code."""
        written = set(self.code_of_steps)
        return tuple(entry for entry in self.code if entry not in written)

    @property
    def code_of_steps(self) -> tuple[TarEntry, ...]:
        """What the recipe's steps are written as; nothing where it has code."""
        if self.recipe.build.steps is None:
            return ()
        return tuple(entry for entry in self.code if is_of_steps(entry.name))

    def source_artifacts(self) -> list[Member]:
        """The files of the archive of source artifacts, without what is written for rebuilding."""
        tools = self.tools
        folders = (
            (RECIPE, (*self.recipe_files, TarEntry("manifest.json", self.manifest_text))),
            (CODE, self.code),
            (ENVIRONMENT, tools.environment_files),
            (NORMAL_FORM, tools.normal_form),
            (FORMATS, tools.formats),
            (OWN_SOURCE, tools.own_source),
            ("", (TarEntry(NAMES, self.names()),)),
        )
        members = [of_entry(entry, folder) for folder, entries in folders for entry in entries]
        return members if tools.history is None else [*members, tools.history]

    def left_out(self) -> tuple[LeftOut, ...]:
        """The raw files that may not be passed on."""
        return tuple(
            LeftOut(source, _not_redistributable(source))
            for source in self.manifest.sources
            if source.name not in redistributable(self.recipe)
        )

    def names(self) -> bytes:
        """What the code is called by Software Heritage, which archives public repositories."""
        code = self.manifest.code
        names = [code.swhid, None if code.commit is None else f"swh:1:rev:{code.commit}"]
        return "".join(f"{name}\n" for name in names if name is not None).encode()


def redistributable(recipe: Recipe) -> frozenset[str]:
    """The names of the sources that may be passed on."""
    return frozenset(
        source.name
        for source in recipe.sources
        if may_redistribute(source.licence, source.redistributable)
    )


def history_member(size: int, read: Callable[[], Iterable[bytes]]) -> Member:
    """The history as a file of the source artifacts."""
    return Member(HISTORY, size, read)


def _not_redistributable(source: SourceRecord) -> dict[str, str]:
    return {
        "en": f"its licence ({source.licence}) is not known to allow that copies are passed on",
        "fr": f"rien ne dit que sa licence ({source.licence}) permet d’en transmettre des copies",
    }

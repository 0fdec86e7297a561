"""From an opened bundle to a project that can be built: a recipe's folder, and a filled store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from d4cbuild.attest.statement import MANIFEST_NAME
from d4cbuild.base.archive import TarEntry
from d4cbuild.base.digest import Digest, blake3_of_stream, sha256_of_stream
from d4cbuild.base.progress import Progress
from d4cbuild.build.carried import CarriedCode, lay_out
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.plan import plan_locked
from d4cbuild.bundle.archive import Member, chunks_of, read_archive
from d4cbuild.bundle.contents import Contents, Heavy
from d4cbuild.bundle.folder import is_bundle
from d4cbuild.bundle.gather import Gathering
from d4cbuild.bundle.layout import Layout
from d4cbuild.bundle.opening import Opened, open_bundle
from d4cbuild.environment.images import ensure_image
from d4cbuild.errors import HashMismatch
from d4cbuild.store import Store


@dataclass(frozen=True)
class Unpacked:
    """A bundle, ready to be rebuilt.

    Attributes:
        opened: What was in it.
        recipe: Its recipe, in a project of its own.
    """

    opened: Opened
    recipe: RecipeFolder


@contextmanager
def unpacked(
    bundle: Path, mirrors: Sequence[str], store: Store, progress: Progress
) -> Iterator[Unpacked]:
    """Open a bundle, check all of it, and lay it out as a project; removed afterwards.

    Nothing gets into the store before everything was checked.

    Args:
        bundle: Its folder.
        mirrors: Further places; those that are fat bundles lend what they have.
        store: Gets data files, sources and packages.
        progress: Whom to tell.

    Raises:
        InputError: if it is not made as bundles are.
        HashMismatch: if parts of it do not belong together.
    """
    with store.workspace() as workspace:
        progress.say(f"checking {bundle}")
        scratch = workspace / "opened"
        scratch.mkdir()
        opened = open_bundle(bundle, scratch)
        for warning in opened.warnings:
            progress.warn(warning)
        recipe = _lay_out(opened.contents, workspace / "project")
        _fill(opened.contents, store)
        if opened.contents.heavy is not None:
            _check_image(opened.contents.heavy, recipe, opened, store, progress)
            for left in opened.contents.left_out():
                progress.warn(
                    f"source {left.source.name} is not in the bundle: {left.reason['en']};"
                    " name a place that has it with --mirror, or use --online"
                )
        else:
            for mirror in mirrors:
                _borrow(Path(mirror), opened.contents, store)
        yield Unpacked(opened, recipe)


@contextmanager
def contents_of(
    target: Path, gathering: Gathering, notes: Callable[[RecipeFolder], Mapping[str, str] | None]
) -> Iterator[Contents]:
    """What a recipe's folder, or a bundle, is bundled from.

    Args:
        target: Either.
        notes: Finds the notes of a recipe that was released; a bundle has its own.
        gathering: Where its parts are taken from, and whether heavy ones are wanted.

    Raises:
        D4CError: as gathering and opening do.
    """
    if not is_bundle(target):
        folder = RecipeFolder(target)
        yield gathering.of_recipe(folder, partial(notes, folder))
        return
    with unpacked(target, gathering.mirrors, gathering.store, gathering.progress) as bundle:
        contents = bundle.opened.contents
        if not gathering.fat:
            contents = replace(contents, heavy=None)
        elif contents.heavy is None:
            contents = replace(contents, heavy=gathering.heavy(plan_locked(bundle.recipe)))
        yield contents


def _lay_out(contents: Contents, project: Path) -> RecipeFolder:
    folder = project / "recipes" / contents.recipe.dataset.id
    manifest = TarEntry(MANIFEST_NAME, contents.manifest_text)
    lay_out(folder, [*contents.own_code, *contents.recipe_files, manifest])
    environment = project / "environments" / contents.recipe.build.environment
    lay_out(environment, contents.tools.environment_files)
    return RecipeFolder(folder, CarriedCode(contents.tools.normal_form), contents.code_of_steps)


def _fill(contents: Contents, store: Store) -> None:
    for output in contents.manifest.outputs:
        if store.get(output.blake3) is None:
            store.put_chunks(chunks_of(contents.data[output.file]))
    if contents.heavy is None:
        return
    for source in contents.lock.sources:
        member = contents.heavy.sources.get(source.name)
        if member is not None and store.get(source.blake3) is None:
            store.put_chunks(member.read())
    for package in contents.environment.packages:
        if store.find(package.sha256) is None:
            store.put_chunks(contents.heavy.packages[package.file].read())


def _check_image(
    heavy: Heavy, recipe: RecipeFolder, opened: Opened, store: Store, progress: Progress
) -> None:
    """The image must be what its packages make, or ``rebuild.sh`` would run something else."""
    image = ensure_image(recipe.environment(opened.contents.recipe), store, progress)
    found, wanted = blake3_of_stream(heavy.image()), blake3_of_stream(image.archive())
    if found != wanted:
        raise HashMismatch(
            "the environment in the bundle is not the one that its packages make",
            expected=str(wanted),
            found=str(found),
            where=str(opened.folder / Layout.of(opened.contents.manifest).image),
            hint="take the bundle from another place",
        )


def _borrow(sibling: Path, contents: Contents, store: Store) -> None:
    """Take sources and packages from a fat bundle of this or another dataset, by their hashes."""
    layout = Layout.of(contents.manifest)
    sources = {source.name: source.sha256 for source in contents.lock.sources}
    packages = {package.file: package.sha256 for package in contents.environment.packages}
    for name, wanted in ((layout.sources, sources), (layout.packages, packages)):
        if (sibling / name).is_file():
            _borrow_members(read_archive(sibling / name), wanted, store)


def _borrow_members(members: list[Member], wanted: Mapping[str, Digest], store: Store) -> None:
    for member in members:
        digest = wanted.get(member.name)
        if digest is None or store.find(digest) is not None:
            continue
        if sha256_of_stream(member.read()) == digest:
            store.put_chunks(member.read())

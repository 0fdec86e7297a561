"""d4cbuild from Python: what the commands of the same names do, as functions.

Nothing is printed. What goes wrong is a :class:`~d4cbuild.errors.D4CError`, with ``message``,
``expected``, ``found``, ``where`` and ``hint``. Importing this module loads nothing heavy; that
happens when a function is called.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from d4cbuild.base.progress import Progress, Silence, Told
from d4cbuild.errors import InputError, trouble

if TYPE_CHECKING:
    from d4cbuild.build.result import BuildResult, VerifyResult
    from d4cbuild.model.manifest import Manifest
    from d4cbuild.sharing.substituters import Substituters
    from d4cbuild.store import Store

AnyPath = str | os.PathLike[str]
Tell = Progress | Callable[[str], object]
"""Whom to tell how far it is: an object with bars, or what is called with a line, as ``print``."""


def build(
    recipe: AnyPath,
    *,
    dirty: bool = False,
    force: bool = False,
    store: AnyPath | None = None,
    dist: AnyPath | None = None,
    mirrors: Sequence[AnyPath] = (),
    runner: str = "auto",
    cpus: int | None = None,
    substituters: Sequence[str] | None = (),
    trust: AnyPath | None = None,
    progress: Tell | None = None,
) -> BuildResult:
    """Build a recipe from its lock, as ``d4cbuild build`` does.

    What was built before from the same ingredients is not built again. The manifest is written
    beside the recipe, that of a dirty build beside the data files.

    Args:
        recipe: The recipe's folder, or inside a project the dataset's id.
        dirty: Build the files as they lie there, committed and locked or not; not for release.
        force: Build also what the store already knows.
        store: The store's folder; ``$D4CBUILD_STORE`` or the platform's place unless given.
        dist: Where data files go; ``dist/`` of the project unless given.
        mirrors: Further places that hold copies of sources, by file name; tried first.
        runner: What runs the sandbox: ``auto``, ``bubblewrap`` or ``docker``.
        cpus: CPUs to use instead of the recipe's. The bytes do not depend on it.
        substituters: Shared stores to take from besides those of the settings; ``None`` to take
            from none at all.
        trust: A ``trust.toml``: whose outputs may be taken, instead of what the settings say.
        progress: Whom to tell how far it is, such as ``print``; nobody unless given.

    Returns:
        What was built: ``result.outputs`` or ``result.output(name)``, each with ``path``, ``rows``,
        ``size`` (bytes) and digests; ``result.manifest`` is the path for :func:`open_manifest`.

    Raises:
        InputError: if the recipe, or an argument, cannot be used.
        StaleLock: if the recipe is not locked, or has changed since.
        HashMismatch: if an ingredient does not have its locked bytes.
        Unavailable: if an ingredient, or a sandbox, cannot be had.
        BuildFailed: if the code fails, or its outputs are not as declared.
    """
    from d4cbuild.build.project import find_recipe
    from d4cbuild.build.request import BuildRequest

    with _opened(store) as opened:
        request = BuildRequest(
            find_recipe(Path(recipe)),
            _shared(substituters, trust, outputs=True),
            _path(dist),
            [os.fspath(mirror) for mirror in mirrors],
            runner,
            cpus,
            dirty=dirty,
            force=force,
        )
        return request.answer(opened, _progress(progress))


def verify(
    target: AnyPath,
    *,
    store: AnyPath | None = None,
    dist: AnyPath | None = None,
    mirrors: Sequence[AnyPath] = (),
    runner: str = "auto",
    cpus: int | None = None,
    substituters: Sequence[str] | None = (),
    progress: Tell | None = None,
) -> VerifyResult:
    """Rebuild a recipe or a bundle and compare every output with its manifest.

    As ``d4cbuild verify`` does, but this process keeps its network, also for a fat bundle: only the
    sandbox has none.

    Args:
        target: A recipe's folder (or inside a project the dataset's id), or a bundle's folder.
        store: The store's folder; ``$D4CBUILD_STORE`` or the platform's place unless given.
        dist: Where rebuilt files are kept that are not identical; ``dist/`` unless given.
        mirrors: Further places that hold copies of sources, by file name; tried first.
        runner: What runs the sandbox: ``auto``, ``bubblewrap``, ``docker``, or ``all`` for both.
        cpus: CPUs to use instead of the recipe's.
        substituters: Shared stores where sources are looked for, besides those of the settings;
            ``None`` to look in none at all.
        progress: Whom to tell how far it is, such as ``print``; nobody unless given.

    Returns:
        Verdicts: ``result.verdict`` is the worst of all; ``result.rebuilds`` has each. What
        could not be checked is ``Verdict.UNKNOWN`` with a reason, and no error. A verdict is not
        true or false: compare it, as in ``result.verdict == Verdict.IDENTICAL``.

    Raises:
        InputError: if the target cannot be read.
        HashMismatch: if the parts of a bundle do not belong together.
    """
    from d4cbuild.build.project import find_recipe
    from d4cbuild.bundle.rebuild import RebuildRequest

    request = RebuildRequest(
        find_recipe(Path(target)),
        _shared(substituters, None, outputs=False),
        _path(dist),
        [os.fspath(mirror) for mirror in mirrors],
        runner,
        cpus,
    )
    told = _progress(progress)
    with _opened(store) as opened, request.opened(opened, told) as folder:
        return request.answer(folder, opened, told)


def open_manifest(path: AnyPath) -> Manifest:
    """Read the record of a build: ingredients, outputs, columns, digests.

    Nothing is checked but its form; :func:`verify` checks whether what it says is so.

    Args:
        path: A ``manifest.json``, or the folder of a recipe or bundle.

    Returns:
        The record; its fields are explained in ``d4cbuild/spec/manifest-1.md``.

    Raises:
        InputError: if there is none, or it cannot be read.
    """
    from d4cbuild.build.folder import MANIFEST_FILE
    from d4cbuild.bundle.layout import MANIFEST_ENDING
    from d4cbuild.model.manifest import Manifest
    from d4cbuild.model.parse import record_from_json

    file = Path(path)
    with _our_errors():
        if file.is_dir():
            found = sorted({*file.glob(MANIFEST_FILE), *file.glob(f"*{MANIFEST_ENDING}")})
            file = found[0] if len(found) == 1 else file / MANIFEST_FILE
        if not file.is_file():
            raise InputError(
                "there is no manifest",
                expected="manifest.json, or the folder of a recipe that was built, or of a bundle",
                where=str(path),
                hint="build the recipe first",
            )
        return record_from_json(Manifest, file.read_bytes(), str(file))


@contextmanager
def _opened(folder: AnyPath | None) -> Iterator[Store]:
    from d4cbuild.store import Store

    with _our_errors():
        store = Store(_path(folder))
        with store.in_use():
            yield store


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise trouble(error) from error


def _shared(
    addresses: Sequence[str] | None, trust: AnyPath | None, *, outputs: bool
) -> Callable[[], Substituters]:
    @cache
    def shared() -> Substituters:
        from d4cbuild.build.substituting import SharedStores

        stores = SharedStores(addresses or (), addresses is None, _path(trust))
        return stores.open(outputs=outputs)

    return shared


def _path(path: AnyPath | None) -> Path | None:
    return None if path is None else Path(path)


def _progress(progress: Tell | None) -> Progress:
    if progress is None:
        return Silence()
    return progress if isinstance(progress, Progress) else Told(progress)

"""Bring a source's bytes into the store, from the first place that has the right ones."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.base.digest import FileDigests, digests_of_file
from d4cbuild.base.progress import Progress
from d4cbuild.errors import HashMismatch, StoreError, Unavailable
from d4cbuild.model.lock import LockedSource
from d4cbuild.model.recipe import Source
from d4cbuild.sources.candidates import places_of
from d4cbuild.sources.hosts import DownHosts
from d4cbuild.sources.http_limits import HttpLimits
from d4cbuild.sources.origin import Origin, TooLarge
from d4cbuild.store.store import Store


def fetch_source(
    source: Source,
    recipe_folder: Path,
    extra_mirrors: Sequence[str],
    store: Store,
    progress: Progress,
    locked: LockedSource | None,
    *,
    limits: HttpLimits | None = None,
    hosts: DownHosts | None = None,
    further: Callable[[LockedSource], Sequence[Origin]] | None = None,
) -> FileDigests:
    """Have a source's bytes in the store.

    What is locked and already there costs nothing. Otherwise ``extra_mirrors`` are tried, then
    the recipe's mirrors, then ``further`` places, then the publisher, and the first that has the
    right bytes wins.

    Args:
        source: The source, as the recipe declares it.
        recipe_folder: Folder of the recipe.
        extra_mirrors: Folders or http(s) addresses that hold copies of sources by file name.
        store: Where the bytes go.
        progress: Whom to tell.
        locked: Size and hashes the bytes must have; ``None`` while locking, when any will do.
        limits: How patient to be with web servers.
        hosts: Hosts known to be down, shared by all fetches of one run.
        further: Gives more places where the locked bytes may be, tried before the publisher.

    Returns:
        The digests of the bytes.

    Raises:
        HashMismatch: if nobody has the locked bytes, but somebody has others.
        Unavailable: if nobody has any.
        InputError: if a mirror is written in a way that is not understood.
    """
    if locked is not None:
        there = store.known_digests(locked.blake3)
        if there is not None:
            return _checked_against_lock(there, locked)
    places = places_of(
        source, recipe_folder, extra_mirrors, locked, limits or HttpLimits(), hosts or DownHosts()
    )
    origins = [each for place in places[:-1] for each in place.origins]
    if locked is not None and further is not None:
        origins += further(locked)
    origins += places[-1].origins  # the publisher
    search = _Search(source, locked, store, progress)
    for origin in origins:
        digests = search.try_origin(origin)
        if digests is not None:
            return digests
    raise search.failure(recipe_folder)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a place was passed over; ``got`` is set if it had other bytes than the locked ones."""

    where: str
    reason: str
    got: str | None = None


class _Search:
    """One source's way from place to place."""

    def __init__(
        self, source: Source, locked: LockedSource | None, store: Store, progress: Progress
    ) -> None:
        self._name = source.name
        self._locked = locked
        self._store = store
        self._progress = progress
        self._refusals: list[_Refusal] = []

    def try_origin(self, origin: Origin) -> FileDigests | None:
        """Fetch from one place; ``None`` if it does not have the bytes."""
        limit = None if self._locked is None else self._locked.size
        with self._store.workspace() as folder:
            body = folder / "body"
            try:
                origin.fetch(body, limit, self._progress, f"fetching {self._name}")
                digests = digests_of_file(body)
            except TooLarge as error:
                self._refuse_larger(origin, error)
                return None
            except Unavailable as error:
                self._pass_over(origin, error)
                return None
            except OSError as error:
                raise self._cannot_write(error, folder) from error
            if self._locked is not None and not _is_locked(digests, self._locked):
                self._refuse(origin, _shown(digests))
                return None
            return self._store.adopt(body, digests)

    def _pass_over(self, origin: Origin, error: Unavailable) -> None:
        reason = f"{error.message}: {error.found}" if error.found else error.message
        self._refusals.append(_Refusal(origin.where, reason))
        self._progress.say(f"{self._name}: passed over {origin.where}: {reason}")

    def _refuse_larger(self, origin: Origin, error: TooLarge) -> None:
        # Only what is larger than the lock says is known to be other bytes. A zip that is larger
        # than anything taken says nothing about the file in it.
        if self._locked is not None and error.limit == self._locked.size:
            self._refuse(origin, error.got)
        else:
            self._pass_over(origin, error)

    def _refuse(self, origin: Origin, got: str) -> None:
        assert self._locked is not None  # noqa: S101 - nothing is refused where anything will do
        self._refusals.append(_Refusal(origin.where, "other bytes than the locked ones", got))
        self._progress.warn(
            f"{self._name}: refused: expected {_shown(self._locked)}; got {got} from {origin.where}"
        )

    def _cannot_write(self, error: OSError, folder: Path) -> StoreError:
        return StoreError(
            f"source {self._name} could not be written into the store",
            found=str(error),
            where=str(folder),
            hint="d4cbuild store gc, or set D4CBUILD_STORE to a disk with more room",
        )

    def failure(self, recipe_folder: Path) -> HashMismatch | Unavailable:
        """Say what was tried and what to do, after the last place."""
        tried = "\n".join(f"{each.where}: {each.reason}" for each in self._refusals)
        own_copy = "--mirror FOLDER, with the folder that holds a copy you have"
        if self._locked is None:
            return Unavailable(
                f"source {self._name} cannot be had anywhere now",
                where=tried,
                hint=f"try again later, or add {own_copy}",
            )
        others = [f"{each.got} from {each.where}" for each in self._refusals if each.got]
        if not others:
            return Unavailable(
                f"source {self._name} cannot be had anywhere now",
                expected=_shown(self._locked),
                where=tried,
                hint=f"try again later, or add {own_copy}",
            )
        return HashMismatch(
            f"source {self._name}: what is offered is not what was locked",
            expected=_shown(self._locked),
            found="\n".join(others),
            where=tried,
            hint=f"to build what was locked: add {own_copy}\n"
            "if the publisher changed the file on purpose: "
            f"d4cbuild lock {shlex.quote(str(recipe_folder))}",
        )


def _is_locked(digests: FileDigests, locked: LockedSource) -> bool:
    return (digests.size, digests.blake3, digests.sha256) == (
        locked.size,
        locked.blake3,
        locked.sha256,
    )


def _checked_against_lock(there: FileDigests, locked: LockedSource) -> FileDigests:
    if not _is_locked(there, locked):
        raise HashMismatch(
            f"the lock of source {locked.name} contradicts itself: no file has all it says",
            expected=_shown(locked),
            found=_shown(there),
            hint="git log -p on recipe.lock, to see who changed it; or lock again",
        )
    return there


def _shown(facts: FileDigests | LockedSource) -> str:
    return f"{facts.size} bytes, {facts.blake3}, {facts.sha256}"

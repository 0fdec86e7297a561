"""Where copies of a source may be, in the order in which they are tried."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote, urlsplit

from d4cbuild.base.archive import is_clean_relative
from d4cbuild.errors import InputError
from d4cbuild.model.lock import LockedSource
from d4cbuild.model.recipe import Source
from d4cbuild.sources.hosts import DownHosts
from d4cbuild.sources.http import HttpOrigin
from d4cbuild.sources.http_limits import HttpLimits
from d4cbuild.sources.local import LocalOrigin
from d4cbuild.sources.member import MemberOrigin
from d4cbuild.sources.origin import Origin
from d4cbuild.sources.rclone import RcloneOrigin


class PlaceKind(StrEnum):
    """Why a place is looked into."""

    MIRROR_OPTION = "mirror option"
    """``--mirror``."""

    MIRROR = "mirror"
    """The recipe names it as a mirror."""

    PUBLISHER = "publisher"
    """The recipe names it as where the publisher serves the file."""


@dataclass(frozen=True)
class Place:
    """One place a copy may be in.

    Attributes:
        kind: Why it is looked into.
        text: How the recipe or the option names it.
        origins: What to try there, under each name the copy may have.
    """

    kind: PlaceKind
    text: str
    origins: tuple[Origin, ...]


def places_of(
    source: Source,
    recipe_folder: Path,
    extra_mirrors: Sequence[str],
    locked: LockedSource | None,
    limits: HttpLimits,
    hosts: DownHosts,
) -> list[Place]:
    """List every place to try. Nothing is opened or asked yet.

    Args:
        source: The source.
        recipe_folder: Folder of the recipe, in which mirrors without a scheme lie.
        extra_mirrors: Folders or http(s) addresses that hold copies of sources by file name.
        locked: The source's locked size and hashes, where there are any.
        limits: How patient to be with web servers.
        hosts: Hosts known to be down.

    Raises:
        InputError: if a mirror is written in a way that is not understood.
    """
    finder = _Finder(source, recipe_folder, locked, limits, hosts)
    found = [
        Place(PlaceKind.MIRROR_OPTION, mirror, tuple(finder.in_extra(mirror)))
        for mirror in extra_mirrors
    ]
    found += [Place(PlaceKind.MIRROR, text, (finder.mirror(text),)) for text in source.mirrors]
    found.append(Place(PlaceKind.PUBLISHER, source.url, (finder.publisher(),)))
    return found


class _Finder:
    def __init__(
        self,
        source: Source,
        folder: Path,
        locked: LockedSource | None,
        limits: HttpLimits,
        hosts: DownHosts,
    ) -> None:
        self._source = source
        self._folder = folder
        self._size = None if locked is None else locked.size
        self._limits = limits
        self._hosts = hosts

    def publisher(self) -> Origin:
        """Where the publisher serves it."""
        is_zip = self._source.member is not None
        return self._unzipped(self._web(self._source.url, is_zip=is_zip), is_zip=is_zip)

    def mirror(self, text: str) -> Origin:
        """A mirror the recipe names."""
        is_zip = self._is_copy_of_zip(text)
        if "://" in text:
            return self._unzipped(self._web(text, is_zip=is_zip), is_zip=is_zip)
        inner: Origin = RcloneOrigin(text) if ":" in text else LocalOrigin(self._folder, text)
        return self._unzipped(inner, is_zip=is_zip)

    def in_extra(self, mirror: str) -> Iterator[Origin]:
        """The places in a folder or below an address where copies would lie."""
        on_web = "://" in mirror
        if not on_web and not Path(mirror).is_dir():
            raise InputError(
                "a mirror that is no folder",
                expected="an existing folder, or an http or https address",
                found=mirror,
                where="--mirror",
            )
        for name, is_zip in self._names():
            if on_web:
                address = f"{mirror.rstrip('/')}/{quote(name)}"
                inner: Origin = self._web(address, is_zip=is_zip)
            else:
                inner = LocalOrigin(Path(mirror), name)
            yield self._unzipped(inner, is_zip=is_zip)

    def _names(self) -> list[tuple[str, bool]]:
        """File names a copy may have, each with whether it is then the publisher's zip."""
        source = self._source
        names = {file_name(text): self._is_copy_of_zip(text) for text in source.mirrors}
        names.setdefault(file_name(source.url), source.member is not None)
        if source.member is not None:
            names.setdefault(file_name(source.member), False)
        names.setdefault(source.name, False)
        return [(name, is_zip) for name, is_zip in names.items() if is_clean_relative(name)]

    def _web(self, address: str, *, is_zip: bool) -> Origin:
        return HttpOrigin(address, self._limits, None if is_zip else self._size, self._hosts)

    def _unzipped(self, origin: Origin, *, is_zip: bool) -> Origin:
        member = self._source.member
        return MemberOrigin(origin, member) if is_zip and member is not None else origin

    def _is_copy_of_zip(self, text: str) -> bool:
        """Whether a mirror holds the publisher's zip rather than the file taken out of it."""
        member = self._source.member
        if member is None or member.lower().endswith(".zip"):
            return False
        return file_name(text).lower().endswith(".zip")


def file_name(text: str) -> str:
    """The last part of a mirror's path; empty if there is none."""
    if "://" in text:
        return PurePosixPath(unquote(urlsplit(text).path)).name
    return PurePosixPath(text.partition(":")[2] if ":" in text else text).name

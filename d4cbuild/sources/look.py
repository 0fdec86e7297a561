"""Looking whether a place still has a file, beside :mod:`.fetch`, which brings it."""

import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import requests

from d4cbuild.base.ambient import random_token
from d4cbuild.base.digest import CHUNK_BYTES, digests_of_file
from d4cbuild.errors import Unavailable
from d4cbuild.model.weather import LookHow, LookState
from d4cbuild.sources.asking import PlainSession
from d4cbuild.sources.hosts import DownHosts, host_of
from d4cbuild.sources.http import HttpOrigin
from d4cbuild.sources.local import LocalOrigin
from d4cbuild.sources.member import MemberOrigin, entry_of
from d4cbuild.sources.origin import LARGEST_BODY_BYTES, NotThere, Origin, TooLarge
from d4cbuild.sources.peek import Peek, Piece, RemoteFile, Settled
from d4cbuild.sources.rclone import RcloneOrigin
from d4cbuild.sources.sight import Deadline, LookLimits, Sight, UntilDeadline, Wanted


@dataclass(frozen=True)
class Looker:
    """Looks into places, one after the other; for use by one thread.

    Attributes:
        folder: A temporary folder for files that are read whole.
        deadline: The end of all looking.
        limits: How patient to be.
        hosts: Hosts known to be down; those found down are added.
        deep: Whether all bytes are read and hashed.
        session: Keeps connections to web servers.
        chance: Gives random hex digits, for the places of samples.
    """

    folder: Path
    deadline: Deadline
    limits: LookLimits = field(default_factory=LookLimits)
    hosts: DownHosts = field(default_factory=DownHosts)
    deep: bool = False
    session: requests.Session = field(default_factory=PlainSession)
    chance: Callable[[], str] = random_token

    def look(self, origin: Origin, wanted: Wanted) -> Sight:
        """Look whether a place has a file.

        Args:
            origin: The place.
            wanted: The bytes it should have.

        Returns:
            What was seen. That a place cannot be looked at is an answer, never an error.
        """
        try:
            sight = self._briefly(origin, wanted)
        except Settled as settled:
            sight = settled.sight
        except Unavailable as error:
            sight = _sight_of(error, host=_host(origin))
        if self.deep and sight.state is LookState.OK and sight.how is not LookHow.HASHED:
            return self._wholly(origin, wanted, sight)
        return sight

    def page(self, address: str) -> tuple[str, str]:
        """Read a page, such as that of an index.

        Args:
            address: Where it is.

        Returns:
            Its address after redirects, and its text.

        Raises:
            Settled: with what was seen instead.
        """
        return self._peek(address).page(self.limits.listing_bytes)

    def bring(self, origin: Origin, limit: int) -> Path:
        """Fetch what a place has now, whatever it is.

        Args:
            origin: The place.
            limit: The most that is taken, in bytes.

        Returns:
            A new file in :attr:`folder`.

        Raises:
            Unavailable: if it cannot be fetched.
            TooLarge: if it is larger.
        """
        into = self.folder / f"look-{self.chance()}"
        try:
            origin.fetch(into, limit, UntilDeadline(self.deadline, origin.where), "look")
        except BaseException:
            into.unlink(missing_ok=True)
            raise
        return into

    def _briefly(self, origin: Origin, wanted: Wanted) -> Sight:
        if isinstance(origin, HttpOrigin):
            return self._http(self._peek(origin.where), wanted)
        if isinstance(origin, MemberOrigin) and isinstance(origin.archive, HttpOrigin):
            return self._remote_zip(origin, self._peek(origin.archive.where), wanted)
        if isinstance(origin, RcloneOrigin):
            return _rclone(origin, wanted)
        # On this machine reading costs little.
        return self._wholly(origin, wanted, None)

    def _peek(self, address: str) -> Peek:
        return Peek(address, self.session, self.limits, self.hosts, self.deadline)

    def _http(self, peek: Peek, wanted: Wanted) -> Sight:
        if wanted.file is None or wanted.size == 0:
            return _size_only(peek, wanted)
        with wanted.file.open("rb") as stream:
            offsets = self._samples(wanted.size)
            for first, count in offsets:
                piece = peek.piece(first, count, self.limits.beginning_bytes)
                _require_size(peek, piece, wanted.size)
                stream.seek(first if piece.ranged else 0)
                if stream.read(len(piece.data)) != piece.data:
                    place = f"bytes {first} to {first + count - 1}" if piece.ranged else "its bytes"
                    return peek.sight(
                        LookState.CHANGED, LookHow.SAMPLED, f"{place} are others{_kind(piece)}"
                    )
                if not piece.ranged:
                    return _whole_or_beginning(peek, piece, wanted.size)
        if sum(count for _first, count in offsets) == wanted.size:
            return peek.sight(LookState.OK, LookHow.HASHED, "all bytes are the locked ones")
        return peek.sight(
            LookState.OK, LookHow.SAMPLED,
            f"size, and {len(offsets)} samples of {self.limits.sample_bytes >> 10} KiB",
        )  # fmt: skip

    def _samples(self, size: int) -> list[tuple[int, int]]:
        """Offsets and sizes of the parts to read: beginning, end, and some others each time."""
        if size <= self.limits.whole_bytes:
            return [(0, size)]
        count = min(self.limits.sample_bytes, size)
        inner = [int(self.chance(), 16) % (size - count) for _ in range(self.limits.inner_samples)]
        return [(first, count) for first in sorted({0, *inner, size - count})]

    def _remote_zip(self, origin: MemberOrigin, peek: Peek, wanted: Wanted) -> Sight:
        piece = peek.piece(0, 4)
        if not piece.ranged or piece.total is None:
            return self._zip_without_parts(origin, peek, piece, wanted)
        remote = RemoteFile(peek, piece.total, self.limits.listing_bytes)
        try:
            with zipfile.ZipFile(_blocks(remote)) as archive:
                entry = entry_of(archive, origin.member, origin.where)
        except Unavailable as error:
            return peek.sight(LookState.CHANGED, LookHow.SAMPLED, error.message)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
            reason = f"not a zip that can be read{_kind(piece)}: {error}"
            return peek.sight(LookState.CHANGED, LookHow.SAMPLED, reason)
        if entry.file_size != wanted.size:
            reason = f"{origin.member} in it has {entry.file_size} bytes instead of {wanted.size}"
            return peek.sight(LookState.CHANGED, LookHow.SAMPLED, reason)
        if wanted.file is None:
            return peek.sight(LookState.OK, LookHow.SIZE, _weak("size in the zip's directory"))
        if _crc32(wanted.file) != entry.CRC:
            reason = f"{origin.member} in it has another CRC-32"
            return peek.sight(LookState.CHANGED, LookHow.SAMPLED, reason)
        return peek.sight(LookState.OK, LookHow.SAMPLED, "size and CRC-32 in the zip's directory")

    def _zip_without_parts(
        self, origin: MemberOrigin, peek: Peek, piece: Piece, wanted: Wanted
    ) -> Sight:
        if piece.total is not None and piece.total <= self.limits.small_zip_bytes:
            return self._wholly(origin, wanted, None)
        return peek.sight(
            LookState.REFUSED, LookHow.NOTHING,
            "the server sends no parts, so the zip's directory cannot be read: try --deep",
        )  # fmt: skip

    def _wholly(self, origin: Origin, wanted: Wanted, before: Sight | None) -> Sight:
        """Read all and hash."""
        host = _host(origin) if before is None else before.host
        etag = None if before is None else before.etag
        try:
            if isinstance(origin, LocalOrigin):
                sha256 = origin.digests(wanted.size).sha256
            else:
                into = self.bring(origin, wanted.size)
                sha256 = digests_of_file(into).sha256
                into.unlink()
        except Unavailable as error:
            return _sight_of(error, host, wanted.size)
        if sha256 != wanted.sha256:
            return Sight(LookState.CHANGED, LookHow.HASHED, f"other bytes: {sha256}", host, etag)
        return Sight(LookState.OK, LookHow.HASHED, "all bytes are the locked ones", host, etag)


def _size_only(peek: Peek, wanted: Wanted) -> Sight:
    told = peek.size()
    piece = None
    if told != wanted.size:
        # HEAD is often answered wrongly; what GET says counts.
        piece = peek.piece(0, 0)
        _require_size(peek, piece, wanted.size)
        told = piece.total
    if told is None:
        return peek.sight(
            LookState.REFUSED, LookHow.NOTHING, "the server names no size: try --deep"
        )
    return peek.sight(LookState.OK, LookHow.SIZE, _weak("size"))


def _weak(what: str) -> str:
    return f"{what} only, which is weak: no copy of the locked bytes is here to compare with"


def _require_size(peek: Peek, piece: Piece, size: int) -> None:
    if piece.total is not None and piece.total != size:
        raise Settled(
            peek.sight(
                LookState.CHANGED, LookHow.SIZE,
                f"{piece.total} bytes instead of {size}{_kind(piece)}",
            )
        )  # fmt: skip


def _whole_or_beginning(peek: Peek, piece: Piece, size: int) -> Sight:
    """What the beginning of a file shows, where its server sends no parts."""
    if len(piece.data) == size and piece.ended:
        return peek.sight(LookState.OK, LookHow.HASHED, "all bytes are the locked ones")
    if piece.ended or (piece.total is not None and len(piece.data) == piece.total):
        reason = f"{len(piece.data)} bytes instead of {size}"
        return peek.sight(LookState.CHANGED, LookHow.SIZE, reason)
    said = "size, and" if piece.total is not None else "no size, but"
    return peek.sight(
        LookState.OK, LookHow.SAMPLED,
        f"{said} the first {len(piece.data) >> 10} KiB; the server sends no other parts",
    )  # fmt: skip


def _rclone(origin: RcloneOrigin, wanted: Wanted) -> Sight:
    size = origin.size()
    if size is None:
        return Sight(LookState.REFUSED, LookHow.NOTHING, "the remote names no size: try --deep")
    if size != wanted.size:
        reason = f"{size} bytes instead of {wanted.size}"
        return Sight(LookState.CHANGED, LookHow.SIZE, reason)
    return Sight(LookState.OK, LookHow.SIZE, "size only, which is weak: try --deep")


def _sight_of(error: Unavailable, host: str, size: int | None = None) -> Sight:
    """What a failed fetch or reading shows."""
    if isinstance(error, TooLarge) and error.limit == size:
        return Sight(LookState.CHANGED, LookHow.SIZE, f"{error.got} instead of {size}", host)
    reason = f"{error.message}: {error.found}" if error.found else error.message
    state = LookState.GONE if isinstance(error, NotThere) else LookState.UNREACHABLE
    return Sight(state, LookHow.NOTHING, " ".join(reason.split()), host)


def _host(origin: Origin) -> str:
    inner = origin.archive if isinstance(origin, MemberOrigin) else origin
    return host_of(inner.where) if isinstance(inner, HttpOrigin) else ""


def _kind(piece: Piece) -> str:
    return " (a web page)" if piece.kind in ("text/html", "application/xhtml+xml") else ""


def _blocks(remote: RemoteFile) -> io.BufferedReader:
    return io.BufferedReader(remote, 64 << 10)


def _crc32(path: Path) -> int:
    crc = 0
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            crc = zlib.crc32(chunk, crc)
    return crc


def largest_change(locked_size: int) -> int:
    """The most that is fetched to see how a file has changed, in bytes."""
    return min(LARGEST_BODY_BYTES, 4 * locked_size + (64 << 20))

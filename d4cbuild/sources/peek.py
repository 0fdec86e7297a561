"""Parts of a file on a web server: size and some bytes of it, without fetching it."""

import io
import re
from dataclasses import dataclass

import requests
import urllib3

from d4cbuild.base.ambient import sleep_s
from d4cbuild.errors import Unavailable
from d4cbuild.model.weather import LookHow, LookState
from d4cbuild.sources import answer
from d4cbuild.sources.asking import NoAnswer, ask, innermost, status_of
from d4cbuild.sources.hosts import DownHosts, host_of
from d4cbuild.sources.origin import CHUNK_BYTES
from d4cbuild.sources.sight import Deadline, LookLimits, Sight

_GONE = (404, 410)
_TOTAL = re.compile(r"bytes \*/([0-9]{1,18})")


class Settled(Exception):
    """A look is over before it was finished: it is known what can be known.

    Args:
        sight: What was seen.
    """

    def __init__(self, sight: Sight) -> None:
        super().__init__(sight.reason)
        self.sight = sight


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a file.

    Attributes:
        data: The bytes.
        total: Size of the whole file in bytes, where the server says it.
        ranged: Whether the server sent the part that was asked for, rather than the beginning.
        ended: Whether the file is known to end with these bytes.
        host: Who answered.
        etag: The validator given, if one was.
        kind: What the server says the file is.
    """

    data: bytes
    total: int | None
    ranged: bool
    ended: bool
    host: str
    etag: str | None
    kind: str


class Peek:
    """One file on a web server.

    Args:
        address: Its address.
        session: Keeps the connections.
        limits: How patient to be.
        hosts: Hosts known to be down; one found down is added.
        deadline: The end of all looking.
    """

    def __init__(
        self,
        address: str,
        session: requests.Session,
        limits: LookLimits,
        hosts: DownHosts,
        deadline: Deadline,
    ) -> None:
        self._address = address
        self._session = session
        self._limits = limits
        self._hosts = hosts
        self._run = deadline
        self._look = Deadline(limits.look_s)
        self.host = host_of(address)
        self.etag: str | None = None

    def sight(self, state: LookState, how: LookHow, reason: str) -> Sight:
        """What was seen, with who answered."""
        return Sight(state, how, reason, self.host, self.etag)

    def settled(self, state: LookState, reason: str) -> Settled:
        """The end of a look that compared nothing."""
        return Settled(self.sight(state, LookHow.NOTHING, reason))

    def size(self) -> int | None:
        """Ask how large the file is, by HEAD; ``None`` if the server does not say by HEAD.

        Raises:
            Settled: if nobody answers.
        """
        response = self._answer("HEAD", {})
        with response:
            if response.status_code != 200 or answer.transformation(response.headers):
                return None  # many servers know only GET, or treat HEAD otherwise
            return answer.content_length(response.headers)

    def page(self, limit: int) -> tuple[str, str]:
        """Read a page.

        Args:
            limit: The most that is read, in bytes.

        Returns:
            Its address after redirects, and its text.

        Raises:
            Settled: if it is not there, or cannot be read, or is larger.
        """
        address, response = self._answer_from("GET", {})
        with response:
            self._require_bytes(response, 0)
            try:
                data = self._read(response, limit + 1)
            except urllib3.exceptions.HTTPError as error:
                reason = f"the connection was cut: {innermost(error)}"
                raise self.settled(LookState.UNREACHABLE, reason) from error
        if len(data) > limit:
            raise self.settled(LookState.REFUSED, f"a page of more than {limit} bytes")
        return address, data.decode("utf-8", "replace")

    def piece(self, first: int, count: int, beginning: int = 0) -> Piece:
        """Read a part of the file.

        Args:
            first: Offset of its first byte.
            count: How many bytes; 0 reads none, and asks for one.
            beginning: How many bytes of the beginning to read, if the server sends no parts.

        Raises:
            Settled: if the file is not there, or cannot be read, or is shorter.
        """
        for attempt in range(self._limits.attempts):
            last = attempt + 1 == self._limits.attempts
            try:
                return self._piece(first, count, beginning)
            except (urllib3.exceptions.HTTPError, EOFError) as error:
                if last:
                    reason = f"the connection was cut: {innermost(error)}"
                    raise self.settled(LookState.UNREACHABLE, reason) from error
                self._pause()
        raise AssertionError("at least one attempt is made")

    def _piece(self, first: int, count: int, beginning: int) -> Piece:
        wanted = f"bytes={first}-{first + max(count, 1) - 1}"
        response = self._answer("GET", {"Range": wanted})
        with response:
            self._require_bytes(response, first)
            ranged = response.status_code == 206
            total = self._total(response, first, count)
            data = self._read(response, count if ranged else beginning)
            # What comes in another part's place was noticed above; so here only the end is short.
            if ranged and len(data) < count and total != first + len(data):
                raise EOFError(f"{len(data)} of {count} bytes came")
            ended = total == len(data) if total is not None else len(data) < beginning
            kind = response.headers.get("Content-Type", "").split(";")[0].strip()[:60]
            return Piece(data, total, ranged, ended and not ranged, self.host, self.etag, kind)

    def _total(self, response: requests.Response, first: int, count: int) -> int | None:
        if response.status_code != 206:
            return answer.content_length(response.headers)
        given = answer.content_range(response.headers)
        if given is None or given.first != first or given.last > first + max(count, 1) - 1:
            raise self.settled(LookState.REFUSED, "the server sent another part than was asked for")
        return given.total

    def _require_bytes(self, response: requests.Response, first: int) -> None:
        status, said = response.status_code, f"the server answered {status_of(response)}"
        if status == 416:
            match = _TOTAL.fullmatch(response.headers.get("Content-Range", "").strip())
            if match is not None and int(match[1]) <= first:
                raise self.settled(LookState.CHANGED, f"the file has only {match[1]} bytes")
        if status in _GONE:
            raise self.settled(LookState.GONE, said)
        if status >= 500 or status in answer.PASSING - {429}:
            raise self.settled(LookState.UNREACHABLE, said)
        if status not in (200, 206):
            raise self.settled(LookState.REFUSED, said)
        changed = answer.transformation(response.headers)
        if changed is not None:
            raise self.settled(LookState.REFUSED, f"the server sends the file changed ({changed})")

    def _answer(self, method: str, headers: dict[str, str]) -> requests.Response:
        return self._answer_from(method, headers)[1]

    def _answer_from(self, method: str, headers: dict[str, str]) -> tuple[str, requests.Response]:
        limits = self._limits
        for attempt in range(limits.attempts):
            last = attempt + 1 == limits.attempts
            try:
                address, response = ask(
                    self._session, method, self._address, headers, redirects=limits.redirects,
                    timeouts_s=self._timeouts(), hosts=self._hosts,
                )  # fmt: skip
            except NoAnswer as error:
                if error.silent or (error.unconnected and last):
                    self._hosts.note(error.address, error.reason)
                if error.silent or last:
                    raise self.settled(LookState.UNREACHABLE, error.reason) from error
            except Unavailable as error:
                reason = f"{error.message}: {error.found}" if error.found else error.message
                raise self.settled(LookState.UNREACHABLE, reason) from error
            else:
                if last or response.status_code not in answer.PASSING - {429}:
                    self.host = host_of(address)
                    self.etag = answer.strong_validator(response.headers)
                    return address, response
                response.close()
            self._pause()
        raise AssertionError("at least one attempt is made")

    def _timeouts(self) -> tuple[float, float]:
        self._check()
        left_s = self._left_s()
        return min(self._limits.connect_s, left_s), min(self._limits.read_s, left_s)

    def _check(self) -> None:
        if self._left_s() <= 0:
            raise self.settled(LookState.UNREACHABLE, "the time for looking is over")

    def _left_s(self) -> float:
        return min(self._look.left_s, self._run.left_s)

    def _pause(self) -> None:
        sleep_s(min(self._limits.pause_s, self._left_s()))

    def _read(self, response: requests.Response, count: int) -> bytes:
        buffer = io.BytesIO()
        while (rest := count - buffer.tell()) > 0:
            # read1 returns what has arrived, so that a slow server cannot hold us.
            chunk = response.raw.read1(min(rest, CHUNK_BYTES), decode_content=False)
            if not chunk:
                break
            buffer.write(chunk)
            self._check()
        return buffer.getvalue()


class RemoteFile(io.RawIOBase):
    """A file on a web server as one that can be read anywhere, for reading a zip's directory.

    Args:
        peek: The file.
        size: Its size in bytes.
        limit: The most that is read, in bytes.
    """

    def __init__(self, peek: Peek, size: int, limit: int) -> None:
        super().__init__()
        self._peek = peek
        self._size = size
        self._left = limit
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; see :meth:`io.IOBase.seek`."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError("before the beginning of the file")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """Where it is."""
        return self._at

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        """Read the next bytes.

        Raises:
            Settled: if they cannot be read, or are too many.
        """
        count = min(len(buffer), self._size - self._at)
        if count <= 0:
            return 0
        if count > self._left:
            raise self._peek.settled(LookState.REFUSED, "the zip's directory is too large")
        piece = self._peek.piece(self._at, count)
        if not piece.ranged:
            raise self._peek.settled(LookState.REFUSED, "the server no longer sends parts")
        buffer[: len(piece.data)] = piece.data
        self._at += len(piece.data)
        self._left -= len(piece.data)
        return len(piece.data)

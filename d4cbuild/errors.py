"""One tree of errors. Each says what was expected, what was found, where, and what to type next.

Exit codes are bits, so that a command over several recipes can OR
them.
"""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the command line. OR-ed over several targets."""

    OK = 0
    BUILD_FAILED = 1
    HASH_MISMATCH = 2
    NOT_IDENTICAL = 4
    NOT_EQUIVALENT = 8
    UNKNOWN = 16
    UNTRUSTED = 32
    BAD_INPUT = 64


class D4CError(Exception):
    """Base of every error a user can meet.

    Args:
        message: One sentence: what is wrong.
        expected: What should have been there.
        found: What was there instead.
        where: File, field or address.
        hint: What to type or do next.
    """

    exit_code: Exit = Exit.BUILD_FAILED

    def __init__(
        self,
        message: str,
        *,
        expected: str | None = None,
        found: str | None = None,
        where: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected
        self.found = found
        self.where = where
        self.hint = hint

    def as_record(self) -> dict[str, str]:
        """Return the error as a flat record for ``--json``; absent parts are left out."""
        parts = {
            "error": type(self).__name__,
            "message": self.message,
            "expected": self.expected,
            "found": self.found,
            "where": self.where,
            "next": self.hint,
        }
        return {name: value for name, value in parts.items() if value is not None}

    def __str__(self) -> str:
        lines = [self.message]
        for label, value in (
            ("expected", self.expected),
            ("found", self.found),
            ("where", self.where),
            ("next", self.hint),
        ):
            if value is not None:
                indented = value.replace("\n", "\n" + " " * 12)
                lines.append(f"  {label + ':':<10}{indented}")
        return "\n".join(lines)


class InputError(D4CError):
    """What the user wrote (a recipe, an option, a path) cannot be used."""

    exit_code = Exit.BAD_INPUT


class StaleLock(D4CError):
    """A lock no longer matches what it was made from."""

    exit_code = Exit.HASH_MISMATCH


class HashMismatch(D4CError):
    """Bytes are not the bytes that were locked."""

    exit_code = Exit.HASH_MISMATCH


class Unavailable(D4CError):
    """Something needed from outside (a mirror, a package, an engine) cannot be had now.

    Nothing is known about sameness then: ``verify`` turns it into the verdict ``unknown``.
    """

    exit_code = Exit.UNKNOWN


class BuildFailed(D4CError):
    """The recipe's code failed, or what it wrote is not what it declared."""

    exit_code = Exit.BUILD_FAILED


class NotIdentical(D4CError):
    """The same ingredients gave other bytes than the accepted manifest records."""

    exit_code = Exit.NOT_IDENTICAL


class Untrusted(D4CError):
    """Something is not signed by anybody trusted for it, or what was signed is something else."""

    exit_code = Exit.UNTRUSTED


class StoreError(D4CError):
    """The store on this machine cannot be read or written."""

    exit_code = Exit.UNKNOWN


def trouble(error: OSError) -> D4CError:
    """What the operating system refused (a full disk, a permission), as one of our errors."""
    return Unavailable(
        "the operating system refused",
        found=error.strerror or str(error),
        where=None if error.filename is None else str(error.filename),
        hint="make room or permit it, then try again",
    )

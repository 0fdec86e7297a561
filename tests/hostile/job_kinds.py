"""What a hostile job is, and what is expected of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.sandbox.jobs import Ran

Expected = Callable[[Ran], str]


@dataclass(frozen=True)
class HostileJob:
    """Code that wants out, or wants too much.

    Attributes:
        kind: The row of the table it is counted in.
        name: What it tries.
        program: Python code. It finds ``attempt`` and ``call`` (see
            :data:`tests.sandbox.jobs.ATTEMPTS`), and the constants ``HOST_PID``, ``PORT``,
            ``ABSTRACT`` and ``CANARY``: a process, a server, an abstract socket and a file of the
            host that it would like to reach.
        expected: Looks at how it ended; returns what is wrong, or nothing.
        limits: Limits that are not the usual ones.
        quick: Whether it is in the quick selection for every runner.
    """

    kind: str
    name: str
    program: str
    expected: Expected
    limits: Mapping[str, float] = field(default_factory=dict)
    quick: bool = False


def refused(ran: Ran) -> str:
    """Every attempt was refused, and the job itself went well."""
    if not ran.outcome.succeeded:
        return f"it ended with {ran.outcome}: {ran.log[-2000:]}"
    done = [name for name, answer in ran.answers.items() if answer == "DONE"]
    if done or not ran.answers:
        return f"it could do: {', '.join(done) or 'nothing was tried'}"
    return ""


def says(*expected: str) -> Expected:
    """It ended well and printed exactly these lines."""

    def look(ran: Ran) -> str:
        found = ran.log.splitlines()
        well = ran.outcome.succeeded and found == list(expected)
        return "" if well else f"it ended with {ran.outcome} and said: {ran.log[-2000:]}"

    return look


def stopped(*limits: str) -> Expected:
    """It was stopped by one of these limits."""

    def look(ran: Ran) -> str:
        by = ran.outcome.stopped_by
        return "" if by in limits else f"it was stopped by {by}: {ran.outcome} {ran.log[-2000:]}"

    return look


def ended(*statuses: int) -> Expected:
    """It ended by itself with one of these statuses, well before its time was over."""

    def look(ran: Ran) -> str:
        outcome = ran.outcome
        well = outcome.status in statuses and outcome.stopped_by in (None, "processes")
        return "" if well else f"it ended with {outcome}: {ran.log[-2000:]}"

    return look


def over(ran: Ran) -> str:
    """It is over, in whatever way, and not a success."""
    return "it succeeded" if ran.outcome.succeeded else ""

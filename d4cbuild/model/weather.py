"""What a look at a copy showed, and the record of past looks."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from d4cbuild.model.fields import Record


class LookState(StrEnum):
    """What a place has, from best to worst. What could not be looked at is never ``gone``."""

    OK = "ok"
    """The locked bytes, as far as was looked."""

    CHANGED = "changed"
    """Other bytes."""

    UNREACHABLE = "unreachable"
    """Not looked at: no connection, no answer, a cut one, or a server in trouble."""

    REFUSED = "refused"
    """Not looked at: the place answers, and does not let us look."""

    GONE = "gone"
    """Looked, and nothing is there."""

    @property
    def was_seen(self) -> bool:
        """Whether the place was looked at."""
        return self not in (LookState.UNREACHABLE, LookState.REFUSED)


class LookHow(StrEnum):
    """What a state was told by, from strongest to weakest."""

    HASHED = "hashed"
    """All bytes were read and are the locked ones."""

    SAMPLED = "sampled"
    """Parts were read and compared with the locked bytes, and the size is the locked one."""

    LISTED = "listed"
    """An index names the locked SHA-256."""

    SIZE = "size only"
    """Nothing but the size was compared. Other bytes of the same size would not be noticed."""

    NOTHING = "nothing"
    """Nothing was compared."""

    @property
    def is_strong(self) -> bool:
        """Whether bytes, or a digest of them, were compared."""
        return self in (LookHow.HASHED, LookHow.SAMPLED, LookHow.LISTED)


Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
"""A moment in UTC, to the second."""


class PastLook(Record):
    """What is remembered of one file at one place."""

    subject: Annotated[str, Field(max_length=200)]
    """SHA-256 of the locked bytes."""

    where: Annotated[str, Field(max_length=10_000)]
    """The place, as the recipe, the option or the machine's settings name it."""

    state: LookState
    """What the last look showed."""

    how: LookHow
    """What it was told by."""

    looked: Moment
    """When that was."""

    good: Moment | None = None
    """When the locked bytes were last seen there."""

    compared: Moment | None = None
    """When they were last hashed or sampled there."""

    etag: Annotated[str, Field(max_length=1000)] | None = None
    """The validator the place gave when the bytes were last compared."""


class PastLooks(Record):
    """A whole file of past looks."""

    schema_: Annotated[Literal["d4c.looks/1"], Field(alias="schema")] = "d4c.looks/1"
    """Name and version of this format."""

    looks: tuple[PastLook, ...]
    """Sorted by subject and place."""

"""What past looks showed: in the store's database, or in a file of one's own."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from d4cbuild.base.files import write_atomically
from d4cbuild.errors import InputError
from d4cbuild.model.parse import record_from_json, record_to_json
from d4cbuild.model.weather import LookHow, LookState, PastLook, PastLooks
from d4cbuild.sources.sight import Sight
from d4cbuild.store.database import Database

_TABLE = "look"
_FORM = "%Y-%m-%dT%H:%M:%SZ"


class Memory(Protocol):
    """Keeps one look per file and place."""

    def recall(self, subject: str, where: str) -> PastLook | None:
        """The last look, or ``None``."""

    def keep(self, looks: Iterable[PastLook]) -> None:
        """Remember looks, each in the place of the one before."""


class StoreMemory:
    """The memory in the store.

    Args:
        database: The store's database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def recall(self, subject: str, where: str) -> PastLook | None:
        """See :meth:`Memory.recall`."""
        text = self._database.get(_TABLE, f"{subject} {where}")
        if text is None:
            return None
        return record_from_json(PastLook, text.encode(), "the store's database")

    def keep(self, looks: Iterable[PastLook]) -> None:
        """See :meth:`Memory.keep`."""
        self._database.put_all(
            _TABLE,
            [(f"{each.subject} {each.where}", record_to_json(each).decode()) for each in looks],
        )


class FileMemory:
    """The memory in a file, which is written anew after every recipe.

    Args:
        path: The file; made when missing.

    Raises:
        InputError: if it is something else, or its folder is not there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._looks: dict[tuple[str, str], PastLook] = {}
        if path.exists():
            looks = record_from_json(PastLooks, path.read_bytes(), str(path)).looks
            self._looks = {(each.subject, each.where): each for each in looks}
        elif not path.absolute().parent.is_dir():
            raise InputError(
                "the record has no folder to be written into",
                expected="a file in a folder that exists",
                found=str(path),
                where="--record",
                hint=f"mkdir -p {path.absolute().parent}",
            )

    def recall(self, subject: str, where: str) -> PastLook | None:
        """See :meth:`Memory.recall`."""
        return self._looks.get((subject, where))

    def keep(self, looks: Iterable[PastLook]) -> None:
        """See :meth:`Memory.keep`."""
        self._looks |= {(each.subject, each.where): each for each in looks}
        ordered = tuple(look for _key, look in sorted(self._looks.items()))
        write_atomically(self._path, record_to_json(PastLooks(looks=ordered)))


def remembered(
    subject: str, where: str, sight: Sight, before: PastLook | None, now: datetime
) -> PastLook:
    """What is to be remembered after a look.

    Args:
        subject: SHA-256 of the locked bytes.
        where: The place.
        sight: What was seen now.
        before: What was remembered.
        now: The clock.
    """
    moment = now.strftime(_FORM)
    good = moment if sight.state is LookState.OK else (before.good if before else None)
    compared = before.compared if before else None
    etag = before.etag if before else None
    if sight.state is LookState.OK and sight.how in (LookHow.HASHED, LookHow.SAMPLED):
        compared, etag = moment, sight.etag
    return PastLook(
        subject=subject,
        where=where,
        state=sight.state,
        how=sight.how,
        looked=moment,
        good=good,
        compared=compared,
        etag=None if etag is None else etag[:1000],
    )


def age_days(moment: str | None, now: datetime) -> float | None:
    """Days since a moment; ``None`` of none. A clock that was set back gives 0."""
    if moment is None:
        return None
    then = datetime.strptime(moment, _FORM).replace(tzinfo=UTC)
    return max(0.0, (now - then).total_seconds() / 86400)

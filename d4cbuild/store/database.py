"""The store's SQLite database: what is known about objects, realisations and roots.

Everything in it can be found again from the objects or by building, so a damaged database is set
aside and started anew rather than mended. SQLite finds damage to its own structure only; so each
row has a seal, a digest over its values, and one that does not fit it is as good as not there.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from d4cbuild.base.ambient import random_token
from d4cbuild.base.digest import blake3_of
from d4cbuild.errors import StoreError

BUSY_TIMEOUT_S = 60
_SCHEMA_VERSION = 3
_TABLE_NAMES = ("object", "realisation", "root", "fresh", "look")
_TABLES = """
create table if not exists object (
    blake3 text primary key,
    sha256 text not null,
    md5 text not null,
    size integer not null,
    mtime_ns integer not null,
    ctime_ns integer not null,
    inode integer not null,
    seal text not null
) without rowid;
create index if not exists object_by_sha256 on object (sha256);
create table if not exists realisation (
    build_key text primary key,
    record text not null,
    seal text not null
) without rowid;
create table if not exists root (
    path text primary key,
    seal text not null
) without rowid;
create table if not exists fresh (
    fingerprint text primary key,
    record text not null,
    seal text not null
) without rowid;
create table if not exists look (
    subject text primary key,
    record text not null,
    seal text not null
) without rowid;
"""


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """What is known about an object, and the file state it was known of."""

    blake3: str
    sha256: str
    md5: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


class Database:
    """A connection, opened on first use.

    Args:
        path: The database file; made when missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run statements that take effect together or not at all.

        Raises:
            StoreError: if the database cannot be written.
        """
        connection = self._open()
        try:
            with connection:
                yield connection
        except sqlite3.DatabaseError as error:
            self.close()
            raise self._unusable(error) from error

    def _unusable(self, error: sqlite3.Error) -> StoreError:
        return StoreError(
            "the store's database cannot be used",
            found=str(error),
            where=str(self._path),
            hint="make room or permit it, or set D4CBUILD_STORE to another folder"
            if isinstance(error, sqlite3.OperationalError)
            else "d4cbuild store verify, which mends it",
        )

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            try:
                self._connection = self._connect()
            except sqlite3.OperationalError as error:
                raise self._unusable(error) from error
            except sqlite3.DatabaseError:
                self._connection = self._connect_anew()
        return self._connection

    def _connect_anew(self) -> sqlite3.Connection:
        # Under a lock: of several processes that meet the damage, one mends it, and the others
        # must not set aside what it made.
        descriptor = os.open(f"{self._path}.mending", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            try:
                connection = self._connect()
                if _fault_of(connection) is None:
                    return connection
                connection.close()
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
            self._set_aside()
            return self._connect()
        finally:
            os.close(descriptor)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S)
        try:
            version = connection.execute("pragma user_version").fetchone()[0]
            if version != _SCHEMA_VERSION:
                connection.execute("pragma journal_mode = wal")
                _make_tables(connection, version)
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection

    def _set_aside(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            damaged = Path(f"{self._path}{suffix}")
            if damaged.exists():
                damaged.rename(f"{self._path}.damaged-{random_token()}{suffix}")

    def mend(self) -> str | None:
        """Check the database; set it aside and start anew if it is damaged.

        Returns:
            What was wrong with it, or ``None``.
        """
        try:
            found = _fault_of(self._open())
        except sqlite3.OperationalError as error:
            raise self._unusable(error) from error
        except sqlite3.DatabaseError as error:
            found = str(error)
        if found is None:
            return None
        self.close()
        self._connection = self._connect_anew()
        return f"{found}; a new one was begun, the old one is beside it"

    def object_row(self, column: str, value: str) -> ObjectRow | None:
        """Find an object by ``blake3`` or ``sha256``."""
        if column not in ("blake3", "sha256"):
            raise ValueError(column)
        query = (
            "select blake3, sha256, md5, size, mtime_ns, ctime_ns, inode, seal"  # noqa: S608
            f" from object where {column} = ?"
        )
        with self.transaction() as connection:
            row = connection.execute(query, (value,)).fetchone()
            if row is None or row[-1] == _seal(*row[:-1]):
                return None if row is None else ObjectRow(*row[:-1])
            connection.execute(f"delete from object where {column} = ?", (value,))  # noqa: S608
        return None

    def known_objects(self) -> set[str]:
        """BLAKE3 of every object that is remembered, as hex digits."""
        with self.transaction() as connection:
            rows = connection.execute("select * from object")
            return {str(row[0]) for row in rows if row[-1] == _seal(*row[:-1])}

    def put_object_row(self, row: ObjectRow) -> None:
        """Remember an object."""
        with self.transaction() as connection:
            connection.execute(
                "insert or replace into object values (?, ?, ?, ?, ?, ?, ?, ?)",
                _sealed(*astuple(row)),
            )

    def forget_object(self, blake3_hex: str) -> None:
        """Forget an object."""
        with self.transaction() as connection:
            connection.execute("delete from object where blake3 = ?", (blake3_hex,))

    def get(self, table: str, key: str) -> str | None:
        """Read a record of ``realisation``, ``fresh`` or ``look``."""
        column = _key_column(table)
        with self.transaction() as connection:
            row = connection.execute(f"select * from {table} where {column} = ?", (key,)).fetchone()  # noqa: S608
        return None if row is None or row[-1] != _seal(*row[:-1]) else str(row[1])

    def put(self, table: str, key: str, record: str) -> None:
        """Write a record of ``realisation``, ``fresh`` or ``look``."""
        _key_column(table)
        with self.transaction() as connection:
            query = f"insert or replace into {table} values (?, ?, ?)"  # noqa: S608
            connection.execute(query, _sealed(key, record))

    def put_all(self, table: str, records: Iterable[tuple[str, str]]) -> None:
        """Write several records of one table, all or none; each is a key and a text."""
        _key_column(table)
        with self.transaction() as connection:
            sealed = (_sealed(*each) for each in records)
            connection.executemany(f"insert or replace into {table} values (?, ?, ?)", sealed)  # noqa: S608

    def rows(self, table: str) -> list[tuple[str, str]]:
        """All records of ``realisation``, ``fresh`` or ``look``, by key."""
        column = _key_column(table)
        with self.transaction() as connection:
            rows = connection.execute(f"select * from {table} order by {column}")  # noqa: S608
            return [(str(row[0]), str(row[1])) for row in rows if row[-1] == _seal(*row[:-1])]

    def delete(self, table: str, key: str) -> None:
        """Delete a record of ``realisation``, ``fresh`` or ``look``."""
        column = _key_column(table)
        with self.transaction() as connection:
            query = f"delete from {table} where {column} = ?"  # noqa: S608 - names are ours
            connection.execute(query, (key,))

    def roots(self) -> list[str]:
        """Paths of the folders whose locks and manifests keep objects alive.

        Raises:
            StoreError: if one of them is damaged, so that it is not known what is needed.
        """
        with self.transaction() as connection:
            rows = connection.execute("select * from root order by path").fetchall()
            if any(row[-1] != _seal(*row[:-1]) for row in rows):
                raise sqlite3.DatabaseError("a root is not what was written")
        return [str(path) for path, _ in rows]

    def add_root(self, path: str) -> None:
        """Keep alive what a folder's lock and manifest name."""
        with self.transaction() as connection:
            connection.execute("insert or replace into root values (?, ?)", _sealed(path))

    def drop_root(self, path: str) -> None:
        """Stop keeping a folder's objects."""
        with self.transaction() as connection:
            connection.execute("delete from root where path = ?", (path,))


def _make_tables(connection: sqlite3.Connection, version: int) -> None:
    with connection:
        connection.execute("begin immediate")
        roots: list[tuple[str]] = []
        if version == 2:  # rows had no seals; all but the roots is soon known again
            roots = connection.execute("select path from root").fetchall()
        if connection.execute("pragma user_version").fetchone()[0] == _SCHEMA_VERSION:
            return  # another process was faster
        for table in _TABLE_NAMES:
            connection.execute(f"drop table if exists {table}")
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        sealed = (_sealed(*row) for row in roots)
        connection.executemany("insert or replace into root values (?, ?)", sealed)
        connection.execute(f"pragma user_version = {_SCHEMA_VERSION}")


def _fault_of(connection: sqlite3.Connection) -> str | None:
    """What is wrong in all of a database; ``None`` if nothing is."""
    found = str(connection.execute("pragma integrity_check").fetchone()[0])
    if found != "ok":
        return found
    for table in _TABLE_NAMES:
        if any(row[-1] != _seal(*row[:-1]) for row in connection.execute(f"select * from {table}")):  # noqa: S608
            return f"a row of {table} is not what was written"
    return None


def _seal(*values: object) -> str:
    return blake3_of(repr(values).encode("utf-8", "surrogatepass")).hex[:32]


def _sealed(*values: object) -> tuple[object, ...]:
    return (*values, _seal(*values))


def _key_column(table: str) -> str:
    return {"realisation": "build_key", "fresh": "fingerprint", "look": "subject"}[table]

"""``d4c.geopackage/1``: the same tables in a new file, filled in one order."""

from __future__ import annotations

import errno
import re
import sqlite3
import struct
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.normalform.containers.kept import Kept
from d4cbuild.normalform.containers.members import shown

MAGIC = b"SQLite format 3\0"
APPLICATIONS = (b"GPKG", b"GP10", b"GP11")
PAGE_BYTES = 4096
CACHE_KIB = 64 << 10
LAST_CHANGE = "1970-01-01T00:00:00.000Z"
_TIMES = {
    ("gpkg_contents", "last_change"),
    ("gpkg_metadata_reference", "timestamp"),
    ("layer_styles", "update_time"),  # of QGIS
}
_BY_PLACE = re.compile(r"\busing\s+\"?rtree(_i32)?\b", re.IGNORECASE)
_DAMAGE = frozenset(
    {
        *(sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB),
        *(sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG),
        *(sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_AUTH),
    }
)
_NODE_TABLES = ("_node", "_parent", "_rowid")
_ROWIDS = ("rowid", "_rowid_", "oid")

# Where the file's header says how often, by which version and from which state it was written.
_HEADER = (
    (24, 1),  # change counter
    (40, 1),  # schema cookie
    (92, 1),  # change counter for which the next number counts
    (96, 3_040_000),  # version of SQLite
)


@dataclass(frozen=True, slots=True)
class _Item:
    """A line of the schema."""

    kind: str
    name: str
    table: str
    sql: str

    @property
    def is_virtual(self) -> bool:
        return self.sql[:14].upper() == "CREATE VIRTUAL"


def is_geopackage(head: bytes) -> bool:
    """Whether a file that begins so is a GeoPackage."""
    return head.startswith(MAGIC) and head[68:72] in APPLICATIONS


def rewrite_geopackage(source: Path, target: Path) -> None:
    """Write a GeoPackage in its one form.

    Args:
        source: A GeoPackage that nobody has open.
        target: The file to write.

    Raises:
        Kept: if it cannot be rewritten without losing something.
    """
    for suffix in ("-wal", "-journal"):
        beside = source.with_name(source.name + suffix)
        if beside.exists() and beside.stat().st_size:
            raise Kept(f"there is a log beside it that belongs to it, {beside.name}")
    target.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(target, isolation_level=None)) as database:
            _prepare(database, source)
            _copy(database)
    except sqlite3.Error as error:
        # Anything else than the file's own fault must not decide what is written.
        # An error of Python's own module has no code, such as a name that is not UTF-8.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in _DAMAGE:
            raise Kept(f"SQLite cannot copy it: {error}") from error
        number = errno.ENOSPC if code == sqlite3.SQLITE_FULL else errno.EIO
        raise OSError(number, f"SQLite: {error}") from error
    with target.open("r+b") as made:
        for at, value in _HEADER:
            made.seek(at)
            made.write(struct.pack(">I", value))


def _prepare(database: sqlite3.Connection, source: Path) -> None:
    for setting in (
        *("encoding = 'UTF-8'", f"page_size = {PAGE_BYTES}", "auto_vacuum = 0"),
        *("journal_mode = off", "synchronous = off", "locking_mode = exclusive"),
        *("foreign_keys = off", "ignore_check_constraints = on", "trusted_schema = off"),
        *("temp_store = file", f"cache_size = -{CACHE_KIB}", "secure_delete = on"),
    ):
        database.execute(f"pragma {setting}")
    # Immutable: no lock is taken and nothing is written beside it, on a read-only disk too.
    address = f"{source.absolute().as_uri()}?mode=ro&immutable=1"
    database.execute("attach ? as given", (address,))
    for number in ("application_id", "user_version"):
        (value,) = database.execute(f"pragma given.{number}").fetchone()
        database.execute(f"pragma main.{number} = {value}")


def _copy(database: sqlite3.Connection) -> None:
    items = _schema(database)
    trees = {item.name for item in items if item.is_virtual}
    nodes = {tree + suffix for tree in trees for suffix in _NODE_TABLES}
    database.execute("begin exclusive")
    for item in items:
        if item.kind == "table" and item.name not in nodes:
            _check_module(item)
            database.execute(item.sql)
            _fill(database, item)
    for kind in ("index", "view", "trigger"):
        for item in items:
            # What belongs to an index by place was made together with it.
            if item.kind == kind and item.table not in nodes:
                database.execute(item.sql)
    database.execute("commit")


def _schema(database: sqlite3.Connection) -> list[_Item]:
    """The schema in the order of names; what SQLite makes by itself is left out."""
    rows = database.execute(
        "select type, name, tbl_name, sql from given.sqlite_master"
        " where sql is not null and name not like 'sqlite\\_%' escape '\\'"
    )
    return sorted((_Item(*row) for row in rows), key=lambda item: item.name.encode())


def _check_module(item: _Item) -> None:
    if item.is_virtual and _BY_PLACE.search(item.sql) is None:
        raise Kept(f"the virtual table {shown(item.name)} is no index by place")


def _fill(database: sqlite3.Connection, item: _Item) -> None:
    columns, order = _columns(database, item)
    values = [
        f"'{LAST_CHANGE}'" if (item.name, column) in _TIMES else _quoted(column)
        for column in columns
    ]
    names = ", ".join(map(_quoted, columns))
    database.execute(
        f"insert into main.{_quoted(item.name)} ({names})"
        f" select {', '.join(values)} from given.{_quoted(item.name)}"
        f" order by {', '.join(f'{_quoted(name)} collate binary' for name in order)}"
    )


def _columns(database: sqlite3.Connection, item: _Item) -> tuple[list[str], list[str]]:
    """Which columns of a table are copied, and by which its rows are ordered."""
    shape = database.execute(f"pragma given.table_xinfo({_quoted(item.name)})").fetchall()
    # Hidden columns are computed from others.
    columns = [name for _, name, _, _, _, _, hidden in shape if not hidden]
    if item.is_virtual:
        # The shape of the tree follows the order in which it is filled.
        return columns, columns[:1]
    keyed = sorted((key, name, kind) for _, name, kind, _, _, key, _ in shape if key)
    keys = [name for _, name, _ in keyed]
    if _without_rowid(database, item) or [kind.upper() for _, _, kind in keyed] == ["INTEGER"]:
        return columns, keys
    free = [name for name in _ROWIDS if name not in {column.lower() for column in columns}]
    if free and not item.name.startswith("gpkg_"):
        # Programs may know a row by its hidden number.
        return [free[0], *columns], free[:1]
    # The standard's own tables are sets of rows; their hidden numbers tell of history.
    timeless = [name for name in columns if (item.name, name) not in _TIMES]
    return columns, [*keys, *(name for name in timeless if name not in keys)]


def _without_rowid(database: sqlite3.Connection, item: _Item) -> bool:
    listed = database.execute(f"pragma given.table_list({_quoted(item.name)})").fetchall()
    return any(schema == "given" and bool(without) for schema, _, _, _, without, _ in listed)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

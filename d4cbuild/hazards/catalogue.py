"""Every hazard that is known: its name, why it is one, and what to do instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Hazard:
    """A way in which the same ingredients can give other bytes.

    Attributes:
        name: As it is written in findings and in ``# d4c: allow``.
        reason: Why it is one.
        remedy: What to write instead.
    """

    name: str
    reason: str
    remedy: str


_ALL = (
    Hazard(
        "unordered-listing",
        "The file system gives the names in a folder in an order of its own, which depends on how"
        " the folder was filled, on the kind of disk and on the runner. Python and the shell pass"
        " that order on.",
        "Put sorted(…) around the listing, or sort it before its order is used; in a shell, add"
        " `| sort` after find.",
    ),
    Hazard(
        "set-order",
        "A set has no order. Going through it follows hashes: those of text change with"
        " PYTHONHASHSEED, those of other objects with the address at which they happen to lie.",
        "Go through sorted(the_set), or keep the order of arrival with dict.fromkeys(…).",
    ),
    Hazard(
        "hash-seed",
        "hash() of text and bytes depends on PYTHONHASHSEED, and hash() of objects on their"
        " address; neither is meant to be kept.",
        "Take a digest that is defined, such as hashlib.sha256 or zlib.crc32.",
    ),
    Hazard(
        "address",
        "id() is a place in memory. The kernel chooses another in every run.",
        "Give things a number of your own, in an order that the data define.",
    ),
    Hazard(
        "clock",
        "The time of the build is not the same the next time.",
        "Take the time from the data, from a parameter, or from SOURCE_DATE_EPOCH.",
    ),
    Hazard(
        "time-zone",
        "A time without a zone is read in the zone of the machine, and other machines are"
        " elsewhere; twice a year even the same one.",
        "Name the zone: datetime.fromtimestamp(t, tz=UTC), or ZoneInfo('America/Toronto').",
    ),
    Hazard(
        "unseeded-random",
        "A generator without a seed starts from chance, so each build draws other numbers.",
        "Seed it with a constant: random.Random(20210511), numpy.random.default_rng(20210511),"
        " random_state=…; in SQL, REPEATABLE (…) or an order by a hash of the key.",
    ),
    Hazard(
        "uuid",
        "Most UUIDs are made of chance, of the clock, or of the machine's network address.",
        "Derive the identifier from the row: uuid.uuid5(namespace, key), or a digest of the key.",
    ),
    Hazard(
        "network",
        "There is no network in the sandbox, and what a server answers today it need not answer"
        " tomorrow.",
        "Declare the file under [[sources]], so that it is fetched once, hashed and locked.",
    ),
    Hazard(
        "moving-address",
        "The address names whatever is newest, so the publisher will put other bytes there and the"
        " lock will no longer match.",
        "Use the address of one edition, and add a mirror that keeps its bytes.",
    ),
    Hazard(
        "plain-http",
        "Plain http lets anyone on the way change what is fetched when it is locked for the first"
        " time, and publishers are switching it off.",
        "Use https, or say why the publisher has only http.",
    ),
    Hazard(
        "locale",
        "Names of months and days, decimal marks, collation and the default encoding of text files"
        " are settings of the machine.",
        "Say it in the code: encoding='utf-8', numbers instead of names of months, or a table of"
        " names; no setlocale.",
    ),
    Hazard(
        "thread-order",
        "Threads and processes finish in another order each time, so what they append, write or"
        " yield as they finish is in another order too.",
        "Collect results in the order of the tasks: executor.map, or futures read in the order in"
        " which they were submitted; write from one thread, or sort what was collected.",
    ),
    Hazard(
        "float-sum",
        "Adding floating-point numbers in another order gives other last bits. Engines add in"
        " pieces, one for each thread; in 32 bits the error shows early.",
        "Add exact numbers (CAST … AS DECIMAL or BIGINT), use float64 and math.fsum, round the"
        " result to fewer digits than are certain, or SET threads = 1.",
    ),
    Hazard(
        "unordered-rows",
        "DISTINCT, GROUP BY, joins and set operations give their rows in the order in which"
        " threads finish.",
        "Add ORDER BY with a key that is total, or sort the result.",
    ),
    Hazard(
        "unordered-pick",
        "Which rows LIMIT keeps, which value first() takes, and how list() or row_number() arrange"
        " them depends on an order that was not asked for.",
        "Say the order there: ORDER BY before LIMIT, first(x ORDER BY key),"
        " row_number() OVER (ORDER BY key).",
    ),
    Hazard(
        "insertion-order",
        "With preserve_insertion_order = false DuckDB returns even plain rows in the order in which"
        " threads finish.",
        "Leave the setting alone; if memory is short, sort explicitly or ask for more.",
    ),
    Hazard(
        "cpu-count",
        "Machines have different numbers of processors, and a result that is cut into that many"
        " pieces differs with them.",
        "Use a constant number of pieces; the libraries' threads are set by resources.cpus.",
    ),
    Hazard(
        "host",
        "Host name, user, process number, kernel, processor and memory are properties of the"
        " machine, not of the data.",
        "Leave it out, or make it a parameter of the recipe.",
    ),
    Hazard(
        "environment-variable",
        "Only the variables of the sandbox contract are the same everywhere; others are there on"
        " one machine and missing on the next.",
        "Put the value under [parameters] and read it from D4C_PARAMETERS.",
    ),
    Hazard(
        "place",
        "Where the code lies and from where it is run is up to the machine.",
        "Use paths relative to D4C_SOURCES and D4C_OUT, and keep absolute paths out of the output.",
    ),
    Hazard(
        "file-metadata",
        "Times, modes, owners and inode numbers of files come from the machine that unpacked them,"
        " and from its umask.",
        "Use names, sizes and contents only.",
    ),
    Hazard(
        "archive-times",
        "gzip, zip and tar write the time of the build, or the times and owners of the files, into"
        " their headers.",
        "gzip: mtime=0 or -n; zip: a ZipInfo with a fixed date_time; tar: --sort=name --mtime"
        " --owner=0 --group=0 --numeric-owner, or a TarInfo of your own.",
    ),
    Hazard(
        "sort-key",
        "Rows are sorted by sort_by. Where its values are equal, or are floating-point numbers that"
        " may differ in the last bit, there is no one order.",
        "End sort_by with the column that identifies a row, and order by exact values.",
    ),
)

HAZARDS: Final = {hazard.name: hazard for hazard in _ALL}
"""Hazards by name, in the order of the page."""


def page() -> str:
    """The hazards as they stand in ``spec/hazards.md``."""
    parts = [f"### `{h.name}`\n\n{h.reason}\n\nInstead: {h.remedy}" for h in HAZARDS.values()]
    return "\n\n".join(parts) + "\n"

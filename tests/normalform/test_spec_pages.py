"""What the spec pages say with a number is what the code does."""

import math
import re
from pathlib import Path

import pytest

import d4cbuild
from d4cbuild.normalform import content, encoding, footer, geoparquet, place, types, write

from .pyarrows import VERSIONS
from .slow_digest import RUN, WIDTHS
from .test_skipping import POINTS

SPEC = Path(d4cbuild.__file__).parent / "spec"
LONGEST_STATISTIC = 4096  # held to by test_file.py

RELEASES = [version.split(".")[0] for version in VERSIONS]
DEGREES, METRES = place.EXTENTS["OGC:CRS84"], place.EXTENTS["EPSG:3347"]

PARQUET = [
    f"`d4c.parquet/{footer.CREATED_BY.decode().rpartition('/')[2]}`",
    "makes version 2, and version 1 stays available",
    f"n = 2^{place.HILBERT_BITS}",
    f"of order {place.HILBERT_BITS} ",
    "`xmin * 0.5 + xmax * 0.5`",
    "at least 0 and at most n - 1",
    "starts at the cell (0, 0), ends at (n - 1, 0)",
    "whose first step at order 1 goes to (0, 1)",
    f"x from {DEGREES[0]:g} to {DEGREES[2]:g}, y from {DEGREES[1]:g} to {DEGREES[3]:g}",
    f"x and y from {METRES[0]:,.0f} to {METRES[2]:,.0f}",
    f"GeoParquet {geoparquet.VERSION} record",
    "GeoParquet 1.1 has no place",
    f"Row groups have {write.ROW_GROUP_ROWS:,} rows",
    f"one data page of version {write.DATA_PAGE_VERSION[0]}",
    "Every page has a checksum (CRC-32)",
    f"Zstandard: at level {encoding.ZSTD_LEVEL} ",
    f"at level {encoding.NUMBERS_ZSTD_LEVEL} where a column of a row group is"
    " `DELTA_BINARY_PACKED`",
    f"at level {encoding.SHORT_ZSTD_LEVELS['DELTA_LENGTH_BYTE_ARRAY']} where it is"
    " `DELTA_LENGTH_BYTE_ARRAY`",
    f"on average at most {encoding.SHORT_BYTES['DELTA_LENGTH_BYTE_ARRAY']} bytes long",
    f"at level {encoding.SHORT_ZSTD_LEVELS['PLAIN']} where bytes or geometry are `PLAIN`",
    f"on average at most {encoding.SHORT_BYTES['PLAIN']} bytes long",
    "1. `PLAIN` for",
    f"2. Dictionary, if d is at least 1 and at most {encoding.DICTIONARY_MAXIMUM:,}",
    f"and {encoding.DICTIONARY_SHARE} d is at most v;",
    f"of the first {encoding.FIRST_VALUES:,} of the v values",
    f"at most {encoding.FIRST_DISTINCT:,} are distinct",
    "3. `DELTA_BINARY_PACKED`",
    "4. For `float64`",
    f"v is at least {encoding.DECIMAL_MINIMUM:,}",
    f"round(x * 10^{encoding.DECIMAL_PLACES})",
    f"between -2^{math.log2(encoding.WHOLE_MAXIMUM):g} and 2^{math.log2(encoding.WHOLE_MAXIMUM):g}",
    f"n / 10^{encoding.DECIMAL_PLACES} is x again",
    f"more than {LONGEST_STATISTIC:,} bytes",
    f"| `version` | 2 (format {write.PARQUET_VERSION}) |",
    f"`{footer.CREATED_BY.decode()}`",
    "| `file_offset` of a column chunk | 0 |",
    f"releases {', '.join(RELEASES[:-1])} and {RELEASES[-1]} do the same",
    f"Of {POINTS / 1e6:g} million points in Hilbert order",
    f"({-(-POINTS // write.ROW_GROUP_ROWS)} row groups), a box",
    " of 1 % of the extent",
    "from release 3.9 on. Debian 12 has 3.6,",
    f"less than {2**31:,} bytes",
    f"up to {types.MAXIMUM_DEPTH} levels deep",
]  # fmt: skip

CONTENT = [
    f"`{content.DOMAIN[:-1].decode()}` is a digest",
    "`blake3:` and 64 hexadecimal digits",
    "of about 100 lines",
    "1, 2, 4 or 8 bytes, two's complement",
    "4 or 8 bytes, IEEE 754",
    f"{WIDTHS['decimal']} bytes: the value times 10 to the power of S",
    f"{WIDTHS['date']} bytes: days since 1970-01-01",
    f"{WIDTHS['time']} bytes: microseconds since midnight",
    f"{WIDTHS['timestamp']} bytes: microseconds since 1970-01-01T00:00:00 of",
    f"{WIDTHS['timestamp_utc']} bytes: microseconds since 1970-01-01T00:00:00Z",
    "P is 1 to 38, and S is 0 to P",
    f"up to {types.MAXIMUM_DEPTH} levels deep",
    "a time stamp of 1 nanosecond",
    "`7fc00000`",
    "`7ff8000000000000`",
    "the byte `00`. Otherwise the byte `01`",
    "1 where it is there",
    "0 where it is missing",
    "n + 1 offsets of 8 bytes each, the first of them 0, then",
    "n + 1 offsets of 8 bytes each, the first of them 0, counting",
    "filled up with 0",
    f"runs of {content.RUN_ROWS:,}",
    "of its runs, 32 bytes each",
    f"the {len(content.DOMAIN)} bytes `{content.DOMAIN[:-1].decode()}` and a zero byte",
    "the length of the description as 8 bytes",
    "number of rows as 8 bytes",
    "digests of the columns, 32 bytes each",
]

NAMES = (
    r"-0\.0|0\.0|UTF-8|RFC 8785|float(32|64)|u?int(8|16|32|64)|INT(32|64)|BLAKE3|U\+0020"
    r"|d4cbuild|ogr2ogr|EPSG:\d+|CRS84|\b[123]\. The digest of|Content digest, version 1"
    r"|Normal form of tables, version 1"
)


def words_of(page: str) -> str:
    """A page without its line breaks."""
    return " ".join((SPEC / page).read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    ("page", "said"), [("parquet-nf-1.md", PARQUET), ("content-digest-1.md", CONTENT)]
)
def test_every_number_on_the_page_is_that_of_the_code(page: str, said: list[str]) -> None:
    text = words_of(page)
    for fragment in said:
        assert fragment in text, fragment
        text = text.replace(fragment, "")
    text = re.sub(NAMES, "", text)
    assert re.findall(r".{0,30}\d.{0,30}", text) == []


def test_one_run_of_the_digest_is_one_row_group() -> None:
    assert RUN == content.RUN_ROWS == write.ROW_GROUP_ROWS


def test_the_page_names_every_type_a_recipe_can_declare() -> None:
    text = (SPEC / "content-digest-1.md").read_text(encoding="utf-8")
    names = [*types.SIMPLE_NAMES, "decimal(P,S)", "list<T>", "map<K,V>", "struct<name:T,…>"]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_the_page_names_every_crs_that_can_be_declared() -> None:
    text = (SPEC / "parquet-nf-1.md").read_text(encoding="utf-8")
    assert [crs for crs in place.EXTENTS if f"`{crs}`" not in text] == []
    assert all(geoparquet.projjson(crs) for crs in place.EXTENTS)

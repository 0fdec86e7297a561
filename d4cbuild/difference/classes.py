"""The classes of difference: what each is called, and whether the table is another one by it.

The page ``spec/differences.md`` tells more of each.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DifferenceClass:
    """A class of difference.

    Attributes:
        name: Its name in records and on the page.
        title: What people are shown.
        other_table: Whether what is told by the file has changed; else only how it is written.
    """

    name: str
    title: str
    other_table: bool = True


_ALL = (
    DifferenceClass("footer", "the footer", other_table=False),
    DifferenceClass("encoding", "compression, encoding or layout of the pages", other_table=False),
    DifferenceClass("storage", "how a type is stored", other_table=False),
    DifferenceClass("covering", "boxes around the shapes", other_table=False),
    DifferenceClass("row-order", "order of the rows"),
    DifferenceClass("schema", "names, types, order or nullability of columns"),
    DifferenceClass("crs", "coordinate reference system"),
    DifferenceClass("float-bits", "last bits of floats"),
    DifferenceClass("float-narrowed", "floats that went through float32"),
    DifferenceClass("float-rounded", "floats rounded to fewer digits"),
    DifferenceClass("geometry-form", "how a shape is written as WKB"),
    DifferenceClass("geometry-start", "where a ring starts"),
    DifferenceClass("geometry-winding", "which way round a ring or line goes"),
    DifferenceClass("geometry-parts", "order of the parts of a shape"),
    DifferenceClass("geometry-precision", "digits of coordinates"),
    DifferenceClass("geometry-shape", "another shape"),
    DifferenceClass("text-unicode", "Unicode normalisation"),
    DifferenceClass("text-space", "white space or line ends"),
    DifferenceClass("text-case", "upper and lower case"),
    DifferenceClass("text-encoding", "character encoding (mojibake)"),
    DifferenceClass("text-number", "one number, written in two ways"),
    DifferenceClass("null-empty", "null against empty"),
    DifferenceClass("null-value", "null against a value"),
    DifferenceClass("value", "other values"),
    DifferenceClass("rows-removed", "rows only in A"),
    DifferenceClass("rows-added", "rows only in B"),
    DifferenceClass("json-form", "how JSON is written", other_table=False),
    DifferenceClass("wrapper", "the archive around the same members", other_table=False),
    DifferenceClass("line-ends", "ends of lines, or a byte order mark"),
    DifferenceClass("lines", "other lines of text"),
    DifferenceClass("bytes", "other bytes"),
    DifferenceClass("member", "a member, file or field"),
    DifferenceClass("provenance", "what a manifest says besides", other_table=False),
    DifferenceClass("ingredient", "an ingredient of a build", other_table=False),
    DifferenceClass("output-bytes", "an output of a build, its table the same", other_table=False),
    DifferenceClass("output", "an output of a build"),
)

CLASSES = {each.name: each for each in _ALL}
"""Every class by its name."""

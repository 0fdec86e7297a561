"""Recipes with a mistake each, made by editing a good one, and the line where it must be told."""

from __future__ import annotations

from dataclasses import dataclass

from tests.project import RECIPE

AREA = """
[[outputs.columns]]
name = "shape"
type = "geometry"
crs = "EPSG:4326"
geometry_types = ["Polygon"]
description = { en = "Shape", fr = "Forme" }
"""


@dataclass(frozen=True)
class Broken:
    """A recipe with mistakes.

    Attributes:
        edits: Text of the good recipe, and what stands in its place.
        told: Faults that must be told: the name of each, and a text on the line it must be told at.
        fixed: What ``--fix`` makes of it: text of the broken recipe, and what stands in its place.
    """

    edits: tuple[tuple[str, str], ...]
    told: tuple[tuple[str, str], ...]
    fixed: tuple[tuple[str, str], ...] = ()

    def text(self, name: str) -> str:
        """The recipe in a folder of that name."""
        return _edited(RECIPE.format(id=name), self.edits)

    def mended(self, name: str) -> str:
        """The recipe as ``--fix`` must leave it."""
        return _edited(self.text(name), self.fixed)

    def lines(self, name: str) -> list[tuple[str, int]]:
        """The faults with the numbers of their lines, in order."""
        lines = self.text(name).splitlines()
        found = []
        for fault, mark in self.told:
            (line,) = [number for number, each in enumerate(lines, 1) if mark in each]
            found.append((fault, line))
        return sorted(found)


def _edited(text: str, edits: tuple[tuple[str, str], ...]) -> str:
    for old, new in edits:
        assert text.count(old) == 1 or old.strip("\r\n") == "", (old, text.count(old))
        text = text.replace(old, new)
    return text


def one(old: str, new: str, fault: str, mark: str = "", fixed: str | None = None) -> Broken:
    """A recipe with one mistake.

    Args:
        old: Text of the good recipe.
        new: The mistake.
        fault: The name it must be told by.
        mark: A text on the line where it must be told; the mistake itself unless given.
        fixed: What ``--fix`` must write in place of the mistake; nothing if it must leave it.
    """
    mending = () if fixed is None else ((new, fixed),)
    return Broken(((old, new),), ((fault, mark or new),), mending)


SOURCES = 'mirrors = ["sources/places.csv"]'
LICENCE = 'licence = "OGL-Canada-2.0"'
TITLE = 'title = { en = "Places", fr = "Lieux" }'
VINTAGE, VERSION = 'vintage = "2020"', 'version = "1.0.0"'
COMMAND, MEMORY = 'command = ["python", "process.py"]', 'memory = "1GiB"'
SORT, ROWS = 'sort_by = ["id"]', "rows = { min = 1, max = 10 }"
INTEGER, STRING = 'type = "int16"', 'type = "string"'
COUNT, PATTERN = "min = 1\n", 'pattern = "[A-Z].*"'
FIRST_COLUMN = '[[outputs.columns]]\nname = "id"'
NUMBER = 'description = { en = "Number", fr = "Numéro" }'

BROKEN = {
    # Names
    "id-of-another-folder": Broken(
        (('id = "id-of-another-folder"', 'id = "places"'),),
        (("naming", 'id = "places"'),),
        (('id = "places"', 'id = "id-of-another-folder"'),),
    ),
    "id-in-capitals": Broken(
        (('id = "id-in-capitals"', 'id = "Id-in-Capitals"'),),
        (("naming", 'id = "Id-in-Capitals"'),),
        (('id = "Id-in-Capitals"', 'id = "id-in-capitals"'),),
    ),
    "region-in-capitals": one(
        'region = "ca"', 'region = "CA" # all', "naming", "", 'region = "ca" # all'
    ),
    "region-by-name": one('region = "ca"', 'region = "Québec"', "naming"),
    "source-in-capitals": one(
        'source = "test"', "source = 'Test'", "naming", "", 'source = "test"'
    ),
    "package-with-spaces": one('package = "d4c-datapkg-test"', 'package = "My package"', "naming"),
    "file-name-too-long": one(
        'package = "d4c-datapkg-test"', f'package = "{"a" * 200}"', "naming", "[dataset]"
    ),
    "vintage-as-number": one(VINTAGE, "vintage = 2020", "wrong-type", "", VINTAGE),
    "vintage-as-date": one(
        VINTAGE, "vintage = 2020-08-01 # day", "wrong-type", "", 'vintage = "2020-08-01" # day'
    ),
    "vintage-of-one-digit": one(VINTAGE, 'vintage = "2020-8"', "naming"),
    "vintage-of-years": one(VINTAGE, 'vintage = "2006-2015"', "naming"),
    "dguid-in-lower-case": one(
        VINTAGE,
        f'{VINTAGE}\ndguid = "2021a000011124"',
        "naming",
        "dguid =",
        f'{VINTAGE}\ndguid = "2021A000011124"',
    ),
    "version-of-two": one(VERSION, 'version = "1.0"', "naming", "", VERSION),
    "version-as-number": one(VERSION, "version = 1.0", "wrong-type", "", VERSION),
    "version-with-tail": one(VERSION, 'version = "1.0.0-beta"', "naming"),
    "source-name-with-spaces": one('name = "places.csv"', 'name = "My Places.CSV"', "naming"),
    "output-name-in-capitals": one(
        'name = "places"\n', 'name = "Places"\n', "naming", 'name = "Places"'
    ),
    # Both languages
    "title-without-french": one(TITLE, 'title = { en = "Places" }', "bilingual"),
    "title-in-one-text": one(TITLE, 'title = "Places"', "wrong-type"),
    "french-empty": one(TITLE, 'title = { en = "Places", fr = " " }', "bilingual"),
    "column-without-description": Broken(
        ((NUMBER, ""), (FIRST_COLUMN, FIRST_COLUMN.replace("\n", " # 1\n"))),
        (("missing-field", "# 1"),),
    ),
    # Keys
    "key-with-a-slip": one(LICENCE, 'licens = "OGL-Canada-2.0"', "unknown-key", "", LICENCE),
    "key-of-nothing": one(TITLE, f'{TITLE}\ncolour = "red"', "unknown-key", "colour"),
    "key-there-already": one(VERSION, f'{VERSION}\nversions = "1"', "unknown-key", "versions"),
    "table-with-a-slip": one("[build]", "[biuld]", "unknown-key", "", "[build]"),
    "outputs-in-one-bracket": one(
        "[[outputs]]", "[outputs] # one", "wrong-type", "", "[[outputs]] # one"
    ),
    "dataset-in-two-brackets": one("[dataset]", "[[dataset]]", "wrong-type", "", "[dataset]"),
    "columns-in-one-bracket": Broken(
        (('[[outputs.columns]]\nname = "id"', '[outputs.columns]\nname = "id"'),),
        (("syntax", "[[outputs.columns]]"),),
    ),
    "no-schema": Broken(
        (('schema = "d4c.recipe/1"\n\n', ""),),
        (("format", "[dataset]"),),
        (("[dataset]", 'schema = "d4c.recipe/1"\n\n[dataset]'),),
    ),
    "schema-with-a-slip": one('"d4c.recipe/1"', '"d4c-recipe/1"', "format", "", '"d4c.recipe/1"'),
    "schema-of-the-future": one('"d4c.recipe/1"', '"d4c.recipe/9"', "format"),
    "no-licence": one(f"{LICENCE}\n", "", "missing-field", "[[sources]]"),
    "no-region": one('region = "ca"\n', "", "missing-field", "[dataset]"),
    # Sources
    "licence-by-name": one(LICENCE, 'licence = "MIT License"', "licence", "", 'licence = "MIT"'),
    "licence-half-named": one(LICENCE, 'licence = "OGL-Canada"', "licence", "", LICENCE),
    "licence-unreadable": one(LICENCE, 'licence = "ask them!"', "licence"),
    "address-without-scheme": one(
        '"https://example.invalid/places.csv"', '"example.org/places.csv"', "wrong-value"
    ),
    "mirror-as-text": one(SOURCES, 'mirrors = "sources/places.csv"', "wrong-type", "", SOURCES),
    "mirror-outside": one(SOURCES, 'mirrors = ["../places.csv"]', "mirror"),
    "two-sources-of-one-name": one(
        "[build]",
        '[[sources]]\nname = "places.csv" # again\nurl = "https://example.invalid/b.csv"\n'
        'licence = "MIT"\nattribution = { en = "Some data.", fr = "Des données." }\n\n[build]',
        "contradiction",
        "# again",
    ),
    # Build
    "environment-not-there": one('environment = "geo"', 'environment = "geology"', "environment"),
    "command-as-text": one(COMMAND, 'command = "python process.py"', "wrong-type"),
    "command-of-nothing": one(COMMAND, 'command = ["python", "proces.py"]', "missing-file"),
    "memory-in-gb": one(MEMORY, 'memory = "1 GB"', "wrong-value"),
    "memory-in-gib": one(MEMORY, 'memory = "1gib"', "wrong-value", "", MEMORY),
    "time-in-words": one('time = "60s"', 'time = "1 min"', "wrong-value", "", 'time = "1m"'),
    "cpus-in-quotes": one("cpus = 1", 'cpus = "1"', "wrong-type", "", "cpus = 1"),
    "cpus-a-half": one("cpus = 1", "cpus = 0.5", "wrong-type"),
    "neither-command-nor-steps": one(f"{COMMAND}\n", "", "contradiction", "[build]"),
    "step-with-a-slip": one(COMMAND, 'steps = [{ step = "raed" }]', "wrong-value"),
    "step-of-no-source": one(
        COMMAND, 'steps = [{ step = "read", source = "place.csv" }]', "contradiction"
    ),
    "step-with-a-key-of-another": one(
        COMMAND, 'steps = [{ step = "read", source = "places.csv", sql = "x" }]', "unknown-key"
    ),
    "step-with-a-key-misspelt": one(
        COMMAND,
        'steps = [{ step = "read", sorce = "places.csv" }]',
        "unknown-key",
        "",
        'steps = [{ step = "read", source = "places.csv" }]',
    ),
    # Outputs
    "format-in-capitals": one(
        'format = "parquet"', 'format = "Parquet"', "wrong-value", "", 'format = "parquet"'
    ),
    "format-unknown": one('format = "parquet"', 'format = "csv"', "wrong-value"),
    "shapes-without-shape": one('format = "parquet"', 'format = "geoparquet"', "contradiction"),
    "order-as-text": one(SORT, 'sort_by = "id"', "wrong-type", "", SORT),
    "order-by-nothing": one(SORT, 'sort_by = [\n  "id",\n  "nam",\n]', "contradiction", '"nam"'),
    "order-that-is-none": Broken(
        ((INTEGER, 'type = "boolean"'), ("unique = true\nmin = 1\n", ""), ("min = 1,", "min = 3,")),
        (("contradiction", "sort_by"),),
    ),
    "rows-reversed": one(ROWS, "rows = { min = 10, max = 1 }", "contradiction"),
    "rows-in-quotes": one(ROWS, 'rows = { min = "1" }', "wrong-type", "", "rows = { min = 1 }"),
    "type-of-another-language": one(STRING, 'type = "text"', "wrong-value", "", STRING),
    "type-without-size": one(INTEGER, 'type = "int"', "wrong-value"),
    "truth-in-quotes": one("unique = true", 'unique = "True"', "wrong-type", "", "unique = true"),
    "bounds-reversed": one(COUNT, "min = 5\nmax = 0\n", "contradiction", "max = 0"),
    "bound-in-quotes": one(COUNT, 'min = "one"\n', "contradiction", 'min = "one"'),
    "pattern-with-look-around": one(PATTERN, 'pattern = "(?=A).*"', "wrong-value"),
    "pattern-open": one(PATTERN, 'pattern = "([A-Z]"', "wrong-value"),
    "column-twice": one('name = "name"', 'name = "id" # again', "contradiction", "# again"),
    "projection-as-number": Broken(
        (
            ('fr = "Nom" }\n', f'fr = "Nom" }}\n{AREA}'),
            ('"EPSG:4326"', "4326"),
        ),
        (("wrong-value", "crs = 4326"),),
        (("crs = 4326", 'crs = "EPSG:4326"'),),
    ),
    "shape-in-lower-case": Broken(
        (('fr = "Nom" }\n', f'fr = "Nom" }}\n{AREA}'), ('["Polygon"]', '["polygon"]')),
        (("wrong-value", '["polygon"]'),),
        (('["polygon"]', '["Polygon"]'),),
    ),
    # Parameters
    "parameter-as-date": one(
        'greeting = "hello"', "day = 2020-01-01", "wrong-type", "", 'day = "2020-01-01"'
    ),
    "parameter-too-large": one('greeting = "hello"', "large = 9007199254740993", "wrong-value"),
    # Syntax
    "quotes-left-open": one(VINTAGE, 'vintage = "2020', "syntax"),
    "quotes-of-a-word-processor": one(VINTAGE, "vintage = “2020”", "syntax"),
    "version-without-quotes": one(VERSION, "version = 1.0.0 # first", "syntax"),
    "truth-in-capitals": one("unique = true", "unique = True", "syntax"),
    "colon-for-equals": one(VINTAGE, 'vintage: "2020"', "syntax"),
    "header-without-brackets": one("[build]", "build # here", "syntax"),
    "no-quotes": one('region = "ca"', "region = ca", "syntax"),
    "list-left-open": one(
        SOURCES, 'mirrors = [\n  "sources/places.csv",\n', "syntax", "mirrors = ["
    ),
    "key-twice": one(VERSION, f'{VERSION}\nversion = "1.0.1"', "syntax", '"1.0.1"'),
    "table-twice": one("[parameters]", "[build] # again", "syntax"),
    "backslash": one(SOURCES, 'mirrors = ["sources\\places.csv"]', "syntax"),
    "half-a-character": one('"hello"', '"\\ud83d"', "syntax"),
    "number-of-5000-digits": one('"hello"', "9" * 5000, "syntax"),
    "nested-20000-deep": one('"hello"', "[" * 20_000 + "]" * 20_000, "syntax", "greeting = "),
    "key-of-20000-parts": one('greeting = "hello"', f"{'a.' * 20_000}a = 1", "syntax"),
    # Seen and unseen
    "right-to-left": one('fr = "Lieux"', 'fr = "Lieux\u202e"', "hidden-character"),
    "byte-order-mark": Broken(
        (('schema = "d4c.recipe/1"', '\ufeffschema = "d4c.recipe/1"'),),
        (("byte-order-mark", "schema"),),
        (("\ufeff", ""),),
    ),
}
"""By name of the folder. All end with exit code 64."""

WARNED = {
    "topic-with-hyphens": one(VINTAGE, f'{VINTAGE}\ntopic = "some-places"', "naming", "topic ="),
    "region-unknown": one('region = "ca"', 'region = "ca-qu"', "naming"),
    "same-words-twice": one('fr = "Lieux et nombres."', 'fr = "Places with counts."', "same-text"),
    "still-to-do": one('en = "Places with counts."', 'en = "TODO: what?"', "unfinished"),
    "keywords-in-english": one(
        TITLE, f'{TITLE}\nkeywords = {{ en = ["place"] }}', "bilingual", "keywords ="
    ),
    "licence-not-known-here": one(LICENCE, 'licence = "Zlib"', "licence"),
    "mirror-not-there": one(SOURCES, 'mirrors = ["sources/plces.csv"]', "mirror"),
    "comment-from-right-to-left": one(
        VERSION, f"{VERSION} # \u202eeurt = dilav", "hidden-character"
    ),
    "lines-of-windows": Broken((("\n", "\r\n"),), (("line-ends", "schema"),), (("\r\n", "\n"),)),
}
"""Nothing in these keeps a build from working."""

"""How each field of a recipe is written: what it holds, and an example."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any, Final, get_args

from d4cbuild.model.steps import Step

STEP_KEYS: Final = {
    get_args(kind.model_fields["step"].annotation)[0]: sorted(kind.model_fields)
    for kind in get_args(get_args(Step)[0])
}
"""The keys of each kind of step."""

_INDEX = re.compile(r"\[\d+\]")


@dataclass(frozen=True)
class Form:
    """How a field is written.

    Attributes:
        example: TOML of a value.
        words: What the value is.
    """

    example: str
    words: str

    @property
    def value(self) -> Any:
        """The example as Python has it."""
        return tomllib.loads(f"x = {self.example}")["x"]


_TEXTS: Final = '{ en = "…", fr = "…" }'

FORMS: Final = {
    "schema": Form('"d4c.recipe/1"', "the format of this file"),
    "dataset.id": Form('"example"', "the name of the recipe's folder"),
    "dataset.region": Form('"ca"', "an ISO 3166 code in lower case: ca, or ca-qc for Quebec"),
    "dataset.source": Form('"statcan"', "a short name of the publisher: a-z, 0-9, '-'"),
    "dataset.dguid": Form(
        '"2021A000011124"',
        "a DGUID: the year (2021), the letter A, S, C, B or Z, the schema (0000), the identifier",
    ),
    "dataset.package": Form('"d4c-datapkg-example"', "the data package it belongs to"),
    "dataset.topic": Form('"health_facilities"', "what it is about: a-z, 0-9 and '_'"),
    "dataset.vintage": Form(
        '"2021"',
        "the time the data speak of: 2021, 2021-05 or 2021-05-11; from and to as 2006--2015",
    ),
    "dataset.variant": Form('"simplified"', "resolution or subset: a-z, 0-9 and '_'"),
    "dataset.version": Form('"1.0.0"', "three numbers: major.minor.patch"),
    "dataset.title": Form(_TEXTS, "the title, in English and in French"),
    "dataset.description": Form(_TEXTS, "a description, in English and in French"),
    "dataset.keywords": Form("{ en = [], fr = [] }", "search words in both languages"),
    "dataset.keywords.en": Form('["…"]', "search words in English"),
    "dataset.keywords.fr": Form('["…"]', "search words in French"),
    "sources[].name": Form(
        '"data.csv"', "the file's name in the sandbox: a-z, 0-9, '_', '.' and '-', at most 64"
    ),
    "sources[].url": Form(
        '"https://example.org/data.csv"', "the publisher's address; it begins with https://"
    ),
    "sources[].member": Form('"folder/data.csv"', "the name of the file within the zip"),
    "sources[].mirrors": Form(
        '["sources/data.csv"]',
        "copies: paths in the recipe's folder, https addresses, or remote:path of rclone",
    ),
    "sources[].licence": Form(
        '"OGL-Canada-2.0"', "an SPDX identifier (https://spdx.org/licenses), or LicenseRef-Name"
    ),
    "sources[].redistributable": Form("true", "true if copies may be passed on, else false"),
    "sources[].attribution": Form(_TEXTS, "the notice the licence asks for, in both languages"),
    "build.environment": Form('"geo"', "the name of a folder under environments/"),
    "build.command": Form('["python", "process.py"]', "program and arguments, each in quotes"),
    "build.steps": Form('[{ step = "read", source = "data.csv" }]', "built-in steps"),
    "build.resources": Form('{ cpus = 2, memory = "2GiB" }', "limits of the build"),
    "build.resources.cpus": Form("2", "a whole number from 1 to 256"),
    "build.resources.memory": Form(
        '"2GiB"', "a whole number with MiB or GiB (1 GiB is 1,024 MiB), from 1MiB"
    ),
    "build.resources.disk": Form(
        '"4GiB"', "a whole number with MiB or GiB (1 GiB is 1,024 MiB), from 1MiB"
    ),
    "build.resources.time": Form('"10m"', "a whole number with s, m or h"),
    "outputs[].name": Form('"table"', "a-z, 0-9 and '_', a letter first, at most 40 characters"),
    "outputs[].format": Form('"parquet"', "parquet, geoparquet (with a geometry), or file"),
    "outputs[].file": Form('"table.csv"', "the name the code gives the file"),
    "outputs[].container": Form('"as-is"', "as-is, to keep the file as the code wrote it"),
    "outputs[].class": Form('"bitwise"', "bitwise, or attested with a reason"),
    "outputs[].reason": Form('"…"', "why no outsider can make it"),
    "outputs[].title": Form(_TEXTS, "what this output holds, in both languages"),
    "outputs[].sort_by": Form('["id"]', "the columns that order the rows, no two rows alike"),
    "outputs[].rows": Form("{ min = 1, max = 100 }", "how many rows are plausible"),
    "outputs[].rows.min": Form("1", "a whole number"),
    "outputs[].rows.max": Form("100", "a whole number"),
    "outputs[].columns[].name": Form('"id"', "the column's name in the file"),
    "outputs[].columns[].type": Form(
        '"string"',
        "boolean, int8 to int64, uint8 to uint64, float32, float64, decimal(9,2), string, binary,"
        " date, time, timestamp, timestamp_utc, geometry, list<…>, map<…,…> or struct<name:…>",
    ),
    "outputs[].columns[].nullable": Form("true", "true if values may be missing, else false"),
    "outputs[].columns[].description": Form(_TEXTS, "what it holds, in English and in French"),
    "outputs[].columns[].unique": Form("true", "true if no value occurs twice, else false"),
    "outputs[].columns[].min": Form("0", "a number; a date or time in quotes"),
    "outputs[].columns[].max": Form("100", "a number; a date or time in quotes"),
    "outputs[].columns[].enum": Form('["a", "b"]', "the values that are allowed"),
    "outputs[].columns[].pattern": Form(
        "'[0-9]{4}'",
        "a regular expression of RE2 that matches the whole text"
        " (https://github.com/google/re2/wiki/Syntax); single quotes keep '\\' as it is",
    ),
    "outputs[].columns[].geometry_types": Form('["Point"]', "the kinds of shapes allowed"),
    "outputs[].columns[].crs": Form(
        '"OGC:CRS84"', "OGC:CRS84, EPSG:4326, EPSG:4617, EPSG:3347 or EPSG:3979"
    ),
    "outputs[].columns[].valid": Form('"require"', "require, repair or as-is"),
}
"""By path, with ``[]`` for any position. A language of a bilingual text has the form of texts."""

TEXT: Final = Form('"…"', "text in quotes")


def general(path: str) -> str:
    """A path with ``[]`` in place of each position."""
    return _INDEX.sub("[]", path)


def form_of(path: str) -> Form | None:
    """How a field is written; ``None`` for tables, parameters and what the format has not."""
    known = FORMS.get(general(path))
    if known is not None:
        return known
    around, _, last = general(path).rpartition(".")
    if last in ("en", "fr") and around in FORMS:
        return TEXT
    return FORMS.get(general(path)[:-2]) if path.endswith("]") else None


def snippet(path: str) -> str | None:
    """Lines for a whole table, with all that is required in it; ``None`` for other paths."""
    return _SNIPPETS.get(general(path).removesuffix("[]"))


_COLUMN = """\
[[outputs.columns]]
name = "id"
type = "string"
description = { en = "…", fr = "…" }"""
_SNIPPETS: Final = {
    "dataset": """\
[dataset]
id = "example"
region = "ca"
source = "statcan"
package = "d4c-datapkg-example"
vintage = "2021"
version = "1.0.0"
title = { en = "…", fr = "…" }
description = { en = "…", fr = "…" }""",
    "sources": """\
[[sources]]
name = "data.csv"
url = "https://example.org/data.csv"
licence = "OGL-Canada-2.0"
attribution = { en = "…", fr = "…" }""",
    "build": """\
[build]
command = ["python", "process.py"]""",
    "outputs": f"""\
[[outputs]]
name = "table"
format = "parquet"
sort_by = ["id"]

{_COLUMN}""",
    "outputs[].columns": _COLUMN,
}

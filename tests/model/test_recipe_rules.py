"""Every rule of ``recipe.toml``: one fault each, named by its field."""

from __future__ import annotations

import pytest

from d4cbuild.errors import Exit, InputError
from d4cbuild.model.parse import record_from_toml
from d4cbuild.model.recipe import Recipe
from tests.project import RECIPE

GOOD = RECIPE.format(id="places")
NAME = 'name = "name"\ntype = "string"\nnullable = true\npattern = "[A-Z].*"'
ID = 'name = "id"\ntype = "int16"\nunique = true\nmin = 1'
LONG = "a" * 90
FIRST, SECOND = "outputs[0].columns[0]", "outputs[0].columns[1]"


def read(text: str) -> Recipe:
    return record_from_toml(Recipe, text.encode(), "recipe.toml")


TABLE = GOOD[GOOD.index('format = "parquet"') :]


def column(kind: str, more: str = "") -> tuple[str, str]:
    """Replace the second column's type and options."""
    return NAME, f'name = "name"\ntype = "{kind}"\n{more}'


def edited(*edits: tuple[str, str]) -> str:
    text = GOOD
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


FAULTS = {
    "id_upper_case": (('id = "places"', 'id = "Places"'), "dataset.id", "a-z, 0-9"),
    "id_too_long": (('id = "places"', f'id = "{"a" * 41}"'), "dataset.id", "1 to 40"),
    "region_upper_case": (('region = "ca"', 'region = "CA"'), "dataset.region", "ISO 3166"),
    "source_no_slug": (('source = "test"', 'source = "a b"'), "dataset.source", "slug"),
    "dguid": (('source = "test"', 'source = "t"\ndguid = "2021X1"'), "dataset.dguid", "DGUID"),
    "vintage_month": (('"2020"', '"2020-13"'), "dataset.vintage", "a date such as"),
    "vintage_day": (('"2020"', '"2021-02-29"'), "dataset.vintage", "is no date"),
    "vintage_range": (('"2020"', '"2020--2019"'), "dataset.vintage", "ends before it begins"),
    "vintage_end": (('"2020"', '"2020--2021-99"'), "dataset.vintage", "a date such as"),
    "vintage_digits": (('"2020"', '"٢٠٢٠"'), "dataset.vintage", "a date such as"),
    "version_two_parts": (('"1.0.0"', '"1.0"'), "dataset.version", "version such as"),
    "version_zero": (('"1.0.0"', '"01.0.0"'), "dataset.version", "version such as"),
    "version_number": (('"1.0.0"', "1.0"), "dataset.version", "valid string"),
    "no_french": (('en = "Places", fr = "Lieux"', 'en = "P"'), "dataset.title.fr", "required"),
    "empty_title": (('"Lieux"', '"  "'), "dataset.title.fr", "at least 1"),
    "bidi": (('"Lieux"', '"a\u202eb"'), "dataset.title.fr", "U+202E"),
    "nul": (('"Lieux"', '"a\\u0000b"'), "dataset.title.fr", "U+0000"),
    "unknown_field": (('region = "ca"', 'region = "ca"\nregoin = 1'), "dataset.regoin", "Extra"),
    "unknown_table": (("[parameters]", "[parameter]"), "parameter", "Extra inputs"),
    "url": (('"https://example', '"ftp://example'), "sources[0].url", "https address"),
    "mirror_up": (('"sources/places', '"../places'), "sources[0].mirrors[0]", "leaves the recipe"),
    "mirror_root": (('"sources/places', '"/places'), "sources[0].mirrors[0]", "leaves the recipe"),
    "licence": (('"OGL-Canada-2.0"', '"a b"'), "sources[0].licence", "SPDX"),
    "source_name": (('name = "places.csv"', 'name = "a/b"'), "sources[0].name", "a file name"),
    "empty_command": (('["python", "process.py"]', "[]"), "build.command", "at least 1"),
    "command_text": (('["python", "process.py"]', '"ls"'), "build.command", "valid array"),
    "cpus": (("cpus = 1", "cpus = 0"), "build.resources.cpus", "greater than or equal to 1"),
    "memory_unit": (('"1GiB"', '"1GB"'), "build.resources.memory", "512MiB or 2GiB"),
    "memory_huge": (('"1GiB"', '"9999999TiB"'), "build.resources.memory", "less than or equal"),
    "memory_tiny": (('"1GiB"', "2"), "build.resources.memory", "greater than or equal"),
    "disk_negative": (('"256MiB"', '"-1MiB"'), "build.resources.disk", "512MiB or 2GiB"),
    "time_digits": (('"60s"', '"٢s"'), "build.resources.time", "30s, 10m or 2h"),
    "time_forever": (('"60s"', '"9999h"'), "build.resources.time", "less than or equal"),
    "parameter_date": (('"hello"', "2020-01-01"), "parameters.greeting", "in quotes"),
    "parameter_nan": (('"hello"', "[1, nan]"), "parameters.greeting[1]", "nan has no JSON form"),
    "parameter_huge": (('"hello"', "9007199254740992"), "parameters.greeting", "2**53"),
    "parameter_huge_float": (('"hello"', "1e17"), "parameters.greeting", "2**53"),
    "parameter_hexadecimal": (('"hello"', f"0x{'f' * 9000}"), "parameters.greeting", "2**53"),
    "output_name": (('name = "places"\n', 'name = "Places"\n'), "outputs[0].name", "a letter"),
    "format": (('"parquet"', '"csv"'), "outputs[0].format", "'geoparquet', 'parquet'"),
    "no_geometry": (('"parquet"', '"geoparquet"'), "outputs[0].format", "needs a geometry column"),
    "file_needs_name": ((TABLE, 'format = "file"\n'), "outputs[0].format", "needs file"),
    "file_for_table": (
        ('"parquet"', '"parquet"\nfile = "a.csv"'),
        "outputs[0].file",
        "file is for",
    ),
    "attested": (
        ('"parquet"', '"parquet"\nclass = "attested"'),
        "outputs[0].class",
        "needs a reason",
    ),
    "no_sort_by": (('sort_by = ["id"]', "sort_by = []"), "outputs[0]", "sort_by must be given"),
    "sort_unknown": (('["id"]', '["nr"]'), "outputs[0].sort_by[0]", "which is no declared column"),
    "sort_twice": (('["id"]', '["id", "id"]'), "outputs[0].sort_by[1]", "sort_by names twice: id"),
    "sort_hilbert": (('["id"]', '["hilbert(id)"]'), "outputs[0].sort_by[0]", "but id is int16"),
    "rows_negative": (("min = 1, max = 10", "min = -1"), "outputs[0].rows.min", "greater than"),
    "rows_reversed": (("max = 10", "max = 0"), "outputs[0].rows.max", "max 0 is below min 1"),
    "columns_twice": (
        ('name = "name"', 'name = "id"'),
        "outputs[0].columns[1].name",
        "declared twice: id",
    ),
    "column_bidi": (('name = "name"', 'name = "n\\u2066"'), f"{SECOND}.name", "U+2066"),
    "type_unknown": (column("text"), f"{SECOND}.type", "not a column type"),
    "type_field_name": (column("struct<<:int8>"), f"{SECOND}.type", "the name of a field"),
    "type_precision": (column("decimal(39,0)"), f"{SECOND}.type", "1 to 38"),
    "type_deep": (column(f"{'list<' * 20}int8{'>' * 20}"), f"{SECOND}.type", "16 levels"),
    "type_trailing": (column("int8 int8"), f"{SECOND}.type", "nothing after int8"),
    "min_on_text": (column("string", "min = 1"), f"{SECOND}.min", "use pattern or enum"),
    "max_on_boolean": (column("boolean", "max = 1"), f"{SECOND}.max", "not boolean"),
    "min_on_list": (column("list<int8>", "min = 1"), f"{SECOND}.min", "not list<int8>"),
    "min_text_on_number": (column("int8", 'min = "1"'), f"{SECOND}.min", "which is no int8"),
    "min_number_on_date": (column("date", "min = 1"), f"{SECOND}.min", "which is no date"),
    "min_no_date": (column("date", 'min = "2020-02-30"'), f"{SECOND}.min", "which is no date"),
    "min_with_zone": (
        column("timestamp", 'min = "2020-01-01T00:00:00Z"'),
        f"{SECOND}.min",
        "a zone",
    ),
    "min_without_zone": (column("timestamp_utc", 'min = "2020-01-01"'), f"{SECOND}.min", "no zone"),
    "min_not_finite": (
        column("decimal(5,2)", 'min = "NaN"\nmax = 1'),
        f"{SECOND}.min",
        "is no decimal",
    ),
    "min_no_decimal": (
        column("decimal(5,2)", 'min = "x"'),
        f"{SECOND}.min",
        "which is no decimal(5,2)",
    ),
    "bounds_reversed": (
        ("min = 1\n", "min = 2\nmax = 1\n"),
        f"{FIRST}.max",
        "max 1 is below min 2",
    ),
    "min_boolean": (("min = 1\n", "min = true\n"), f"{FIRST}.min", "expected a number"),
    "enum_on_float": (column("float64", "enum = [1]"), f"{SECOND}.enum", "enum is for"),
    "enum_text_on_number": (
        column("int8", 'enum = ["1"]'),
        f"{SECOND}.enum[0]",
        "which is no int8",
    ),
    "enum_number_on_text": (
        column("string", "enum = [1]"),
        f"{SECOND}.enum[0]",
        "which is no string",
    ),
    "enum_too_large": (
        column("uint8", "enum = [256]"),
        f"{SECOND}.enum[0]",
        "which no uint8 can hold",
    ),
    "enum_twice": (column("string", 'enum = ["a", "a"]'), f"{SECOND}.enum[1]", "a value twice"),
    "enum_empty": (column("string", "enum = []"), f"{SECOND}.enum", "at least 1"),
    "enum_float": (column("int8", "enum = [1.5]"), f"{SECOND}.enum[0]", "or a whole number"),
    "pattern_on_number": (
        column("int8", 'pattern = "a"'),
        f"{SECOND}.pattern",
        "pattern is for string",
    ),
    "pattern_open": (column("string", 'pattern = "(a"'), f"{SECOND}.pattern", "no regular"),
    "unique_list": (
        column("list<int8>", "unique = true"),
        f"{SECOND}.unique",
        "unique is for single",
    ),
    "crs_on_text": (column("string", 'crs = "EPSG:4326"'), f"{SECOND}.crs", "for geometry columns"),
    "crs_unknown": (column("geometry", 'crs = "EPSG:1"'), f"{SECOND}.crs", "EPSG:3347"),
    "name_too_long": (
        ('package = "d4c-datapkg-test"', f'package = "{LONG}"\ntopic = "{LONG}"'),
        "dataset",
        "more than 200",
    ),
}


@pytest.mark.parametrize(("edit", "path", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_the_only_one_and_named_by_its_field(
    edit: tuple[str, str], path: str, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(edited(edit))
    error = caught.value
    if path != "parameter":  # an optional table with a wrong name leaves no second fault
        assert error.message == "1 field is wrong", error
    assert error.found is not None
    name, _, text = error.found.partition(": ")
    assert name == path, error
    assert message in text
    assert error.where == "recipe.toml"
    assert error.hint is not None
    assert error.exit_code is Exit.BAD_INPUT


def test_the_recipe_the_faults_are_made_of_is_good() -> None:
    assert read(GOOD).dataset.id == "places"


def test_bounds_and_listed_values_are_taken_where_they_make_sense() -> None:
    for kind, more in (
        ("date", 'min = "2020-01-01"\nmax = "2020-12-31"'),
        ("date", 'enum = ["2020-01-01"]'),
        ("time", 'min = "08:00"'),
        ("timestamp", 'max = "2020-01-01T08:00:00"'),
        ("timestamp_utc", 'max = "2020-01-01T08:00:00Z"'),
        ("decimal(5,2)", 'min = "0.01"\nmax = 100'),
        ("decimal(5,2)", 'enum = ["0.01", 2]'),
        ("float32", "min = -0.5\nmax = 1"),
        ("uint64", "min = 0\nenum = [1, 2]"),
        ("string", 'enum = ["a", "1"]'),
    ):
        recipe = read(edited(column(kind, more)))
        assert recipe.outputs[0].columns[1].type == kind


def test_all_faults_of_a_file_are_reported_at_once() -> None:
    text = edited(
        ('region = "ca"', 'region = "CA"'),
        ('"hello"', "nan"),
        ('"1GiB"', '"1GB"'),
        ("min = 1\n", 'min = "x"\n'),
        column("text"),
    )
    with pytest.raises(InputError) as caught:
        read(text)
    assert caught.value.message == "5 fields are wrong"
    paths = {line.partition(": ")[0] for line in str(caught.value.found).splitlines()}
    memory = "build.resources.memory"
    assert paths == {
        "dataset.region",
        "parameters.greeting",
        memory,
        f"{FIRST}.min",
        f"{SECOND}.type",
    }


def test_names_that_must_differ_are_compared() -> None:
    again = GOOD[GOOD.index("[[outputs]]") :]
    with pytest.raises(InputError, match="wrong") as caught:
        read(GOOD + again)
    assert "outputs with one name: places" in str(caught.value)
    source = GOOD[GOOD.index("[[sources]]") : GOOD.index("[build]")]
    with pytest.raises(InputError) as caught:
        read(GOOD.replace("[build]", f"{source}[build]"))
    assert "sources with one name: places.csv" in str(caught.value)
    file = '[[outputs]]\nname = "other"\nformat = "file"\nfile = "places.parquet"\n'
    with pytest.raises(InputError) as caught:
        read(GOOD + file)
    assert "files of outputs with one name: places.parquet" in str(caught.value)


@pytest.mark.parametrize("schema", ["d4c.recipe/2", "d4c.lock/1", ""])
def test_an_unknown_format_is_said_alone_and_with_what_to_do(schema: str) -> None:
    text = edited(('"d4c.recipe/1"', f'"{schema}"'), ('region = "ca"', "regoin = 1"))
    with pytest.raises(InputError) as caught:
        read(text)
    error = caught.value
    assert "does not know the file's format" in error.message
    assert error.expected == "schema = 'd4c.recipe/1'"
    assert error.found == f"schema = {schema!r}"
    assert "update d4cbuild" in str(error.hint)


def test_a_missing_format_is_a_fault_like_others() -> None:
    with pytest.raises(InputError) as caught:
        read(GOOD.replace('schema = "d4c.recipe/1"', ""))
    assert caught.value.found == "schema: Field required"

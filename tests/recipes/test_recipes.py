"""The recipes of this repository: their records, their words, their committed sources."""

import ast
import csv
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import shapely

from d4cbuild.model.parse import record_from_toml
from d4cbuild.model.recipe import Recipe

ROOT = Path(__file__).resolve().parents[2] / "recipes"
FILE_NAMES = {
    "elections-canada-pollresults": "ca_elections-canada_d4c-datapkg-statistical"
    "_general_elections_poll_results_2006--2015_v1.0.0.parquet",
    "statcan-cma-2016": "ca_statcan-2016A000011124_d4c-datapkg-statistical"
    "_census_metropolitan_areas_and_agglomerations_2016_cartographic_v1.0.0.parquet",
    "statcan-odhf": "ca_statcan-2021A000011124_d4c-datapkg-foundation"
    "_open_database_of_healthcare_facilities_2020-08_v1.0.0.parquet",
}
NAMES = sorted(FILE_NAMES)
COMMITTED = {
    "statcan-cma-2016/sources/lcma000b16a_e.zip": 3_701_019,
    "statcan-odhf/sources/odhf_v1.1.csv": 1_514_321,
}
every_recipe = pytest.mark.parametrize("name", NAMES)


def recipe(name: str) -> Recipe:
    path = ROOT / name / "recipe.toml"
    return record_from_toml(Recipe, path.read_bytes(), f"recipes/{name}/recipe.toml")


def readme(name: str) -> str:
    return (ROOT / name / "README.md").read_text(encoding="utf-8")


@every_recipe
def test_a_recipe_is_named_after_its_folder(name: str) -> None:
    assert recipe(name).dataset.id == name


@every_recipe
def test_the_files_are_named_by_the_convention(name: str) -> None:
    (output,) = recipe(name).outputs
    assert recipe(name).file_name(output) == FILE_NAMES[name]


@every_recipe
def test_the_command_runs_code_that_is_there_and_short(name: str) -> None:
    program, script = recipe(name).build.command
    assert program == "python"
    text = (ROOT / name / script).read_text(encoding="utf-8")
    ast.parse(text)
    assert len(text.splitlines()) < 120


@every_recipe
def test_french_is_written_and_not_copied_from_english(name: str) -> None:
    wanted = recipe(name)
    texts = [wanted.dataset.title, wanted.dataset.description]
    texts += [source.attribution for source in wanted.sources]
    texts += [column.description for output in wanted.outputs for column in output.columns]
    assert [text.en for text in texts if text.en == text.fr] == []
    # French has its own little words, and puts a space before a colon.
    assert [text.fr for text in texts if re.search(r"\b(the|of|and|with|is)\b", text.fr)] == []
    assert [text.fr for text in texts if re.search(r"\w:\s", text.fr)] == []
    assert len(wanted.dataset.keywords.en) == len(wanted.dataset.keywords.fr) > 0


@every_recipe
def test_rows_are_bounded_and_their_order_rests_on_columns_without_nulls(name: str) -> None:
    for output in recipe(name).outputs:
        assert 0 < output.rows.min == output.rows.max
        nullable = {column.name for column in output.columns if column.nullable}
        plain = [key for key in output.sort_by if "(" not in key]
        assert plain
        assert nullable.isdisjoint(plain)


@every_recipe
def test_column_names_are_snake_case(name: str) -> None:
    for output in recipe(name).outputs:
        for column in output.columns:
            assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", column.name)


@every_recipe
def test_patterns_and_enums_are_well_formed(name: str) -> None:
    for output in recipe(name).outputs:
        for column in output.columns:
            if column.pattern is not None:
                re.compile(column.pattern)
            if column.enum is not None:
                assert list(column.enum) == sorted(set(column.enum))


@every_recipe
def test_the_readme_gives_licence_attribution_commands_and_each_mirror(name: str) -> None:
    text = readme(name)
    for command in ("build", "verify"):
        assert f"d4cbuild {command} recipes/{name}" in text
    for source in recipe(name).sources:
        assert f"`{source.licence}`" in text
        for mirror in source.mirrors:
            assert Path(mirror).name in text
    if len(recipe(name).sources) == 1:
        attribution = recipe(name).sources[0].attribution
        assert f"> {attribution.en}" in text
        assert f"> {attribution.fr}" in text


@pytest.mark.parametrize("path", sorted(COMMITTED))
def test_a_committed_source_has_the_hash_its_readme_states(path: str) -> None:
    data = (ROOT / path).read_bytes()
    name, _, mirror = path.partition("/")
    assert len(data) == COMMITTED[path]
    assert f"| sha256 | `{hashlib.sha256(data).hexdigest()}` |" in readme(name)
    assert mirror in recipe(name).sources[0].mirrors


@pytest.mark.parametrize("path", sorted(COMMITTED))
def test_git_may_not_convert_a_committed_source(path: str) -> None:
    attributes = (ROOT / path).with_name(".gitattributes").read_text(encoding="utf-8")
    assert "* -text" in attributes.splitlines()


def test_the_elections_add_up_to_the_declared_rows() -> None:
    wanted = recipe("elections-canada-pollresults")
    elections = wanted.parameters["elections"]
    assert sum(election["members"] for election in elections) == 1_262
    assert sum(election["rows"] for election in elections) == wanted.outputs[0].rows.max
    assert sum(election["blank_rows"] for election in elections) == 307
    assert [e["source"] for e in elections] == [source.name for source in wanted.sources]


def run_facilities(source: bytes, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run the recipe's own code on ``source``, as the sandbox would call it."""
    (folder / "sources").mkdir()
    (folder / "out").mkdir()
    (folder / "sources" / "odhf_v1.1.csv").write_bytes(source)
    parameters = folder / "parameters.json"
    parameters.write_text(json.dumps(recipe("statcan-odhf").parameters), encoding="utf-8")
    variables = {
        "D4C_SOURCES": str(folder / "sources"),
        "D4C_OUT": str(folder / "out"),
        "D4C_PARAMETERS": str(parameters),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        [sys.executable, "process.py"],
        cwd=ROOT / "statcan-odhf",
        env=dict(os.environ) | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def facilities() -> bytes:
    return (ROOT / "statcan-odhf" / "sources" / "odhf_v1.1.csv").read_bytes()


def test_the_facilities_come_out_as_declared(tmp_path: Path) -> None:
    run = run_facilities(facilities(), tmp_path)
    assert run.returncode == 0, run.stderr
    table = pq.read_table(tmp_path / "out" / "facilities.parquet")
    (output,) = recipe("statcan-odhf").outputs
    assert table.num_rows == output.rows.max
    assert table.column_names == [column.name for column in output.columns]
    for column in output.columns:
        values = table[column.name].to_pylist()
        present = [value for value in values if value is not None]
        assert (len(present) < len(values)) == column.nullable, column.name
        if column.unique:
            assert len(set(present)) == len(present)
        if column.enum is not None:
            assert set(present) == set(column.enum)
        if column.pattern is not None:
            assert [v for v in present if not re.fullmatch(column.pattern, v)] == []


def test_the_facilities_keep_accents_codes_and_coordinates(tmp_path: Path) -> None:
    run_facilities(facilities(), tmp_path)
    rows = pq.read_table(tmp_path / "out" / "facilities.parquet").to_pylist()
    published = csv.DictReader(facilities().decode("cp1252").splitlines())
    by_id = {row["index"]: row for row in published}
    assert len(by_id) == len(rows)
    for row in rows:
        was = by_id[row["facility_id"]]
        assert row["facility_name"] == was["facility_name"]
        assert (row["csd_uid"] or "") == was["CSDuid"].removesuffix(".0")
        point = shapely.from_wkb(row["geometry"])
        found = ("", "") if point is None else (point.x, point.y)
        assert found == tuple(float(t) if t else "" for t in (was["longitude"], was["latitude"]))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (b"CSDuid", b"csduid", "unknown header"),
        (b",4806016.0,", b",4806016.5,", "4806016.5"),
        (b"\xe9", b"\x81", "can't decode byte 0x81"),
    ],
    ids=["header", "code", "byte"],
)
def test_an_unexpected_source_stops_the_code(
    old: bytes, new: bytes, complaint: str, tmp_path: Path
) -> None:
    assert old in facilities()
    run = run_facilities(facilities().replace(old, new), tmp_path)
    assert run.returncode != 0
    assert complaint in run.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_a_missing_row_stops_the_code(tmp_path: Path) -> None:
    lines = facilities().splitlines(keepends=True)
    run = run_facilities(b"".join(lines[:-1]), tmp_path)
    assert run.returncode != 0
    assert "7032 rows read, 7033 expected" in run.stderr
    assert list((tmp_path / "out").iterdir()) == []

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

from d4cbuild.model.licences import may_redistribute
from d4cbuild.model.parse import record_from_toml
from d4cbuild.model.recipe import Recipe

ROOT = Path(__file__).resolve().parents[2] / "recipes"
FILE_BASES = {
    "alberta-protected-areas": "ca-ab_alberta-parks_d4c-datapkg-environment"
    "_parks_and_protected_areas_2024-03-06_v1.0.0",
    "bc-natural-resource-areas": "ca-bc_bc_d4c-datapkg-boundaries"
    "_natural_resource_areas_2016-03-15_v1.0.0",
    "eccc-citypage-ottawa": "ca-on_eccc_d4c-datapkg-climate_city_weather_2025-02-05_ottawa_v1.0.0",
    "eccc-hourly-pelly": "ca-sk_eccc_d4c-datapkg-climate_hourly_climate_1986--1987_pelly_v1.0.0",
    "eccc-station-inventory": "ca_eccc_d4c-datapkg-climate"
    "_climate_station_inventory_2017-05-29_v1.0.0",
    "elections-canada-pollresults": "ca_elections-canada_d4c-datapkg-statistical"
    "_general_elections_poll_results_2006--2015_v1.0.0",
    "halifax-transit-gtfs": "ca-ns_halifax-transit_d4c-datapkg-transport"
    "_transit_schedule_2025-08-25--2025-11-16_v1.0.0",
    "nrcan-canvec-hydro": "ca_nrcan_d4c-datapkg-hydrography"
    "_canvec_hydrographic_features_2016-12_15m_v1.0.0",
    "nrcan-hrdem-fredericton": "ca-nb_nrcan_d4c-datapkg-elevation"
    "_high_resolution_digital_elevation_model_2022_fredericton-1m_v1.0.0",
    "ottawa-building-permits-2018": "ca-on_ottawa_d4c-datapkg-construction"
    "_building_permits_2018_v1.0.0",
    "pei-charlottetown-wards": "ca-pe_elections-pei_d4c-datapkg-boundaries"
    "_charlottetown_wards_2013_v1.0.0",
    "quebec-mrc": "ca-qc_quebec_d4c-datapkg-boundaries"
    "_municipalites_regionales_de_comte_2017-08_bdga1m_v1.0.0",
    "statcan-cma-2016": "ca_statcan-2016A000011124_d4c-datapkg-statistical"
    "_census_metropolitan_areas_and_agglomerations_2016_cartographic_v1.0.0",
    "statcan-exchange-rates": "ca_statcan-2016A000011124_d4c-datapkg-statistical"
    "_daily_average_foreign_exchange_rates_1981-05-04--2025-06-09_v1.0.0",
    "statcan-odhf": "ca_statcan-2021A000011124_d4c-datapkg-foundation"
    "_open_database_of_healthcare_facilities_2020-08_v1.0.0",
    "toronto-schools": "ca-on_toronto_d4c-datapkg-foundation_schools_2018_v1.0.0",
    "winnipeg-road-network": "ca-mb_winnipeg_d4c-datapkg-transport_road_network_2020_v1.0.0",
}
NAMES = sorted(FILE_BASES)
CODE = ("elections-canada-pollresults", "statcan-cma-2016", "statcan-odhf")
COMMITTED = {
    "alberta-protected-areas/sources/alberta_protected_areas.gdb.zip": 1_561_657,
    "eccc-citypage-ottawa/sources/eccc_citypage_ottawa.xml": 38_750,
    "eccc-hourly-pelly/sources/eccc_hourly_pelly_1986_1987.zip": 227_147,
    "eccc-station-inventory/sources/eccc_station_inventory.csv": 991_497,
    "nrcan-canvec-hydro/sources/nrcan_canvec_15M_CA_Hydro_shp.zip": 927_355,
    "ottawa-building-permits-2018/sources/ottawa_building_permits_2018.xlsx": 1_341_278,
    "statcan-cma-2016/sources/lcma000b16a_e.zip": 3_701_019,
    "statcan-exchange-rates/sources/statcan_33100036-eng.zip": 573_525,
    "statcan-exchange-rates/sources/statcan_33100036_cube_metadata.json": 12_008,
    "statcan-odhf/sources/odhf_v1.1.csv": 1_514_321,
    "toronto-schools/sources/toronto_schools.geojson": 602_158,
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


def test_every_recipe_is_looked_at_here() -> None:
    assert sorted(path.parent.name for path in ROOT.glob("*/recipe.toml")) == NAMES


@every_recipe
def test_the_files_are_named_by_the_convention(name: str) -> None:
    outputs = recipe(name).outputs
    for output in outputs:
        base, _, ending = recipe(name).file_name(output).rpartition(".")
        assert base == FILE_BASES[name] + (f"_{output.name}" if len(outputs) > 1 else "")
        assert ending == ("tif" if output.format == "file" else "parquet")


@every_recipe
def test_several_outputs_have_titles(name: str) -> None:
    outputs = recipe(name).outputs
    assert len(outputs) == 1 or all(output.title is not None for output in outputs)


@every_recipe
def test_a_recipe_has_code_or_steps_and_not_both(name: str) -> None:
    assert (recipe(name).build.command is not None) == (name in CODE)
    assert (ROOT / name / "process.py").exists() == (name in CODE)


@every_recipe
def test_a_file_is_committed_only_where_copies_may_be_passed_on(name: str) -> None:
    for source in recipe(name).sources:
        if any((ROOT / name / mirror).exists() for mirror in source.mirrors):
            assert may_redistribute(source.licence, source.redistributable)


@pytest.mark.parametrize("name", CODE)
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
    texts += [output.title for output in wanted.outputs if output.title is not None]
    assert [text.en for text in texts if text.en == text.fr] == []
    # French has its own little words, and puts a space before a colon.
    assert [text.fr for text in texts if re.search(r"\b(the|of|and|with|is)\b", text.fr)] == []
    assert [text.fr for text in texts if re.search(r"\w:\s", text.fr)] == []
    assert len(wanted.dataset.keywords.en) == len(wanted.dataset.keywords.fr) > 0


@every_recipe
def test_rows_are_bounded_and_their_order_rests_on_columns_without_nulls(name: str) -> None:
    for output in recipe(name).outputs:
        if output.format == "file":
            continue
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
    assert [mirror] in [list(source.mirrors) for source in recipe(name).sources]


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

"""The page of the steps: every option is on it, and every example gives what it shows."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pytest
import shapely

import d4cbuild
from d4cbuild.build.stepping import process_of
from d4cbuild.model.parse import record_from_toml
from d4cbuild.model.recipe import Recipe
from d4cbuild.model.steps import Step
from d4cbuild.steps import Tables
from d4cbuild.steps.shapes import shape_columns
from tests.project import RECIPE

PAGE = (Path(d4cbuild.__file__).parent / "spec" / "steps.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S))
KINDS = {
    get_args(kind.model_fields["step"].annotation)[0]: kind for kind in get_args(get_args(Step)[0])
}
(RAW,) = re.findall(r"^```csv raw\.csv\n(.*?)^```", PAGE, re.M | re.S)


def _block(section: str, language: str) -> str:
    (block,) = re.findall(rf"^```{language}\n(.*?)^```", SECTIONS[section], re.M | re.S)
    return str(block)


def _recipe(steps: str) -> Recipe:
    text = RECIPE.format(id="places").replace('command = ["python", "process.py"]\n', "")
    text = text.replace('name = "places.csv"', 'name = "raw.csv"')
    text = text.replace('greeting = "hello"', "north = 1")
    text = text.replace("[parameters]", f"[[build.steps]]\n{steps}\n[parameters]", 1)
    return record_from_toml(Recipe, text.encode(), "recipe.toml")


def _shown(table: pa.Table) -> str:
    """A table as the page shows it."""
    columns = {name: table[name].to_pylist() for name in table.column_names}
    for name in shape_columns(table):
        columns[name] = [shapely.from_wkb(each).wkt for each in columns[name]]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow([str(v).lower() if isinstance(v, bool) else v for v in row])
    return stream.getvalue()


def test_the_page_has_a_section_for_each_step() -> None:
    assert set(SECTIONS) == set(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_every_option_of_a_step_is_on_its_page(name: str) -> None:
    listed = re.findall(r"^\|([^|]*)\|", SECTIONS[name], re.M)
    options = {option for cell in listed for option in re.findall(r"`(\w+)`", cell)}
    assert options == KINDS[name].model_fields.keys() - {"step"}


@pytest.mark.parametrize("name", [name for name in KINDS if name != "raster"])
def test_an_example_gives_what_the_page_shows(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "raw.csv").write_text(RAW, encoding="utf-8")
    (tmp_path / "parameters.json").write_text('{"north": 1}')
    read = "" if name == "read" else 'step = "read"\nsource = "raw.csv"\n[[build.steps]]\n'
    recipe = _recipe(read + _block(name, "toml"))
    for variable, path in (
        ("D4C_SOURCES", tmp_path),
        ("D4C_OUT", tmp_path),
        ("D4C_PARAMETERS", tmp_path / "parameters.json"),
    ):
        monkeypatch.setenv(variable, str(path))
    code, _, _ = (
        process_of(recipe).replace("from d4c_steps import Tables", "").partition("tables.write(")
    )
    ran: dict[str, Any] = {"Tables": Tables}
    exec(compile(code, "process.py", "exec"), ran)  # noqa: S102 - what we wrote ourselves
    flow = recipe.flow()
    assert flow is not None
    assert _shown(ran["tables"][flow.outputs["places"]]) == _block(name, "result")


def test_the_example_of_a_raster_is_a_step() -> None:
    assert 'step = "raster"' in _block("raster", "toml")

"""What to do where fields are right alone but do not fit together."""

from __future__ import annotations

from typing import Any

from d4cbuild.faults.forms import general, snippet
from d4cbuild.faults.nearest import nearest
from d4cbuild.faults.spot import RecipeText, quoted
from d4cbuild.model.parse import Fault
from d4cbuild.model.recipe import sort_column


def misfit_remedy(fault: Fault, recipe: RecipeText) -> str:
    """What to type next."""
    where, last = general(fault.path), fault.path.rpartition(".")[2].partition("[")[0]
    if where.startswith("outputs[].columns[]."):
        return _column(fault, last, recipe)
    if where.startswith("build"):
        return _steps(fault, recipe)
    if where == "outputs[].sort_by[]":
        return _order(fault, recipe)
    remedy = _REMEDIES.get(where, "change one of the two")
    if where == "outputs[]":
        about = "columns" if fault.message.startswith("columns") else "sort_by"
        remedy = _REMEDIES[f"outputs[].{about} missing"]
    if where == "outputs[].format":
        remedy = _FORMAT["file" if recipe.at(fault.path) == "file" else "geoparquet"]
    return remedy


def _column(fault: Fault, last: str, recipe: RecipeText) -> str:
    column = recipe.at(fault.path.rpartition(".")[0])
    kind = column.get("type") if isinstance(column, dict) else None
    if last == "name":
        return "give one of the two columns another name, or take it away"
    if "below" in fault.message:
        return "exchange min and max, or correct one of them"
    if "is for" in fault.message:
        return f"take {last} away, or change type = {quoted(str(kind))}"
    if "twice" in fault.message:
        return "take one of them away"
    if "can hold" in fault.message:
        return f"take it away, or give the column a wider type than {kind}"
    if "zone" in fault.message:
        return (
            "timestamp is written without a zone, timestamp_utc with one:"
            ' "2021-05-11T00:00:00" or "2021-05-11T00:00:00Z"'
        )
    return f"write {_FITTING.get(str(kind).partition('(')[0], 'a number, without quotes')}"


_FITTING = {
    "string": 'text in quotes, such as "a"',
    "date": 'a date in quotes, such as "2021-05-11"',
    "time": 'a time in quotes, such as "12:30:00"',
    "timestamp": 'a time without a zone in quotes, such as "2021-05-11T12:30:00"',
    "timestamp_utc": 'a time with a zone in quotes, such as "2021-05-11T12:30:00Z"',
    "decimal": "a number",
}


def _steps(fault: Fault, recipe: RecipeText) -> str:
    build = recipe.at("build")
    if fault.path == "build" and isinstance(build, dict):
        if "command" in build:
            return "take command or the steps away"
        return 'add command = ["python", "process.py"], or [[build.steps]]'
    if fault.path.endswith(".source"):
        close = nearest(str(recipe.at(fault.path)), _names(recipe.value, "sources"))
        return "name a source" if close is None else f"did you mean {quoted(close)}?"
    if "no table" in fault.message or "needs a table" in fault.message:
        return "name a table that a step before it makes (into), or add such a step"
    if fault.path == "build.steps":
        return "add a step that makes it, with into = the output's name"
    return "change one of the fields of the step"


def _order(fault: Fault, recipe: RecipeText) -> str:
    key = recipe.at(fault.path)
    if "twice" in fault.message:
        return "take one of the two away"
    output = recipe.at(fault.path.partition(".")[0])
    names = _names(output, "columns")
    if "no declared column" in fault.message and isinstance(key, str):
        close = nearest(sort_column(key), names)
        if close is not None:
            return f"did you mean {quoted(close)}?"
        return f"name one of the columns: {', '.join(names[:20])}"
    if "hilbert(" in fault.message and isinstance(key, str) and not key.startswith("hilbert("):
        return f"write {quoted(f'hilbert({key})')}, and end sort_by with a column that is unique"
    if isinstance(key, str) and key.startswith("hilbert("):
        return f"hilbert(…) is for geometry columns: write {quoted(sort_column(key))}"
    return "name columns of numbers, text, dates or times"


def _names(holder: Any, key: str) -> list[str]:
    found = holder.get(key) if isinstance(holder, dict) else None
    listed = found if isinstance(found, list) else []
    names = [each.get("name") for each in listed if isinstance(each, dict)]
    return [name for name in names if isinstance(name, str)]


_REMEDIES = {
    "dataset": "shorten source, package, topic or variant",
    "sources[].name": "give each source a name of its own",
    "sources[].mirrors[]": (
        'copy the file into the recipe\'s folder and write its path there: "sources/data.csv"\n'
        "a folder of your own machine is named when you build: --mirror DIR"
    ),
    "outputs[].name": "give each output a short name of its own",
    "outputs[].file": 'take file away, or write format = "file"; each file has another name',
    "outputs[].container": 'take container away, or write format = "file"',
    "outputs[].class": 'add reason = "…": why no outsider can make it; or take class away',
    "outputs[].columns": 'take columns away, or write format = "parquet"',
    "outputs[].sort_by": 'take sort_by away, or write format = "parquet"',
    "outputs[].rows.max": "exchange min and max, or correct one of them",
    "outputs[].columns missing": f"add, for each column:\n{snippet('outputs[].columns')}",
    "outputs[].sort_by missing": (
        'add sort_by = ["id"]: the columns that order the rows, so that no two rows are alike'
    ),
}
_FORMAT = {
    "file": 'add file = "table.csv": the name the code gives the file',
    "geoparquet": 'add a column with type = "geometry", or write format = "parquet"',
}

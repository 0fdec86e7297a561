"""Steps as code: what a recipe's steps mean, written as ``process.py`` and what it calls.

A recipe without code has its steps run as any code is, so everything that is said of code holds for
them. ``d4cbuild eject`` writes the same files into the recipe's folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import d4cbuild
from d4cbuild.base.archive import TarEntry, read_canonical_tar
from d4cbuild.base.files import regular_files
from d4cbuild.code.folder import Code
from d4cbuild.errors import InputError
from d4cbuild.model.recipe import Output, Recipe
from d4cbuild.model.steps import Check, Join, Raster, Read, Sql, Step, Union, options_of

PROCESS = "process.py"
PACKAGE = "d4c_steps"
_WIDTH = 96
# What cannot stand as it is between three quotes.
_MARKS = re.compile(r'"""|\\|"$')
_DEFAULT_CRS = "OGC:CRS84"


def is_of_steps(name: str) -> bool:
    """Whether a file of the code is one that steps are written as."""
    return name == PROCESS or name.startswith(f"{PACKAGE}/")


def code_of_steps(recipe: Recipe) -> tuple[TarEntry, ...]:
    """The files that a recipe's steps are written as, by this version; none where there is code."""
    if recipe.build.steps is None:
        return ()
    return (TarEntry(PROCESS, process_of(recipe).encode()), *step_package())


def step_package() -> tuple[TarEntry, ...]:
    """The steps themselves, as this version has them."""
    # Not imported: the libraries they need are in the sandbox.
    folder = Path(d4cbuild.__file__).with_name("steps")
    return tuple(
        TarEntry(f"{PACKAGE}/{path.as_posix()}", (folder / path).read_bytes())
        for path in regular_files(folder)
        if path.suffix == ".py"
    )


def with_steps(code: Code, entries: Sequence[TarEntry], where: str) -> Code:
    """The code that is run: a recipe's own, and what its steps are written as.

    Args:
        code: The recipe's own.
        entries: What its steps are written as.
        where: How to name the recipe in an error.

    Raises:
        InputError: if the recipe's folder holds files of these names.
    """
    if not entries:
        return code
    own = read_canonical_tar(code.tar)
    if taken := [entry.name for entry in own if is_of_steps(entry.name)]:
        raise InputError(
            "the recipe has steps, and code as well",
            expected="one of them: steps are written as code under these names",
            found="\n".join(taken[:10]),
            where=where,
            hint='delete the files, or give command = ["python3", "process.py"] instead of steps',
        )
    return Code.of([*own, *entries])


def process_of(recipe: Recipe) -> str:
    """Write a recipe's steps as ``process.py``."""
    flow = recipe.flow()
    assert flow is not None  # noqa: S101 - for the type checker
    outputs = {output.name: output for output in recipe.outputs}
    lines = [
        f'"""{recipe.dataset.id}: the steps of recipe.toml, as code."""',
        "",
        f"from {PACKAGE} import Tables",
        "",
        "tables = Tables()",
    ]
    for step, given, into in flow.steps:
        lines += _call(step.step, *_arguments(step, given, into, outputs))
    for name, table in flow.outputs.items():
        lines += _call("write", [name], {"table": table, **_declared(outputs[name])})
    return "\n".join(lines) + "\n"


def _arguments(
    step: Step, given: str | None, into: str, outputs: Mapping[str, Output]
) -> tuple[list[Any], dict[str, Any]]:
    """What the step's method is called with: by position, and by name."""
    end = {"into": into}
    if isinstance(step, Raster):
        file = {"file": outputs[step.output].written_as}
        return [step.source], {**file, **options_of(step, "source", "output")}
    if isinstance(step, Read):
        return [step.source], {**options_of(step, "source", "into"), **end}
    if isinstance(step, Check):
        return [step.query], {"wrong": step.wrong}
    if isinstance(step, Sql):
        return [step.query], end
    if isinstance(step, Union):
        return [list(step.tables)], {**options_of(step, "tables", "into"), **end}
    others = [step.other] if isinstance(step, Join) else []
    return [given, *others], {**options_of(step, "table", "other", "into"), **end}


def _declared(output: Output) -> dict[str, Any]:
    shapes = [column for column in output.columns if column.type == "geometry"]
    return {
        "types": {column.name: column.type for column in output.columns},
        "nullable": [column.name for column in output.columns if column.nullable],
        "crs": {column.name: column.crs or _DEFAULT_CRS for column in shapes},
    }


def _call(method: str, positional: list[Any], named: Mapping[str, Any]) -> Iterator[str]:
    arguments = [_written(value) for value in positional]
    arguments += [f"{name}={_written(value)}" for name, value in named.items()]
    line = f"tables.{method}({', '.join(arguments)})"
    if len(line) <= _WIDTH and "\n" not in line:
        yield line
        return
    yield f"tables.{method}("
    for argument in arguments:
        yield f"    {argument},"
    yield ")"


def _written(value: Any, depth: int = 1) -> str:
    """A value as Python writes it."""
    if isinstance(value, str) and "\n" in value and not _MARKS.search(value):
        return f'"""{value}"""'
    if isinstance(value, str):
        # As JSON: double quotes, and the same in every version of Python.
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        short = "[" + ", ".join(_written(inner) for inner in value) + "]"
        rows = [_written(inner, depth + 1) for inner in value]
        return short if len(short) <= _WIDTH - 24 else _in_rows("[", rows, "]", depth)
    if isinstance(value, dict):
        pairs = {_written(key): inner for key, inner in value.items()}
        short = "{" + ", ".join(f"{key}: {_written(v)}" for key, v in pairs.items()) + "}"
        rows = [f"{key}: {_written(inner, depth + 1)}" for key, inner in pairs.items()]
        return short if len(short) <= _WIDTH - 24 else _in_rows("{", rows, "}", depth)
    return repr(value)


def _in_rows(first: str, rows: list[str], last: str, depth: int) -> str:
    indent = "    " * (depth + 1)
    return "\n".join([first, *(f"{indent}{row}," for row in rows), "    " * depth + last])

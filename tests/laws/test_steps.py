"""Steps are written as code that means the same, whatever stands in them."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings

from d4cbuild.build.stepping import process_of
from d4cbuild.model.recipe import Recipe
from tests.laws import strategies as some
from tests.laws.test_records import read_recipe

PLACES = {"source", "table", "other", "tables", "query", "output", "into", "step"}


class Calls:
    """Stands where the package of steps does, and writes down what it is asked."""

    def __init__(self) -> None:
        self.made: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *values, **named: self.made.append((name, values, named))


def _as_lists(value: Any) -> Any:
    return [_as_lists(each) for each in value] if isinstance(value, list | tuple) else value


@given(some.recipe_tables().filter(lambda table: "steps" in table["build"]))
@settings(max_examples=60, deadline=None)
def test_steps_are_written_as_code_that_asks_for_the_same(table: dict[str, Any]) -> None:
    recipe: Recipe = read_recipe(table)
    calls = Calls()
    source = process_of(recipe).replace("from d4c_steps import Tables\n", "")
    exec(compile(source, "process.py", "exec"), {"Tables": lambda: calls})  # noqa: S102 - what we wrote ourselves
    steps = list(recipe.build.steps or ())
    tabular = [output for output in recipe.outputs if output.format != "file"]
    assert [name for name, _, _ in calls.made] == [
        *(step.step for step in steps),
        *("write" for _ in tabular),
    ]
    for step, (_, _, named) in zip(steps, calls.made, strict=False):
        wanted = step.model_dump(exclude_none=True)
        options = {name: _as_lists(v) for name, v in wanted.items() if name not in PLACES}
        assert {name: named[name] for name in options} == options
    for output, (_, values, named) in zip(tabular, calls.made[len(steps) :], strict=True):
        assert values == (output.name,)
        assert named["types"] == {column.name: column.type for column in output.columns}

"""How tables go from step to step, and to the outputs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from d4cbuild.model.steps import Check, Columns, Geometry, Join, Raster, Read, Step, Union


@dataclass
class Flow:
    """Steps with all names said.

    Attributes:
        steps: Each step; the table it is given, if it changes one; and the name of what comes out,
            the output's for a raster, empty for a check.
        outputs: By each tabular output, the table it is made of.
        faults: Where a step takes what is not there, or nothing leads to an output: the field's
            path in the recipe, and what is wrong.
    """

    steps: list[tuple[Step, str | None, str]] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    faults: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        steps: Sequence[Step],
        sources: Collection[str],
        tables: Sequence[str],
        files: Collection[str],
    ) -> Flow:
        """Follow the steps.

        Args:
            steps: In their order.
            sources: Names of the sources.
            tables: Names of the outputs that are tables.
            files: Names of the outputs that are files.
        """
        flow = cls()
        known: dict[str, None] = {}
        last: str | None = None
        for number, step in enumerate(steps):
            where = f"build.steps[{number}]"
            flow.faults += _unknown_names(step, sources, files, where)
            if isinstance(step, Raster):
                flow.steps.append((step, None, step.output))
                continue
            if isinstance(step, Check):
                flow.steps.append((step, None, ""))
                continue
            given = step.table or last if isinstance(step, Columns | Geometry | Join) else None
            flow.faults += _unknown_tables(step, last, known, where)
            last = step.into or (
                step.default_name if isinstance(step, Read) else given or step.step
            )
            known[last] = None
            flow.steps.append((step, given, last))
        flow._lead_to_tables(tables, known, last)
        flow._lead_to_files(files)
        return flow

    def _lead_to_tables(
        self, tables: Sequence[str], known: Mapping[str, None], last: str | None
    ) -> None:
        for name in tables:
            # What has a name of its own choosing may be something on the way.
            table = last if len(tables) == 1 else name if name in known else None
            if table is None:
                text = f'no step leads to output {name}: say into = "{name}" in the one that does'
                self.faults.append(("build.steps", text))
            else:
                self.outputs[name] = table

    def _lead_to_files(self, files: Collection[str]) -> None:
        made = [name for step, _, name in self.steps if isinstance(step, Raster)]
        for name in files:
            if made.count(name) != 1:
                many = "no raster step writes" if name not in made else "several raster steps write"
                self.faults.append(("build.steps", f"{many} output {name}"))


def _unknown_names(
    step: Step, sources: Collection[str], files: Collection[str], where: str
) -> Iterator[tuple[str, str]]:
    if isinstance(step, Read | Raster) and step.source not in sources:
        text = f"{step.source} is no source; there are {', '.join(sources)}"
        yield f"{where}.source", text
    if isinstance(step, Raster) and step.output not in files:
        yield f"{where}.output", f'{step.output} is no output of format = "file"'


def _unknown_tables(
    step: Step, last: str | None, known: Mapping[str, None], where: str
) -> Iterator[tuple[str, str]]:
    if last is None and not isinstance(step, Read):
        yield where, f"a {step.step} step needs a table, and none is read before it"
        return
    wanted = []
    if isinstance(step, Columns | Geometry | Join) and step.table is not None:
        wanted.append((f"{where}.table", step.table))
    if isinstance(step, Join):
        wanted.append((f"{where}.other", step.other))
    if isinstance(step, Union):
        wanted += [(f"{where}.tables[{i}]", name) for i, name in enumerate(step.tables)]
    for path, name in wanted:
        if name not in known:
            yield path, f"there is no table {name} yet; there are {', '.join(known)}"

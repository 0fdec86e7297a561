"""How ``build --watch`` shows a recipe while it is being written."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from d4cbuild.build.checking import check_recipe
from d4cbuild.build.folder import LOCK_FILE, MANIFEST_FILE, RecipeFolder
from d4cbuild.build.request import BuildRequest
from d4cbuild.build.result import shown_path
from d4cbuild.build.watching import Seen, SeenOutput, watch_recipe
from d4cbuild.cli.progress import make_progress
from d4cbuild.difference.head import Head
from d4cbuild.difference.record import Difference, Example
from d4cbuild.difference.shown import counted, printable, shortened
from d4cbuild.errors import D4CError, InputError
from d4cbuild.store import Store

STOPPED = 130
_PIPE_WIDTH = 120
"""Characters of a line where nobody sees a width."""
_CELL_WIDTH = 28
_GAP = 2
_MOST_FINDINGS = 6


def watch(request: BuildRequest, as_json: bool) -> int:
    """Build at every save and show each build, until Ctrl-C.

    Args:
        request: What is built.
        as_json: Whether each build is to be one line of JSON.

    Returns:
        What shells report of Ctrl-C.
    """
    store, progress = Store(), make_progress()
    try:
        with store.in_use():
            for seen in watch_recipe(
                request.recipe, lambda: request.answer(store, progress), store
            ):
                if as_json:
                    _print_json(_record(seen, request.recipe))
                else:
                    _show(seen, request.recipe)
                    progress.say(f"watching {request.recipe}; Ctrl-C ends")
    except KeyboardInterrupt:
        if as_json:
            _print_json({"error": "Stopped", "exit_code": STOPPED, "message": "stopped"})
        click.echo("stopped", err=True)
    return STOPPED


def _print_json(record: dict[str, Any]) -> None:
    click.echo(json.dumps(record, sort_keys=True))
    sys.stdout.flush()


def _record(seen: Seen, recipe: Path) -> dict[str, Any]:
    record: dict[str, Any] = {"build": seen.number, "recipe": str(recipe)}
    if seen.error is not None:
        findings = [finding.as_record() for finding in _faults(seen.error, recipe)]
        code = int(seen.error.exit_code)
        return record | seen.error.as_record() | {"findings": findings, "exit_code": code}
    assert seen.result is not None  # noqa: S101 - else there is an error
    record |= seen.result.as_json() | {"gone": list(seen.gone), "exit_code": 0}
    for told, output in zip(record["outputs"], seen.outputs, strict=True):
        told["head"] = None if output.head is None else asdict(output.head)
        told["change"] = None if output.change is None else output.change.as_json()
    return record


def _faults(error: D4CError, recipe: Path) -> list[Any]:
    """Where a recipe that cannot be read is wrong: what ``check`` says of its folder."""
    if not isinstance(error, InputError):
        return []
    passed = (LOCK_FILE, MANIFEST_FILE)  # neither matters to a build of uncommitted files
    found = check_recipe(RecipeFolder(recipe))
    return [each for each in found if each.level == "error" and Path(each.file).name not in passed]


def _show(seen: Seen, recipe: Path) -> None:
    click.echo(click.style(f"── build {seen.number} " + "─" * 24, dim=True))
    if seen.error is not None:
        faults = _faults(seen.error, recipe)
        for line in [str(fault) for fault in faults] or [f"error: {seen.error}"]:
            click.echo(click.style(line, fg="red"))
    for output in seen.outputs:
        _show_output(output)
    for name in seen.gone:
        click.echo(f"{name}: no longer an output")
    sys.stdout.flush()


def _show_output(seen: SeenOutput) -> None:
    output, head = seen.output, seen.head
    size = f"{output.size:,} bytes"
    if head is not None:
        rows = counted(output.rows or 0, "rows")
        size = f"{rows}, {counted(len(head.columns), 'columns')}, {size}"
    click.echo(f"{click.style(output.name, bold=True)}: {size}  {shown_path(output.path)}")
    if head is not None:
        _show_head(head)
    if seen.change is not None:
        click.echo("\n".join(f"  {line}" for line in change_lines(seen.change)))


def _show_head(head: Head) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    width = _terminal_width()
    fitting = _fitting(head, width)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name, kind in head.columns[:fitting]:
        heading = Text(f"{shortened(name, _CELL_WIDTH)}\n{shortened(kind, _CELL_WIDTH)}")
        table.add_column(heading, no_wrap=True, max_width=_CELL_WIDTH, overflow="ellipsis")
    for row in head.rows:
        table.add_row(*(Text(cell) for cell in row[:fitting]))
    Console(width=width).print(table)
    if left := head.columns[fitting:]:
        names = ", ".join(name for name, _ in left)
        click.echo(f"  and {counted(len(left), 'columns')} more: {shortened(names, width - 24)}")


def _terminal_width() -> int:
    return os.get_terminal_size(1).columns if sys.stdout.isatty() else _PIPE_WIDTH


def _fitting(head: Head, width: int) -> int:
    """How many columns can be shown beside each other; at least one."""
    from rich.cells import cell_len

    used = 0
    for at, heading in enumerate(head.columns):
        texts = [*heading, *(row[at] for row in head.rows)]
        used += min(_CELL_WIDTH, max(map(cell_len, texts))) + _GAP
        if used > width:
            return max(1, at)
    return len(head.columns)


def change_lines(change: Difference) -> list[str]:
    """What an output has to do with that of the build before, in a few lines."""
    if change.verdict == "identical":
        return ["as before, byte for byte"]
    lines = []
    if change.rows is not None:
        rows = change.rows
        parts = ("added", rows.added), ("removed", rows.removed), ("changed", rows.changed)
        told = [f"{number:,} {word}" for word, number in (*parts, ("moved", rows.moved)) if number]
        lines.append(f"rows: {', '.join(told) or 'the same'} (before: {rows.a:,})")
    for finding in change.findings[:_MOST_FINDINGS]:
        place = f"{finding.column}: " if finding.column is not None else ""
        says = f": {finding.says}" if finding.says else ""
        lines.append(printable(f"{place}{finding.title}, {finding.counted}{says}"))
        lines += [f"  {printable(_example(example))}" for example in finding.examples]
    if len(change.findings) > _MOST_FINDINGS:
        lines.append(f"and {len(change.findings) - _MOST_FINDINGS} more classes of difference")
    return lines


def _example(example: Example) -> str:
    if example.before is None or example.after is None:
        sign, value = ("+", example.after) if example.before is None else ("-", example.before)
        return shortened(f"{sign} {example.where}: {value or ''}")
    return shortened(f"{example.where}: {example.before} → {example.after}")

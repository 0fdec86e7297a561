"""``d4cbuild diff``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from d4cbuild.base.files import write_atomically
from d4cbuild.cli import common
from d4cbuild.difference.compare import compare
from d4cbuild.difference.options import EXAMPLES, MEMORY, DiffOptions
from d4cbuild.difference.record import Difference, Example, Finding
from d4cbuild.difference.shown import printable
from d4cbuild.errors import InputError
from d4cbuild.model.quantities import parse_bytes, render_bytes
from d4cbuild.report.difference import difference_page

_COLOURS = {"identical": "green", "equivalent": "yellow", "different": "red"}
_LEAST_MEMORY = 16 << 20
_SHOWN_INNER = 50


@click.command("diff")
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option(
    "--key",
    metavar="COLUMN,…",
    help="What tells rows apart. [default: as a manifest or the footer says, or as found]",
)
@click.option(
    "--manifest",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A manifest.json that says by what the rows are sorted.",
)
@click.option(
    "--memory",
    default=render_bytes(MEMORY),
    show_default=True,
    metavar="SIZE",
    help="Memory for rows; what is more goes to temporary files.",
)
@click.option(
    "--examples",
    default=EXAMPLES,
    show_default=True,
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    help="Examples of each class and column.",
)
@click.option(
    "--tmp",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Where temporary files go.",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the answer as one page as well.",
)
@common.json_option
def command(
    a: Path,
    b: Path,
    key: str | None,
    manifest: Path | None,
    memory: str,
    examples: int,
    tmp: Path | None,
    html: Path | None,
    as_json: bool,
) -> int:
    """Say why two files are not the same, from their bytes inwards to the cell.

    A and B are Parquet or GeoParquet files, manifests or recipes with one, archives, texts, any
    other files, or two folders.

    Exit codes: 0 the same bytes; 4 other bytes, but the same table; 12 not even that
    (the bits 4 and 8, as for verify).
    """
    names = tuple(name for name in (key or "").split(",") if name)
    options = DiffOptions(names, manifest, _memory(memory), examples, tmp)
    found = compare(a, b, options)
    if html is not None:
        write_atomically(html, difference_page(found))
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=2, sort_keys=True))
    else:
        click.echo("\n".join(_render(found)))
    return found.exit_code


def _memory(text: str) -> int:
    try:
        count = parse_bytes(text)
    except ValueError as error:
        raise InputError(str(error), where="--memory") from error
    if not isinstance(count, int) or count < _LEAST_MEMORY:
        raise InputError("too little memory", expected=render_bytes(_LEAST_MEMORY), found=text)
    return count


def _render(found: Difference, margin: str = "") -> list[str]:
    verdict = click.style(found.verdict, fg=_COLOURS[found.verdict], bold=True)
    lines = [f"A  {printable(found.a.path)}", f"B  {printable(found.b.path)}", verdict]
    width = max((len(layer.name) for layer in found.layers), default=0)
    for layer in found.layers:
        mark = {True: "=", False: "≠", None: "?"}[layer.same]
        lines.append(f"  {mark} {layer.name:<{width}}  {printable(layer.says)}")
    if found.key is not None and found.findings:
        columns = printable(", ".join(found.key.columns))
        lines.append(f"  key: {columns + ' — ' if columns else ''}{printable(found.key.found_in)}")
    for finding in found.findings:
        lines += _render_finding(finding)
    lines += _titled("likely causes", found.causes)
    lines += _titled("next", found.next)
    lines = [f"{margin}{line}" for line in lines]
    for inner in found.inner[:_SHOWN_INNER]:
        lines += ["", *_render(inner, f"{margin}  ")]
    if len(found.inner) > _SHOWN_INNER:
        lines.append(f"{margin}… and {len(found.inner) - _SHOWN_INNER} more; --json has all")
    return lines


def _titled(title: str, texts: tuple[str, ...]) -> list[str]:
    return [f"{title}:", *(f"  {printable(text)}" for text in texts)] if texts else []


def _render_finding(finding: Finding) -> list[str]:
    head = click.style(finding.title, bold=True)
    column = f" in {printable(finding.column)}" if finding.column is not None else ""
    says = f": {finding.says}" if finding.says else ""
    lines = [f"{head}{column}: {finding.counted}{says}"]
    for low, count in finding.facts.get("ulps", {}).items():
        lines.append(f"    {low} ULP: {count:,}")
    lines += [f"    {printable(_example(example))}" for example in finding.examples]
    if finding.untold > 0:
        lines.append(f"    … and {finding.untold:,} more")
    return lines


def _example(example: Example) -> str:
    note = f"  ({example.note})" if example.note else ""
    values: list[Any] = [v for v in (example.before, example.after) if v is not None]
    if len(values) == 2:
        return f"{example.where}: {values[0]} → {values[1]}{note}"
    sign = "-" if example.after is None else "+"
    return f"{sign} {example.where}: {values[0] if values else ''}{note}"

"""What ``show`` says on a terminal, and to programs."""

from __future__ import annotations

from typing import Any

import click

from d4cbuild.difference.shown import printable
from d4cbuild.profile.subject import ShownOutput, Subject, sources_of

_BLOCKS = "▁▂▃▄▅▆▇█"
_WIDEST_NAME = 28


def record_of(subject: Subject) -> dict[str, Any]:
    """The subject as plain JSON values."""
    dataset = subject.dataset
    return {
        "target": subject.where,
        "kind": subject.kind,
        "dataset": None if dataset is None else dataset.as_json(),
        "build_key": None if subject.manifest is None else str(subject.manifest.build_key),
        "sources": [source.as_json() for source in sources_of(subject)],
        "outputs": [_output(output) for output in subject.outputs],
        "notes": _notes(subject),
    }


def _output(output: ShownOutput) -> dict[str, Any]:
    digests = output.digests
    return {
        "file": output.file,
        "format": output.format,
        "size": None if digests is None else digests.size,
        "blake3": None if digests is None else str(digests.blake3),
        "sha256": None if digests is None else str(digests.sha256),
        "md5": None if digests is None else str(digests.md5),
        "found": output.found,
        "declared": [column.as_json() for column in output.columns],
        "table": None if output.table is None else output.table.as_json(),
        "notes": _notes(output),
    }


def _notes(of: Subject | ShownOutput) -> list[dict[str, str | None]]:
    return [{"says": note.says, "next": note.next} for note in of.notes]


def render(record: dict[str, Any]) -> str:
    """The text of what :func:`record_of` made."""
    dataset = record["dataset"]
    lines = [click.style(printable(record["target"]), bold=True)]
    if dataset is not None:
        lines += [
            f"  {dataset['title']['en']}",
            f"  {dataset['title']['fr']}",
            f"  {dataset['id']} {dataset['version']}, {dataset['vintage']}",
        ]
    for source in record["sources"]:
        size = f", {source['size']:,} bytes" if "size" in source else ""
        lines.append(f"  source {source['name']}: {source['licence']}{size}, {source['url']}")
    lines += _noted(record["notes"], "  ")
    for output in record["outputs"]:
        lines += ["", *_render_output(output)]
    if "html" in record:
        lines.append(f"  page: {printable(record['html'])}")
    return "\n".join(lines)


def _render_output(output: dict[str, Any]) -> list[str]:
    table = output["table"]
    lines = [f"  {click.style(printable(output['file']), bold=True)}"]
    if output["size"] is not None:
        rows = f", {table['rows']:,} rows" if table is not None else ""
        lines.append(f"  {output['size']:,} bytes{rows}")
        lines += [f"  {output[name]}" for name in ("sha256", "blake3", "md5")]
    lines += _noted(output["notes"], "  ")
    if table is None:
        names = [column["name"] for column in output["declared"]]
        width = _width(names)
        for column in output["declared"]:
            lines.append(f"    {_name(column['name'], width)}  {printable(column['type'])}")
        return lines
    for geometry in table["geometries"]:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in geometry["kinds"].items())
        bounds = geometry["bounds"]
        box = "" if bounds is None else " in " + ", ".join(f"{edge:.6g}" for edge in bounds)
        lines.append(printable(f"  {geometry['column']}: {kinds}{box}, {geometry['crs']}"))
    groups = len(table["layout"]["groups"])
    lines.append(f"  row groups: {groups:,}, by {printable(table['layout']['created_by']) or '?'}")
    columns = table["columns"]
    name_width, type_width = (_width([each[part] for each in columns]) for part in ("name", "type"))
    for column in columns:
        name, kind = _name(column["name"], name_width), _name(column["type"], type_width)
        lines.append(f"    {name}  {kind}  {printable(_told(column))}")
    return lines


def _told(column: dict[str, Any]) -> str:
    parts = [f"{column['nulls']:,} missing"] if column["nulls"] else []
    if column["distinct"] is not None:
        parts.append(f"{column['distinct']:,} different")
    if column["bars"]:
        parts.append(f"{column['least']} {_sparkline(column['bars'])} {column['greatest']}")
    elif column["top"]:
        parts.append(", ".join(f"{each['value']} ×{each['count']:,}" for each in column["top"][:3]))
    elif column["examples"]:
        parts.append(f"such as {', '.join(column['examples'][:2])}")
    return "; ".join(parts)


def _sparkline(bars: list[dict[str, Any]]) -> str:
    most = max(bar["count"] for bar in bars)
    return "".join(
        _BLOCKS[min(bar["count"] * len(_BLOCKS) // most, len(_BLOCKS) - 1)] if bar["count"] else " "
        for bar in bars
    )


def _width(names: list[str]) -> int:
    return min(max((len(printable(name)) for name in names), default=0), _WIDEST_NAME)


def _name(name: str, width: int) -> str:
    shown = printable(name)
    return f"{shown[: width - 1]}…" if len(shown) > width else f"{shown:<{width}}"


def _noted(notes: list[dict[str, str | None]], margin: str) -> list[str]:
    lines = []
    for note in notes:
        lines.append(f"{margin}note: {printable(note['says'] or '')}")
        if note["next"]:
            lines.append(f"{margin}  next: {printable(note['next'])}")
    return lines

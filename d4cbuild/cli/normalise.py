"""``d4cbuild normalise``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from d4cbuild.base.digest import digests_of_file
from d4cbuild.base.files import replacing
from d4cbuild.cli import common
from d4cbuild.errors import InputError
from d4cbuild.normalform.findings import DeclarationBroken
from d4cbuild.normalform.table import write_table
from d4cbuild.tables.read import read_any


@click.command("normalise")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="File to write."
)
@click.option(
    "--sort-by",
    required=True,
    metavar="KEY[,KEY…]",
    help="Columns of the row order, a total order; hilbert(geometry) orders by place.",
)
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64))
@common.json_option
def command(file: Path, output: Path, sort_by: str, workers: int, as_json: bool) -> int:
    """Write any table as Parquet in normal form (d4c.parquet/1).

    Reads Parquet, Arrow, CSV (every column as text) and JSON lines; with d4cbuild[geo] also
    GeoJSON, GeoPackage, Shapefile, FlatGeobuf, GML and KML.
    """
    source = read_any(file)
    keys = tuple(key.strip() for key in sort_by.split(",") if key.strip())
    declaration = source.declared(keys)
    for key in declaration.keys:
        if declaration.column(key.column) is None:
            raise InputError(
                "--sort-by names a column that is not there",
                expected=f"one of {', '.join(declaration.column_names)}",
                found=key.text,
                where=str(file),
            )
    try:
        with replacing(output) as temporary:
            written = write_table(source.table, temporary, declaration, workers)
    except DeclarationBroken as broken:
        lines = [f"{v.column or 'table'}: {v.message}" for v in broken.violations]
        raise InputError(
            "the table has no normal form", found="\n".join(lines), where=str(file)
        ) from broken
    digests = digests_of_file(output)
    record = {
        "file": str(output),
        "rows": written.rows,
        "size": digests.size,
        "sha256": str(digests.sha256),
        "content": f"blake3:{written.content}",
    }
    if as_json:
        click.echo(json.dumps(record, indent=2))
    else:
        click.echo(f"{output}: {record['rows']:,} rows, {digests.size:,} bytes")
        click.echo(f"  {record['sha256']}")
        click.echo(f"  content {record['content']}")
    return 0

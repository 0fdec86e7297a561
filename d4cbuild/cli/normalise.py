"""``d4cbuild normalise``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from d4cbuild.base.digest import digests_of_file
from d4cbuild.base.files import replacing
from d4cbuild.cli import common
from d4cbuild.errors import InputError, StoreError
from d4cbuild.normalform.declaration import SortKey
from d4cbuild.normalform.findings import DeclarationBroken
from d4cbuild.normalform.reading import Unreadable
from d4cbuild.normalform.scratch import ScratchTooSmall
from d4cbuild.normalform.table import write_table
from d4cbuild.tables.options import TableOptions
from d4cbuild.tables.read import ReadTable, read_any

_NAMED = 50  # columns in an error


@click.command("normalise")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="File to write."
)
@click.option(
    "--sort-by",
    required=True,
    metavar="KEY[,KEY…]",
    help="Columns of the row order, a total order; hilbert(geometry) orders by place.",
)
@click.option(
    "--memory",
    type=common.Size(),
    default="1GiB",
    show_default=True,
    metavar="SIZE",
    help="To work in.",
)
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option("--layer", metavar="NAME", help="Which layer, where a file has several.")
@click.option(
    "--encoding",
    metavar="NAME",
    help="Of a CSV (utf-8 if not given) or a Shapefile.",
)
@click.option(
    "--skip-lines",
    type=click.IntRange(0),
    metavar="N",
    help="Lines of a CSV that come before the names of its columns.",
)
@click.option("--delimiter", metavar="CHAR", help="Between fields of a CSV: , or ; or tab.")
@common.json_option
def command(
    file: Path,
    output: Path,
    sort_by: str,
    memory: int,
    workers: int,
    as_json: bool,
    **given: Any,
) -> int:
    """Write any table as Parquet in normal form (d4c.parquet/1).

    Reads Parquet, Arrow, CSV (every column as text) and JSON lines; with d4cbuild[geo] also
    GeoJSON, GeoPackage, Shapefile, FlatGeobuf, GML, KML and file geodatabases. Parquet may be
    larger than memory.
    """
    source = read_any(file, TableOptions(**given))
    declaration = source.declared(_known_keys(source, sort_by, file))
    try:
        with replacing(output) as temporary:
            written = write_table(
                source.rows, temporary, declaration, workers, memory=memory, scratch=output.parent
            )
    except DeclarationBroken as broken:
        raise _no_normal_form(broken, file) from broken
    except Unreadable as error:
        raise _unreadable(error, file) from error
    except ScratchTooSmall as error:
        raise _no_room(error, output) from error
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


def _unreadable(error: Unreadable, file: Path) -> InputError:
    hint = "fetch or make it again"
    return InputError("the file cannot be read", found=str(error), where=str(file), hint=hint)


def _no_room(error: ScratchTooSmall, output: Path) -> StoreError:
    return StoreError(
        "the disk is too small for what does not fit into memory",
        found=str(error.strerror),
        where=str(output.parent),
        hint="give more --memory, or write to a larger disk",
    )


def _no_normal_form(broken: DeclarationBroken, file: Path) -> InputError:
    lines = []
    for violation in broken.violations:
        lines += [f"{violation.column or 'table'}: {violation.message}", *violation.examples]
    apart = "add a column that tells them apart: --sort-by KEY,COLUMN"
    return InputError(
        "the table has no normal form",
        found="\n".join(lines),
        where=str(file),
        hint=apart if "total order" in lines[0] else "mend the table where it is made",
    )


def _known_keys(source: ReadTable, sort_by: str, file: Path) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in sort_by.split(",") if key.strip())
    names = source.rows.schema.names
    for key in keys:
        if SortKey.parse(key).column not in names:
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            raise InputError(
                "--sort-by names a column that is not there",
                expected=f"one of {', '.join(names[:_NAMED])}{more}",
                found=key,
                where=str(file),
            )
    return keys

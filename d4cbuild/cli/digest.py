"""``d4cbuild digest``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from d4cbuild.base.digest import digests_of_file
from d4cbuild.cli import common
from d4cbuild.errors import InputError
from d4cbuild.normalform.digesting import digest_file
from d4cbuild.normalform.reading import Unreadable
from d4cbuild.tables.parquet import is_parquet

WORKERS = 2


@click.command("digest")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@common.json_option
def command(files: tuple[Path, ...], as_json: bool) -> int:
    """Print the digests of files, and of the tables in Parquet files of any writer.

    The content digest (d4c.content/1) is of the table: two files with the same one hold the same
    rows in the same order, whatever wrote them.
    """

    def work(path: Path) -> tuple[dict[str, Any], int]:
        return _digests(path), 0

    return common.each_recipe(files, as_json, work, _render)


def _digests(path: Path) -> dict[str, Any]:
    try:
        digests = digests_of_file(path)
        parquet = is_parquet(path)
    except OSError as error:
        raise InputError(
            "the file cannot be read", found=str(error.strerror), where=str(path)
        ) from error
    return {
        "file": str(path),
        "size": digests.size,
        "blake3": str(digests.blake3),
        "sha256": str(digests.sha256),
        "md5": str(digests.md5),
        **(_content(path) if parquet else _no_content("not a Parquet file")),
    }


def _content(path: Path) -> dict[str, Any]:
    try:
        found = digest_file(path, WORKERS)
    except Unreadable as error:
        raise InputError(
            "the Parquet file cannot be read",
            found=str(error),
            where=str(path),
            hint="fetch or build it again",
        ) from error
    except ValueError as error:
        return _no_content(str(error))
    except RecursionError:
        return _no_content("its metadata are nested too deeply")
    return {"content": f"blake3:{found.digest}", "rows": found.rows, "no_content_because": None}


def _no_content(reason: str) -> dict[str, Any]:
    return {"content": None, "rows": None, "no_content_because": reason}


def _render(record: dict[str, Any]) -> str:
    lines = [f"{record['file']}: {record['size']:,} bytes"]
    lines += [f"  {record[name]}" for name in ("blake3", "sha256", "md5")]
    if record["content"] is not None:
        lines.append(f"  content {record['content']}, {record['rows']:,} rows")
    else:
        lines.append(f"  no content digest: {record['no_content_because']}")
    return "\n".join(lines)

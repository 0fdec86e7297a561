"""A Parquet file of any writer, looked through twice, run by run."""

from __future__ import annotations

from pathlib import Path

from d4cbuild.profile.columns import ColumnTally, stored_columns
from d4cbuild.profile.geometry import GeometryTally
from d4cbuild.profile.record import Layout, RowGroup, TableProfile
from d4cbuild.tables.columns import ParquetColumns
from d4cbuild.tables.parquet import geo_columns


def profile_table(path: Path, draw: bool = False) -> TableProfile:
    """Look through a Parquet file; it may be larger than memory.

    Args:
        path: The file.
        draw: Whether to draw maps of its shapes.

    Raises:
        InputError: if it cannot be read as Parquet.
    """
    file = ParquetColumns.open(path)
    names, shapes = file.logical()
    tallies = {
        name: ColumnTally(file.schema.field(name), name in shapes, file.rows) for name in names
    }
    stated = geo_columns(file.schema)
    geometries = {name: GeometryTally(name, stated[name]) for name in names if name in shapes}
    start = 0
    for run in file.runs(names, file.step(names)) if names else ():
        for name in names:
            tallies[name].add(start, run.column(name))
            if name in shapes:
                geometries[name].add(run.column(name))
        start += run.num_rows
    _second_round(file, tallies, geometries if draw else {})
    stored = stored_columns(file.metadata, names)
    return TableProfile(
        rows=file.rows,
        columns=tuple(tally.profile(stored[name]) for name, tally in tallies.items()),
        geometries=tuple(tally.profile() for tally in geometries.values()),
        layout=_layout(file),
    )


def _second_round(
    file: ParquetColumns, tallies: dict[str, ColumnTally], geometries: dict[str, GeometryTally]
) -> None:
    barred = [name for name, tally in tallies.items() if tally.start_bars()]
    drawn = [name for name, tally in geometries.items() if tally.start_drawing()]
    names = [*barred, *drawn]
    for run in file.runs(names, file.step(names)) if names else ():
        for name in barred:
            tallies[name].add_to_bars(run.column(name))
        for name in drawn:
            geometries[name].draw(run.column(name))


def _layout(file: ParquetColumns) -> Layout:
    metadata = file.metadata
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    keys = (metadata.metadata or {}).keys()
    return Layout(
        created_by=str(metadata.created_by or ""),
        format=str(metadata.format_version),
        footer=int(metadata.serialized_size),
        metadata=tuple(sorted(key.decode("utf-8", "backslashreplace") for key in keys)),
        groups=tuple(RowGroup(group.num_rows, sum(_sizes(group))) for group in groups),
    )


def _sizes(group: object) -> list[int]:
    columns = range(group.num_columns)  # type: ignore[attr-defined]
    return [group.column(place).total_compressed_size for place in columns]  # type: ignore[attr-defined]

"""Rows removed, added, moved, repeated; keys given, stated and found; files laid out otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from d4cbuild.difference.compare import compare
from d4cbuild.difference.options import DiffOptions
from d4cbuild.difference.record import Difference, Key
from d4cbuild.errors import InputError
from tests.conftest import REPOSITORY
from tests.difference.tables import ROWS, cells, changed, differ, only, table

SMALL = DiffOptions(memory=1)
"""Nothing is held that need not be."""


def counts(found: Difference) -> tuple[int, ...]:
    rows = found.rows
    assert rows is not None
    return rows.removed, rows.added, rows.changed, rows.moved, rows.cells


def test_the_same_bytes_are_identical(tmp_path: Path) -> None:
    found = differ(tmp_path, table(), table())
    assert (found.verdict, found.exit_code, found.findings) == ("identical", 0, ())
    assert found.a.sha256 == found.b.sha256


@pytest.mark.parametrize(
    "how",
    [{"compression": "zstd"}, {"row_group_size": 7}, {"use_dictionary": False}, {"version": "1.0"}],
    ids=str,
)
def test_the_same_table_written_otherwise_is_equivalent(how: Any, tmp_path: Path) -> None:
    pq.write_table(table(), tmp_path / "a.parquet")
    pq.write_table(table(), tmp_path / "b.parquet", **how)
    found = compare(tmp_path / "a.parquet", tmp_path / "b.parquet", DiffOptions())
    assert (found.verdict, found.exit_code) == ("equivalent", 4)
    assert "encoding" in {finding.name for finding in found.findings}
    assert {f.name for f in found.findings} <= {"encoding", "footer", "storage", "schema"}
    assert found.next[0].startswith("d4cbuild digest ")


def test_a_footer_alone_is_told_as_such(tmp_path: Path) -> None:
    pq.write_table(table(), tmp_path / "a.parquet")
    other = table().replace_schema_metadata({**table().schema.metadata, b"made by": b"<hand>"})
    pq.write_table(other, tmp_path / "b.parquet")
    found = compare(tmp_path / "a.parquet", tmp_path / "b.parquet", DiffOptions())
    assert found.verdict == "equivalent"
    assert [finding.name for finding in found.findings] == ["footer"]
    layers = {layer.name: layer.same for layer in found.layers}
    assert layers == {"bytes": False, "footer": False, "pages": True, "schema": True, "rows": True,
                      "order": True, "values": True}  # fmt: skip


@pytest.mark.parametrize("memory", [1, 512 << 20])
def test_rows_in_another_order_are_the_same_rows(memory: int, tmp_path: Path) -> None:
    order = np.random.default_rng(1).permutation(ROWS)
    found = differ(tmp_path, table(), table().take(order), memory=memory)
    finding = only(found)
    assert finding.name == "row-order"
    assert counts(found)[:3] == (0, 0, 0)
    assert finding.count == int((order != np.arange(ROWS)).sum())


@pytest.mark.parametrize("memory", [1, 512 << 20])
def test_rows_removed_added_and_changed_are_told_apart_by_key(memory: int, tmp_path: Path) -> None:
    columns = cells()
    columns["name"][30] = "Toronto"
    new = {name: [values[0]] for name, values in cells().items()} | {"id": [1000]}
    after = pa.concat_tables([table(columns).slice(2), table(new)])
    after = after.take(np.random.default_rng(2).permutation(after.num_rows))
    found = differ(tmp_path, table(), after, memory=memory, key=("id",))
    removed, added, rows_changed, _, cell_count = counts(found)
    assert (removed, added, rows_changed, cell_count) == (2, 1, 1, 1)
    by_name = {finding.name: finding for finding in found.findings}
    assert [e.where for e in by_name["rows-removed"].examples] == ["id=0", "id=1"]
    assert [e.where for e in by_name["rows-added"].examples] == ["id=1000"]
    assert [e.where for e in by_name["value"].examples] == ["id=30"]


def test_without_any_key_rows_are_compared_as_wholes(tmp_path: Path) -> None:
    before = pa.table({"x": [1.5, 2.5, 2.5, 3.5], "y": [True, False, False, True]})
    after = pa.table({"x": [2.5, 1.5, 3.5, 7.5], "y": [False, True, True, True]})
    found = differ(tmp_path, before, after)
    assert found.key is not None
    assert found.key.columns == ()
    assert "as wholes" in found.key.found_in
    assert counts(found)[:2] == (1, 1)
    assert any("--key" in line for line in found.next)


def test_without_any_key_a_cell_at_its_place_is_a_changed_cell(tmp_path: Path) -> None:
    before = pa.table({"x": [1.5, 2.5, 2.5, 3.5]})
    after = pa.table({"x": [1.5, 2.5, 9.5, 3.5]})
    found = differ(tmp_path, before, after)
    assert only(found).name == "value"
    assert counts(found) == (0, 0, 1, 0, 1)
    assert found.findings[0].examples[0].where == "row 2"


def test_rows_of_equal_key_in_another_order_are_explained(tmp_path: Path) -> None:
    before = pa.table({"k": [1, 1, 2, 2], "v": ["a", "b", "c", "d"]})
    after = pa.table({"k": [1, 1, 2, 2], "v": ["b", "a", "c", "d"]})
    found = differ(tmp_path, before, after, key=("k",))
    assert only(found).name == "row-order"
    assert found.causes[0] == ("rows of equal key (k) came in another order: the key is not total")


def test_a_column_whose_values_went_to_other_rows_is_explained(tmp_path: Path) -> None:
    after = cells()
    after["name"] = after["name"][3:] + after["name"][:3]
    found = differ(tmp_path, table(), table(after))
    assert only(found).facts == {"same_values_in_other_rows": True}
    assert found.causes[0].startswith("name: the same values in other rows")


def test_the_key_of_the_footer_is_used(tmp_path: Path) -> None:
    for name, made in (("a", table()), ("b", changed("name", 1, "X"))):
        sorting = pq.SortingColumn.from_ordering(made.schema, [("day", "ascending")])
        pq.write_table(made, tmp_path / name, sorting_columns=sorting)
    found = compare(tmp_path / "a", tmp_path / "b", DiffOptions())
    assert found.key is not None
    assert found.key.columns == ("day",)
    assert "footer" in found.key.found_in


def test_the_key_of_a_manifest_beside_a_file_or_given_is_used(tmp_path: Path) -> None:
    record = json.loads((REPOSITORY / "recipes/statcan-odhf/manifest.json").read_text())
    (output,) = record["derivation"]["outputs"]
    output["columns"] = [column for column in output["columns"] if not column["unique"]]
    output["sort_by"] = ["name", "id"]
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps(record))
    found = differ(tmp_path, table(), changed("size", 1, 9.0))
    assert found.key == Key(("name", "id"), f"sort_by in {manifest}")
    elsewhere = manifest.rename(tmp_path / "other.json")
    found = differ(tmp_path, table(), changed("size", 1, 9.0), manifest=elsewhere)
    assert found.key == Key(("name", "id"), f"sort_by in {elsewhere}")


def test_a_key_that_is_no_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="key is no column") as caught:
        differ(tmp_path, table(), changed("name", 1, "X"), key=("nonsense",))
    assert "id, name" in str(caught.value)


def test_columns_removed_added_moved_and_of_other_types_are_told(tmp_path: Path) -> None:
    before = pa.table({"id": [1, 2], "a": [1, 2], "b": ["x", "y"], "gone": [0, 0]})
    after = pa.table(
        {"id": [1, 2], "b": ["x", "y"], "a": pa.array([1, 2], pa.int16()), "new": [0, 0]}
    )
    finding = only(differ(tmp_path, before, after))
    assert finding.name == "schema"
    assert [(e.where, e.before, e.after) for e in finding.examples] == [
        ("column new", None, "int64, nullable"),
        ("column gone", "int64, nullable", None),
        ("column a", "int64, nullable", "int16, nullable"),
        ("order of the columns", "id, a, b", "id, b, a"),
    ]


def test_values_are_compared_across_types_of_numbers(tmp_path: Path) -> None:
    before = pa.table({"id": [1, 2], "a": pa.array([1, 2], pa.int64())})
    after = pa.table({"id": [1, 2], "a": pa.array([1.0, 2.5], pa.float64())})
    found = differ(tmp_path, before, after)
    assert {finding.name for finding in found.findings} >= {"schema", "value"}
    assert counts(found)[4] == 1


def test_another_crs_is_told_and_the_default_by_name_is_none(tmp_path: Path) -> None:
    epsg = ',"crs":{"id":{"authority":"EPSG","code":3347}}'
    crs84 = ',"crs":{"id":{"authority":"OGC","code":"CRS84"}}'
    finding = only(differ(tmp_path, table(), table(crs=epsg)))
    assert finding.name == "crs"
    assert (finding.examples[0].before, finding.examples[0].after) == (
        "OGC:CRS84 (by default)",
        "EPSG:3347",
    )
    assert differ(tmp_path, table(), table(crs=crs84)).verdict == "equivalent"


def test_dictionaries_and_large_texts_are_only_stored_otherwise(tmp_path: Path) -> None:
    other = table()
    at = other.schema.get_field_index("name")
    other = other.set_column(at, "name", other["name"].cast(pa.large_string()))
    found = differ(tmp_path, table(), other)
    assert found.verdict == "equivalent"


def test_examples_are_capped_and_counts_are_not(tmp_path: Path) -> None:
    after = cells()
    after["name"] = ["Toronto" for _ in range(ROWS)]
    finding = only(differ(tmp_path, table(), table(after), examples=3))
    assert (finding.count, len(finding.examples)) == (ROWS, 3)

"""Two Parquet files: from their bytes inwards to the cell."""

from __future__ import annotations

from pathlib import Path

from d4cbuild.difference.causes import causes_of, next_of
from d4cbuild.difference.footers import encoding_finding, footer_bytes, footer_finding
from d4cbuild.difference.options import DiffOptions
from d4cbuild.difference.pages import SamePages, same_pages
from d4cbuild.difference.pair import Budget, TablePair
from d4cbuild.difference.record import Difference, Finding, Layer, Side, verdict_of
from d4cbuild.difference.rows import RowComparison, RowsCompared
from d4cbuild.difference.schemas import schema_findings
from d4cbuild.normalform.scratch import Scratch
from d4cbuild.tables.columns import ParquetColumns


def compare_parquet(a: Side, b: Side, outer: Layer, options: DiffOptions) -> Difference:
    """Compare two Parquet files whose bytes differ.

    Args:
        a: The first.
        b: The second.
        outer: What is known of their bytes.
        options: What the user chose.

    Raises:
        InputError: if one cannot be read as Parquet, or the key is none.
    """
    files = ParquetColumns.open(Path(a.path)), ParquetColumns.open(Path(b.path))
    pair = TablePair.of(*files)
    pages = same_pages(pair)
    schema = schema_findings(pair)
    with Scratch(options.scratch) as scratch:
        budget = Budget(options.memory, scratch)
        compared = RowComparison(pair, pages, options, budget).run()
    findings = _ordered([*schema, *compared.findings, *_written(pair, pages, compared)])
    found = Difference(
        a=a,
        b=b,
        verdict=verdict_of(findings),
        layers=(outer, *_layers(pair, pages, schema, compared)),
        findings=findings,
        key=compared.key,
        rows=compared.rows,
    )
    causes = causes_of(found, compared.repeated)
    return Difference(**{**vars(found), "causes": causes, "next": next_of(found, options)})


def _written(pair: TablePair, pages: SamePages, compared: RowsCompared) -> list[Finding]:
    found = [footer_finding(pair), encoding_finding(pair, pages, compared.same_in_place)]
    return [finding for finding in found if finding is not None]


def _ordered(findings: list[Finding]) -> tuple[Finding, ...]:
    """Real changes first, how the file is written last."""
    rank = {"schema": 0, "crs": 0, "rows-removed": 1, "rows-added": 1, "value": 2, "row-order": 4}
    rank |= {"covering": 6, "storage": 7, "encoding": 8, "footer": 9}
    return tuple(sorted(findings, key=lambda each: rank.get(each.name, 3)))


def _layers(
    pair: TablePair, pages: SamePages, schema: list[Finding], compared: RowsCompared
) -> list[Layer]:
    rows = compared.rows
    footer = footer_bytes(pair.a.path) == footer_bytes(pair.b.path)
    kept = rows.a - rows.removed
    cells = f"{rows.cells:,} cells differ, in {rows.changed:,} of {kept:,} rows"
    same_rows = rows.removed == rows.added == 0
    says = f"{rows.a:,} in both" if same_rows else _counts(compared)
    named = sorted({finding.name for finding in schema})
    told = "the same columns" if not named else f"differs in {', '.join(named)}"
    return [
        Layer("footer", footer, "the same" if footer else "differs"),
        Layer("pages", pages.all_same, _pages(pages)),
        Layer("schema", not set(named) - {"storage"}, told),
        Layer("rows", same_rows, says),
        Layer("order", rows.moved == 0, _order(compared)),
        Layer("values", rows.cells == 0, "the same cells" if rows.cells == 0 else cells),
    ]


def _counts(compared: RowsCompared) -> str:
    rows = compared.rows
    return f"{rows.a:,} against {rows.b:,}: {rows.removed:,} removed, {rows.added:,} added"


def _order(compared: RowsCompared) -> str:
    if compared.rows.moved == 0:
        return "the same"
    return f"{compared.rows.moved:,} rows stand elsewhere, the first is row {compared.first_moved}"


def _pages(pages: SamePages) -> str:
    if not pages.aligned:
        return "row groups of other rows"
    if pages.all_same:
        return "the same"
    other = pages.other_columns
    listed = ", ".join(other[:8]) + (" …" if len(other) > 8 else "")
    return f"differ in {len(other)} of {len(pages.same)} columns: {listed}"

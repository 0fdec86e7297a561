"""Readers that want a box of a file in Hilbert order skip most of it, by the column ``bbox``.

pyarrow and DuckDB do. GDAL does from release 3.9 on, which knows coverings; Debian 12 has 3.6, and
the GDAL in the wheels of pyogrio is built without Parquet. So it is only shown of GDAL that it
finds the right rows, and that this release reads everything.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from d4cbuild.normalform import write_table

from . import readers
from .test_geometry import declaration

POINTS = 1_500_000
WIDTH = 10.0
SIDE = WIDTH / 10  # of a box of 1 % of the extent
CORNERS = [(-79.0 + 3 * i, 41.0 + 3 * j) for i in range(3) for j in range(3)]
BOXES = [(x, y, x + SIDE, y + SIDE) for x, y in CORNERS]
QUERY = readers.HERE / "query_with.py"
SKIPPING = ("pyarrow", "duckdb")

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Points:
    """The same points in two orders, and what is in each of the boxes.

    Attributes:
        hilbert: A file in Hilbert order.
        scattered: A file in the order of ``id``, which says nothing of the place.
        expected: For each box, how many points, and the sum of their ``id``.
    """

    hilbert: Path
    scattered: Path
    expected: list[tuple[int, int]]


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Points:
    folder = tmp_path_factory.mktemp("points")
    chance = np.random.default_rng(20210511)
    # Exact in float32, so that the box of a point is the point.
    x, y = chance.uniform([[-80], [40]], [[-80 + WIDTH], [40 + WIDTH]], (2, POINTS)).astype("f4")
    ids = np.arange(POINTS)
    shapes = pa.array(shapely.to_wkb(shapely.points(x.astype("f8"), y.astype("f8"))), pa.binary())
    table = pa.table({"id": ids, "shape": shapes})
    files = {"hilbert": declaration("hilbert(shape)", "id"), "scattered": declaration("id")}
    for name, declared in files.items():
        write_table(table, folder / f"{name}.parquet", declared)
    inside = [(x >= a) & (x <= c) & (y >= b) & (y <= d) for a, b, c, d in BOXES]
    expected = [(int(hit.sum()), int(ids[hit].sum())) for hit in inside]
    return Points(folder / "hilbert.parquet", folder / "scattered.parquet", expected)


def asked(library: str, path: Path) -> tuple[list[tuple[int, int]], list[float]]:
    """What was found in each box, and the share of the file's bytes that were read for it."""
    boxes = [",".join(str(edge) for edge in box) for box in BOXES]
    command: list[str | Path] = [QUERY, library, path, *boxes]
    ran = (
        readers.run_with_gdal(*command)
        if library == "gdal"
        else readers.run_in_environment("python", *command)
    )
    assert ran.returncode == 0, ran.stderr
    answers = json.loads(ran.stdout)
    size = path.stat().st_size
    return [(rows, ids) for rows, ids, _ in answers], [read / size for *_, read in answers]


def row_groups_touched(path: Path, box: tuple[float, ...]) -> int:
    """How many row groups may hold something in a box, by the statistics in the footer."""
    xmin, ymin, xmax, ymax = box
    touched = 0
    footer = pq.read_metadata(path)
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        chunks = [group.column(index) for index in range(group.num_columns)]
        stated = {c.path_in_schema: c.statistics for c in chunks if c.statistics is not None}
        touched += (
            stated["bbox.xmax"].max >= xmin
            and stated["bbox.xmin"].min <= xmax
            and stated["bbox.ymax"].max >= ymin
            and stated["bbox.ymin"].min <= ymax
        )
    return touched


def test_a_box_of_one_hundredth_lies_in_few_row_groups(points: Points) -> None:
    count = pq.read_metadata(points.hilbert).num_row_groups
    touched = [row_groups_touched(points.hilbert, box) for box in BOXES]
    assert max(touched) <= count / 2
    assert sum(touched) / len(touched) <= count / 4
    assert {row_groups_touched(points.scattered, box) for box in BOXES} == {count}


@pytest.mark.parametrize("library", SKIPPING)
def test_a_reader_finds_a_box_by_reading_little_of_the_file(library: str, points: Points) -> None:
    found, shares = asked(library, points.hilbert)
    assert found == points.expected
    footer = pq.read_metadata(points.hilbert)
    assert min(shares) > footer.serialized_size / points.hilbert.stat().st_size
    assert max(shares) < 1 / 2
    assert sum(shares) / len(shares) < 1 / 4


@pytest.mark.parametrize("library", SKIPPING)
def test_without_an_order_by_place_a_reader_reads_most_of_the_file(
    library: str, points: Points
) -> None:
    found, shares = asked(library, points.scattered)
    assert found == points.expected
    assert min(shares) > 0.9


def test_gdal_of_debian_finds_a_box_and_reads_the_whole_file_for_it(points: Points) -> None:
    found, shares = asked("gdal", points.hilbert)
    assert found == points.expected
    assert min(shares) > 0.95

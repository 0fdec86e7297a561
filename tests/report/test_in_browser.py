"""Pages in a real browser: nothing fails, nothing is asked for, and everybody can read them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from d4cbuild.difference.compare import compare
from d4cbuild.difference.options import DiffOptions
from d4cbuild.profile.subject import Look
from d4cbuild.report.difference import difference_page
from d4cbuild.report.show import subject_page
from d4cbuild.sandbox.image import Image
from d4cbuild.store import Store
from tests.browser import DESK, PHONE, Browser
from tests.conftest import REPOSITORY
from tests.profile.shapes import LAMBERT, line, point, write

BUILT = ("recipes/statcan-odhf", "recipes/statcan-cma-2016")
SHOWN = (*BUILT, "recipes/elections-canada-pollresults")
PAGES = (
    *("index", "statcan-odhf", "statcan-cma-2016", "elections-canada-pollresults"),
    *("many-points", "no-shapes", "hostile", "difference"),
)
POINTS = 60_000
HOSTILE = "</title></style></svg><script>document.title = 'taken'</script><img src=x>"
SECONDS_TO_OPEN = 10


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    browser = Browser.start()
    yield browser
    browser.stop()


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory, geo_image: Image, shared_store: Store) -> Path:
    """A folder of pages: the real recipes as a site, and others."""
    folder = tmp_path_factory.mktemp("pages")
    data = tmp_path_factory.mktemp("data")
    variables = {**os.environ, "D4CBUILD_STORE": str(shared_store.root)}
    for arguments in (("build", *BUILT), ("show", "--html", str(folder), *SHOWN)):
        verb, *rest = arguments
        command = [sys.executable, "-m", "d4cbuild", verb, "--dist", str(data), *rest]
        subprocess.run(command, cwd=REPOSITORY, env=variables, check=True)
    tables = {"many-points": many_points, "no-shapes": no_shapes, "hostile": hostile}
    for name, make in tables.items():
        path = data / f"{name}.parquet"
        make(path)
        look = Look(lambda folder: None, lambda: shared_store, draw=True)
        (folder / f"{name}.html").write_bytes(subject_page(look.at(path)))
    found = compare(data / "no-shapes.parquet", data / "hostile.parquet", DiffOptions())
    (folder / "difference.html").write_bytes(difference_page(found))
    return folder


def many_points(path: Path) -> None:
    places = np.random.default_rng(7).normal((-76.5, 44.25), (0.1, 0.03), (POINTS, 2))
    numbers = np.arange(POINTS) % 977
    write(path, [point(x, y) for x, y in places], number=numbers)


def no_shapes(path: Path) -> None:
    rows = 50_000
    numbers = np.random.default_rng(8).exponential(40, rows)
    columns = {
        "day": [date(2006, 1, 23) + timedelta(days=n % 3_000) for n in range(rows)],
        "place": [None if n % 7 == 0 else f"place {n % 12}" for n in range(rows)],
        "elected": [n % 31 == 0 for n in range(rows)],
        "votes": numbers.astype(np.int32),
        "share": numbers / 100,
        "nothing": pa.nulls(rows, pa.string()),
    }
    pq.write_table(pa.table(columns), path, row_group_size=3_000)


def hostile(path: Path) -> None:
    shapes = [line([(0, 0), (1e6, 1e6)]), b"<script>", None]
    long = "W" * 3_000
    columns = {HOSTILE: [HOSTILE, long, "\u202eright to left"], long[:500]: [1, 2, 3]}
    write(path, shapes, {**LAMBERT, "name": HOSTILE}, **columns)


def test_all_pages_are_looked_at(pages: Path) -> None:
    assert {path.stem for path in pages.glob("*.html")} == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_without_error_and_asks_for_nothing(
    name: str, pages: Path, browser: Browser
) -> None:
    page = pages / f"{name}.html"
    browser.open(page)
    assert browser.complaints() == []
    assert browser.requests() == [page.as_uri()]
    assert browser.run("return document.title") != "taken"
    assert browser.run("return document.querySelectorAll('script, img').length") == 0
    took = browser.run("return performance.getEntriesByType('navigation')[0].duration")
    assert took < SECONDS_TO_OPEN * 1000


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone(name: str, pages: Path, browser: Browser) -> None:
    browser.open(pages / f"{name}.html", PHONE)
    browser.run("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert browser.overflow() == 0


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (DESK, "dark")])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_wrong(
    name: str, size: tuple[int, int], scheme: str, pages: Path, browser: Browser
) -> None:
    browser.open(pages / f"{name}.html", size, scheme)
    paper = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
    browser.run("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert browser.violations() == []


def test_axe_would_find_something_wrong(tmp_path: Path, browser: Browser) -> None:
    (tmp_path / "bad.html").write_text("<html><body><img src='x'><input></body></html>")
    browser.open(tmp_path / "bad.html")
    found = " ".join(browser.violations())
    assert "image-alt" in found
    assert "html-has-lang" in found
    assert browser.complaints()  # x is not there


def test_the_page_speaks_the_language_one_chooses(pages: Path, browser: Browser) -> None:
    browser.open(pages / "statcan-odhf.html")
    read = "return document.body.innerText"
    english = browser.run(read)
    assert "How to verify" in english
    assert "Comment vérifier" not in english
    browser.run("document.querySelector('#fr').click()")
    french = browser.run(read)
    assert "Comment vérifier" in french
    assert "How to verify" not in french
    titles = browser.run("return document.querySelector('h1').innerText")
    assert "Open Database" in titles
    assert "Base de données ouvertes" in titles


def test_a_link_in_the_list_opens_the_page(pages: Path, browser: Browser) -> None:
    browser.open(pages / "index.html")
    browser.run("document.querySelector('a[href=\"statcan-odhf.html\"]').click()")
    assert browser.run("return location.href") == (pages / "statcan-odhf.html").as_uri()

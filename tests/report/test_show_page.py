"""Pages of recipes and files: self-contained, whole, and unmoved by whatever is in the data."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from d4cbuild.profile.subject import Look, Subject
from d4cbuild.report.show import entry_of, site_index, subject_page
from d4cbuild.report.words import grouped, in_units, length, percent
from d4cbuild.store import Store
from tests.profile.shapes import point, write
from tests.report.pages import parsed, text_of

REPOSITORY = Path(__file__).parents[2]
RECIPES = sorted(path.parent for path in REPOSITORY.glob("recipes/*/manifest.json"))
HOSTILE = "</style></svg><script>alert('&')</script><img src=x onerror=\"alert(1)\">{{ 7 * 7 }}"
REVERSED = "a\x00b\x1b[31m\u202egpj.exe"


def looked_at(target: Path, store: Path) -> Subject:
    return Look(lambda folder: None, lambda: Store(store), draw=True).at(target)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A file whose names, values, and metadata all try something."""
    folder = tmp_path / "<b>&amp;\"'"
    folder.mkdir()
    values = [HOSTILE, HOSTILE, REVERSED]
    crs = {"type": "GeographicCRS", "name": HOSTILE, "id": {"authority": HOSTILE, "code": REVERSED}}
    shapes = [point(-75, 45), point(-76, 46), b"<script>"]
    columns = {
        HOSTILE: values,
        "lists": [[HOSTILE], None, []],
        "javascript:alert(1)": [1, 2, 3],
        "": values,
    }
    return write(folder / "hostile.parquet", shapes, crs, **columns)


def test_a_page_needs_nothing_from_outside_and_no_script(hostile: Path, tmp_path: Path) -> None:
    page = subject_page(looked_at(hostile, tmp_path / "store"))
    tree = parsed(page)
    tags = {element.tag for element in tree.iter()}
    assert not tags & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "form",
        "image",
    }
    attributes = {name for element in tree.iter() for name in element.attrib}
    assert not attributes & {"src", "href", "style", "srcset", "xlink:href"}
    assert not [name for name in attributes if name.startswith("on")]
    (style,) = tree.iter("style")
    assert not re.search(r"url\(|@import|://", style.text or "")


def test_what_is_hostile_is_shown_and_does_nothing(hostile: Path, tmp_path: Path) -> None:
    page = subject_page(looked_at(hostile, tmp_path / "store"))
    assert HOSTILE.encode() not in page
    assert "\u202e" not in page.decode()
    text = text_of(page)
    assert " ".join(HOSTILE.split()) in text
    assert "a\\x00b\\x1b[31m\\u202egpj.exe" in text
    assert "7 * 7" in text


def test_columns_have_statistics_charts_and_a_map(tmp_path: Path) -> None:
    shapes = [point(-75 - n / 100, 45) for n in range(50)]
    columns = {"number": list(range(50)), "word": ["yes", "no"] * 25}
    path = write(tmp_path / "p.parquet", shapes, **columns)
    page = subject_page(looked_at(path, tmp_path / "store"))
    tree = parsed(page)
    labels = {svg.get("aria-label") for svg in tree.iter("svg")}
    assert {
        "Map of geometry / Carte de geometry",
        "Histogram of number / Histogramme de number",
    } <= (labels)
    titles = [title.text for title in tree.iter("title")]
    assert "0 – 2: 3" in titles
    text = text_of(page)
    for said in ("50 Point", "OGC:CRS84", "equirectangular", "24.5", "yes 25"):
        assert said in text


def test_the_same_file_gives_the_same_page_wherever_it_lies(tmp_path: Path) -> None:
    pages = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        path = write(folder / "p.parquet", [point(1, 2), point(3, 4)], words=["x", "y"])
        pages.append(subject_page(looked_at(path, tmp_path / "store")))
    assert pages[0] == pages[1]


def test_a_file_that_is_no_table_has_its_digests(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("abc")
    text = text_of(subject_page(looked_at(tmp_path / "notes.txt", tmp_path / "store")))
    assert "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" in text
    assert "sha256sum notes.txt" in text


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.name)
def test_a_recipe_that_is_not_built_here_still_has_a_page(recipe: Path, tmp_path: Path) -> None:
    subject = looked_at(recipe, tmp_path / "empty store")
    manifest = subject.manifest
    assert manifest is not None
    assert all(output.table is None for output in subject.outputs)
    text = text_of(subject_page(subject))
    for output in manifest.outputs:
        assert output.sha256.hex in text
        for column in output.columns:
            assert " ".join(column.description.en.split()) in text
            assert " ".join(column.description.fr.split()) in text
    for source in manifest.sources:
        assert source.url in text
        assert source.sha256.hex in text
    assert f"d4cbuild build {recipe}" in text
    assert f"d4cbuild verify {recipe}" in text


def test_both_languages_are_marked_as_what_they_are(tmp_path: Path) -> None:
    subject = looked_at(RECIPES[0], tmp_path / "store")
    assert subject.dataset is not None
    tree = parsed(subject_page(subject))
    for language, title in (("en", subject.dataset.title.en), ("fr", subject.dataset.title.fr)):
        marked = [each.text for each in tree.iter() if each.get("lang") == language]
        assert title in marked


def test_a_list_links_to_every_page(tmp_path: Path) -> None:
    subjects = [looked_at(recipe, tmp_path / "store") for recipe in RECIPES]
    index = parsed(site_index([entry_of(subject) for subject in subjects]))
    links = [link.get("href") for link in index.iter("a")]
    assert links == [f"{recipe.name}.html" for recipe in RECIPES]
    page = parsed(subject_page(subjects[0], "index.html"))
    assert "index.html" in [link.get("href") for link in page.iter("a")]


def test_a_table_with_a_thousand_row_groups_stays_readable(tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": range(1_000)}), tmp_path / "p.parquet", row_group_size=1)
    page = subject_page(looked_at(tmp_path / "p.parquet", tmp_path / "store"))
    assert "row groups groupes de lignes 1000" in text_of(page)
    assert len(page) < 60_000


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (grouped(1234), "1234"),
        (grouped("1234567.5"), "1\u202f234\u202f567.5"),
        (grouped("-12345"), "-12\u202f345"),
        (grouped("2020-01-01"), "2020-01-01"),
        (grouped("1e+20"), "1e+20"),
        (percent(1, 1_000_000), "<\u202f0.1\u202f%"),
        (percent(999_999, 1_000_000), ">\u202f99.9\u202f%"),
        (percent(1, 2), "50\u202f%"),
        (in_units(999, "en"), "999\u00a0bytes"),
        (in_units(3_246_350, "fr"), "3,25\u00a0Mo"),
        (in_units(999_999_999, "en"), "1\u00a0GB"),
        (length(8445.8, "fr"), "8,4\u00a0km"),
        (length(253_000, "en"), "250\u00a0km"),
        (length(104.4, "en"), "100\u00a0m"),
        (length(0.056, "en"), "5.6\u00a0cm"),
    ],
)
def test_numbers_are_written_for_people(found: str, expected: str) -> None:
    assert found == expected

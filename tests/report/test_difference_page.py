"""The page: well-formed, on its own, and unmoved by whatever is put into it."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from d4cbuild.difference.compare import compare
from d4cbuild.difference.options import DiffOptions
from d4cbuild.difference.record import Difference, Side
from d4cbuild.report.difference import difference_page
from tests.difference.tables import cells, changed, differ, table
from tests.report.pages import parsed, text_of

HOSTILE = "</style><script>alert('&')</script><img src=x onerror=\"alert(1)\">{{ 7 * 7 }}"


def a_difference(folder: Path) -> Difference:
    after = cells()
    after["name"][3] = HOSTILE
    after["size"][4] += 2e-16
    return differ(folder, table(), table(after).slice(1), key=("id",))


def test_the_page_is_well_formed_and_says_what_was_found(tmp_path: Path) -> None:
    found = a_difference(tmp_path)
    text = text_of(difference_page(found))
    for finding in found.findings:
        assert finding.title in text
    assert found.a.sha256 is not None
    assert found.a.sha256.removeprefix("sha256:") in text
    for line in (*found.causes, *found.next):
        assert " ".join(line.split()) in text


def test_the_page_needs_nothing_from_outside_and_no_script(tmp_path: Path) -> None:
    page = difference_page(a_difference(tmp_path))
    tree = parsed(page)
    tags = {element.tag for element in tree.iter()}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    attributes = {name for element in tree.iter() for name in element.attrib}
    assert not attributes & {"src", "href", "style", "onclick", "onerror", "onload"}
    (style,) = tree.iter("style")
    assert style.text is not None
    assert not re.search(r"url\(|@import|://", style.text)


def test_the_page_fits_a_phone_and_the_night(tmp_path: Path) -> None:
    tree = parsed(difference_page(a_difference(tmp_path)))
    metas = {meta.get("name"): meta.get("content") for meta in tree.iter("meta")}
    assert metas["viewport"] == "width=device-width, initial-scale=1"
    assert metas["color-scheme"] == "light dark"
    (style,) = tree.iter("style")
    assert "prefers-color-scheme: dark" in (style.text or "")
    assert "max-width: 40rem" in (style.text or "")


def test_what_is_hostile_is_shown_and_does_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "<b>&amp;\"'"
    folder.mkdir()
    for name, value in (("a", 1), ("b", 2)):
        hostile = pa.table({"id": [1], HOSTILE: [value], "text": [HOSTILE * value]})
        pq.write_table(hostile, folder / name)
    found = compare(folder / "a", folder / "b", DiffOptions(key=("id",)))
    page = difference_page(found)
    assert HOSTILE.encode() not in page
    text = text_of(page)
    assert " ".join(HOSTILE.split()) in text
    assert str(folder) in text
    assert not list(parsed(page).iter("script"))


@pytest.mark.parametrize(
    "name", ["half \udc80 a character", "new\nline", "nul \0 bell \x07", "e\u0301"]
)
def test_any_file_name_can_be_shown(name: str) -> None:
    side = Side(name, "text", 1, None)
    assert parsed(difference_page(Difference(side, side, "identical")))


def test_a_page_of_identical_files_and_of_folders_is_a_page(tmp_path: Path) -> None:
    for folder, word in (("a", "one"), ("b", "other")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "f.txt").write_text(word)
    folders = compare(tmp_path / "a", tmp_path / "b", DiffOptions())
    assert '"one"' in text_of(difference_page(folders))
    same = compare(tmp_path / "a", tmp_path / "a", DiffOptions())
    assert "The same bytes." in text_of(difference_page(same))


def test_control_characters_in_cells_are_shown_escaped(tmp_path: Path) -> None:
    found = differ(tmp_path, table(), changed("name", 1, "a\x00b\x1b[31m\u202e"), key=("id",))
    assert "a\\x00b\\x1b[31m\\u202e" in text_of(difference_page(found))

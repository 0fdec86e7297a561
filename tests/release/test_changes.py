"""What changed between two builds, and which version that asks for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from d4cbuild.errors import InputError
from d4cbuild.model.manifest import Manifest
from d4cbuild.model.parse import record_from_json
from d4cbuild.release.changes import (
    RowCounts,
    Size,
    changes_between,
    is_toolchain_alone,
    size_of,
)
from d4cbuild.release.notes import as_message, from_message, render_notes
from d4cbuild.release.versions import check_version, least_version, parse_version, step_of
from tests.bundle.hostile import hostile_manifest, hostile_texts

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])

RECIPE = Path(__file__).parent.parent.parent / "recipes" / "statcan-odhf"
OTHER = "0" * 64

Record = dict[str, Any]


def manifest(change: Callable[[Record], object] = lambda _: None) -> Manifest:
    """A real manifest, changed."""
    record = json.loads((RECIPE / "manifest.json").read_bytes())
    change(record)
    return record_from_json(Manifest, json.dumps(record).encode(), "manifest")


def column(record: Record, name: str) -> Record:
    found: Record = next(c for c in record["outputs"][0]["columns"] if c["name"] == name)
    return found


def other_bytes(record: Record) -> None:
    record["outputs"][0]["sha256"] = f"sha256:{OTHER}"


def other_table(record: Record) -> None:
    other_bytes(record)
    record["outputs"][0]["content"] = f"blake3:{OTHER}"


def more_rows(record: Record) -> None:
    other_table(record)
    record["outputs"][0]["rows"] += 5


def swapped(record: Record) -> None:
    columns = record["outputs"][0]["columns"]
    columns[0], columns[1] = columns[1], columns[0]


def second_output(record: Record) -> None:
    record["outputs"].append(record["outputs"][0] | {"name": "more", "file": "more.parquet"})


CASES: list[tuple[str, Callable[[Record], object], Size, str]] = [
    ("nothing", lambda _: None, Size.NOTHING, ""),
    ("bytes alone", other_bytes, Size.PATCH, "only the tools changed"),
    ("values", other_table, Size.PATCH, "was not compared"),
    ("rows", more_rows, Size.MINOR, "7,033 to 7,038 rows"),
    ("an output", second_output, Size.MINOR, "`more` is new"),
    ("another name", lambda r: r["outputs"][0].update(name="x"), Size.MAJOR, "is gone"),
    ("a column is gone", lambda r: r["outputs"][0]["columns"].pop(), Size.MAJOR, "is gone"),
    ("order", swapped, Size.MAJOR, "another order"),
    ("type", lambda r: column(r, "city").update(type="int16"), Size.MAJOR, "is int16"),
    ("null", lambda r: column(r, "province").update(nullable=True), Size.MAJOR, "be missing"),
    ("no null", lambda r: column(r, "city").update(nullable=False), Size.PATCH, "never missing"),
    (
        "words",
        lambda r: column(r, "city")["description"].update(en="Town."),
        Size.PATCH,
        "described anew",
    ),
    ("title", lambda r: r["dataset"]["title"].update(en="Other"), Size.PATCH, "reworded"),
    ("vintage", lambda r: r["dataset"].update(vintage="2021-01"), Size.MINOR, "2021-01"),
    ("topic", lambda r: r["dataset"].update(topic="other"), Size.MAJOR, "named otherwise"),
    ("format", lambda r: r["outputs"][0].update(format="parquet"), Size.MAJOR, "is parquet"),
    ("source", lambda r: r["sources"][0].update(sha256=f"sha256:{OTHER}"), Size.PATCH, "another"),
    ("licence", lambda r: r["sources"][0].update(licence="CC0-1.0"), Size.PATCH, "licence"),
    ("code", lambda r: r["code"].update(blake3=f"blake3:{OTHER}"), Size.PATCH, "code changed"),
    (
        "environment",
        lambda r: r["environment"].update(config=f"sha256:{OTHER}"),
        Size.PATCH,
        "packages",
    ),
]


@pytest.mark.parametrize(
    ("change", "size", "says"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_each_change_asks_for_its_version(
    change: Callable[[Record], object], size: Size, says: str
) -> None:
    changes = changes_between(manifest(), manifest(change), {})
    assert size_of(changes) is size
    assert says in "\n".join(each.en for each in changes)
    assert all(each.fr != each.en for each in changes)


def test_a_new_column_is_more_and_one_that_is_gone_breaks() -> None:
    def without(record: Record) -> None:
        record["outputs"][0]["columns"].pop()

    assert size_of(changes_between(manifest(without), manifest(), {})) is Size.MINOR
    assert size_of(changes_between(manifest(), manifest(without), {})) is Size.MAJOR


@pytest.mark.parametrize(
    ("counts", "size"),
    [
        (RowCounts(0, 0, 3), Size.PATCH),
        (RowCounts(1, 1, 0), Size.MINOR),
        (RowCounts(0, 2, 0), Size.MINOR),
    ],
)
def test_rows_that_were_compared_are_told_apart(counts: RowCounts, size: Size) -> None:
    changes = changes_between(manifest(), manifest(other_table), {"facilities": counts})
    assert size_of(changes) is size
    assert f"{counts.added} added, {counts.removed} removed" in changes[0].en
    assert "1\u202f" not in changes[0].fr
    assert "7\u202f033" in changes[0].fr


def test_tools_alone_are_named_and_change_no_data() -> None:
    before, after = manifest(), manifest(other_bytes)
    assert is_toolchain_alone(before, after)
    assert not is_toolchain_alone(before, manifest(other_table))
    assert not is_toolchain_alone(before, before)
    notes = render_notes(before, after, changes_between(before, after, {}), only_tools=True)
    assert "only the tools" in notes["en"]
    assert "seuls les outils" in notes["fr"]


@pytest.mark.parametrize(
    ("before", "size", "least"),
    [
        ("1.2.3", Size.NOTHING, "1.2.4"),
        ("1.2.3", Size.PATCH, "1.2.4"),
        ("1.2.3", Size.MINOR, "1.3.0"),
        ("1.2.3", Size.MAJOR, "2.0.0"),
        ("0.2.3", Size.MAJOR, "0.3.0"),
        ("1.9.9", Size.MINOR, "1.10.0"),
    ],
)
def test_the_least_version(before: str, size: Size, least: str) -> None:
    assert least_version(before, size) == least
    assert check_version(before, least, size, "here") is None


def test_a_version_that_is_too_small_is_refused_and_one_too_large_explained() -> None:
    with pytest.raises(InputError) as caught:
        check_version("1.2.3", "1.2.4", Size.MINOR, "recipes/x")
    assert 'version = "1.3.0"' in str(caught.value)
    assert "1.3.0 would do" in str(check_version("1.2.3", "2.0.0", Size.MINOR, "recipes/x"))
    assert check_version("1.2.3", "1.2.9", Size.PATCH, "recipes/x") is None


versions = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))


@given(versions, st.sampled_from(Size))
def test_the_least_version_is_always_higher(version: tuple[int, int, int], size: Size) -> None:
    text = ".".join(map(str, version))
    least = least_version(text, size)
    assert parse_version(least) > version
    if version[0] > 0 and size is not Size.NOTHING:
        assert step_of(text, least) is size


@given(st.text(min_size=1), st.text(min_size=1))
def test_notes_come_back_from_a_tags_message(en: str, fr: str) -> None:
    wanted = {"en": f"# {en}".strip() + "\n", "fr": f"# {fr}".strip() + "\n"}
    if "--------" not in en + fr:
        assert from_message(as_message(wanted)) == wanted


def test_another_tags_message_holds_no_notes() -> None:
    assert from_message("Version 1.0.0\n") is None


@given(texts=st.lists(hostile_texts, min_size=2, max_size=4))
def test_foreign_texts_are_no_markup_in_release_notes(texts: list[str]) -> None:
    before, after = manifest(), hostile_manifest(manifest(), texts)
    notes = render_notes(before, after, changes_between(before, after, {}), only_tools=False)
    for text in notes.values():
        tokens = MARKDOWN.parse(text)
        inline = [each for token in tokens for each in token.children or ()]
        assert {each.type for each in inline} <= {"text", "text_special", "code_inline"}
        assert {token.type for token in tokens} <= {
            *("heading_open", "inline", "heading_close", "paragraph_open", "paragraph_close"),
            *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
        }

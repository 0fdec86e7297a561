"""A page of ours, read as a tree."""

from __future__ import annotations

from xml.etree import ElementTree


def parsed(page: bytes) -> ElementTree.Element:
    """The page as a tree; it is written so that a parser of XML can read it as well."""
    text = page.decode()
    assert text.startswith("<!DOCTYPE html>\n")
    return ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>\n"))  # noqa: S314 - a page of our own


def text_of(page: bytes) -> str:
    """All that is written on the page."""
    return " ".join(" ".join(parsed(page).itertext()).split())

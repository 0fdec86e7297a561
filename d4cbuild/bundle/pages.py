"""``README.md`` and ``LISEZMOI.md``: a bundle as a page for people, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from d4cbuild.bundle.facts import BundleFacts
from d4cbuild.bundle.markdown import as_code, as_line, as_link, as_paragraphs, as_shell_word
from d4cbuild.bundle.terms import (
    PAGES,
    PUBLISHER,
    PUBLISHER_ADDRESS,
    PURPOSES,
    Language,
    licences,
    place_of,
    publication_day,
)

if TYPE_CHECKING:
    import jinja2

_UNITS = {"en": ("bytes", "kB", "MB", "GB", "TB"), "fr": ("octets", "ko", "Mo", "Go", "To")}
_NO_BREAK = "\u00a0"
_THOUSANDS = {"en": ",", "fr": _NO_BREAK}
_POINT = {"en": ".", "fr": ","}


def render_page(facts: BundleFacts, language: Language) -> bytes:
    """Return the page in one language.

    Args:
        facts: The bundle.
        language: Which page.
    """
    text = _template(language).render(_values(facts), roles=PURPOSES[language])
    return text.encode()


def load_templates() -> None:
    """Make the pages' templates ready, where there is time for it before the pages are wanted."""
    for language in PAGES:
        _template(language)


@cache
def _template(language: Language) -> jinja2.Template:
    import jinja2  # imported late: only bundling needs it

    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("d4cbuild.bundle", "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - Markdown; foreign text goes through the filters below
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters.update(_filters(language))
    return templates.get_template(f"{PAGES[language]}.jinja")


def _filters(language: Language) -> dict[str, Callable[..., str]]:
    return {
        "line": lambda text: as_line(str(text)),
        "paragraphs": as_paragraphs,
        "link": as_link,
        "code": as_code,
        "shell": as_shell_word,
        "number": lambda count: _number(count, language),
        "size": lambda size: _size(size, language),
    }


def _values(facts: BundleFacts) -> dict[str, Any]:
    manifest = facts.manifest
    scripts = [file.name for file in facts.files if file.role == "script"]
    return {
        "manifest": manifest,
        "dataset": manifest.dataset,
        "outputs": manifest.outputs,
        "places": {output.name: place_of(output) for output in manifest.outputs},
        "publisher": PUBLISHER,
        "publisher_address": PUBLISHER_ADDRESS,
        "day": publication_day(facts),
        "fat": facts.fat,
        "files": facts.files,
        "split": [file for file in facts.files if file.parts],
        "attestations": [file for file in facts.files if file.role == "attestation"],
        "script": scripts[0] if scripts else "rebuild.sh",
        "licence": {each.identifier: each for each in licences(facts)},
        "left_out": facts.left_out,
        "left_out_names": {left.source.name for left in facts.left_out},
        "notes": facts.notes,
    }


def _number(count: int, language: Language) -> str:
    return f"{count:,}".replace(",", _THOUSANDS[language])


def _size(size: int, language: Language) -> str:
    """A size for people: three digits or so, in decimal units, as disks and archives count."""
    units = _UNITS[language]
    if size < 1000:
        return f"{size}{_NO_BREAK}{units[0]}"
    power = min((len(str(size)) - 1) // 3, len(units) - 1)
    # Whole numbers only, so that no machine rounds otherwise.
    tenths = (size * 10 + 1000**power // 2) // 1000**power
    if tenths == 10_000 and power + 1 < len(units):
        tenths, power = 10, power + 1
    text = f"{_number(tenths // 10, language)}{_POINT[language]}{tenths % 10}"
    return f"{text}{_NO_BREAK}{units[power]}"

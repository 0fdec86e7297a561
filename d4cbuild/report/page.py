"""The frame and style that all pages share."""

from __future__ import annotations

from typing import Any

import jinja2

import d4cbuild
from d4cbuild.difference.shown import printable
from d4cbuild.report.words import grouped, in_units, percent, thinned

_SPACES = ("\u00a0", "\u202f")
"""No-break spaces, as French and numbers have them; they hide nothing."""


def _finalized(value: Any) -> Any:
    # Control characters have no place in HTML; those that turn the direction of text would lie.
    return _shown(value) if type(value) is str else value


def _shown(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c in _SPACES else printable(c) for c in text)


_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("d4cbuild.report", "templates"),
    undefined=jinja2.StrictUndefined,
    autoescape=True,
    finalize=_finalized,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters.update(grouped=grouped, percent=percent, bytes=in_units, thinned=thinned)


def render_page(template: str, title: str, **values: Any) -> bytes:
    """Render a page.

    Everything that is put into it is escaped, whatever it holds.

    Args:
        template: A file in ``templates/`` that extends ``page.html.jinja``.
        title: Of the page.
        values: What the template shows.

    Returns:
        HTML, UTF-8.
    """
    page = _TEMPLATES.get_template(template)
    text = page.render(title=title, version=d4cbuild.__version__, **values)
    # Half a character (from a file's name, say) has no UTF-8.
    return text.encode("utf-8", "backslashreplace")

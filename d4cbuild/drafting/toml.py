"""Writing TOML that people read: comments above what they speak of, long lists in rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH = 100
# An allowance in a comment must be a person's; a stranger's file may put words into our notes.
_ALLOWANCE = re.compile(r"d4c(?=:)", re.IGNORECASE)


def comments(lines: Iterable[str]) -> Iterator[str]:
    """Lines of comments, cut between words."""
    for line in lines:
        words = _ALLOWANCE.sub("d4c ", line).split()
        shown = "#"
        for word in words:
            if len(shown) + len(word) >= _WIDTH and shown.strip("# "):
                yield shown
                shown = "#  "
            shown += f" {word}"
        yield shown


def table(header: str, values: Mapping[str, Any], notes: Mapping[str, str] | None = None) -> str:
    """A table with its header, and tables within it where they are too wide for a line.

    Args:
        header: Such as ``[dataset]`` or ``[[sources]]``.
        values: Its values; ``None`` is left out.
        notes: Comments at the end of a value's line.
    """
    lines, below = [header], []
    name = header.strip("[]")
    for key, value in values.items():
        if value is None:
            continue
        line = f"{_key(key)} = {written(value)}"
        if isinstance(value, Mapping) and len(line) > _WIDTH:
            inner = [f"{_key(k)} = {written(v)}" for k, v in value.items()]
            below += ["", f"[{name}.{_key(key)}]", *inner]
            continue
        if isinstance(value, list | tuple) and len(line) > _WIDTH:
            line = f"{_key(key)} = [\n" + "".join(f"  {written(v)},\n" for v in value) + "]"
        note = (notes or {}).get(key)
        lines.append(line if note is None else f"{line}  # {note}")
    return "\n".join([*lines, *below]) + "\n"


def written(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {written(v)}" for k, v in value.items()) + " }"
    if isinstance(value, Sequence):
        return "[" + ", ".join(written(inner) for inner in value) + "]"
    return repr(value)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _text(value: str) -> str:
    # JSON's escapes are TOML's, but for the one control character that JSON lets stand.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")

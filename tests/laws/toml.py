"""TOML text of plain values: what a contributor could have written for them."""

from __future__ import annotations

import json
from typing import Any


def toml_document(table: dict[str, Any]) -> str:
    """Write a document; every nested table is written inline."""
    return "".join(f"{_text(key)} = {toml_value(value)}\n" for key, value in table.items())


def toml_value(value: Any) -> str:
    """Write one value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return f"[{', '.join(toml_value(inner) for inner in value)}]"
    if isinstance(value, dict):
        pairs = (f"{_text(key)} = {toml_value(inner)}" for key, inner in value.items())
        return f"{{{', '.join(pairs)}}}"
    return repr(value)


def _text(value: str) -> str:
    # JSON's escapes are TOML's, but for DEL, and for characters beyond U+FFFF if written as two.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")

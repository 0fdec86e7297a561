"""One logical table, one byte string (``d4c.parquet/1``). Imports nothing else of d4cbuild.

The package is carried into the sandbox, where the environment's pyarrow runs it. Importing it
costs nothing: pyarrow is loaded when one of its names is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from d4cbuild.normalform.content import content_digest
    from d4cbuild.normalform.declaration import Declaration
    from d4cbuild.normalform.digesting import FileContent, digest_file
    from d4cbuild.normalform.findings import DeclarationBroken, Violation
    from d4cbuild.normalform.table import NormalTable, Written, normalise, write_table

__all__ = [
    "Declaration",
    "DeclarationBroken",
    "FileContent",
    "NormalTable",
    "Violation",
    "Written",
    "content_digest",
    "digest_file",
    "normalise",
    "write_table",
]


_HOMES = {
    "Declaration": "declaration",
    "DeclarationBroken": "findings",
    "FileContent": "digesting",
    "NormalTable": "table",
    "Violation": "findings",
    "Written": "table",
    "content_digest": "content",
    "digest_file": "digesting",
    "normalise": "table",
    "write_table": "table",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

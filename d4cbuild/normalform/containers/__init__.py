"""Deterministic rewrites of known containers (``d4c.containers/1``); what is inside is not changed.

Needs nothing but Python, its zlib and its SQLite. A recipe's code may use it as well, for a
container that it then puts into another one::

    from d4cbuild.normalform.containers import rewrite_container

    rewrite_container(Path("/tmp/raw.gpkg"), Path("/tmp/places.gpkg"))
"""

from __future__ import annotations

from d4cbuild.normalform.containers.kept import Kept
from d4cbuild.normalform.containers.rewrite import Rewriting, kind_of, rewrite_container

__all__ = ["Kept", "Rewriting", "kind_of", "rewrite_container"]

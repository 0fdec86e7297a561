"""``python3 -m d4cbuild.looking.job PARAMETERS``: look at raw files and write what was found.

The parameters are ``{"sources": folder, "names": […], "documents": […], "out": file}``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from d4cbuild.looking.licences import licence_in
from d4cbuild.looking.source import look_at_source

SCHEMA = "d4c.facts/1"
_LONGEST_TEXT = 64 << 10


def look(parameters: dict[str, Any]) -> dict[str, Any]:
    """Look at all files.

    Args:
        parameters: Where they are, and which of them are texts about the others.

    Returns:
        The facts.
    """
    folder = Path(parameters["sources"])
    found = []
    texts: dict[str, str] = {}
    for name in parameters["names"]:
        print(f"looking at {name}", flush=True)
        facts = look_at_source(folder / name)
        texts |= facts.pop("documents")
        found.append(facts)
    for name in parameters["documents"]:
        texts[name] = (folder / name).read_bytes()[:_LONGEST_TEXT].decode("utf-8", "replace")
    return {"schema": SCHEMA, "sources": found, "licence": licence_in(texts)}


if __name__ == "__main__":
    wanted = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    answer = json.dumps(look(wanted), ensure_ascii=False, allow_nan=False)
    Path(wanted["out"]).write_text(answer, encoding="utf-8")

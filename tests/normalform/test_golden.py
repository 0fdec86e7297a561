"""Files that must stay as they are; ``D4C_ACCEPT=1`` writes them anew, and git shows the change."""

import json
import os
from pathlib import Path

from .golden_tables import digests

GOLDEN = Path(__file__).with_name("golden.json")


def test_golden_files_have_not_changed() -> None:
    made = digests()
    if os.environ.get("D4C_ACCEPT") == "1":
        GOLDEN.write_text(json.dumps(made, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    assert made == json.loads(GOLDEN.read_text(encoding="utf-8"))

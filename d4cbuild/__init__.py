"""d4cbuild: datasets that anyone can build again and get the same bytes.

From Python::

    from d4cbuild import Verdict, build, open_manifest, verify

    result = build("recipes/statcan-odhf")
    result.output("facilities").path
"""

from importlib import import_module

# A package gets its inner packages as attributes when they are first loaded. The floor `build` is
# loaded now, so that the name is then the function's, and stays so.
import_module("d4cbuild.build")

from d4cbuild.api import build, open_manifest, verify  # noqa: E402
from d4cbuild.errors import D4CError  # noqa: E402
from d4cbuild.model.verdict import Verdict  # noqa: E402

__all__ = ["D4CError", "Verdict", "build", "open_manifest", "verify"]
__version__ = "0.1.0"

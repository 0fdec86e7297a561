"""Where wheels can be had: what pip's own settings on this machine say. No host is written here."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from d4cbuild.base.ambient import variable
from d4cbuild.environment.pip_client import run_pip
from d4cbuild.environment.registries import WHEELS_VARIABLE

_SETTING = re.compile(r"^(?:global|download|install|:env:)\.([a-z-]+)=(.*)$")
_DEFAULT = re.compile(r"--index-url\b.*?\(default\s+(https?://\S+?)\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class WheelPlace:
    """A place that pip takes wheels from.

    Attributes:
        address: An address, or a folder's path.
        is_index: Whether it has a page per package, rather than one page or folder of files.
    """

    address: str
    is_index: bool

    @property
    def folder(self) -> Path | None:
        """The folder, where the place is one on this machine."""
        parts = urlsplit(self.address)
        if parts.scheme == "file":
            return Path(unquote(parts.path))
        return None if parts.scheme in ("http", "https") else Path(self.address).expanduser()


def wheel_places() -> list[WheelPlace]:
    """Return every place that pip would look into, as its settings are.

    ``D4CBUILD_PYPI_INDEX`` is the only one when set. With none set, it is pip's own index.
    """
    chosen = variable(WHEELS_VARIABLE)
    if chosen is not None:
        return [WheelPlace(chosen.rstrip("/"), is_index=True)]
    settings = _settings(run_pip(["config", "list"]).stdout)
    places: list[WheelPlace] = []
    if settings.get("no-index", "").lower() not in ("1", "true", "yes", "on"):
        indexes = settings.get("index-url", "").split() or _pips_own()
        indexes += settings.get("extra-index-url", "").split()
        places += [WheelPlace(each.rstrip("/"), is_index=True) for each in indexes]
    places += [WheelPlace(each, is_index=False) for each in settings.get("find-links", "").split()]
    return list(dict.fromkeys(places))


def _settings(listing: str) -> dict[str, str]:
    """pip's settings by name; what it lists later counts, as with pip."""
    found: dict[str, str] = {}
    for line in listing.splitlines():
        match = _SETTING.match(line)
        if match is not None:
            found[match[1]] = str(ast.literal_eval(match[2]))
    return found


def _pips_own() -> list[str]:
    match = _DEFAULT.search(run_pip(["download", "--help"]).stdout)
    return [] if match is None else [match[1]]

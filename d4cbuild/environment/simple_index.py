"""Reading the pages by which wheels are listed.

Source: the "simple repository API" of the Python packaging standards (PEP 503): links to files,
with a digest as the fragment of a link's address.
"""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from d4cbuild.base.digest import Digest

_SHA256 = re.compile(r"sha256=([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Listed:
    """A file that a page lists.

    Attributes:
        address: Where the file is.
        sha256: Its digest, where the page says it.
    """

    address: str
    sha256: Digest | None


def page_name(name: str) -> str:
    """The name of a package's page: lower case, runs of ``-_.`` as one ``-``."""
    return re.sub(r"[-_.]+", "-", name).lower()


def listed_files(page: str, address: str) -> dict[str, Listed]:
    """Read the links of a page.

    Args:
        page: Its text, HTML.
        address: Its address, which links may be relative to.

    Returns:
        Per file name, what the page says of the file.
    """
    reader = _Links()
    reader.feed(page)
    found: dict[str, Listed] = {}
    base = urljoin(address, reader.base) if reader.base else address
    for link in reader.links:
        try:
            target, fragment = urldefrag(urljoin(base, link))
            name = unquote(urlsplit(target).path).rsplit("/", 1)[-1]
        except ValueError:
            continue  # no address; pip passes over it as well
        match = _SHA256.search(fragment)
        sha256 = None if match is None else Digest("sha256", match[1])
        found.setdefault(name, Listed(target, sha256))
    return found


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.base = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where a link leads."""
        href = dict(attrs).get("href")
        if href and tag == "a":
            self.links.append(href)
        elif href and tag == "base" and not self.base:
            self.base = href

"""Where packages can be had: what this machine's own settings say. No host is written here."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.base.ambient import variable
from d4cbuild.errors import Unavailable

DEBIAN_VARIABLE = "D4CBUILD_DEBIAN_MIRROR"
WHEELS_VARIABLE = "D4CBUILD_PYPI_INDEX"
APT_FOLDER = Path("/etc/apt")
_ONE_LINE = re.compile(r"deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)")


@dataclass(frozen=True, slots=True)
class Archive:
    """A Debian archive that the machine knows.

    Attributes:
        base: Its address, without a final slash.
        suites: Suites that the machine takes from it.
        signed_by: Keyring that its signatures are checked with; the machine's usual ones if empty.
    """

    base: str
    suites: tuple[str, ...]
    signed_by: str = ""


def debian_archives(suite: str, apt_folder: Path = APT_FOLDER) -> list[Archive]:
    """Return the archives to ask, best first.

    The variable ``D4CBUILD_DEBIAN_MIRROR`` is the only one asked when set. Else those that the
    machine takes ``suite`` from come first; the others may hold the same package files, since a
    pool is shared by all suites of an archive.

    Raises:
        Unavailable: if the machine knows none.
    """
    chosen = variable(DEBIAN_VARIABLE)
    if chosen is not None:
        return [Archive(chosen.rstrip("/"), (suite,))]
    found: list[Archive] = []
    for archive in _apt_archives(apt_folder):
        if archive not in found:
            found.append(archive)
    if not found:
        raise Unavailable(
            "this machine knows no Debian archive",
            expected=f"apt sources in {apt_folder}, or {DEBIAN_VARIABLE}",
            hint=f"export {DEBIAN_VARIABLE}=<address of a Debian mirror, up to its dists folder>",
        )
    return sorted(found, key=lambda archive: suite not in archive.suites)


def _apt_archives(folder: Path) -> Iterable[Archive]:
    for path in [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]:
        if path.suffix == ".sources" and path.is_file():
            yield from _from_paragraphs(path.read_text(errors="replace"))
        elif path.suffix == ".list" and path.is_file():
            yield from _from_lines(path.read_text(errors="replace"))


def _from_lines(text: str) -> Iterable[Archive]:
    for line in text.splitlines():
        match = _ONE_LINE.fullmatch(line.split("#", 1)[0].strip())
        if match is None:
            continue
        options, address, suite, components = match.groups()
        if "main" in components.split():
            signed = re.search(r"signed-by=(\S+)", options or "")
            yield from _archives([address], (suite,), signed[1] if signed else "")


def _from_paragraphs(text: str) -> Iterable[Archive]:
    for paragraph in re.split(r"\n[ \t]*\n", text):
        fields = _fields(paragraph)
        if (
            "deb" in fields.get("types", "").split()
            and "main" in fields.get("components", "").split()
            and fields.get("enabled", "yes").strip() not in ("no", "false")
        ):
            suites = tuple(fields.get("suites", "").split())
            signed = fields.get("signed-by", "").strip()
            keyring = signed if signed.startswith("/") else ""
            yield from _archives(fields.get("uris", "").split(), suites, keyring)


def _fields(paragraph: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in paragraph.splitlines():
        if line.startswith("#"):
            continue
        if line[:1] in (" ", "\t"):
            fields[name] = fields.get(name, "") + "\n" + line
        elif ":" in line:
            name, _colon, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value
    return fields


def _archives(addresses: Iterable[str], suites: tuple[str, ...], keyring: str) -> Iterable[Archive]:
    for address in addresses:
        if address.startswith(("http://", "https://")):
            yield Archive(address.rstrip("/"), suites, keyring)
        elif address.startswith("mirror+file:"):
            # A file that lists mirrors, as cloud images have it.
            listed = Path(address.removeprefix("mirror+file:"))
            if listed.is_file():
                lines = [line.split("\t")[0].strip() for line in listed.read_text().splitlines()]
                yield from _archives(lines, suites, keyring)

"""Markdown pages as tests read them: code, commands, links and headings."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def tracked_files() -> list[Path]:
    """Every file of the repository that git knows, or would take, and that is there."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    paths = [REPOSITORY / name for name in done.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


@dataclass(frozen=True)
class Fence:
    """A block of code.

    Attributes:
        language: The word after the back quotes; empty if there is none.
        text: What is in it.
        named: The last path of a recipe, or raw file, that the text before it names; or nothing.
    """

    language: str
    text: str
    named: str

    @property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return self.text.splitlines()


@dataclass(frozen=True)
class Document:
    """A page of Markdown."""

    path: Path

    @property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """All of it but blocks of code."""
        return _FENCE.sub("", self.text)

    def fences(self, section: str = "") -> Iterator[Fence]:
        """Blocks of code, in order.

        Args:
            section: The heading of the one section to look into; the whole page if empty.
        """
        text = self.text
        if section:
            text = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
        for match in _FENCE.finditer(text):
            before = re.findall(r"`(recipes/[^`\s]+|[a-z]+\.csv)`", text[: match.start()])
            yield Fence(match[1], match[2], before[-1] if before else "")

    def spans(self) -> list[str]:
        """Code within lines of prose."""
        return _SPAN.findall(self.prose)

    def commands(self, program: str) -> list[list[str]]:
        """Every use of a program, in blocks and in prose, as its arguments."""
        lines = [line for fence in self.fences() if not fence.language for line in fence.lines]
        used = [line for line in [*lines, *self.spans()] if line.startswith(f"{program} ")]
        return [shlex.split(line)[1:] for line in used]

    def links(self) -> list[str]:
        """Targets of links that are no web addresses."""
        return [link for link in _LINK.findall(self.prose) if "://" not in link]

    def anchors(self) -> set[str]:
        """Names of headings, as they stand in addresses."""
        kept = (
            re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(self.prose)
        )
        return {heading.replace(" ", "-") for heading in kept}

"""A Python file that was read: its tree, names, comments, and how its statements span lines."""

from __future__ import annotations

import ast
import io
import tokenize
from dataclasses import dataclass, field

from d4cbuild.hazards.allow import Comment
from d4cbuild.hazards.finding import Spot
from d4cbuild.hazards.python_names import Names


@dataclass
class PythonModule:
    """A module that could be parsed.

    Attributes:
        text: The file.
        names: Its tree and names.
    """

    text: str
    names: Names
    lines: list[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # As the parser counts lines: not at form feeds or the separators of Unicode.
        self.lines = self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    @classmethod
    def parsed(cls, text: str) -> PythonModule:
        """Parse a file.

        Raises:
            SyntaxError: if it is no Python.
            ValueError: for zero bytes and the like.
            RecursionError: if it is nested too deeply to be read.
            MemoryError: likewise, as the parser says it.
        """
        return cls(text, Names(ast.parse(text)))

    def place(self, node: ast.AST) -> tuple[int, int]:
        """Line and column of a node, in characters and from 1."""
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        if not 0 < line <= len(self.lines):
            return line, column + 1
        # The parser counts bytes.
        before = self.lines[line - 1].encode("utf-8", "surrogatepass")[:column]
        return line, len(before.decode("utf-8", "ignore")) + 1

    def spot(self, hazard: str, node: ast.AST, message: str) -> Spot:
        """A hazard at a node."""
        return Spot(*self.place(node), hazard, message)

    def text_of(self, node: ast.expr | None) -> str | None:
        """The text an expression stands for, where it is written down."""
        value = node if node is None else self.names.value_of(node)
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
        return None

    def says(self, node: ast.AST, word: str, depth: int = 2) -> bool:
        """Whether a word stands in an expression, or in what its names stand for."""
        for inner in ast.walk(node):
            if isinstance(inner, ast.Constant) and inner.value == word:
                return True
            if isinstance(inner, ast.Name) and (
                inner.id == word
                or (
                    depth > 0
                    and (value := self.names.value_of(inner)) is not inner
                    and self.says(value, word, depth - 1)
                )
            ):
                return True
        return False


def comments_of(text: str) -> list[Comment]:
    """The comments of a Python file."""
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                line, column = token.start
                alone = not token.line[:column].strip()
                found.append(Comment(line, column + 1, token.string[1:], alone))
    except (tokenize.TokenError, SyntaxError):
        return found  # what comes after cannot be read by Python either, which is told elsewhere
    return found


def statement_spans(module: PythonModule) -> dict[int, tuple[int, int]]:
    """For each line of a statement of several lines, its first and last line.

    Of statements with a body, the head only.
    """
    spans: dict[int, tuple[int, int]] = {}
    for node in module.names.nodes:
        if not isinstance(node, ast.stmt):
            continue
        first, last = node.lineno, node.end_lineno or node.lineno
        body = getattr(node, "body", None)
        if isinstance(body, list) and body:
            last = max(first, body[0].lineno - 1)
        if isinstance(node, ast.Match):
            last = first
        for line in range(first, last + 1):
            spans.setdefault(line, (first, last))
    return spans

"""One SQL statement: its tree, and where in the text the parts of it stand."""

from __future__ import annotations

from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError
from sqlglot.tokenizer_core import Token

from d4cbuild.hazards.finding import Spot
from d4cbuild.hazards.placed import PlacedText


@dataclass(frozen=True)
class Statement:
    """A parsed statement.

    Attributes:
        source: The text it is in.
        tokens: Its words.
        tree: What they mean.
    """

    source: PlacedText
    tokens: list[Token]
    tree: exp.Expr

    @classmethod
    def parsed(cls, source: PlacedText, tokens: list[Token]) -> Statement:
        """Parse words.

        Raises:
            SqlglotError: if they are no statement.
        """
        dialect = sqlglot.Dialect.get_or_raise("duckdb")
        trees = dialect.parser().parse(tokens, source.text)
        if len(trees) != 1 or trees[0] is None:
            raise ParseError("not one statement")
        return cls(source, tokens, trees[0])

    def offset(self, node: exp.Expr) -> int:
        """Where the first word of a node that knows its place stands."""
        starts = [inner.meta["start"] for inner in node.walk() if "start" in inner.meta]
        return min(starts, default=self.tokens[0].start)

    def word_after(self, node: exp.Expr, *words: str) -> int:
        """Where one of some words stands at or after a node's own select; else the node's place."""
        start = self.offset(node)
        for token in self.tokens:
            if token.start >= start and token.text.lower() in words:
                return token.start
        return start

    def word_before(self, node: exp.Expr, *words: str) -> int:
        """Where the last of some words before a node stands; else the node's own place."""
        start = self.offset(node)
        found = [t.start for t in self.tokens if t.start < start and t.text.lower() in words]
        return found[-1] if found else start

    def spot(self, hazard: str, offset: int, message: str) -> Spot:
        """A hazard at a character."""
        return self.source.spot(hazard, offset, message)

"""What is no container to rewrite safely."""

from __future__ import annotations


class Kept(ValueError):
    """A container is kept as it is. The message says why, in half a sentence."""

"""Rewriting in tests: to bytes, and twice."""

from __future__ import annotations

from pathlib import Path

from d4cbuild.normalform.containers import Rewriting, rewrite_container


def rewritten(source: Path) -> bytes:
    """A container's one form; rewriting that again must give the same."""
    target, again = source.with_name("once"), source.with_name("twice")
    found = rewrite_container(source, target)
    assert found.rewritten, found.kept
    assert rewrite_container(target, again) == found
    data = target.read_bytes()
    assert again.read_bytes() == data
    target.unlink()
    again.unlink()
    return data


def kept(source: Path) -> str:
    """Why a container is kept as it is; nothing may have been written."""
    target = source.with_name("once")
    found = rewrite_container(source, target)
    assert found == Rewriting((), found.kept)
    assert found.kept is not None
    assert sorted(path.name for path in source.parent.iterdir()).count("once") == 0
    return found.kept

"""Which paths of a package are left out of an image."""

from collections.abc import Iterable


class Dropping:
    """The rule of ``drop`` and ``keep``.

    A path is dropped if it is one of the prefixes or lies below one, unless it matches a pattern
    of ``keep``, in which ``*`` stands for one whole name.

    Args:
        drop: Absolute prefixes.
        keep: Absolute patterns.
    """

    def __init__(self, drop: Iterable[str], keep: Iterable[str]) -> None:
        self._drop = tuple(_parts(prefix) for prefix in drop)
        self._keep = tuple(_parts(pattern) for pattern in keep)

    def drops(self, path: str) -> bool:
        """Whether a clean relative path is left out."""
        parts = _parts(path)
        return any(parts[: len(prefix)] == prefix for prefix in self._drop) and not any(
            _matches(parts, pattern) for pattern in self._keep
        )


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part)


def _matches(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    return len(parts) == len(pattern) and all(
        wanted in ("*", part) for part, wanted in zip(parts, pattern, strict=True)
    )

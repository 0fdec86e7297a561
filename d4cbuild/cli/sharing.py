"""Options on shared stores, for the commands that take from them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from d4cbuild.sharing.substituters import Substituters

Shared = Callable[[], "Substituters"]
"""Opens the shared stores on first use: settings are read only if there is something to do."""

_SUBSTITUTER = click.option(
    "--substituter",
    "addresses",
    multiple=True,
    metavar="URL|DIR|REMOTE:PATH",
    help="A shared store to take from, besides those of the settings. Asked first.",
)
_NONE = click.option("--no-substituters", "none", is_flag=True, help="Take from no shared store.")
_TRUST = click.option(
    "--trust",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A trust.toml: whose outputs may be taken. [default: as the settings say]",
)


def options(*, outputs: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the options; they reach the command as one argument, ``shared``.

    Args:
        outputs: Whether the command takes outputs, and not only sources by their hash.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def wrapped(
            *arguments: Any,
            addresses: tuple[str, ...],
            none: bool,
            trust: Path | None = None,
            **others: Any,
        ) -> Any:
            @functools.cache
            def shared() -> Substituters:
                from d4cbuild.build.substituting import SharedStores

                return SharedStores(addresses, none, trust).open(outputs=outputs)

            return command(*arguments, shared=shared, **others)

        with_options = _SUBSTITUTER(_NONE(wrapped))
        return _TRUST(with_options) if outputs else with_options

    return decorate

"""Progress on standard error: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from d4cbuild.base.progress import Advance, Progress

PLAIN_STEP_BYTES = 256 << 20


class PlainProgress:
    """Lines, for pipes and logs."""

    def say(self, line: str) -> None:
        """Tell one line."""
        click.echo(line, err=True)

    def warn(self, line: str) -> None:
        """Tell one line that the user should not miss."""
        click.echo(f"warning: {line}", err=True)

    @contextmanager
    def task(self, label: str, total: int | None) -> Iterator[Advance]:
        """Tell the beginning, and now and then how far it is."""
        size = "" if total is None else f" ({total / (1 << 20):.1f} MiB)"
        click.echo(f"{label}{size}", err=True)
        done = told = 0

        def advance(amount: int) -> None:
            nonlocal done, told
            done += amount
            if done - told >= PLAIN_STEP_BYTES:
                told = done
                click.echo(f"{label}: {done / (1 << 20):.0f} MiB", err=True)

        yield advance


class TerminalProgress:
    """A bar with speed and time left, for people."""

    def say(self, line: str) -> None:
        """Tell one line."""
        click.echo(click.style(line, dim=True), err=True)

    def warn(self, line: str) -> None:
        """Tell one line that the user should not miss."""
        click.echo(click.style(f"warning: {line}", fg="yellow"), err=True)

    @contextmanager
    def task(self, label: str, total: int | None) -> Iterator[Advance]:
        """Show a bar, gone when the work is done."""
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )
        from rich.progress import Progress as Bars

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
            task = bars.add_task(label, total=total)
            yield lambda amount: bars.advance(task, amount)


def make_progress() -> Progress:
    """The progress that fits where standard error goes."""
    return TerminalProgress() if sys.stderr.isatty() else PlainProgress()

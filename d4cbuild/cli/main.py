"""The entry point: a group whose commands are imported only when they are used."""

from __future__ import annotations

import atexit
import errno
import gc
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from itertools import takewhile
from typing import NoReturn

import click

import d4cbuild
from d4cbuild.base.interruption import stop_on_signals
from d4cbuild.errors import D4CError, InputError, trouble

STOPPED = 130
BROKEN_PIPE = 141
"""What shells report of SIGINT and SIGPIPE."""

# name: (module, what it does). Kept here so that --help need not import any of them.
COMMANDS = {
    "init": ("init", "Draft a recipe of raw files, and say what was guessed."),
    "check": ("check", "Say everything that is wrong with a recipe, and hazards in its code."),
    "lock": ("lock", "Resolve a recipe's sources, code and environment, and pin them."),
    "build": ("build", "Build a recipe from its lock, and write its manifest."),
    "shell": ("shell", "Open a shell in a recipe's sandbox, or run a command there."),
    "verify": ("verify", "Rebuild and compare every output with the manifest."),
    "eject": ("eject", "Write a recipe's steps as code that can be edited."),
    "diff": ("diff", "Say why two files or manifests differ, down to the cell."),
    "show": (
        "show",
        "Show what is in a recipe, manifest or file, as text or a page with maps.",
    ),
    "weather": ("weather", "Say whether it can still be built: who still has what is needed."),
    "key": ("key", "Keys to sign with: new, show."),
    "attest": ("attest", "Sign what a recipe's manifest says was built from what."),
    "challenge": ("challenge", "Compare what several places got: who agrees, who stands alone."),
    "bundle": ("bundle", "Put data and all they were made with into one folder of flat files."),
    "release": ("release", "Make a version: check what changed, write notes, bundle, tag."),
    "digest": ("digest", "Print the digests of files, and of the tables in them."),
    "normalise": ("normalise", "Write any table as Parquet in normal form."),
    "schema": ("schema", "Print the JSON Schema of a file that people write, for editors."),
    "env": ("env", "Environments: lock, build, show, export."),
    "store": ("store", "The store on this machine, and shared ones: ls, verify, gc, push."),
    "doctor": ("doctor", "Say what this machine can do, and what to install."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names in the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        # Modules stay for as long as the process does: no garbage is looked for among them.
        gc.disable()
        module = import_module(f"d4cbuild.cli.{COMMANDS[cmd_name][0]}")
        gc.freeze()
        gc.enable()
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(d4cbuild.__version__, prog_name="d4cbuild")
def cli() -> None:
    """Build Canadian open datasets so that anyone can build them again and get the same bytes.

    Exit codes, OR-ed: 0 well, 1 a build failed, 2 a hash or lock does not match, 4 not identical,
    8 not even equivalent, 16 could not be checked, 32 not trusted, 64 bad input.
    """


def main() -> NoReturn:
    """Run the command line and exit."""
    stop_on_signals()
    # The system takes the memory back: to look for what else could be freed would take longer than
    # many a command. What has to be closed is closed where it was opened.
    atexit.register(gc.freeze)
    try:
        status = _run()
    except click.ClickException as error:
        _tell(_of_click(error), error.show)
    except (click.Abort, KeyboardInterrupt):
        _tell(Stopped("stopped"))
    except D4CError as error:
        _tell(error)
    except BrokenPipeError:
        # Whoever read our output has seen enough. Nothing more may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)
    except OSError as error:
        # Where the terminal was closed, click cannot even write its last line end.
        closed = error.errno == errno.EIO and isinstance(error.__context__, KeyboardInterrupt)
        _tell(Stopped("stopped") if closed else trouble(error))
    sys.exit(status if isinstance(status, int) else 0)


def _run() -> object:
    stdout = sys.stdout
    try:
        status = cli(standalone_mode=False)
    except SystemExit as error:
        # On a broken pipe click replaces stdout and answers 1, which here says that a build failed.
        if sys.stdout is not stdout:
            sys.exit(BROKEN_PIPE)
        return error.code
    sys.stdout.flush()
    return status


class Stopped(D4CError):
    """Ctrl-C, or a request to end."""


def _tell(error: D4CError, show: Callable[[], None] | None = None) -> NoReturn:
    """Say what was wrong, on standard error for people and as JSON where that was asked for."""
    status = STOPPED if isinstance(error, Stopped) else int(error.exit_code)
    with suppress(OSError):  # the terminal may have been closed: the status still tells
        if show is not None:
            show()
        else:
            click.echo(f"error: {error}", err=True)
    # What follows two dashes is a command of the user's, with options of its own.
    if "--json" in takewhile(lambda word: word != "--", sys.argv[1:]):
        record = error.as_record() | {"exit_code": status}
        click.echo(json.dumps(record, indent=2, sort_keys=True))
    sys.exit(status)


def _of_click(error: click.ClickException) -> D4CError:
    context = getattr(error, "ctx", None)
    path = "d4cbuild" if context is None else context.command_path
    return InputError(error.format_message(), hint=f"{path} --help")

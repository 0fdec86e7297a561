"""``d4cbuild key``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from d4cbuild.attest.keys import PublicKey, new_key, read_public_key, write_key
from d4cbuild.cli import common

_FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.group("key")
def command() -> None:
    """Keys to sign with (ed25519)."""


@command.command("new")
@_FILE
@click.option(
    "--builder", required=True, metavar="NAME", help="Who will hold it, such as my-organisation."
)
@common.json_option
def make(file: Path, builder: str, as_json: bool) -> int:
    """Make a private key in FILE, and the public key in FILE.pub.

    Keep FILE to yourself: whoever has it can sign in your name. It is not encrypted.
    """
    key = new_key(builder)
    public = write_key(key, file)
    _print(builder, key.public, as_json, {"private": str(file), "public": str(public)})
    return 0


@command.command("show")
@_FILE
@common.json_option
def show(file: Path, as_json: bool) -> int:
    """Say whose key is in FILE, and how it is written in trust.toml; never the private half."""
    builder, key = read_public_key(file)
    _print(builder, key, as_json, {})
    return 0


def _print(builder: str, key: PublicKey, as_json: bool, files: dict[str, str]) -> None:
    if as_json:
        record = {"builder": builder, "key": key.text, "key_id": key.key_id, **files}
        click.echo(json.dumps(record, indent=2, sort_keys=True))
        return
    for name, path in files.items():
        click.echo(f"{name} key: {path}")
    click.echo(f"key id: {key.key_id}")
    click.echo("in trust.toml:\n")
    click.echo("[[keys]]")
    click.echo(f'key = "{key.text}"')
    click.echo(f'builder = "{builder}"')
    click.echo('roles = ["builder", "rebuilder"]')

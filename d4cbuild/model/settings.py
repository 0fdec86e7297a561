"""``settings.toml``: what a user wants on this machine, whatever the project. Written by hand."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from d4cbuild.model.fields import Name, Record, Seconds, SharedStoreAddress


class SubstituterSetting(Record):
    """A shared store that builds may take from."""

    url: SharedStoreAddress
    """``https://…``, ``remote:path`` of rclone, or ``/path`` of a folder."""


def _each_once(entries: tuple[SubstituterSetting, ...]) -> tuple[SubstituterSetting, ...]:
    urls = [each.url for each in entries]
    if len(set(urls)) != len(urls):
        raise ValueError("a substituter is named twice")
    return entries


class Settings(Record):
    """A whole ``settings.toml``."""

    schema_: Annotated[Literal["d4c.settings/1"], Field(alias="schema")] = "d4c.settings/1"
    """Name and version of this format."""

    substituters: Annotated[
        tuple[SubstituterSetting, ...], Field(max_length=100), AfterValidator(_each_once)
    ] = ()
    """Shared stores, in the order in which they are asked."""

    trust: Name | None = None
    """Path of the ``trust.toml`` whose builders count; a relative one from this file's folder."""

    stall: Annotated[Seconds, Field(le=3600)] = 15
    """Silence after which a substituter is given up, such as ``15s``."""

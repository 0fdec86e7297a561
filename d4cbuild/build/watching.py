"""``build --watch``: a recipe built anew whenever it is saved, each build beside the one before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from d4cbuild.base.digest import Digest
from d4cbuild.build.result import BuildResult, BuiltOutput
from d4cbuild.build.saving import saves
from d4cbuild.difference.compare import compare
from d4cbuild.difference.head import Head, head_of
from d4cbuild.difference.options import DiffOptions
from d4cbuild.difference.record import Difference
from d4cbuild.errors import D4CError, trouble
from d4cbuild.store import Store

EXAMPLES = 3


@dataclass(frozen=True)
class SeenOutput:
    """An output of a build, to be looked at.

    Attributes:
        output: The artifact.
        head: Its first rows; none for a plain file.
        change: What it has to do with the same output of the build before; none in the first.
    """

    output: BuiltOutput
    head: Head | None
    change: Difference | None


@dataclass(frozen=True)
class Seen:
    """One build of a session.

    Attributes:
        number: Counted from 1.
        result: What was built; none if it failed.
        outputs: Its outputs.
        gone: Names of outputs that the build before had.
        error: Why it failed.
    """

    number: int
    result: BuildResult | None = None
    outputs: tuple[SeenOutput, ...] = ()
    gone: tuple[str, ...] = ()
    error: D4CError | None = None


def watch_recipe(recipe: Path, build: Callable[[], BuildResult], store: Store) -> Iterator[Seen]:
    """Build a recipe whenever it is saved, until the caller has seen enough.

    Args:
        recipe: Its folder.
        build: Builds it.
        store: Where outputs are kept, those of the build before among them.
    """
    before: dict[str, Digest] = {}
    for number, _ in enumerate(saves(recipe), 1):
        try:
            result = build()
            seen = _seen(number, result, before, store)
        except D4CError as error:
            yield Seen(number, error=error)
        except OSError as error:
            yield Seen(number, error=trouble(error))
        else:
            before = {output.name: output.blake3 for output in result.outputs}
            yield seen


def _seen(number: int, result: BuildResult, before: dict[str, Digest], store: Store) -> Seen:
    outputs = tuple(_look(output, result, before, store) for output in result.outputs)
    names = {output.name for output in result.outputs}
    return Seen(number, result, outputs, tuple(name for name in before if name not in names))


def _look(
    output: BuiltOutput, result: BuildResult, before: dict[str, Digest], store: Store
) -> SeenOutput:
    path = store.path_of(output.blake3)
    head = None if output.rows is None else head_of(path)
    last = before.get(output.name)
    if last is None:
        return SeenOutput(output, head, None)
    options = DiffOptions(manifest=result.manifest, examples=EXAMPLES)
    change = compare(store.path_of(last), path, options)
    # What could be typed names objects of the store, which are of no use to people.
    return SeenOutput(output, head, replace(change, next=()))

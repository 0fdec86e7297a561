"""Outputs that others built and signed, instead of a build of our own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.attest.folder import read_bounded
from d4cbuild.base.ambient import settings_file
from d4cbuild.base.progress import Progress
from d4cbuild.build.attesting import read_trust
from d4cbuild.build.make import Made
from d4cbuild.build.plan import Plan
from d4cbuild.build.record import accepted_outputs
from d4cbuild.errors import InputError
from d4cbuild.model.parse import record_from_toml
from d4cbuild.model.realisation import Realisation, RealisedOutput
from d4cbuild.model.recipe import Output
from d4cbuild.model.settings import Settings
from d4cbuild.sharing.place import place_of
from d4cbuild.sharing.substituters import Substituter, Substituters, Taken
from d4cbuild.store import Store


@dataclass(frozen=True)
class SharedStores:
    """What the user chose on the command line.

    Attributes:
        addresses: Substituters besides those of the settings, asked first.
        none: Ask nobody.
        trust: Whose realisations may be taken, instead of what the settings say.
    """

    addresses: Sequence[str] = ()
    none: bool = False
    trust: Path | None = None

    def open(self, *, outputs: bool) -> Substituters:
        """Find out whom to ask, from the options and the settings. Nobody is asked yet.

        Args:
            outputs: Whether outputs are to be taken as well, for which somebody must be trusted.

        Raises:
            InputError: if options, settings or ``trust.toml`` cannot be used.
        """
        if self.none:
            return Substituters()
        settings, path = read_settings()
        chosen = [*self.addresses, *(each.url for each in settings.substituters)]
        substituters = [
            Substituter(place_of(address, settings.stall)) for address in dict.fromkeys(chosen)
        ]
        if not outputs or not substituters:
            return Substituters(substituters)
        trust = self.trust
        if trust is None and settings.trust is not None:
            trust = path.parent / Path(settings.trust).expanduser()
        if trust is None:
            raise InputError(
                "there are substituters, but nobody is trusted",
                expected="a trust.toml with the keys of builders whose outputs may be taken",
                where=str(path) if path.exists() else "--substituter",
                hint='--trust trust.toml, or trust = "trust.toml" in the settings,'
                " or --no-substituters",
            )
        return Substituters(substituters, read_trust(trust))


def read_settings() -> tuple[Settings, Path]:
    """Read the user's settings; those of somebody who has none where there is no file.

    Returns:
        The settings, and where they are or would be.

    Raises:
        InputError: if they cannot be read, or are not where the user said.
    """
    path, named = settings_file()
    if not named and not path.exists():
        return Settings(), path
    return record_from_toml(Settings, read_bounded(path), str(path)), path


def take_outputs(
    plan: Plan, store: Store, substituters: Substituters, progress: Progress
) -> tuple[tuple[Made, ...], Taken] | None:
    """Take the outputs of a plan from whoever shares them, signed by somebody trusted.

    Args:
        plan: What is to be built.
        store: Where they go.
        substituters: Whom to ask.
        progress: Whom to tell.

    Returns:
        The outputs and where they came from; ``None`` if they must be built.
    """
    taken = substituters.take(
        plan.key,
        lambda realisation: _fault(plan, realisation),
        store,
        progress,
        plan.recipe.dataset.id,
    )
    if taken is None:
        return None
    outputs = []
    for output, realised in zip(plan.recipe.outputs, taken.realisation.outputs, strict=True):
        digests = store.known_digests(realised.blake3)
        assert digests is not None  # noqa: S101 - take() has just put it there
        outputs.append(Made(output, digests, realised.facts))
    return tuple(outputs), taken


def _fault(plan: Plan, realisation: Realisation) -> str | None:
    """Why a realisation, signed as it may be, cannot be what this plan makes."""
    declared = [output.name for output in plan.recipe.outputs]
    if [output.name for output in realisation.outputs] != declared:
        return "signed other outputs than the recipe declares"
    accepted = accepted_outputs(plan)
    for output, realised in zip(plan.recipe.outputs, realisation.outputs, strict=True):
        if _columns(realised) != _declared_columns(output):
            return f"signed other columns of {output.name} than the recipe declares"
        known = accepted.get(output.name)
        if known is not None and (known.sha256, known.blake3) != (
            realised.sha256,
            realised.blake3,
        ):
            return f"signed other bytes of {output.name} than manifest.json records"
    return None


def _columns(realised: RealisedOutput) -> list[str] | None:
    return None if realised.table is None else [each.name for each in realised.table.columns]


def _declared_columns(output: Output) -> list[str] | None:
    return None if output.format == "file" else [column.name for column in output.columns]

"""Which variations are asked for, which can be done here, and what is chosen for each round."""

from __future__ import annotations

from dataclasses import dataclass, replace

from d4cbuild.base.ambient import available_memory, machine_cpus, now_utc
from d4cbuild.base.digest import blake3_of
from d4cbuild.build.plan import Plan
from d4cbuild.build.vary.clock import clock_library
from d4cbuild.build.vary.errand import namespaces_obstacle
from d4cbuild.build.vary.variation import BY_NAME, VARIATIONS, Choice, Here, Variation
from d4cbuild.errors import InputError, Unavailable
from d4cbuild.sandbox.choose import RUNNER_NAMES, choose_runner
from d4cbuild.sandbox.image import Image

# A file system in memory must leave room for the job itself, and for others.
_SHARE_OF_MEMORY = 4


@dataclass(frozen=True)
class Draw:
    """What is varied in one round.

    Attributes:
        number: The round, from 1.
        variations: In the order of the specification.
        choices: One for each, by its name.
    """

    number: int
    variations: tuple[Variation, ...]
    choices: dict[str, Choice]

    @property
    def together(self) -> tuple[str, ...]:
        """Names of those that are done in one rebuild."""
        return tuple(variation.name for variation in self.variations if not variation.alone)

    @property
    def alone(self) -> tuple[str, ...]:
        """Names of those that need a rebuild of their own."""
        return tuple(variation.name for variation in self.variations if variation.alone)

    @property
    def said(self) -> dict[str, str]:
        """What is other, in words, by the variation's name."""
        return {variation.name: self.choices[variation.name].says for variation in self.variations}


def named(text: str) -> tuple[Variation, ...]:
    """The variations of ``--vary``.

    Args:
        text: ``all``, ``none``, or names with commas between them.

    Raises:
        InputError: if a name is none.
    """
    if text == "all":
        return VARIATIONS
    names = [] if text == "none" else [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        raise InputError(
            "no such variation",
            expected="all, none, or some of " + ", ".join(BY_NAME),
            found=", ".join(unknown),
            where="--vary",
        )
    return tuple(variation for variation in VARIATIONS if variation.name in names)


def look_around(plan: Plan, runner: str, image: Image, seed: str) -> Here:
    """Find out what can be varied here."""
    resources = plan.recipe.build.resources
    other, reason = _other_runner(runner)
    return Here(
        runner=runner,
        other_runner=other,
        no_other=reason,
        cpus=resources.cpus,
        machine_cpus=machine_cpus(),
        room=resources.disk * _SHARE_OF_MEMORY <= available_memory(),
        no_namespaces=namespaces_obstacle(),
        clock=clock_library(image.root),
        now=now_utc(),
        seed=seed,
    )


def obstacles(variations: tuple[Variation, ...], here: Here) -> dict[str, str]:
    """Why some variations cannot be done here, by their names."""
    reasons = {variation.name: variation.obstacle(here) for variation in variations}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def draw(variations: tuple[Variation, ...], here: Here, number: int) -> Draw:
    """Choose for one round, by chance from the seed.

    No choice is what the recipe has usually. The second round takes another one than the first,
    where there is another; so two rounds never do the same twice.

    Args:
        variations: Those that can be done.
        here: What can be done.
        number: The round, from 1.
    """
    fresh = replace(here, seed=_seed(here, number))
    chosen = {}
    for variation in variations:
        choices = variation.choices(fresh)
        chosen[variation.name] = choices[_place(here, variation, number, len(choices))]
    return Draw(number, variations, chosen)


def _seed(here: Here, number: int) -> str:
    return here.seed if number == 1 else f"{here.seed} {number}"


def _place(here: Here, variation: Variation, number: int, count: int) -> int:
    drawn = int(blake3_of(f"{_seed(here, number)} {variation.name}".encode()).hex[:8], 16)
    if number == 2 and count > 1:
        return (_place(here, variation, 1, count) + 1 + drawn % (count - 1)) % count
    return drawn % count


def _other_runner(runner: str) -> tuple[str | None, str]:
    reasons = []
    for name in RUNNER_NAMES:
        if name not in ("auto", runner):
            try:
                choose_runner(name)
            except Unavailable as error:
                reasons.append(f"{name}: {error.message}")
            else:
                return name, ""
    return None, "; ".join(reasons)

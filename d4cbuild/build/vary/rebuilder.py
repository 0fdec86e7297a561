"""Rebuilds in surroundings by name, each set of them once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from d4cbuild.build.make import Maker, Making
from d4cbuild.build.plan import Plan
from d4cbuild.build.vary.draw import Draw
from d4cbuild.build.vary.elsewhere import bring_home, lay_out_elsewhere
from d4cbuild.build.vary.errand import Errand, send
from d4cbuild.build.vary.surroundings import ORDINARY
from d4cbuild.build.vary.variation import Here
from d4cbuild.errors import BuildFailed

Answer = Making | BuildFailed


# Number of the round, for the how manieth time, and what was other.
_Known = tuple[int, int, tuple[tuple[str, str], ...]]


@dataclass
class Rebuilder:
    """Rebuilds one recipe again and again.

    Attributes:
        plan: What is rebuilt.
        maker: Has the store, the runner and whom to tell.
        here: What can be varied.
        count: Rebuilds that were run.
    """

    plan: Plan
    maker: Maker
    here: Here
    count: int = 0
    _known: dict[_Known, Answer] = field(default_factory=dict)

    def rebuild(self, draw: Draw, names: frozenset[str], time: int = 1) -> Answer:
        """Rebuild with some of a round's variations, or say what that gave before.

        Args:
            draw: The round.
            names: Names of what is to be other; none of them for a rebuild as usual.
            time: For the how manieth time; above 1 to see whether it comes out the same again.

        Returns:
            What was made, or why it failed.

        Raises:
            Unavailable: if it could not be tried.
        """
        # Each round is made anew, even where it draws what another drew; what is rebuilt by itself,
        # or with nothing varied, is not.
        number = 0 if names <= set(draw.alone) else draw.number
        key = (
            number,
            time,
            tuple((name, says) for name, says in draw.said.items() if name in names),
        )
        if key not in self._known:
            self._known[key] = self._rebuild(draw, names)
        return self._known[key]

    def _rebuild(self, draw: Draw, names: frozenset[str]) -> Answer:
        self.count += 1
        listed = ", ".join(name for name in draw.said if name in names)
        self.maker.progress.say(
            f"{self.plan.recipe.dataset.id}: rebuild {self.count}, varied: {listed or 'nothing'}"
        )
        try:
            return self._send(draw, names)
        except BuildFailed as failure:
            return failure

    def _send(self, draw: Draw, names: frozenset[str]) -> Making:
        surroundings = ORDINARY
        for name in draw.said:
            if name in names:
                surroundings = draw.choices[name].change(surroundings)
        store = self.maker.store
        # Every source is fetched once, here, where no clock and no name is another.
        sources = self.maker.sources(self.plan)
        runner = self.here.other_runner if "runner" in names else self.here.runner
        assert runner is not None  # noqa: S101 - else the variation would not have been drawn
        with store.workspace() as folder:
            elsewhere = None
            recipe, place = self.plan.folder.path.absolute(), store.root
            if surroundings.elsewhere:
                elsewhere = lay_out_elsewhere(self.plan, sources, store, folder)
                recipe, place = elsewhere.recipe, elsewhere.store
            making = send(
                Errand(
                    recipe=Path(recipe),
                    normal_form=self.plan.folder.normal_form,
                    steps=self.plan.folder.steps,
                    store=place,
                    runner=runner,
                    mirrors=tuple(self.maker.mirrors),
                    cpus=self.maker.cpus,
                    surroundings=surroundings,
                    answer=folder / "answer",
                )
            )
            if elsewhere is not None:
                bring_home(making, elsewhere, store)
            return making

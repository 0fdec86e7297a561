"""``verify --vary``: rebuild in other circumstances, and say which of them flips which output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from d4cbuild.base.progress import Progress
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.make import Maker, Making
from d4cbuild.build.plan import plan_locked
from d4cbuild.build.result import Flip, Rebuild, Varied, VerifyResult
from d4cbuild.build.vary.draw import Draw, draw, look_around, obstacles
from d4cbuild.build.vary.explain import Explainer, same
from d4cbuild.build.vary.rebuilder import Answer, Rebuilder
from d4cbuild.build.vary.variation import BY_NAME, Variation
from d4cbuild.build.verify import (
    VerifyOptions,
    compare_all,
    not_comparable,
    rebuild_not_made,
    result_of,
)
from d4cbuild.environment.images import ensure_image
from d4cbuild.errors import D4CError
from d4cbuild.model.manifest import Manifest
from d4cbuild.sandbox.job import Runner
from d4cbuild.store import Store


@dataclass(frozen=True)
class VaryOptions:
    """What is to be varied.

    Attributes:
        variations: Which; of none, the recipe is rebuilt as usual.
        rounds: How often, with other choices each time.
        seed: What the choices are drawn with.
    """

    variations: tuple[Variation, ...]
    rounds: int
    seed: str


def verify_varied(
    folder: RecipeFolder,
    store: Store,
    runner: Runner,
    options: VerifyOptions,
    vary: VaryOptions,
    progress: Progress,
) -> VerifyResult:
    """Rebuild a recipe in other circumstances and compare with ``manifest.json``.

    All variations are on at first. Only if an output comes out otherwise are they told apart, by
    halving. What this machine cannot vary is said, and counts as nothing.

    Args:
        folder: The recipe.
        store: The store.
        runner: What to rebuild with.
        options: What the user chose for any verifying.
        vary: What the user chose for this.
        progress: Whom to tell.

    Raises:
        InputError: if recipe, lock or manifest cannot be read.
    """
    plan = plan_locked(folder)
    manifest = folder.manifest()
    refusal = not_comparable(plan, manifest)
    if refusal is not None:
        return refusal
    image = ensure_image(plan.folder.environment(plan.recipe), store, progress)
    maker = Maker(
        store, runner, options.mirrors, progress, options.cpus, substituters=options.substituters
    )
    here = look_around(plan, runner.name, image, vary.seed)
    missing = obstacles(vary.variations, here)
    possible = tuple(v for v in vary.variations if v.name not in missing)
    rebuilder = Rebuilder(plan, maker, here)
    draws = [draw(possible, here, number) for number in range(1, vary.rounds + 1)]
    rounds = [_Round(rebuilder, each, manifest, options).run() for each in draws]
    varied = Varied(
        seed=vary.seed,
        rounds=tuple(each.said for each in draws),
        not_varied=missing,
        flips=tuple(_each_once(flip for _, flips in rounds for flip in flips)),
        rebuilds=rebuilder.count,
    )
    return result_of(plan, tuple(rebuild for rebuilds, _ in rounds for rebuild in rebuilds), varied)


def _each_once(flips: Iterator[Flip]) -> Iterator[Flip]:
    seen = set()
    for flip in flips:
        if (flip.output, flip.variations) not in seen:
            seen.add((flip.output, flip.variations))
            yield flip


@dataclass(frozen=True)
class _Round:
    """One round: everything together, then what needs a rebuild of its own."""

    rebuilder: Rebuilder
    draw: Draw
    manifest: Manifest
    options: VerifyOptions

    def run(self) -> tuple[list[Rebuild], list[Flip]]:
        rebuilds: list[Rebuild] = []
        flips: list[Flip] = []
        for names in (self.draw.together, *((name,) for name in self.draw.alone)):
            try:
                found = self._flips(names, {flip.output for flip in flips})
                rebuilds.append(self._rebuild(names, found))
                flips += found
            except D4CError as error:
                # What was found before is kept; that this could not be tried is said.
                rebuilds.append(rebuild_not_made(self.manifest, self._label(names), error))
        return rebuilds, flips

    def _flips(self, names: tuple[str, ...], explained: set[str]) -> list[Flip]:
        answer = self._answer(names)
        explainer = Explainer(self.rebuilder, self.draw)
        found = []
        for record in self.manifest.outputs:
            if same(record, answer):
                continue
            if record.name in explained and not same(record, self._answer(())):
                continue  # it is other with nothing varied too, which has been told
            found += explainer.explain(record, names)
        return found

    def _rebuild(self, names: tuple[str, ...], flips: list[Flip]) -> Rebuild:
        label = self._label(names)
        if any(flip.warning is not None for flip in flips):
            # What only gives a warning must not decide the verdict.
            names = tuple(name for name in names if BY_NAME[name].warning is None)
        answer = self._answer(names)
        if not isinstance(answer, Making):
            return rebuild_not_made(self.manifest, label, answer)
        store = self.rebuilder.maker.store
        return compare_all(self.manifest, label, answer, store, self.options)

    def _answer(self, names: tuple[str, ...]) -> Answer:
        return self.rebuilder.rebuild(self.draw, frozenset(names))

    def _label(self, names: tuple[str, ...]) -> str:
        here = self.rebuilder.here
        name = here.other_runner if "runner" in names else here.runner
        if not set(names) - {"runner"}:
            return str(name)
        return f"{name}-varied" if self.draw.number == 1 else f"{name}-varied-{self.draw.number}"

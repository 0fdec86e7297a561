"""Can this dataset still be built? The list of steps."""

from __future__ import annotations

from d4cbuild.base.digest import Digest
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.code.history import committed_code
from d4cbuild.errors import InputError
from d4cbuild.model.lock import LockedCode
from d4cbuild.model.recipe import Recipe
from d4cbuild.weather.packages import look_for_packages
from d4cbuild.weather.report import CodeReport, DatasetReport, EnvironmentReport
from d4cbuild.weather.sources import look_for_sources
from d4cbuild.weather.watch import Watch


class Forecaster:
    """Reports on datasets; an environment that several share is looked for once.

    Args:
        watch: The run.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._environments: dict[Digest, EnvironmentReport] = {}

    def report(self, folder: RecipeFolder) -> DatasetReport:
        """Look for everything that a recipe's lock names.

        Args:
            folder: The recipe's folder.

        Raises:
            StaleLock: if the lock does not belong to the recipe.
            InputError: if the recipe, or a mirror, is written in a way that is not understood.
        """
        watch = self._watch
        recipe = folder.recipe()
        lock = folder.sealed_lock(recipe)
        watch.progress.say(f"{recipe.dataset.id}: looking")
        with watch.store.workspace() as workspace:
            sources = look_for_sources(folder, watch, workspace)
        code = _look_for_code(folder, lock.code)
        environment = self._environment(folder, recipe)
        watch.remember()
        return DatasetReport(
            recipe=folder.where,
            dataset=recipe.dataset.id,
            looked=watch.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            sources=tuple(sources),
            code=code,
            environment=environment,
        )

    def _environment(self, folder: RecipeFolder, recipe: Recipe) -> EnvironmentReport | None:
        watch = self._watch
        if not watch.options.packages:
            return None
        environment = folder.environment(recipe)
        config = environment.lock().config
        if config not in self._environments:
            with watch.store.workspace() as workspace:
                report = look_for_packages(environment, watch, workspace)
            self._environments[config] = report
        return self._environments[config]


def _look_for_code(folder: RecipeFolder, locked: LockedCode) -> CodeReport:
    try:
        _code, warning = committed_code(folder.path, locked.commit, locked.tree, locked.blake3)
    except InputError as error:
        return CodeReport(False, error.message)
    return CodeReport(True, warning or f"at commit {locked.commit[:12]}")

"""What is to be built: the lock, the code and the derivation of one recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from d4cbuild.base.digest import Digest
from d4cbuild.base.files import remove_leftovers
from d4cbuild.base.progress import Progress
from d4cbuild.build.carried import CarriedCode, installed_normal_form
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.locking import provisional_lock
from d4cbuild.build.stepping import with_steps
from d4cbuild.code.folder import Code, plain_code
from d4cbuild.code.history import committed_code, working_code
from d4cbuild.model.derivation import Derivation, derive
from d4cbuild.model.lock import Lock, LockedSource
from d4cbuild.model.recipe import Recipe
from d4cbuild.store import Store


@dataclass(frozen=True)
class Plan:
    """A build, decided but not begun.

    Attributes:
        folder: The recipe's folder.
        recipe: What is wanted.
        lock: What was found.
        own_code: The recipe's own code, which git has.
        code: What is run: its own, and what its steps are written as.
        normal_form: The writer of the outputs.
        derivation: Everything that decides the output bytes.
        key: Its digest.
        dirty: Whether uncommitted files are built.
        warnings: What the user should know.
    """

    folder: RecipeFolder
    recipe: Recipe
    lock: Lock
    own_code: Code
    code: Code
    normal_form: CarriedCode
    derivation: Derivation
    key: Digest
    dirty: bool
    warnings: tuple[str, ...]


def plan_locked(folder: RecipeFolder) -> Plan:
    """Plan the build that the lock names.

    Raises:
        StaleLock: if the lock does not belong to the recipe.
        InputError: if the locked code is nowhere to be found.
    """
    recipe = folder.recipe()
    lock = folder.sealed_lock(recipe)
    warnings: list[str] = []
    remove_leftovers(folder.path)  # they are not the recipe's code
    code = plain_code(folder.path)
    if code is None or code.digest != lock.code.blake3:
        locked = lock.code
        code, warning = committed_code(folder.path, locked.commit, locked.tree, locked.blake3)
        warnings += [] if warning is None else [warning]
        if working_code(folder.path).digest != lock.code.blake3:
            warnings.append(
                f"{folder.where} has other code than was locked; the locked code is built"
                f" (d4cbuild lock {folder.where} to lock it, --dirty to try it out)"
            )
    return _plan(folder, recipe, lock, code, dirty=False, warnings=warnings)


def plan_dirty(
    folder: RecipeFolder,
    store: Store,
    mirrors: Sequence[str],
    progress: Progress,
    seen: dict[str, LockedSource] | None = None,
) -> Plan:
    """Plan a build of the files as they lie in the folder; it may not be released.

    See :func:`~d4cbuild.build.locking.provisional_lock` for the arguments.
    """
    recipe = folder.recipe()
    lock, code = provisional_lock(folder, store, mirrors, progress, seen)
    return _plan(folder, recipe, lock, code, dirty=True, warnings=[])


def _plan(
    folder: RecipeFolder,
    recipe: Recipe,
    lock: Lock,
    code: Code,
    *,
    dirty: bool,
    warnings: list[str],
) -> Plan:
    normal_form = folder.normal_form or installed_normal_form()
    whole = with_steps(code, folder.code_of_steps(recipe), folder.where)
    derivation = derive(recipe, lock, whole.digest, normal_form.digest)
    return Plan(
        folder=folder,
        recipe=recipe,
        lock=lock,
        own_code=code,
        code=whole,
        normal_form=normal_form,
        derivation=derivation,
        key=derivation.build_key,
        dirty=dirty,
        warnings=tuple(warnings),
    )

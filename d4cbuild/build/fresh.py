"""Is there anything to do? Answered from file states and small hashes, before anything is loaded.

A build that finds nothing changed must not cost more than looking. So the last result is kept
under a fingerprint of all that could change it, and taken if the files it speaks of are still as
they were left.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from d4cbuild.base.archive import canonical_tar
from d4cbuild.base.canonical import parse_json
from d4cbuild.base.digest import blake3_of, blake3_of_file, blake3_of_stream
from d4cbuild.build.carried import installed_normal_form
from d4cbuild.build.project import project_root
from d4cbuild.build.result import BuildResult
from d4cbuild.build.stepping import step_package
from d4cbuild.code.folder import folder_state
from d4cbuild.store import Store

_RECORDS = ("recipe.toml", "recipe.lock", "manifest.json")


def fingerprint(folder: Path, dist: Path) -> str:
    """Digest of everything on this machine that decides what ``build`` would do.

    Args:
        folder: The recipe's folder.
        dist: Where data files go.
    """
    environments = project_root(folder) / "environments"
    parts = [str(folder.absolute()), str(dist.absolute()), str(installed_normal_form().digest)]
    parts.append(str(blake3_of_stream(canonical_tar(step_package()))))
    parts.append(str(folder_state(folder)))
    records = [folder / name for name in _RECORDS]
    for path in (*records, *sorted(environments.glob("*/environment.*"))):
        parts.append(f"{path}={blake3_of_file(path) if path.exists() else None}")
    return str(blake3_of("\0".join(parts).encode()))


def last_result(store: Store, mark: str) -> BuildResult | None:
    """The last result under a fingerprint, if all its files are as they were left."""
    text = store.database.get("fresh", mark)
    if text is None:
        return None
    record = parse_json(text)
    for path, state in record["files"].items():
        if _file_state(Path(path)) != state:
            return None
    return replace(BuildResult.from_json(record["result"]), status="unchanged")


def remember_result(store: Store, mark: str, result: BuildResult) -> None:
    """Keep a result for the next time."""
    files = {str(output.path): _file_state(output.path) for output in result.outputs}
    kept = replace(result, manifest_changed=False, log=None, explanation=(), taken_from=None)
    record = {"files": files, "result": kept.as_json()}
    store.database.put("fresh", mark, json.dumps(record))


def _file_state(path: Path) -> list[int] | None:
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]

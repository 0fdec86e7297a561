"""One target under one tool; run by :mod:`tests.hostile.fuzz` as a process of its own."""

from __future__ import annotations

import resource
import sys
import time
import traceback
from pathlib import Path

from tests.hostile.fuzz import CORPUS, LARGEST_INPUT, MEMORY_MIB, SLOWEST_S

TOOL, NAME, SECONDS, FOLDER = sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
SCRATCH = FOLDER / "scratch"


def _with_atheris() -> None:
    import atheris

    with atheris.instrument_imports(include=["d4cbuild", "installer", "tarfile", "zipfile"]):
        from tests.hostile.fuzz_targets import TARGETS, run_target

    (target,) = (each for each in TARGETS if each.name == NAME)
    (FOLDER / "seeds").mkdir()
    for number, data in enumerate(target.seeds(FOLDER / "seeds-scratch")):
        (FOLDER / "seeds" / str(number)).write_bytes(data)
    options = [
        f"-max_total_time={SECONDS}",
        f"-max_len={LARGEST_INPUT}",
        f"-rss_limit_mb={MEMORY_MIB}",
        f"-timeout={SLOWEST_S}",
        f"-artifact_prefix={FOLDER}/found/",
        "-print_final_stats=1",
        str(FOLDER / "grown"),
        str(FOLDER / "seeds"),
    ]
    kept = CORPUS / NAME
    arguments = [sys.argv[0], *options, *([str(kept)] if kept.is_dir() else [])]
    atheris.Setup(arguments, lambda data: run_target(target, data, SCRATCH))
    atheris.Fuzz()


def _with_hypothesis() -> None:
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    from tests.hostile.changes import changed
    from tests.hostile.fuzz_targets import TARGETS, run_target

    (target,) = (each for each in TARGETS if each.name == NAME)
    seeds = target.seeds(FOLDER / "seeds-scratch")
    seeds += [path.read_bytes() for path in (CORPUS / NAME).glob("*")]
    end_s = time.monotonic() + SECONDS

    @settings(
        max_examples=400,
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(changed(seeds), st.binary(max_size=LARGEST_INPUT)))
    def look(data: bytes) -> None:
        if time.monotonic() < end_s:
            _look(data)

    def _look(data: bytes) -> None:
        began_s = time.monotonic()
        (FOLDER / "last").write_bytes(data)
        run_target(target, data, SCRATCH)
        assert time.monotonic() - began_s < SLOWEST_S, "too slow"

    try:
        while time.monotonic() < end_s:
            look()
    except BaseException:
        (FOLDER / "last").rename(FOLDER / "found" / "last")
        raise


if __name__ == "__main__":
    (FOLDER / "seeds-scratch").mkdir()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        _with_atheris() if TOOL == "atheris" else _with_hypothesis()
    except Exception:  # noqa: BLE001 - the finding: what was raised, for whoever reads the table
        traceback.print_exc()
        sys.exit(1)

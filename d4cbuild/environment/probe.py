"""Ask the programs of a finished image for their versions, in a sandbox."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from d4cbuild.errors import InputError
from d4cbuild.model.environment import Environment
from d4cbuild.sandbox.image import Image
from d4cbuild.sandbox.job import Job, Limits, Runner
from d4cbuild.store import Store

EPOCH_S = 315_532_800
ANSWER_CHARACTERS = 100


def probe_image(
    environment: Environment, image: Image, runner: Runner, store: Store
) -> Mapping[str, str]:
    """Run an environment's probes.

    Args:
        environment: Names the commands.
        image: Its finished image.
        runner: What runs the sandbox.
        store: Where scratch folders go.

    Returns:
        Each probe's one-line answer.

    Raises:
        InputError: if a probe fails, or answers with anything but one short line.
    """
    return {
        name: _answer(name, command, image, runner, store)
        for name, command in sorted(environment.probe.items())
    }


def _answer(name: str, command: tuple[str, ...], image: Image, runner: Runner, store: Store) -> str:
    with store.workspace() as workspace:
        for folder in ("code", "lib", "run"):
            _empty_folder(workspace / folder)
        parameters = workspace / "parameters.json"
        parameters.write_bytes(b"{}\n")
        parameters.chmod(0o644)
        job = Job(
            image=image,
            command=command,
            sources=(),
            code=workspace / "code",
            parameters=parameters,
            lib=workspace / "lib",
            scratch=workspace / "run",
            limits=Limits(time_s=60),
            source_date_epoch=EPOCH_S,
        )
        log = io.BytesIO()
        outcome = runner.run(job, log)
    answer = log.getvalue().decode("utf-8", "backslashreplace").strip()
    if not outcome.succeeded or not answer or "\n" in answer or len(answer) > ANSWER_CHARACTERS:
        raise InputError(
            f"the probe {name!r} did not answer with one line",
            expected="exit status 0 and a version",
            found=f"exit status {outcome.status}\n{answer[-500:]}",
            where="[probe] of environment.toml",
            hint="mend the command in [probe]",
        )
    return answer


def _empty_folder(path: Path) -> None:
    path.mkdir()
    path.chmod(0o755)

"""Which runner to use on this machine."""

from d4cbuild.errors import InputError, Unavailable
from d4cbuild.sandbox.bubblewrap import BubblewrapRunner
from d4cbuild.sandbox.docker import DockerRunner
from d4cbuild.sandbox.job import Runner

RUNNER_NAMES = ("auto", "bubblewrap", "docker")


def choose_runner(name: str) -> Runner:
    """Return a runner that works here.

    Args:
        name: ``bubblewrap``, ``docker``, or ``auto`` for the first of the two that works.

    Raises:
        Unavailable: if it does not work on this machine, with what would help.
    """
    known: dict[str, Runner] = {"bubblewrap": BubblewrapRunner(), "docker": DockerRunner()}
    if name in known:
        known[name].version()
        return known[name]
    if name != "auto":
        raise InputError(
            "no such runner", expected=", ".join(RUNNER_NAMES), found=name, where="--runner"
        )
    reasons = []
    for runner in known.values():
        try:
            runner.version()
        except Unavailable as error:
            reasons.append(f"{runner.name}: {error.message}")
        else:
            return runner
    raise Unavailable(
        "nothing on this machine can run a sandbox",
        expected="bubblewrap 0.8 or newer, or a Docker engine",
        found="\n".join(reasons),
        hint="apt install bubblewrap\nor: apt install docker.io && systemctl start docker",
    )

"""Verbs that are killed: at every call that changes a file, within writes, and at any time."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from tests.faults import checks, interposer
from tests.faults.case import Settings, judged, sample
from tests.faults.interposer import Call, Ended, Moment
from tests.faults.worlds import VERBS, Verb, World
from tests.tally import Case

KIND = "kill"
DULL = 12
"""How many moments are tried of those that are like one another."""
QUICK = 3
"""How many moments of each verb the quick selection tries."""
AT_RANDOM = 25
"""How many times each verb is killed at any time, also while the sandbox runs."""


@dataclass
class Killing:
    """A verb in its world, and what it makes when nothing disturbs it.

    Attributes:
        verb: The verb.
        world: Where it runs.
        expected: Its results.
        calls: What it does to files.
        seconds: How long it takes.
    """

    verb: Verb
    world: World
    expected: dict[str, str]
    calls: tuple[Call, ...]
    seconds: float

    @classmethod
    def of(cls, verb: Verb, settings: Settings) -> Killing:
        """Run the verb once without a fault."""
        world = verb.world(settings.folder, settings.warm)
        began = time.monotonic()
        whole = interposer.run(world, *verb.arguments)
        seconds = time.monotonic() - began
        if whole.answer.status != 0:
            raise RuntimeError(f"{verb.name} does not work: {whole.answer.err}")
        return cls(verb, world, verb.results(world), whole.calls, seconds)

    def moments(self, drawn: Random) -> list[Moment]:
        """Every moment that is like no other, and a sample of the rest."""
        found: list[Moment] = []
        dull: list[Moment] = []
        for call in self.calls:
            into = dull if any(part in call.path for part in self.verb.dull) else found
            into.append(Moment(call.number, "before"))
            if "write" in call.name or call.name == "sendfile":
                into.append(Moment(call.number, "half"))
            if call.name.startswith(("rename", "link", "mkdir")):
                into.append(Moment(call.number, "after"))
        return found + sample(drawn, dull, DULL)

    def at(self, moment: Moment) -> bool:
        """Kill it at a moment and look; whether that moment came."""
        self.world.restore()
        ended = interposer.run(self.world, *self.verb.arguments, moment=moment)
        if ended.happened:
            self._survived(ended)
        return ended.happened

    def after_s(self, delay_s: float) -> bool:
        """Kill it after some time and look; whether it was still running."""
        self.world.restore()
        run = self.world.start(*self.verb.arguments)
        time.sleep(delay_s)
        run.kill()
        answer = run.finish()
        if answer.status != -signal.SIGKILL:
            return False
        self._survived(Ended(answer, run.pid, True))
        return True

    def _survived(self, ended: Ended) -> None:
        checks.no_processes(self.world)
        checks.no_half_files(self.world)
        checks.whole_store(self.world)
        again = self.world.run(*self.verb.arguments)
        checks.no_traceback(again)
        if again.status != 0:
            raise checks.Lost(f"the next run: {again.status}: {again.err}")
        checks.same_results(self.verb.results(self.world), self.expected)
        checks.no_leftovers(self.world)
        checks.no_control_groups(ended.pid)


def cases(settings: Settings) -> Iterator[Case]:
    """Kill every verb at its moments."""
    for verb in VERBS:
        chosen = settings.only is None or settings.only.startswith(f"{verb.name} ")
        if chosen and not (settings.quick and verb.name == "build a table"):
            yield from _cases_of(verb, settings)


def _cases_of(verb: Verb, settings: Settings) -> Iterator[Case]:
    killing = Killing.of(verb, settings)
    drawn = settings.drawn(KIND, verb.name)
    moments = killing.moments(drawn)
    delays = [drawn.uniform(0, killing.seconds) for _ in range(AT_RANDOM)]
    if settings.quick:
        moments, delays = sample(drawn, moments, QUICK), delays[:1]
    for moment in moments:
        name = f"{verb.name} {moment.what} {moment.at}"
        if settings.wants(name):
            yield from _counted(settings, verb, name, lambda moment=moment: killing.at(moment))
    for delay in delays:
        name = f"{verb.name} at {delay:.3f} s"
        if settings.wants(name):
            yield from _counted(settings, verb, name, lambda delay=delay: killing.after_s(delay))


def _counted(settings: Settings, verb: Verb, name: str, work: Callable[[], bool]) -> Iterator[Case]:
    came: list[bool] = []
    case = judged(settings, KIND, f"{KIND}: {verb.name}", name, lambda: came.append(work()))
    if came != [False]:  # what was over before it could be killed is no case
        yield case

"""Looking into many places at once, but into no host with more than one connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from d4cbuild.base.ambient import now_utc
from d4cbuild.base.progress import Progress
from d4cbuild.model.weather import LookHow, LookState, PastLook
from d4cbuild.sources.hosts import DownHosts
from d4cbuild.sources.look import Looker
from d4cbuild.sources.sight import Deadline, LookLimits, Sight
from d4cbuild.store import Store
from d4cbuild.weather.memory import Memory, StoreMemory, age_days, remembered

HOSTS_AT_ONCE: Final = 8


@dataclass(frozen=True)
class WeatherOptions:
    """How to look.

    Attributes:
        mirrors: Further places, as ``--mirror`` names them.
        deep: Whether everything is read and hashed.
        packages: Whether the packages of environments are looked for.
        fresh_days: For how long a copy that cannot be looked at counts as it was last seen.
        seconds: The longest that all looking may take.
        limits: How patient one look is.
    """

    mirrors: tuple[str, ...] = ()
    deep: bool = False
    packages: bool = True
    fresh_days: float = 30
    seconds: float | None = 900
    limits: LookLimits = field(default_factory=LookLimits)


class Watch:
    """One run of looking, over one recipe or several.

    Args:
        store: Has locked bytes to compare with, and keeps what past looks showed.
        options: How to look.
        progress: Whom to tell.
        memory: Keeps what past looks showed, if the store shall not.
    """

    def __init__(
        self,
        store: Store,
        options: WeatherOptions,
        progress: Progress,
        memory: Memory | None = None,
    ) -> None:
        self.store = store
        self.options = options
        self.progress = progress
        self.now: datetime = now_utc()
        self.hosts = DownHosts()
        self.deadline = Deadline(options.seconds)
        self._memory = StoreMemory(store.database) if memory is None else memory
        self._new: list[PastLook] = []

    def looker(self, folder: Path) -> Looker:
        """Somebody to look, for one thread.

        Args:
            folder: A folder for files that are read whole.
        """
        options = self.options
        return Looker(folder, self.deadline, options.limits, self.hosts, options.deep)

    def at_once(
        self, errands: Iterable[tuple[str, Callable[[Looker], None]]], folder: Path
    ) -> None:
        """Run errands, those of one host one after the other.

        Args:
            errands: Each with its host, and what is to be done.
            folder: A folder for files that are read whole.
        """
        by_host: dict[str, list[Callable[[Looker], None]]] = {}
        for host, errand in errands:
            by_host.setdefault(host, []).append(errand)

        def visit(queue: list[Callable[[Looker], None]]) -> None:
            looker = self.looker(folder)
            with looker.session:
                for errand in queue:
                    errand(looker)

        if not by_host:
            return
        pool = ThreadPoolExecutor(HOSTS_AT_ONCE)
        try:
            visits = [pool.submit(visit, queue) for queue in by_host.values()]
            for done in wait(visits, return_when=FIRST_EXCEPTION).done:
                done.result()
        except BaseException:
            self.deadline.end()  # nobody waits for what the others have still to do
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def recall(self, subject: str, where: str, sight: Sight) -> tuple[PastLook, Sight]:
        """Put what was seen beside what is remembered, and remember it.

        Args:
            subject: SHA-256 of the locked bytes.
            where: The place.
            sight: What was seen now.

        Returns:
            What is remembered now, and the sight, which may be told better by what was remembered.
        """
        before = self._memory.recall(subject, where)
        look = remembered(subject, where, sight, before, self.now)
        self._new.append(look)
        if (
            before is not None
            and sight.state is LookState.OK
            and sight.how is LookHow.SIZE
            and sight.etag is not None
            and sight.etag == before.etag
        ):
            reason = f"{sight.reason}; the same ETag as when it was compared, {before.compared}"
            sight = replace(sight, reason=reason)
        return look, sight

    def age_days(self, look: PastLook) -> float | None:
        """Days since a place was last seen good."""
        return age_days(look.good, self.now)

    def remember(self) -> None:
        """Write down what was seen since this was last done."""
        self._memory.keep(self._new)
        self._new = []

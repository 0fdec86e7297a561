"""The runner for machines with a Docker engine."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, BinaryIO

from d4cbuild.base.ambient import (
    boot_id,
    is_alive,
    process_id,
    process_space,
    random_token,
    usable_cpus,
    user_id,
)
from d4cbuild.base.interruption import check_interruption, uninterrupted
from d4cbuild.base.sameness import SANDBOX_GID, SANDBOX_HOSTNAME, SANDBOX_UID
from d4cbuild.errors import Unavailable
from d4cbuild.sandbox.circumstances import lay_out_files, refuse_what_an_engine_cannot
from d4cbuild.sandbox.console import Console, Frames, Relay, attended
from d4cbuild.sandbox.image import Image
from d4cbuild.sandbox.job import (
    CANNOT_START,
    HIDDEN,
    NOT_FOUND,
    OUT,
    SOURCES,
    TEMPORARY,
    Job,
    Outcome,
)
from d4cbuild.sandbox.log import LogCopier
from d4cbuild.sandbox.seccomp import engine_profile
from d4cbuild.sandbox.watch import POLL_S, Watch

LABEL = "ca.dataforcanada.d4cbuild"
ENGINE_TIMEOUT_S = 300
HINT = (
    "start the engine (systemctl start docker), or install bubblewrap and use --runner bubblewrap"
)
_WRITING = 1  # SHUT_WR
_Use = Callable[[str], Outcome]
"""What is done with a container, given its name."""
_REMOVED_BY_ANOTHER = frozenset({404, 409})
"""What an engine answers to who wants to remove what is gone, or is just being removed: several
builds that start at once find the same leftovers."""
_FROM_IMAGE = ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf")


class DockerRunner:
    """Runs jobs as containers."""

    name = "docker"

    @cached_property
    def _client(self) -> Any:
        import docker

        try:
            client = docker.from_env(timeout=ENGINE_TIMEOUT_S)
            client.ping()
        except docker.errors.DockerException as error:
            raise Unavailable(
                "no Docker engine answers", found=str(error).splitlines()[0], hint=HINT
            ) from error
        return client

    def version(self) -> str:
        """The engine's version; see :class:`~d4cbuild.sandbox.job.Runner`."""
        return f"docker {self._client.version()['Version']}"

    def facts(self) -> dict[str, Any]:
        """What the engine says of itself: the answer of its ``info``.

        Raises:
            Unavailable: if no engine answers.
        """
        return dict(self._client.info())

    def run(self, job: Job, log: BinaryIO) -> Outcome:
        """Run a job; see :class:`~d4cbuild.sandbox.job.Runner`."""
        return self._in_container(job, {}, lambda name: self._follow(name, job, log))

    def attend(self, job: Job, console: Console) -> Outcome:
        """Run a job for somebody; see :class:`~d4cbuild.sandbox.job.Runner`."""
        job = replace(job, command=attended(job.command))
        streams = {"tty": console.is_terminal, "stdin_open": True}
        return self._in_container(job, streams, lambda name: self._attend(name, job, console))

    def _in_container(self, job: Job, streams: dict[str, Any], use: _Use) -> Outcome:
        """Make a container that is ready to be started, and use it; it is gone afterwards."""
        import docker

        refuse_what_an_engine_cannot(job.circumstances, self.name)
        self.sweep()
        image = self._load(job.image)
        for folder in (job.out, job.temporary):
            folder.mkdir()
            folder.chmod(0o777)  # the sandbox's user is not ours; the folder above is closed
        try:
            return self._made_and_removed(image, job, streams, use)
        except docker.errors.DockerException as error:
            raise _engine_failed("failed", error) from error
        except OSError as error:
            if not _is_of_connection(error):
                raise
            raise _engine_failed("went away", error) from error
        finally:
            self._hand_over(image, job)

    def _made_and_removed(
        self, image: str, job: Job, streams: dict[str, Any], use: _Use
    ) -> Outcome:
        # No context manager: Ctrl-C can come between such a thing's entry and the block under it.
        name = f"d4cbuild-{random_token()}"
        try:
            # The engine makes it even if we stop listening, so its answer is waited for.
            with uninterrupted():
                self._client.api.create_container(
                    image,
                    name=name,
                    host_config=self._host_config(job),
                    **_config(job),
                    **streams,
                )
            return use(name)
        finally:
            with uninterrupted():
                self._remove(name)

    def _load(self, image: Image) -> str:
        """Make sure the engine has exactly the locked image; returns the ID it has there."""
        import docker

        wanted = (str(image.config), str(image.manifest))
        for identity in wanted:
            with contextlib.suppress(docker.errors.ImageNotFound):
                return str(self._client.images.get(identity).id)
        try:
            loaded = self._client.images.load(image.archive())
        except docker.errors.DockerException as error:
            raise _engine_failed("could not load the image", error) from error
        found = [str(each.id) for each in loaded]
        for identity in found:
            if identity in wanted:
                return identity
        raise Unavailable(
            "the engine loaded the image under another ID",
            expected=" or ".join(wanted),
            found=", ".join(found),
            hint="d4cbuild doctor, or use --runner bubblewrap",
        )

    def _host_config(self, job: Job) -> Any:
        binds = [f"{job.out}:{OUT}:rw", f"{job.temporary}:{TEMPORARY}:rw"]
        binds += [f"{mount.source}:{mount.target}:ro" for mount in job.mounts]
        binds += [f"{path}:{SOURCES}/{name}:ro" for name, path in job.sources]
        # The engine would put files of its own making over these.
        binds += [f"{job.image.root}{path}:{path}:ro" for path in _FROM_IMAGE]
        shown = lay_out_files(job.circumstances, job.shown)
        binds += [f"{path}:{target}:ro" for path, target in shown]
        cpus = usable_cpus()[: job.limits.cpus]
        config = self._client.api.create_host_config(
            binds=binds,
            tmpfs={"/dev/shm": "ro"},  # noqa: S108 - in the sandbox
            network_mode="none",
            ipc_mode="none",
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true", f"seccomp={engine_profile()}"],
            mem_limit=job.limits.memory,
            memswap_limit=job.limits.memory,
            pids_limit=job.limits.processes,
            cpuset_cpus=",".join(str(cpu) for cpu in cpus),
            log_config={"Type": "none"},
            ulimits=[
                {"Name": name, "Soft": value, "Hard": value}
                for name, value in job.limits.per_process.items()
            ],
        )
        config["MaskedPaths"] = [*HIDDEN, "/dev/mqueue"]
        return config

    def _follow(self, container: str, job: Job, log: BinaryIO) -> Outcome:
        import docker

        api = self._client.api
        stream = api.attach(container, stdout=True, stderr=True, stream=True, logs=False)
        try:
            api.start(container)
        except docker.errors.APIError as error:
            return self._not_started(container, log, error)
        watch = self._watch(container, job)
        copier = LogCopier(stream, log)
        ended = self._waiter(container)
        stopped_by: str | None = None
        try:
            while _is_running(ended):
                check_interruption()
                stopped_by = watch.exceeded()
                if stopped_by is not None:
                    break
        finally:
            self._kill(container)
            copier.finish()
        return self._outcome(container, job, watch, stopped_by)

    def _attend(self, container: str, job: Job, console: Console) -> Outcome:
        api = self._client.api
        wanted = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        # Closed with the answer it came with.
        socket = api.attach_socket(container, params=wanted)
        api.start(container)
        watch = self._watch(container, job)
        ended = self._waiter(container)

        def resize(lines: int, columns: int) -> None:
            with contextlib.suppress(self._engine_error):  # it has just ended
                api.resize(container, height=lines, width=columns)

        decode = None if console.is_terminal else Frames(console.output)
        relay = Relay(console, socket.fileno(), resize, decode, partial(_end_of_input, socket))
        stopped_by: str | None = None
        try:
            with console.raw():
                while ended.is_alive():
                    relay.turn(None, POLL_S)
                    check_interruption()
                    stopped_by = watch.exceeded()
                    if stopped_by is not None:
                        break
                relay.finish()
        finally:
            self._kill(container)
            socket.close()
        return self._outcome(container, job, watch, stopped_by)

    @property
    def _engine_error(self) -> type[Exception]:
        import docker

        error: type[Exception] = docker.errors.APIError
        return error

    def _watch(self, container: str, job: Job) -> Watch:
        state = self._client.api.inspect_container(container)["State"]
        return Watch(job.limits, job.scratch, int(state["Pid"]))

    def _waiter(self, container: str) -> threading.Thread:
        """Ends when the job does, which may be after the end of its output."""
        ended = threading.Thread(target=self._wait, args=(container,), daemon=True)
        ended.start()
        return ended

    def _outcome(self, container: str, job: Job, watch: Watch, stopped_by: str | None) -> Outcome:
        seconds = watch.seconds
        state = self._client.api.inspect_container(container)["State"]
        if stopped_by is None and state["OOMKilled"]:
            stopped_by = "memory"
        stopped_by = stopped_by or watch.exceeded_at_the_end()
        notes = tuple(_not_enforced(job))
        return Outcome(int(state["ExitCode"]), stopped_by, seconds, notes)

    def _not_started(self, container: str, log: BinaryIO, error: Any) -> Outcome:
        """A command that cannot be started is the job's failure; anything else is the engine's."""
        status = int(self._client.api.inspect_container(container)["State"]["ExitCode"])
        if status not in (CANNOT_START, NOT_FOUND):
            raise error
        log.write(f"{error.explanation}\n".encode())
        return Outcome(status, None, 0.0)

    def _wait(self, container: str) -> None:
        import docker

        # Whatever keeps the engine from telling is met by the next that is asked of it.
        with contextlib.suppress(docker.errors.DockerException, OSError):
            self._client.api.wait(container)

    def _kill(self, container: str) -> None:
        import docker

        api = self._client.api
        if api.inspect_container(container)["State"]["Running"]:
            with contextlib.suppress(docker.errors.APIError):  # it has just ended by itself
                api.kill(container)
        api.wait(container)

    def _remove(self, container: str) -> None:
        try:
            self._client.api.remove_container(container, force=True, v=True)
        except self._engine_error as error:
            if getattr(error, "status_code", None) not in _REMOVED_BY_ANOTHER:
                raise

    def _hand_over(self, image: str, job: Job) -> None:
        """Make what the sandbox's user wrote removable by ours, where the two differ."""
        if user_id() in (0, SANDBOX_UID):
            return
        command = ["chmod", "-R", "a+rwX", OUT, TEMPORARY]
        self._client.containers.run(
            image,
            command,
            user=f"{SANDBOX_UID}:{SANDBOX_GID}",
            network_mode="none",
            read_only=True,
            cap_drop=["ALL"],
            volumes=[f"{job.out}:{OUT}:rw", f"{job.temporary}:{TEMPORARY}:rw"],
            remove=True,
            labels=_labels(),
        )

    def sweep(self) -> int:
        """Remove containers of d4cbuild processes that are gone. Returns how many."""
        count = 0
        filters = {"label": f"{LABEL}.process"}
        for container in self._client.api.containers(all=True, filters=filters):
            if _is_orphan(container["Labels"]):
                self._remove(container["Id"])
                count += 1
        return count


def _end_of_input(socket: Any) -> None:
    """Close one direction of the connection to an engine."""
    socket._sock.shutdown(_WRITING)


def _is_of_connection(error: OSError) -> bool:
    """Whether it is one that the engine's client library lets through from below, and not ours."""
    return hasattr(error, "request") and hasattr(error, "response")


def _is_running(ended: threading.Thread) -> bool:
    ended.join(POLL_S)
    return ended.is_alive()


def _config(job: Job) -> dict[str, Any]:
    return {
        "command": list(job.command),
        "entrypoint": [],
        "environment": job.environment,
        "hostname": SANDBOX_HOSTNAME,
        "user": f"{SANDBOX_UID}:{SANDBOX_GID}",
        "working_dir": job.environment["D4C_CODE"],
        "labels": _labels(),
    }


def _labels() -> dict[str, str]:
    return {f"{LABEL}.process": str(process_id()), f"{LABEL}.space": process_space()}


def _is_orphan(labels: dict[str, str]) -> bool:
    """Whether the process that made a container is surely gone."""
    space = labels.get(f"{LABEL}.space", "")
    if not space.startswith(boot_id()):
        return True
    return space == process_space() and not is_alive(int(labels[f"{LABEL}.process"]))


def _not_enforced(job: Job) -> Iterator[str]:
    if user_id() not in (0, SANDBOX_UID):
        yield "disk: this user cannot look into the job's private folders and unlinked files"
    if job.limits.cpus > len(usable_cpus()):
        yield f"{job.limits.cpus} CPUs were asked for, this machine gives {len(usable_cpus())}"


def _engine_failed(what: str, error: Exception) -> Unavailable:
    return Unavailable(
        f"the Docker engine {what}", found=str(error).splitlines()[0], hint="d4cbuild doctor"
    )

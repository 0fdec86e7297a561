"""Choosing a runner."""

from pathlib import Path

import pytest

from d4cbuild.errors import InputError, Unavailable
from d4cbuild.sandbox.bubblewrap import BubblewrapRunner
from d4cbuild.sandbox.choose import choose_runner


def test_auto_takes_bubblewrap_where_it_works() -> None:
    assert choose_runner("auto").name == "bubblewrap"


@pytest.mark.engine
def test_auto_takes_docker_where_bubblewrap_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert choose_runner("auto").name == "docker"


def test_with_neither_the_error_names_two_commands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    with pytest.raises(Unavailable) as raised:
        choose_runner("auto")
    assert raised.value.found is not None
    assert raised.value.found.startswith("bubblewrap: bubblewrap is not installed\ndocker: ")
    assert raised.value.hint is not None
    assert "apt install bubblewrap" in raised.value.hint
    assert "systemctl start docker" in raised.value.hint


def test_an_unknown_runner_is_bad_input() -> None:
    with pytest.raises(InputError, match="no such runner"):
        choose_runner("podman")


def test_a_bubblewrap_that_may_not_make_namespaces_is_said_to_be_unusable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    refusing = tmp_path / "bwrap"
    refusing.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo bubblewrap 0.9.0 && exit 0\n'
        "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1\n"
    )
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="could not make the sandbox") as raised:
        BubblewrapRunner().version()
    assert raised.value.found == "bwrap: setting up uid map: Permission denied"


def test_a_bubblewrap_that_is_too_old_is_said_to_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old = tmp_path / "bwrap"
    old.write_text("#!/bin/sh\necho bubblewrap 0.4.1\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="too old"):
        BubblewrapRunner().version()

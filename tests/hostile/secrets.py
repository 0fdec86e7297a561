"""What a caller has in environment, home and git, and where none of it may turn up."""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from d4cbuild.attest.keys import read_signing_key
from d4cbuild.base.ambient import random_token
from tests.hostile.builds import RUNNERS, project
from tests.hostile.surroundings import Surroundings
from tests.project import Answer, Project
from tests.tally import Case, Fate

LOOKING = """
import os, sys
import pyarrow.csv as csv
import pyarrow.parquet as pq

print(dict(os.environ), os.getcwd(), os.uname(), sys.argv)
for top in ("/root", "/home", "/tmp", "/etc", "/run", "/var", "/d4c", "/proc/self", "/proc/1"):
    for place, folders, names in os.walk(top):
        folders[:] = [each for each in folders if each not in ("task", "fd", "map_files", "root")]
        for name in names:
            try:
                with open(os.path.join(place, name), "rb") as file:
                    print(place, name, file.read(20_000))
            except OSError:
                pass
table = csv.read_csv(os.environ["D4C_SOURCES"] + "/places.csv")
pq.write_table(table, os.environ["D4C_OUT"] + "/places.parquet")
"""
_VARIABLES = (
    *("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GITHUB_TOKEN", "GH_TOKEN", "SSH_AUTH_SOCK"),
    *("RCLONE_CONFIG_MINE_PASS", "PIP_EXTRA_SETTING", "MY_PASSWORD", "PYTHONSTARTUP", "LD_AUDIT_X"),
)
_FILES = (
    *(".ssh/id_ed25519", ".ssh/config", ".aws/credentials", ".config/rclone/rclone.conf", ".netrc"),
    *(".git-credentials", ".docker/config.json", ".pypirc", ".bash_history", ".gnupg/secring.gpg"),
)


def run_secrets(around: Surroundings, only: str = "") -> Iterator[Case]:
    """Build, verify, bundle, sign and push among secrets on each runner, and look for them."""
    for runner in RUNNERS:
        yield from look_for_secrets(around, runner)


def look_for_secrets(around: Surroundings, runner: str) -> Iterator[Case]:
    """Do everything that writes something, among secrets.

    Returns:
        A case for each place where they were looked for.
    """
    with project(around, "secrets") as made:
        secrets = {
            name: f"{name}-{random_token()}" for name in (*_VARIABLES, *_FILES, "git", "web")
        }
        _lay_out(made, secrets)
        home = made.root.parent / "home"
        key = home / "mine.key"
        answers = [
            made.run("key", "new", str(key), "--builder", "me"),
            made.locked().run("build", "--runner", runner, "recipes/places"),
        ]
        made.commit("Build")
        for arguments in (
            ("verify", "--runner", runner, "recipes/places"),
            ("bundle", "recipes/places"),
            ("attest", "--key", str(key), "recipes/places"),
            ("store", "push", "recipes/places", "--to", str(made.root / "push"), "--key", str(key)),
            ("doctor", "--json"),
        ):
            answers.append(made.run(*arguments))
        well = [answer for answer in answers if answer.status != 0]
        made.edit("recipe.toml", '"sources/places.csv"', '"sources/lost.csv"')
        answers.append(made.run("lock", "recipes/places"))
        seed = read_signing_key(key).seed
        wanted = {**secrets, "key": base64.b64encode(seed).decode(), "key in hex": seed.hex()}
        for place, found in _places(made, answers):
            leaked = sorted(name for name, secret in wanted.items() if secret.encode() in found)
            fate = Fate.ESCAPED if leaked else Fate.SURVIVED
            yield Case(f"secrets ({runner})", place, fate, ", ".join(leaked))
        note = "\n".join(answer.err[-800:] for answer in well)
        yield Case(
            f"secrets ({runner})", "all went well", Fate.LOST if well else Fate.SURVIVED, note
        )


def _lay_out(made: Project, secrets: dict[str, str]) -> None:
    home = made.root.parent / "home"
    for name in _FILES:
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(secrets[name])
    made.git("remote", "add", "origin", f"https://me:{secrets['git']}@example.invalid/r.git")
    (made.recipe / "process.py").write_text(LOOKING)
    made.commit("Look for secrets")
    proxy = f"http://me:{secrets['web']}@127.0.0.1:9"
    made.extra |= {name: secrets[name] for name in _VARIABLES}
    made.extra |= {"HOME": str(home), "HTTPS_PROXY": proxy, "https_proxy": proxy}


def _places(made: Project, answers: list[Answer]) -> Iterator[tuple[str, bytes]]:
    yield "what was said", "".join(answer.out + answer.err for answer in answers).encode()
    for name, folder in (
        ("logs", made.store / "logs"),
        ("objects", made.store / "objects"),
        ("manifest and lock", made.recipe),
        ("data and bundles", made.root / "dist"),
        ("what was pushed", made.root / "push"),
    ):
        found = b"".join(path.read_bytes() for path in _plain_files(folder))
        yield f"{name}: {'looked through' if found else 'nothing there'}", found


def _plain_files(folder: Path) -> Iterator[Path]:
    for top, _, names in os.walk(folder):
        for name in sorted(names):
            path = Path(top, name)
            if stat.S_ISREG(path.lstat().st_mode):
                yield path

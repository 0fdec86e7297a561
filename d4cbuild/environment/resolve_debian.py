"""Finding Debian packages: apt in a private root, so that the machine's own state has no say."""

import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from d4cbuild.base.ambient import environment_for_tools
from d4cbuild.base.digest import Digest
from d4cbuild.environment.registries import Archive, debian_archives
from d4cbuild.errors import InputError, Unavailable
from d4cbuild.model.environment import DebianPackages, LockedPackage

ARCHITECTURE: Final = "amd64"
_DEBIAN_KEYRING: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_UPDATE_HOOKS: Final = ("Pre-Invoke", "Post-Invoke", "Post-Invoke-Success")
_PLANNED = re.compile(r"^Inst (\S+) \((\S+) ", re.MULTILINE)


def resolve_debian(wanted: DebianPackages, folder: Path) -> list[LockedPackage]:
    """Find the packages that are wanted and all they depend on, without recommendations.

    Signatures of the archive are checked by apt against this machine's keyrings.

    Args:
        wanted: The definition's Debian part.
        folder: An empty folder for apt's state.

    Raises:
        Unavailable: if there is no apt, or no archive of the suite can be read.
        InputError: if a package is not there or cannot be satisfied.
    """
    if shutil.which("apt-get") is None or shutil.which("apt-cache") is None:
        raise Unavailable(
            "locking Debian packages needs apt, and this machine has none",
            hint="run d4cbuild env lock on Debian or Ubuntu; building and fetching need no apt",
        )
    apt = _PrivateApt(folder, _archive_of(wanted.suite), wanted.suite)
    apt.update()
    if wanted.without:
        apt.pretend_installed(apt.records(wanted.without))
    planned = apt.plan(wanted.packages)
    return [_locked(record) for record in apt.records(planned)]


def _archive_of(suite: str) -> Archive:
    archives = [archive for archive in debian_archives(suite) if suite in archive.suites]
    if not archives:
        raise Unavailable(
            f"this machine's apt sources do not have the suite {suite}",
            hint="export D4CBUILD_DEBIAN_MIRROR=<address of a Debian mirror>",
        )
    return archives[0]


class _PrivateApt:
    """apt with its own state, sources and status of installed packages."""

    def __init__(self, folder: Path, archive: Archive, suite: str) -> None:
        self._folder = folder
        for name in ("lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True)
        self._status = folder / "status"
        self._status.write_text("")
        keyring = archive.signed_by or (str(_DEBIAN_KEYRING) if _DEBIAN_KEYRING.exists() else "")
        options = f"arch={ARCHITECTURE}" + (f" signed-by={keyring}" if keyring else "")
        (folder / "sources.list").write_text(f"deb [{options}] {archive.base} {suite} main\n")
        (folder / "apt.conf").write_text(self._settings())

    def update(self) -> None:
        """Read the archive's index, signatures checked."""
        answer = self._run("apt-get", "update", "-o", "APT::Update::Error-Mode=any")
        if answer.returncode != 0:
            raise Unavailable(
                "the Debian archive cannot be read",
                found=answer.stderr.strip()[-1500:],
                hint="check the network and the machine's apt sources and keyrings",
            )

    def records(self, names: Sequence[str]) -> list[dict[str, str]]:
        """Return the index's records of packages, by name or ``name=version``."""
        answer = self._run("apt-cache", "show", "--no-all-versions", *names)
        records = [_fields(text) for text in re.split(r"\n{2,}", answer.stdout) if text.strip()]
        missing = {name.split("=")[0] for name in names} - {each["Package"] for each in records}
        if answer.returncode != 0 or missing:
            raise InputError(
                f"Debian has no package {', '.join(sorted(missing)) or names}",
                found=answer.stderr.strip()[-1500:],
                hint="apt-cache search <word> finds the name it has",
            )
        return records

    def pretend_installed(self, records: Iterable[dict[str, str]]) -> None:
        """Let apt believe that packages are there, so that nothing is taken for their sake."""
        kept = ("Package", "Version", "Architecture", "Multi-Arch", "Provides", "Maintainer")
        paragraphs = [
            "\n".join(
                [f"{name}: {record[name]}" for name in kept if name in record]
                + ["Status: install ok installed", "Description: left out on purpose\n"]
            )
            for record in records
        ]
        self._status.write_text("\n".join(paragraphs))

    def plan(self, names: Sequence[str]) -> list[str]:
        """Return what apt would install, as ``name=version``."""
        answer = self._run("apt-get", "install", "--simulate", "--no-install-recommends", *names)
        if answer.returncode != 0:
            raise InputError(
                "apt cannot satisfy the packages asked for",
                found=(answer.stdout + answer.stderr).strip()[-1500:],
                hint="mend [debian] packages and without",
            )
        return [
            f"{name.split(':')[0]}={version}" for name, version in _PLANNED.findall(answer.stdout)
        ]

    def _settings(self) -> str:
        settings = {
            "Dir::State": self._folder,
            "Dir::State::lists": self._folder / "lists",
            "Dir::State::status": self._status,
            "Dir::Cache": self._folder / "cache",
            "Dir::Etc::sourcelist": self._folder / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "APT::Architecture": ARCHITECTURE,
            "APT::Architectures": ARCHITECTURE,
            "APT::Sandbox::User": "",
            "Acquire::Languages": "none",
        }
        lines = [f'{name} "{value}";' for name, value in settings.items()]
        # The machine's hooks after an update tidy the machine's own cache: not our business.
        lines += [f"#clear APT::Update::{hook};" for hook in _UPDATE_HOOKS]
        return "\n".join(lines) + "\n"

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - a list, no shell
            # Given by option, the file is read after the machine's own and so has the last word.
            [command[0], "-c", str(self._folder / "apt.conf"), *command[1:]],
            env=environment_for_tools(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def _fields(paragraph: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in paragraph.splitlines():
        name, colon, value = line.partition(":")
        if colon and not line.startswith((" ", "\t")):
            fields[name] = value.strip()
    return fields


def _locked(record: dict[str, str]) -> LockedPackage:
    version = record["Version"].replace(":", "%3A")
    return LockedPackage(
        purl=f"pkg:deb/debian/{record['Package']}@{version}?arch={record['Architecture']}",
        file=record["Filename"],
        size=int(record["Size"]),
        sha256=Digest("sha256", record["SHA256"]),
    )

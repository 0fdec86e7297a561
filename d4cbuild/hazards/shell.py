"""Hazards in shell scripts and in the recipe's command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from d4cbuild.hazards.allow import Comment
from d4cbuild.hazards.contract import CONTRACT_VARIABLES
from d4cbuild.hazards.finding import Spot
from d4cbuild.hazards.placed import PlacedText
from d4cbuild.hazards.shell_words import Command, Script, Word, read_script

# Program: hazard, what it does.
PROGRAMS: Final = {
    "uuidgen": ("uuid", "makes another identifier each time"),
    "curl": ("network", "uses the network"),
    "wget": ("network", "uses the network"),
    "ssh": ("network", "uses the network"),
    "scp": ("network", "uses the network"),
    "ftp": ("network", "uses the network"),
    "aws": ("network", "uses the network"),
    "apt-get": ("network", "uses the network"),
    "apt": ("network", "uses the network"),
    "nproc": ("cpu-count", "tells how many processors the machine has"),
    "lscpu": ("cpu-count", "tells how many processors the machine has"),
    "hostname": ("host", "tells something of the machine"),
    "uname": ("host", "tells something of the machine"),
    "whoami": ("host", "tells something of the machine"),
    "logname": ("host", "tells something of the machine"),
    "id": ("host", "tells something of the machine"),
    "free": ("host", "tells something of the machine"),
    "df": ("host", "tells something of the machine"),
    "ps": ("host", "tells something of the machine"),
    "pwd": ("place", "tells where the code is run"),
    "stat": ("file-metadata", "tells what the file system knows of a file"),
    "umask": ("file-metadata", "decides the modes of files"),
}
FETCHING: Final = {
    "git": {"clone", "fetch", "pull", "ls-remote", "submodule"},
    "pip": {"install", "download"},
    "pip3": {"install", "download"},
    "npm": {"install", "ci"},
}
VARIABLES: Final = {
    "RANDOM": ("unseeded-random", "is another number each time"),
    "SRANDOM": ("unseeded-random", "is another number each time"),
    "SECONDS": ("clock", "is the time since the start"),
    "EPOCHSECONDS": ("clock", "is the time of the build"),
    "EPOCHREALTIME": ("clock", "is the time of the build"),
    "HOSTTYPE": ("host", "tells something of the machine"),
    "USER": ("host", "tells something of the machine"),
    "LOGNAME": ("host", "tells something of the machine"),
    "UID": ("host", "tells something of the machine"),
    "EUID": ("host", "tells something of the machine"),
    "HOSTNAME": ("host", "tells something of the machine"),
    "PPID": ("host", "tells something of the machine"),
    "BASHPID": ("host", "tells something of the machine"),
    "PWD": ("place", "tells where the code is run"),
    "OLDPWD": ("place", "tells where the code is run"),
    "$": ("host", "is the number of the process"),
}
OWN: Final = frozenset(
    {
        *("IFS", "OPTARG", "OPTIND", "REPLY", "SHELL", "TERM", "LINENO", "FUNCNAME"),
        *("BASH_SOURCE",),
    }
)
LOCALES: Final = frozenset({"C", "POSIX", "C.UTF-8", "C.utf8"})
# After them the order of their input is gone, or was put right.
ORDER_FREE: Final = frozenset({"sort", "wc", "sha256sum --total", "rm", "grep -c", "grep -q"})
AWKS: Final = frozenset({"awk", "gawk", "mawk", "nawk"})
AWK_QUOTED: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"')
EXPANSION: Final = re.compile(r"\$(?:\{[#!]?)?(\$|[A-Za-z_]\w*)")
HOST_FILE: Final = re.compile(r"/(proc|sys)/|/etc/(hostname|machine-id|passwd|localtime)$")
# What a script sets itself: by name=, for name in, read name, export name=.
SETTING: Final = re.compile(
    r"(?:^|[\s;({])(?:for\s+|read\s+(?:-\w+\s+)*|local\s+|export\s+)?(\w+)(?:=|\s+in\b)"
)
READING: Final = re.compile(r"\bread\s+((?:-\w+\s+)*)([\w ]+)")


@dataclass(frozen=True)
class ShellReading:
    """What reading a script gave.

    Attributes:
        spots: Hazards.
        comments: Its comments.
    """

    spots: tuple[Spot, ...]
    comments: tuple[Comment, ...]


def read_shell(source: PlacedText) -> ShellReading:
    """Find the hazards of a script."""
    script = read_script(source)
    spots: list[Spot] = []
    for index, command in enumerate(script.commands):
        spots += _of_command(source, script, index, command)
    spots += _of_variables(source, script)
    return ShellReading(tuple(spots), tuple(script.comments))


def _of_command(source: PlacedText, script: Script, index: int, command: Command) -> Iterator[Spot]:
    for word in command.assigned:
        name, _, value = word.text.partition("=")
        if (name == "LANG" or name.startswith("LC_")) and value not in LOCALES and value:
            yield source.spot("locale", word.offset, f"{name} is set to {value[:40]}")
    if not command.words:
        return
    if command.program in {"env", "exec", "command", "nice", "xargs", "sudo", "export", "timeout"}:
        yield from _wrapped(source, script, index, command)
    at = command.words[0].offset
    program, arguments = command.program, command.arguments
    if program in PROGRAMS and not (program == "umask" and arguments):
        hazard, words = PROGRAMS[program]
        yield source.spot(hazard, at, f"{program} {words}")
    for hazard, message in _by_arguments(program, arguments, script, index):
        yield source.spot(hazard, at, message)
    if command.after == "&":
        message = f"{program} runs in the background while others write"
        yield source.spot("thread-order", at, message)
    for word in command.words[1:]:
        if word.text in {"/dev/urandom", "/dev/random"}:
            yield source.spot("unseeded-random", word.offset, f"{word.text} is chance itself")
        elif HOST_FILE.match(word.text):
            hazard = "uuid" if word.text.endswith("/uuid") else "host"
            yield source.spot(hazard, word.offset, f"{word.text} is the machine's")


def _wrapped(source: PlacedText, script: Script, index: int, command: Command) -> Iterator[Spot]:
    """A command that another one runs, such as ``xargs -n 1 date``."""
    words = command.words[1:]
    while words and (words[0].text.startswith("-") or "=" in words[0].text or _is_count(words)):
        name, _, value = words[0].text.partition("=")
        if (name == "LANG" or name.startswith("LC_")) and value not in LOCALES:
            yield source.spot("locale", words[0].offset, f"{name} is set to {value[:40]}")
        words = words[1:]
    if words and command.program != "export":
        yield from _of_command(source, script, index, Command(words, command.after))


def _is_count(words: list[Word]) -> bool:
    text = words[0].text
    return text.rstrip("smhd").isdigit() or text in {"{}", "%"}


def _by_arguments(
    program: str, arguments: list[str], script: Script, index: int
) -> Iterator[tuple[str, str]]:
    flags = "".join(a[1:] for a in arguments if a.startswith("-") and not a.startswith("--"))
    if program == "date" and not any(
        a.startswith(("-d", "--date", "-r", "--reference", "-f")) for a in arguments
    ):
        yield "clock", "date without --date reads the clock"
    elif program in FETCHING and FETCHING[program] & set(arguments[:2]):
        yield "network", f"{program} {arguments[0]} uses the network"
    elif program == "shuf" and not _has(arguments, "--random-source"):
        yield "unseeded-random", "shuf without --random-source"
    elif program == "sort" and ("R" in flags or _has(arguments, "--random-sort")):
        yield "unseeded-random", "sort -R sorts by chance"
    elif program == "find" and not _is_ordered(script, index):
        yield "unordered-listing", "find gives names in the order of the disk"
    elif program == "ls" and ({"U", "f"} & set(flags) or _has(arguments, "--sort=none")):
        yield "unordered-listing", "ls without sorting gives the order of the disk"
    elif program == "ls" and {"l", "t", "i", "c"} & set(flags):
        yield "file-metadata", "ls shows times, modes or owners of files"
    elif program == "xargs" and ("P" in flags or _has(arguments, "--max-procs")):
        yield "thread-order", "xargs -P runs several at once, which finish in any order"
    elif program == "parallel" and "k" not in flags and not _has(arguments, "--keep-order"):
        yield "thread-order", "parallel without --keep-order writes as its jobs finish"
    elif program in AWKS:
        yield from _of_awk(program, arguments)
    elif program == "getconf" and any("NPROCESSORS" in a for a in arguments):
        yield "cpu-count", "getconf tells how many processors the machine has"
    yield from _of_archives(program, arguments, flags)


def _of_awk(program: str, arguments: list[str]) -> Iterator[tuple[str, str]]:
    text = AWK_QUOTED.sub("", " ".join(arguments))
    # srand() without an argument takes the clock.
    if re.search(r"\brand\s*\(", text) and not re.search(r"\bsrand\s*\(\s*\w", text):
        yield "unseeded-random", f"rand() in {program} without srand(NUMBER)"
    if re.search(r"\bsystime\s*\(", text):
        yield "clock", f"systime() in {program} reads the clock"


def _of_archives(program: str, arguments: list[str], flags: str) -> Iterator[tuple[str, str]]:
    if program == "gzip" and not {"n", "d"} & set(flags) and not _has(arguments, "--no-name"):
        if not _has(arguments, "--decompress"):
            yield "archive-times", "gzip without -n writes the time and name of the file"
    elif program == "tar":
        creates = "c" in flags or (arguments and "c" in arguments[0].split("=")[0])
        makes = creates and not {"x", "t"} & set(flags or arguments[0])
        if makes and not (_has(arguments, "--mtime") and _has(arguments, "--sort")):
            yield "archive-times", "tar without --sort and --mtime writes order and times of files"
    elif program == "zip" and "X" not in flags:
        yield "archive-times", "zip writes the times of the files"


def _has(arguments: list[str], option: str) -> bool:
    return any(argument == option or argument.startswith(f"{option}=") for argument in arguments)


def _is_ordered(script: Script, index: int) -> bool:
    """Whether what a command prints goes to something that does not mind the order."""
    while index + 1 < len(script.commands) and script.commands[index].after in {"|", "|&"}:
        index += 1
        command = script.commands[index]
        first = f"{command.program} {command.arguments[0]}" if command.arguments else ""
        if command.program in ORDER_FREE or first in ORDER_FREE:
            return True
    return False


def _of_variables(source: PlacedText, script: Script) -> Iterator[Spot]:
    own = {word.text.partition("=")[0] for c in script.commands for word in c.assigned}
    for command in script.commands:
        if command.program in {"export", "local", "readonly", "declare", "read", "getopts", "for"}:
            own |= {a.partition("=")[0] for a in command.arguments}
    own |= {match[1] for match in SETTING.finditer(source.text)}
    for match in READING.finditer(source.text):
        own |= set(match[2].split())
    comments = {comment.line for comment in script.comments if comment.alone}
    for match in EXPANSION.finditer(source.text):
        name = match[1]
        line, _ = source.place(match.start())
        if line in comments or name in own | OWN or _is_literal(source.text, match.start()):
            continue
        if name in VARIABLES:
            hazard, words = VARIABLES[name]
            yield source.spot(hazard, match.start(), f"${name} {words}")
        elif name not in CONTRACT_VARIABLES:
            message = f"${name} is not in the sandbox contract"
            yield source.spot("environment-variable", match.start(), message)


def _is_literal(text: str, offset: int) -> bool:
    """Whether a ``$`` is within single quotes or after a backslash, on its line."""
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    quote = ""
    escaped = False
    for character in line:
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif character in "'\"":
            quote = "" if quote == character else quote or character
    return quote == "'" or escaped

"""Whole builds whose code leaves behind what no builder should trust."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from d4cbuild.base.files import remove_tree
from d4cbuild.store import Store
from tests.conftest import REPOSITORY
from tests.hostile.surroundings import Surroundings
from tests.project import Answer, Project
from tests.tally import Case, Fate

RUNNERS = ("bubblewrap", "docker")
FILE_OUTPUT = """
[[outputs]]
name = "extra"
format = "file"
file = "extra.{}"
"""
_WELL = """
import os, pyarrow as pa, pyarrow.parquet as pq
os.chdir(os.environ["D4C_OUT"])
def write(**columns): pq.write_table(pa.table(columns), "places.parquet")
good = dict(id=pa.array([1], pa.int16()), name=["A"])
"""


@dataclass(frozen=True)
class HostileBuild:
    """A build that goes wrong on purpose.

    Attributes:
        name: What its code does.
        code: Python code, after which ``write(**good)`` would write a good output.
        status: The exit code expected.
        says: What must be said to the user.
        extra: The extension of a second output, a plain file, if there is to be one.
        edits: Replacements in ``recipe.toml``.
        look: Looks at what was built; returns what is wrong, or nothing.
    """

    name: str
    code: str
    status: int = 1
    says: str = ""
    extra: str = ""
    edits: tuple[tuple[str, str], ...] = ()
    look: Callable[[Project, Answer], str] = field(default=lambda project, answer: "")


def _plain_modes(project: Project, answer: Answer) -> str:
    """No file that was published may be more than readable, whatever mode the code gave it."""
    for path in (*project.root.glob("dist/*"), *project.store.glob("objects/**/*")):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode) and mode & 0o7111:
            return f"{path} has mode {mode:o}"
    return "" if list(project.root.glob("dist/*.bin")) else "nothing was published"


def _no_codes(project: Project, answer: Answer) -> str:
    told = answer.out + answer.err
    bad = [c for c in told if not c.isprintable() and c not in "\n\t"]
    return f"it was told {bad[:5]!r}" if bad else ""


def _no_forged_lines(project: Project, answer: Answer) -> str:
    for log in project.store.glob("logs/**/*.log"):
        lines = log.read_bytes().splitlines()
        mark = lines[0].partition(b"]")[0] + b"]"
        if not mark.startswith(b"[d4cbuild") or any(mark in x and b"forged" in x for x in lines):
            return "the job wrote a line in our name"
    return ""


def _as_it_was(project: Project, answer: Answer) -> str:
    found = [path.read_bytes() for path in project.root.glob("dist/*.bin")]
    return "" if found == [b"as it was"] else f"published: {found!r:.200}"


_LIES = "with open('places.parquet', 'wb') as f: f.write({})\n"

BUILDS = (
    HostileBuild(
        "leaves a link to a file of the host as its output",
        "os.symlink(CANARY, 'places.parquet')",
        says="a symbolic link, where a plain file",
    ),
    HostileBuild(
        "leaves a link to its own ingredients as its output",
        "os.symlink('/proc/self/root/d4c/sources/places.csv', 'places.parquet')",
        says="a symbolic link, where a plain file",
    ),
    HostileBuild(
        "leaves a hard link beside its output",
        "write(**good); os.link('places.parquet', 'again.parquet')",
        says="'again.parquet': a file that is not declared",
    ),
    HostileBuild(
        "leaves a named pipe as its output",
        "os.mkfifo('places.parquet')",
        says="a named pipe, where a plain file",
    ),
    HostileBuild("leaves a folder as its output", "os.mkdir('places.parquet')", says="a folder"),
    HostileBuild(
        "leaves an output that nobody may read",
        "write(**good); os.chmod('places.parquet', 0)",
        says="not readable as Parquet",
    ),
    HostileBuild(
        "gives its output setuid and execute bits",
        "write(**good); open('extra.bin', 'w').write('x'); os.chmod('extra.bin', 0o6777)",
        status=0,
        extra="bin",
        look=_plain_modes,
    ),
    HostileBuild(
        "leaves a hundred thousand files",
        "write(**good)\nfor n in range(100_000): os.close(os.open(str(n), os.O_CREAT | os.O_RDWR))",
        says="and 99990 more",
        edits=(('disk = "256MiB"', 'disk = "1GiB"'),),
    ),
    HostileBuild(
        "leaves names that are no text",
        "write(**good)\nfor n in (b'\\xff', b'\\x1b[2J', b'\\xed\\xa0\\x80', b'a\\nb'):\n"
        "    os.close(os.open(n, os.O_CREAT | os.O_RDWR))",
        says="not declared",
        look=_no_codes,
    ),
    HostileBuild(
        "leaves a name that reads from right to left",
        "write(**good); open('\\u202etxt.exe', 'w')",
        says="\\u202etxt.exe",
        look=_no_codes,
    ),
    HostileBuild(
        "leaves names that differ in case or accents only",
        "write(**good)\nfor n in ('Places.parquet', 'é', 'e\\u0301'): open(n, 'w')",
        says="'Places.parquet': a file that is not declared",
    ),
    HostileBuild(
        "leaves a sparse output larger than the disk",
        "os.truncate(os.open('places.parquet', os.O_CREAT | os.O_RDWR), (256 << 20) + 1)",
        says="more than resources.disk",
    ),
    HostileBuild(
        "leaves a sparse output as large as the disk",
        "os.truncate(os.open('places.parquet', os.O_CREAT | os.O_RDWR), 256 << 20)",
        says="not readable as Parquet",
    ),
    HostileBuild(
        "goes on writing its output after its end",
        """
write(**good)
open("extra.bin", "w").write("as it was")
if os.fork() == 0:
    os.setsid()
    import time
    while True: time.sleep(0.2); open("extra.bin", "a").write("and more")
os._exit(0)
""",
        status=0,
        extra="bin",
        look=_as_it_was,
    ),
    HostileBuild(
        "writes codes for a terminal and fails",
        "os.write(2, b'\\x1b]0;own\\x07\\x1b[2J\\x9b31m\\x00\\xff\\r\\n'); raise SystemExit(3)",
        says="exit status 3",
        look=_no_codes,
    ),
    HostileBuild(
        "writes lines in our name",
        "os.write(1, b'[d4cbuild] forged: status 0\\nx\\n[d4cbu'); os.write(1, b'ild] forged\\n');"
        "\nos.write(1, b'\\r[d4cbuild] forged\\n'); raise SystemExit(3)",
        says="exit status 3",
        look=_no_forged_lines,
    ),
    HostileBuild(
        "writes a gigabyte without a line's end",
        "for _ in range(1000): os.write(1, b'x' * (1 << 20))\nraise SystemExit(3)",
        says="exit status 3",
    ),
    HostileBuild("writes an empty file for a table", _LIES.format("b''"), says="not readable"),
    HostileBuild(
        "writes a table without an end",
        "write(**good); os.truncate('places.parquet', os.path.getsize('places.parquet') - 6)",
        says="not readable",
    ),
    HostileBuild(
        "writes a footer of two gigabytes",
        _LIES.format("b'PAR1' + bytes(100) + b'\\xff\\xff\\xff\\x7fPAR1'"),
        says="not readable",
    ),
    HostileBuild(
        "writes a footer that is nested ten thousand times",
        _LIES.format("b'PAR1' + b'\\x1c' * 10000 + (10000).to_bytes(4, 'little') + b'PAR1'"),
        says="not readable",
    ),
    HostileBuild(
        "writes noise where values should be",
        """
write(**{**good, "id": pa.array(range(1), pa.int16())})
data = bytearray(open("places.parquet", "rb").read())
for at in range(4, 60): data[at] ^= 0xff
open("places.parquet", "wb").write(data)
""",
    ),
    HostileBuild(
        "writes text that is no text",
        """
bad = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\\0\\0\\0\\0\\2\\0\\0\\0"),
                                             pa.py_buffer(b"\\xed\\xa0")])
write(**{**good, "name": bad})
""",
        says="places.name",
    ),
    HostileBuild(
        "writes a table of ten thousand columns",
        "write(**good, **{f'c{n}': [n] for n in range(10_000)})",
        says="places",
    ),
    HostileBuild(
        "writes a column nested a hundred times",
        """
deep = pa.array([1])
for _ in range(100): deep = pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), deep)
write(**good, deep=deep)
""",
        says="places",
    ),
    HostileBuild(
        "writes a dictionary of a billion rows in a kilobyte",
        """
many = pa.array([0] * 5_000_000)
write(id=pa.array([1], pa.int16()).take(many), name=pa.array(["A"]).take(many))
""",
        says="places",
    ),
    HostileBuild(
        "writes a zip bomb as a file",
        """
import zipfile
write(**good)
with zipfile.ZipFile("extra.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
    with bomb.open("zeros", "w") as member:
        for _ in range(600): member.write(bytes(1 << 20))
""",
        status=0,
        extra="zip",
    ),
    HostileBuild(
        "writes a zip that leads out of its folder",
        """
import zipfile
write(**good)
with zipfile.ZipFile("extra.zip", "w") as archive:
    for name in ("../../evil", "/etc/evil", "a\\\\..\\\\b", "\\u202ea", "x" * 60000, "a", "A"):
        archive.writestr(name, "x")
""",
        status=0,
        extra="zip",
    ),
    HostileBuild(
        "writes a tar of links, devices and ways out",
        """
import tarfile
write(**good)
with tarfile.open("extra.tar", "w") as archive:
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
        info = tarfile.TarInfo("../../evil"); info.type = kind; info.linkname = "/etc/passwd"
        archive.addfile(info)
""",
        status=0,
        extra="tar",
    ),
    HostileBuild(
        "puts modules of its own where the builder's are looked for",
        """
for name in ("pyarrow", "json", "d4cbuild", "sitecustomize", "usercustomize"):
    for place in ("/tmp", "/d4c/out", "/d4c/code", "/d4c/lib"):
        try: open(f"{place}/{name}.py", "w").write("raise SystemExit(99)")
        except OSError: pass
for name in os.listdir("."): os.unlink(name)
write(**good)
""",
        status=0,
    ),
)


@contextmanager
def project(around: Surroundings, name: str) -> Iterator[Project]:
    """A small project with a store of its own, for one hostile build."""
    root = around.folder / "jobs" / name
    (root / "store").mkdir(parents=True)
    shared = Store(REPOSITORY / ".cache" / "store")
    (root / "store" / "images").symlink_to(shared.images)
    made = Project.create(root / "project", root / "store", REPOSITORY / "environments")
    try:
        yield made
    finally:
        remove_tree(root)


def run_build(around: Surroundings, runner: str, build: HostileBuild) -> Case:
    """Build, and look at what was answered, published, kept and left."""
    with project(around, "build") as made:
        code = f"{_WELL}CANARY = {str(around.canary)!r}\n{build.code}\n"
        (made.recipe / "process.py").write_text(code)
        for old, new in build.edits:
            made.edit("recipe.toml", old, new)
        if build.extra:
            recipe = made.recipe / "recipe.toml"
            recipe.write_text(recipe.read_text() + FILE_OUTPUT.format(build.extra))
        made.commit("Change")
        made.locked()
        answer = made.run("build", "--runner", runner, "recipes/places")
        fate, note = _fate(around, made, build, answer)
    again = f"python -m tests.hostile builds --only {build.name!r}"
    return Case(f"builds ({runner})", build.name, fate, note, again)


def run_builds(around: Surroundings, only: str = "") -> Iterator[Case]:
    """Build each on every runner.

    Args:
        around: What they would like to reach.
        only: Part of the names of those to build.
    """
    for runner in RUNNERS:
        for build in BUILDS:
            if only in build.name:
                yield run_build(around, runner, build)


def _fate(
    around: Surroundings, made: Project, build: HostileBuild, answer: Answer
) -> tuple[Fate, str]:
    told = answer.out + answer.err
    if "Traceback" in answer.err and "raise SystemExit" not in answer.err:
        return Fate.UNCLEAR, told[-2000:]
    if around.secret in told or around.harm() or _published_secret(around, made):
        return Fate.ESCAPED, around.harm() or "a file of the host was told or published"
    if list((made.store / "tmp").glob("*")):
        return Fate.ESCAPED, "a workspace was left behind"
    if answer.status != build.status or build.says not in told:
        return Fate.LOST, f"status {answer.status}, expected {build.status}: {told[-2000:]}"
    wrong = build.look(made, answer)
    if wrong:
        return Fate.LOST, wrong
    kept = made.run("store", "verify")
    return (Fate.LOST, kept.out + kept.err) if kept.status else (Fate.SURVIVED, "")


def _published_secret(around: Surroundings, made: Project) -> bool:
    folders = (made.store / "objects", made.store / "logs", made.root / "dist", made.recipe)
    return any(
        around.secret.encode() in path.read_bytes() for folder in folders for path in _files(folder)
    )


def _files(folder: Path) -> Iterator[Path]:
    for top, _, names in os.walk(folder):
        for name in names:
            path = Path(top, name)
            if stat.S_ISREG(path.lstat().st_mode):
                yield path

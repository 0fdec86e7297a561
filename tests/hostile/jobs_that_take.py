"""Jobs that take too much, never end, leave something behind, or write what nobody should read."""

from __future__ import annotations

from tests.hostile.job_kinds import HostileJob, ended, over, refused, says, stopped
from tests.sandbox.jobs import MIB, Ran

TAKING, STAYING, WRITING = "taking too much", "staying behind", "what it writes"


def _log_is_bounded(ran: Ran) -> str:
    well = ran.outcome.succeeded and len(ran.log) < 65 * MIB and "was dropped" in ran.log[-100:]
    return "" if well else f"{ran.outcome}, a log of {len(ran.log)} bytes"


JOBS = (
    HostileJob(
        TAKING,
        "a fork bomb",
        """
import os, time
while True:
    try:
        if os.fork() == 0: time.sleep(100)
    except BlockingIOError: raise SystemExit(9)
""",
        ended(9),
        {"processes": 32},
        quick=True,
    ),
    HostileJob(
        TAKING,
        "a fork bomb that never gives up",
        """
import os
while True:
    try: os.fork()
    except OSError: pass
""",
        stopped("time"),
        {"processes": 64, "time_s": 3},
    ),
    HostileJob(
        TAKING,
        "a bomb of threads",
        """
import threading, time
while True:
    try: threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
    except RuntimeError: import os; os._exit(9)
""",
        ended(9),
        {"processes": 48},
    ),
    HostileJob(
        TAKING,
        "a zip bomb unpacked into /tmp",
        """
import zipfile
with zipfile.ZipFile("/tmp/bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
    with bomb.open("zeros", "w", force_zip64=True) as member:
        for _ in range(400): member.write(bytes(1 << 20))
zipfile.ZipFile("/tmp/bomb.zip").extractall("/tmp/unpacked")
import time; time.sleep(20)
""",
        stopped("disk"),
        quick=True,
    ),
    HostileJob(
        TAKING,
        "folders without end",
        """
import os
os.mkdir("/tmp/many")
for number in range(1_000_000): os.mkdir(f"/tmp/many/{number}")
""",
        stopped("disk"),
    ),
    HostileJob(
        TAKING,
        "all the memory",
        """
kept = []
while True: kept.append(b"x" * (16 << 20))
""",
        stopped("memory"),
        quick=True,
    ),
    HostileJob(
        TAKING,
        "shared memory that outlives its process",
        """
import ctypes
libc = ctypes.CDLL(None); libc.shmat.restype = ctypes.c_void_p
while True:
    at = libc.shmat(libc.shmget(0, 32 << 20, 0o1600), None, 0)
    ctypes.memset(at, 1, 32 << 20); libc.shmdt(ctypes.c_void_p(at))
""",
        stopped("memory"),
    ),
    HostileJob(
        TAKING,
        "memory in files that are in no folder",
        """
import os
kept = []
while True:
    file = os.memfd_create("x"); kept.append(file)
    for _ in range(8): os.write(file, bytes(1 << 20))
""",
        stopped("memory"),
    ),
    HostileJob(
        TAKING,
        "every file that may be open, full of data",
        """
import fcntl, os
kept = []
try:
    while True:
        reader, writer = os.pipe(); kept += [reader, writer]
        os.set_blocking(writer, False)
        try: fcntl.fcntl(writer, 1031, 1 << 20)
        except OSError: pass
        try: os.write(writer, bytes(1 << 20))
        except BlockingIOError: pass
except OSError: print("enough", flush=True)
""",
        says("enough"),
        {"memory": 2048 * MIB},
    ),
    HostileJob(
        TAKING,
        "all the time, whatever it is told",
        """
import signal, time
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True: time.sleep(1)
""",
        stopped("time"),
        {"time_s": 2},
        quick=True,
    ),
    HostileJob(
        TAKING,
        "a file longer than the disk, without a byte in it",
        """
import os
for name in ("/tmp/long", "/d4c/out/long"):
    at = os.open(name, os.O_CREAT | os.O_RDWR)
    attempt("truncate-" + name, lambda: os.truncate(at, 1 << 50))
    attempt("write-" + name, lambda: os.pwrite(at, b"x", 1 << 49))
    attempt("reserve-" + name, lambda: os.posix_fallocate(at, 0, 1 << 49))
    os.unlink(name)
""",
        refused,
    ),
    HostileJob(
        TAKING,
        "ten thousand sparse files",
        """
import os
for number in range(10_000):
    at = os.open(f"/d4c/out/{number}", os.O_CREAT | os.O_RDWR)
    os.truncate(at, 60 << 20); os.close(at)
import time; time.sleep(0.3); print("over")
""",
        says("over"),
    ),
    HostileJob(
        TAKING,
        "files that have no name any more",
        """
import os
kept = []
while True:
    at = os.open("/tmp", os.O_TMPFILE | os.O_RDWR); kept.append(at)
    for _ in range(8): os.write(at, bytes(1 << 20))
""",
        stopped("disk"),
    ),
    HostileJob(
        TAKING,
        "folders deeper than any name",
        """
import os
os.chdir("/tmp")
for _ in range(3000):
    os.mkdir("d" * 100); os.chdir("d" * 100)
import time; time.sleep(20)
""",
        stopped("disk"),
    ),
    HostileJob(
        TAKING,
        "endless output",
        """
import os
line = b"y" * (1 << 20)
for _ in range(300): os.write(1, line)
""",
        _log_is_bounded,
    ),
    HostileJob(
        STAYING,
        "a daemon that goes on writing",
        """
import os, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork(): os._exit(0)
    for number in (1, 2, 15): signal.signal(number, signal.SIG_IGN)
    while True:
        for place in ("/tmp/beat", "/d4c/out/beat"):
            with open(place, "a") as beat: beat.write("x")
time.sleep(0.3); print("over", flush=True); os._exit(0)
""",
        says("over"),
        quick=True,
    ),
    HostileJob(
        STAYING,
        "a child that keeps the output open",
        """
import os, time
if os.fork() == 0:
    os.setsid(); time.sleep(1000)
print("over", flush=True); os._exit(0)
""",
        says("over"),
        quick=True,
    ),
    HostileJob(
        STAYING,
        "a process that stops itself",
        """
import os, signal
if os.fork() == 0: os.kill(os.getpid(), signal.SIGSTOP)
os.kill(os.getpid(), signal.SIGSTOP); os.kill(1, signal.SIGTSTP)
import time; time.sleep(0.2); print("over", flush=True); os._exit(0)
""",
        says("over"),
    ),
    HostileJob(
        STAYING,
        "files and folders that nobody may remove",
        """
import os, fcntl
for place in ("/tmp", "/d4c/out"):
    os.makedirs(place + "/closed/inner/more"); open(place + "/closed/inner/file", "w").close()
    at = os.open(place + "/closed/inner/file", os.O_RDONLY)
    attempt(place + "-immutable", lambda: fcntl.ioctl(at, 0x40086602, b"\\x10" + bytes(7)))
    os.chmod(place + "/closed/inner/file", 0)
    os.chmod(place + "/closed/inner/more", 0); os.chmod(place + "/closed/inner", 0)
    os.chmod(place + "/closed", 0)
""",
        refused,
        quick=True,
    ),
    HostileJob(
        STAYING,
        "sockets, pipes and links in every place",
        """
import os, socket
for place in ("/tmp", "/d4c/out"):
    os.chdir(place)
    os.mkfifo("fifo"); socket.socket(socket.AF_UNIX).bind("socket")
    os.symlink("/", "root"); os.symlink("../../../../../../../..", "up"); os.symlink("loop", "loop")
    os.symlink(CANARY, "canary"); os.link("fifo", "again")
print("over")
""",
        says("over"),
        quick=True,
    ),
    HostileJob(
        WRITING,
        "names that are no text, or look like others",
        """
import os, unicodedata
os.chdir("/d4c/out")
names = [b"\\xff\\xfe", b"line\\nbreak", b"\\x1b[2J\\x1b]0;title\\x07", b"-rf", b"~", b"a b",
         "\\u202efdp.exe".encode(), unicodedata.normalize("NFC", "é").encode(), b"'", b'"', b"\\\\",
         unicodedata.normalize("NFD", "é").encode(), b"Name", b"name", b"con", b"x" * 255, b"*",
         "\\ufeff".encode(), "\\u200b".encode(), b"\\xed\\xa0\\x80", b"\\r", b"\\t", b"\\x7f",
         b"...", b"$(id)"]
for name in names: os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
print(len(os.listdir(b".")))
""",
        says("25"),
    ),
    HostileJob(
        WRITING,
        "codes for a terminal",
        """
import os
codes = (b"\\x1b]0;own\\x07\\x1b[2J\\x1b]52;c;ZXZpbA==\\x07\\x1bP+q\\x1b\\\\\\x9b31m\\x00\\xff\\n")
os.write(1, codes * 100)
raise SystemExit(7)
""",
        ended(7),
    ),
    HostileJob(
        WRITING,
        "a hundred thousand files",
        """
import os
for number in range(100_000): os.close(os.open(f"/d4c/out/{number}", os.O_CREAT | os.O_WRONLY))
""",
        over,
        quick=True,
    ),
)

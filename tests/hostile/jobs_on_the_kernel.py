"""Jobs that want more of the kernel than a job is given."""

from __future__ import annotations

from tests.hostile.job_kinds import HostileJob, ended, over, refused, says

KERNEL, PRIVILEGES = "kernel", "privileges"
SIGSYS = 128 + 31

_MACHINE_CODE = """
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=7); page.write(bytes.fromhex({code!r}))
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
print("returned")
"""

JOBS = (
    HostileJob(
        KERNEL,
        "makes namespaces in every way",
        """
import os
flags = {"user": 0x10000000, "mount": 0x20000, "net": 0x40000000, "pid": 0x20000000,
         "ipc": 0x08000000, "uts": 0x04000000, "cgroup": 0x02000000, "time": 0x80}
for name, flag in flags.items():
    attempt("unshare-" + name, lambda: call(272, flag))
    attempt("unshare-user-and-" + name, lambda: call(272, flag | 0x10000000))
    if name != "time":
        attempt("clone-" + name, lambda: call(56, flag | 17, 0, 0, 0, 0))
        attempt("clone-high-" + name, lambda: call(56, (1 << 40) | flag | 17, 0, 0, 0, 0))
    arguments = flag.to_bytes(8, "little") + bytes(80)
    attempt("clone3-" + name, lambda: call(435, arguments, len(arguments)))
for name in os.listdir("/proc/self/ns"):
    at = os.open("/proc/self/ns/" + name, os.O_RDONLY)
    attempt("setns-" + name, lambda: call(308, at, 0))
attempt("setns-pidfd", lambda: call(308, os.pidfd_open(os.getpid()), 0x7e020000))
""",
        refused,
        quick=True,
    ),
    HostileJob(
        KERNEL,
        "mounts, unmounts, and changes propagation",
        """
import os
os.mkdir("/tmp/d")
REC, PRIVATE, SLAVE, SHARED, BIND, REMOUNT, MOVE = 16384, 1 << 18, 1 << 19, 1 << 20, 4096, 32, 8192
for place in (b"/", b"/tmp", b"/d4c/out", b"/proc", b"/dev"):
    for name, flag in dict(private=PRIVATE, slave=SLAVE, shared=SHARED, remount=REMOUNT).items():
        attempt(f"{place.decode()}-{name}", lambda: call(165, None, place, None, flag | REC, None))
    attempt(f"{place.decode()}-bind", lambda: call(165, place, b"/tmp/d", None, BIND | REC, None))
    attempt(f"{place.decode()}-move", lambda: call(165, place, b"/tmp/d", None, MOVE, None))
    attempt(f"{place.decode()}-umount", lambda: call(166, place, 2))
    attempt(f"{place.decode()}-open-tree", lambda: call(428, -100, place, 1))
    attempt(f"{place.decode()}-setattr", lambda: call(442, -100, place, 0x8000, bytes(32), 32))
    attempt(f"{place.decode()}-pick", lambda: call(433, -100, place, 0))
for kind in (b"tmpfs", b"proc", b"sysfs", b"overlay", b"cgroup", b"cgroup2", b"devtmpfs", b"fuse",
             b"mqueue", b"debugfs", b"bpf", b"ext4", b"9p", b"nfs"):
    attempt(f"mount-{kind.decode()}", lambda: call(165, b"none", b"/tmp/d", kind, 0, None))
    attempt(f"fsopen-{kind.decode()}", lambda: call(430, kind, 0))
attempt("move-mount", lambda: call(429, -100, b"/tmp", -100, b"/tmp/d", 0))
attempt("fsmount", lambda: call(432, 0, 0, 0))
attempt("fsconfig", lambda: call(431, 0, 6, 0, 0, 0))
""",
        refused,
        quick=True,
    ),
    HostileJob(
        KERNEL,
        "leaves its root by chroot and pivot_root",
        """
import os
os.makedirs("/tmp/d/e"); here = os.open("/", os.O_RDONLY)
attempt("chroot", lambda: os.chroot("/tmp/d"))
attempt("pivot", lambda: call(155, b"/tmp/d", b"/tmp/d/e"))
attempt("pivot-itself", lambda: call(155, b".", b"."))
os.fchdir(here)
for _ in range(200): os.chdir("..")
attempt("canary", lambda: open(CANARY[1:]))
""",
        refused,
    ),
    HostileJob(
        KERNEL,
        "asks for kernel key rings",
        """
import ctypes
for ring in (-1, -2, -3, -4, -5):
    for operation in (0, 1, 3, 5, 6, 8, 11, 22): attempt(f"{operation}-{ring}",
        lambda: call(250, operation, ring, ctypes.create_string_buffer(64), 64, 0))
    attempt(f"add{ring}", lambda: call(248, b"user", b"d4c", b"x", 1, ring))
attempt("request", lambda: call(249, b"user", b"d4c", None, -3))
""",
        refused,
    ),
    HostileJob(
        KERNEL,
        "asks for rings of requests",
        """
import ctypes
for entries in (1, 8): attempt(f"setup-{entries}", lambda: call(425, entries, bytes(120)))
attempt("enter", lambda: call(426, 0, 1, 1, 0, None))
attempt("register", lambda: call(427, -1, 0, 0, 0))
""",
        refused,
        quick=True,
    ),
    HostileJob(
        KERNEL,
        "asks for faults to handle itself",
        """
import os
for flags in (0, 1, 0x800, 0x80801): attempt(f"flags-{flags}", lambda: call(323, flags))
attempt("device", lambda: os.open("/dev/userfaultfd", os.O_RDWR))
""",
        refused,
    ),
    HostileJob(
        KERNEL,
        "loads programs and modules into the kernel",
        """
for command in range(40): attempt(f"bpf-{command}", lambda: call(321, command, bytes(128), 128))
attempt("perf", lambda: call(298, bytes(112), 0, -1, -1, 0))
attempt("init-module", lambda: call(175, b"", 0, b""))
attempt("finit", lambda: call(313, 0, b"", 0))
attempt("delete", lambda: call(176, b"loop", 0)); attempt("kexec", lambda: call(246, 0, 0, None, 0))
attempt("kexec-file", lambda: call(320, 0, 0, 0, b"", 0))
attempt("fanotify", lambda: call(300, 0, 0))
attempt("ports", lambda: call(173, 0x70, 1, 1)); attempt("iopl", lambda: call(172, 3))
attempt("ldt", lambda: call(154, 1, bytes(16), 16))
attempt("uselib", lambda: call(134, b"/bin/sh"))
attempt("cookie", lambda: call(212, 0, bytes(64), 64))
attempt("profile", lambda: call(163, b"/tmp/a"))
""",
        refused,
    ),
    HostileJob(
        KERNEL,
        "moves memory and policies about",
        """
import os
for number, name in ((237, "mbind"), (238, "set"), (239, "get"), (256, "migrate"), (279, "move"),
                     (440, "advise-others"), (447, "secret"), (135, "personality")):
    attempt(name, lambda: call(number, 0, 0, 0, 0, 0, 0))
""",
        refused,
    ),
    HostileJob(
        KERNEL,
        "sets clocks and names, restarts the machine",
        """
import ctypes, socket
two = (ctypes.c_long * 2)(0, 0)
for clock in (0, 1, 7, 11): attempt(f"set-{clock}", lambda: call(227, clock, two))
attempt("time-of-day", lambda: call(164, two, None))
attempt("adjust", lambda: call(159, bytes(208)))
attempt("adjust-clock", lambda: call(305, 0, bytes(208)))
attempt("host", lambda: socket.sethostname("mine"))
attempt("domain", lambda: call(171, b"mine", 4))
for magic in (0x89abcdef, 0x1234567, 0xCDEF0123, 0x4321FEDC):
    attempt(f"reboot-{magic:x}", lambda: call(169, 0xfee1dead, 672274793, magic, 0))
attempt("swap", lambda: call(167, b"/tmp/s", 0)); attempt("swapoff", lambda: call(168, b"/tmp/s"))
attempt("quota", lambda: call(179, 0, None, 0, None)); attempt("hangup", lambda: call(153))
for kind in (2, 3, 4, 5, 8, 9, 10): attempt(f"log-{kind}", lambda: call(103, kind, bytes(64), 64))
""",
        refused,
    ),
    HostileJob(
        KERNEL,
        "calls by the numbers of i386",
        _MACHINE_CODE.format(code="b814000000cd80c3"),
        ended(SIGSYS),
    ),
    HostileJob(
        KERNEL,
        "calls by the numbers of x32",
        _MACHINE_CODE.format(code="b8270000400f05c3"),
        ended(SIGSYS),
        quick=True,
    ),
    HostileJob(
        KERNEL,
        "makes every call there is with senseless arguments",
        """
import ctypes, os, select, signal
libc = ctypes.CDLL(None, use_errno=True)
for number in [*range(335), *range(424, 470), 1 << 20, 1 << 31, -1]:
    child = os.fork()
    if child == 0:
        os.closerange(0, 3); signal.alarm(1)
        libc.syscall(number, -1, -1, -1, -1, -1, -1)
        os._exit(0)
    if select.select([os.pidfd_open(child)], [], [], 0.05)[0]: os.waitpid(child, 0)
print("over")
""",
        says("over"),
    ),
    HostileJob(
        KERNEL,
        "pushes input into terminals",
        """
import os
for number in range(3):
    for request in (0x5412, 0x541C, (1 << 32) | 0x5412, (7 << 32) | 0x541C):
        attempt(f"{number}-{request:x}", lambda: call(16, number, request, b"x"))
for name in ("tty", "console", "tty0", "tty1", "vcs", "vcsa1", "pts/0", "pts/1"):
    attempt(name, lambda: os.open("/dev/" + name, os.O_RDWR | os.O_NOCTTY))
attempt("steal-the-terminal", lambda: call(16, 0, 0x540E, 1))
""",
        refused,
        quick=True,
    ),
    HostileJob(
        KERNEL,
        "dies with a core",
        """
import ctypes, os, resource
attempt("larger-core", lambda: resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20)))
ctypes.string_at(0)
""",
        ended(139),
    ),
    HostileJob(
        PRIVILEGES,
        "becomes somebody else",
        """
import ctypes, os
for name, number in dict(setuid=105, setgid=106, setfsuid=122, setreuid=113, setregid=114,
                         setresuid=117, setresgid=119).items():
    if name == "setfsuid": continue  # it answers with the old one, whatever it does
    attempt(name, lambda: call(number, 0, 0, 0))
attempt("groups", lambda: os.setgroups([0])); attempt("groups-empty", lambda: os.setgroups([]))
header = (ctypes.c_uint32 * 2)(0x20080522, 0)
attempt("capset", lambda: call(126, header, (ctypes.c_uint32 * 6)(*[0xffffffff] * 6)))
for number in range(41): attempt(f"ambient-{number}", lambda: call(157, 47, 2, number, 0, 0))
attempt("new-privileges", lambda: call(157, 38, 0, 0, 0, 0))
attempt("keep", lambda: call(157, 28, 0xff, 0, 0, 0))
call(122, 0)
attempt("shadow", lambda: os.open("/etc/shadow-", os.O_RDWR))
status = open("/proc/self/status").read()
for line in status.splitlines():
    if line.startswith("Cap") and int(line.split()[1], 16): print(line.split()[0], "DONE")
    if line.startswith("NoNewPrivs") and line.split()[1] != "1": print("privileges", "DONE")
""",
        refused,
        quick=True,
    ),
    HostileJob(
        PRIVILEGES,
        "makes itself a setuid program",
        """
import os, shutil, subprocess
for place in ("/tmp", "/d4c/out"):
    program = shutil.copy("/usr/bin/id", place + "/id")
    attempt(place + "-owner", lambda: os.chown(program, 0, 0))
    os.chmod(program, 0o6755)
    said = subprocess.run([program, "-u"], capture_output=True, text=True).stdout.strip()
    print(place, "DONE" if said != "1000" else "EPERM")
    os.unlink(program)
""",
        refused,
        quick=True,
    ),
    HostileJob(
        PRIVILEGES,
        "runs the setuid programs that are there",
        """
import os, subprocess
found = [os.path.join(top, name) for top, _, names in os.walk("/usr") for name in names
         if os.lstat(os.path.join(top, name)).st_mode & 0o6000 and
         not os.path.islink(os.path.join(top, name))]
for program in found: print(program, "DONE")
print("looked EPERM")
""",
        refused,
    ),
    HostileJob(
        PRIVILEGES,
        "takes more than its share",
        """
import os, resource
for name in ("NOFILE", "FSIZE", "STACK", "CORE"):
    kind = getattr(resource, "RLIMIT_" + name)
    most = resource.getrlimit(kind)[1]
    attempt(name, lambda: resource.setrlimit(kind, (most + 1, most + 1)))
attempt("nice", lambda: os.setpriority(os.PRIO_PROCESS, 0, -20))
for policy in (1, 2, 6):
    attempt(f"real-time-{policy}", lambda: os.sched_setscheduler(0, policy, os.sched_param(50)))
attempt("io-real-time", lambda: call(251, 1, 0, (1 << 13) | 0))
""",
        refused,
    ),
    HostileJob(
        PRIVILEGES,
        "looks for secrets of the caller",
        """
import os, subprocess
known = {"PATH", "HOME", "TMPDIR", "PWD", "HOSTNAME", "TZ", "LC_ALL", "LANG", "SOURCE_DATE_EPOCH"}
for name in os.environ:
    if not name.startswith(("D4C_", "PYTHON", "OGR_", "PROJ_", "OMP_", "OPENBLAS_", "ARROW_",
                            "GDAL_", "NPY_", "GLIBC_", "LC_")) and name not in known:
        print(name, "DONE")
for path in ("/root", "/home", "/run", "/var/lib", "/etc/ssh", "/tmp"):
    names = os.listdir(path) if os.path.isdir(path) and os.access(path, os.R_OK) else []
    for name in names:
        if path in ("/root", "/home", "/run", "/tmp"): print(path, name, "DONE")
print("looked EPERM")
""",
        refused,
        quick=True,
    ),
    HostileJob(
        KERNEL,
        "looks for addresses of the kernel",
        """
for path in ("/proc/kallsyms", "/proc/modules"):
    try: lines = open(path).read().splitlines()
    except OSError: lines = []
    if any(int(word, 16) for line in lines for word in line.split()[:1] if path.endswith("syms")):
        print(path, "DONE")
attempt("pagemap", lambda: open("/proc/1/pagemap", "r+b"))
""",
        refused,
    ),
    HostileJob(
        KERNEL,
        "lies about its own end",
        """
import os, signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.close(0); os.close(1); os.close(2)
os.kill(os.getpid(), signal.SIGKILL)
os._exit(3)
""",
        over,
    ),
)
